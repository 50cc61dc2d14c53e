//! Functions with their lists, and verbs with their two numbers (`add 5 to 6`).

use tomas_english::{Rational, ratio};

use crate::function::{Function, small};
use crate::item::{Amount, Between, Item, Verb};
use crate::parse::Parser;
use crate::problem::Problem;
use crate::value::{Kind, Value};

impl Parser<'_> {
    pub(crate) fn call(&mut self, function: Function) -> Result<Value, Problem> {
        if function == Function::Log
            && let Some(base) = self.base()?
        {
            self.take(&Item::Of);
            let argument = self.power()?;
            return self.charge(Function::Log.apply(&[argument, base]));
        }
        while matches!(self.peek(), Some(Item::Of | Item::Between(Between::Among | Between::From))) {
            self.at += 1;
        }
        let arguments = match self.peek() {
            Some(Item::Open) if function.takes_list() => self.bracketed()?,
            _ if function.is_aggregate() => self.list()?,
            Some(Item::Minus) => vec![self.signed()?],
            _ if matches!(function, Function::Choose | Function::Permute) => self.taken()?,
            _ => vec![self.power()?],
        };
        if function == Function::Log && self.take(&Item::Base) {
            let base = self.power()?;
            let argument = arguments.into_iter().next().unwrap_or_else(|| Value::whole(1));
            return self.charge(Function::Log.apply(&[argument, base]));
        }
        self.charge(function.apply(&arguments))
    }

    /// `5 from 52`, `3 out of 10`: the larger set first, as in `choose(52, 5)`.
    fn taken(&mut self) -> Result<Vec<Value>, Problem> {
        let first = self.power()?;
        let turned = self.take(&Item::OutOf) || self.take(&Item::Of) || self.between(&[Between::From, Between::Among]);
        self.between(&[Between::Comma, Between::And]);
        let second = self.power()?;
        Ok(if turned { vec![second, first] } else { vec![first, second] })
    }

    /// The base in `log base 2 of 8`, `log2(8)`.
    fn base(&mut self) -> Result<Option<Value>, Problem> {
        if self.take(&Item::Base) {
            return self.postfix().map(Some);
        }
        let (Some(Item::Number(amount)), Some(next)) = (self.peek(), self.ahead(1)) else { return Ok(None) };
        let argument = matches!(next, Item::Number(_) | Item::Open | Item::Of | Item::Constant(_));
        if argument {
            self.at += 1;
            return Ok(Some(amount.value.clone()));
        }
        Ok(None)
    }

    /// `(a, b, …)`, or `(a) / 3 …` of a list without brackets.
    fn bracketed(&mut self) -> Result<Vec<Value>, Problem> {
        self.at += 1;
        let list = self.list_of(Self::sum_in_list)?;
        if !self.take(&Item::Close) && self.peek().is_some() {
            return Err(Problem::unclear("a closing bracket is missing"));
        }
        Ok(list)
    }

    fn sum_in_list(&mut self) -> Result<Value, Problem> {
        let listing = std::mem::replace(&mut self.listing, false);
        let value = self.sum();
        self.listing = listing;
        value
    }

    /// `3, 5 and 7`, `1 to 100`, `100,200,300`.
    pub(crate) fn list(&mut self) -> Result<Vec<Value>, Problem> {
        self.list_of(Self::product)
    }

    fn list_of(&mut self, element: fn(&mut Self) -> Result<Value, Problem>) -> Result<Vec<Value>, Problem> {
        let start = self.at;
        let mut list = vec![element(self)?];
        if self.between(&[Between::To]) {
            let last = element(self)?;
            return range(list.first(), &last);
        }
        loop {
            let separated = self.at;
            while self.between(&[Between::Comma, Between::And, Between::With]) || self.take(&Item::Plus) {}
            let spaced = separated == self.at && matches!(self.peek(), Some(Item::Number(_)));
            if (separated == self.at && !spaced) || !self.starts(0) {
                break;
            }
            list.push(element(self)?);
            self.toil(64);
        }
        if let (1, Some(Item::Number(amount))) = (self.at - start, self.items.get(start))
            && amount.grouped
        {
            return Ok(split(amount));
        }
        Ok(list)
    }

    pub(crate) fn verb(&mut self, verb: Verb) -> Result<Value, Problem> {
        self.take(&Item::Of);
        self.between(&[Between::Among]);
        let start = self.at;
        let first = if matches!(verb, Verb::Leftover | Verb::Remainder) { self.part()? } else { self.product()? };
        self.skip_charge();
        let joint = self.peek();
        let joined = self.between(&[
            Between::To,
            Between::By,
            Between::From,
            Between::With,
            Between::Among,
            Between::And,
            Between::Comma,
        ]) || self.take(&Item::Off)
            || self.take(&Item::For)
            || self.take(&Item::Minus)
            || self.take(&Item::Of)
            || self.take(&Item::Divide)
            || self.take(&Item::Is) && self.take(&Item::Divide);
        if !joined && !self.starts(0) {
            // `raise 2 to the power of 8`, `take 15% off 80` are complete without the verb.
            if matches!(verb, Verb::Raise | Verb::Subtract) && self.at > start + 1 {
                return Ok(first);
            }
            return Err(Problem::unclear("a second number is missing"));
        }
        self.between(&[Between::And, Between::Among, Between::By]);
        let second = self.share_or_number()?;
        self.take(&Item::Ways);
        while matches!(self.peek(), Some(Item::Off | Item::Discount | Item::Charge)) {
            self.at += 1;
        }
        let percent = |value: &Value| value.kind == Kind::Percent;
        let value = match verb {
            Verb::Add if percent(&first) => second.plus(&first),
            Verb::Add => return self.more_terms(first, second),
            Verb::Increase => first.plus(&second),
            Verb::Subtract if joint == Some(&Item::Between(Between::By)) => first.minus(&second),
            Verb::Subtract => second.minus(&first),
            Verb::Leftover if joint == Some(&Item::Between(Between::To)) => second.minus(&first),
            Verb::Decrease | Verb::Leftover => first.minus(&second),
            Verb::Multiply => first.times(&second),
            Verb::Divide | Verb::Quotient => first.over(&second),
            Verb::Remainder => first.modulo(&second),
            Verb::Raise if percent(&second) => first.plus(&second),
            Verb::Raise => first.power(&second),
            Verb::Difference => first.minus(&second).and_then(|difference| Function::Abs.apply(&[difference])),
        };
        self.charge(value)
    }

    /// The second number of a verb; a fraction in words is a share: `reduce 200 by a quarter`.
    fn share_or_number(&mut self) -> Result<Value, Problem> {
        let start = self.at;
        let second = self.product()?;
        match self.items.get(start) {
            Some(Item::Number(amount)) if self.at == start + 1 && amount.spelled && second.number < ratio(1, 1) => {
                Ok(second.with(Kind::Percent))
            }
            _ => Ok(second),
        }
    }

    fn more_terms(&mut self, first: Value, second: Value) -> Result<Value, Problem> {
        let mut total = first.plus(&second)?;
        while self.between(&[Between::And, Between::Comma, Between::With]) {
            self.between(&[Between::And]);
            let next = self.product()?;
            total = self.charge(total.plus(&next))?;
        }
        self.charge(Ok(total))
    }
}

/// The numbers of `1 to 100`.
fn range(first: Option<&Value>, last: &Value) -> Result<Vec<Value>, Problem> {
    let low = first.map(|value| small(value, 1_000_000)).transpose()?.unwrap_or(0);
    let high = small(last, 1_000_000)?;
    if high < low || high - low > 10_000 {
        return Err(Problem::impossible(format!(
            "the numbers from `{low}` to `{high}`\nhint: a range goes upwards and has at most 10000 numbers"
        )));
    }
    Ok((low..=high).map(Value::whole).collect())
}

/// The numbers of `100,200,300`, which looks like one.
fn split(amount: &Amount) -> Vec<Value> {
    let parts = amount.text.split([',', ' ', '_']).filter_map(|part| part.parse::<Rational>().ok());
    let parts: Vec<Value> = parts.map(|number| Value::exact(number).with(amount.value.kind)).collect();
    if parts.is_empty() { vec![amount.value.clone()] } else { parts }
}
