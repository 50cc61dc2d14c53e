//! A ledger in memory: accounts, postings, balances.

use std::collections::BTreeMap;

/// An amount in cents; never a float.
pub type Cents = i64;

/// All accounts with their balances.
#[derive(Default)]
pub struct Ledger {
    balances: BTreeMap<String, Cents>,
}

impl Ledger {
    /// Moves `amount` from one account to another. Both balances change or neither does.
    pub fn transfer(&mut self, from: &str, to: &str, amount: Cents) -> Result<(), String> {
        if amount <= 0 {
            return Err(format!("amount is `{amount}`, must be positive"));
        }
        let balance = self.balance(from);
        if balance < amount {
            return Err(format!("account `{from}` has `{balance}`, needs `{amount}`"));
        }
        *self.balances.entry(from.to_owned()).or_default() -= amount;
        *self.balances.entry(to.to_owned()).or_default() += amount;
        Ok(())
    }

    /// The balance of an account; zero when it was never used.
    pub fn balance(&self, account: &str) -> Cents {
        self.balances.get(account).copied().unwrap_or(0)
    }
}
