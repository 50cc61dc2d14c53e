//! The grammar of expressions. Values are worked out while reading, so that the depth of a long chain
//! of additions costs nothing; only brackets and prefixes nest, up to a limit.

use tomas_english::ratio;

use crate::function::Function;
use crate::item::{Amount, Between, Direction, Item, Verb};
use crate::precise;
use crate::problem::Problem;
use crate::value::{Kind, Value};

/// Brackets, signs and functions may nest this deep.
const DEEPEST: u32 = 120;
/// Bits that all intermediate results may have together: the bound on time.
const WORK: u64 = 40_000_000;

/// A cursor over items.
pub(crate) struct Parser<'a> {
    pub(crate) items: &'a [Item],
    pub(crate) at: usize,
    depth: u32,
    work: u64,
    /// Whether `and` and `,` between terms add them up, as in a shopping list.
    pub(crate) listing: bool,
    /// Operators and functions met, so that a lone number is told from a calculation.
    pub(crate) operations: u32,
}

/// The value of all of `items`.
pub(crate) fn value(items: &[Item], listing: bool) -> Result<(Value, u32), Problem> {
    let mut parser = Parser { items, at: 0, depth: 0, work: 0, listing, operations: 0 };
    let value = parser.sum()?;
    match parser.peek() {
        None => Ok((value, parser.operations)),
        Some(item) => Err(Problem::unclear(format!("{} has no place", item.describe()))),
    }
}

impl<'a> Parser<'a> {
    pub(crate) fn peek(&self) -> Option<&'a Item> {
        self.items.get(self.at)
    }

    pub(crate) fn ahead(&self, count: usize) -> Option<&'a Item> {
        self.items.get(self.at + count)
    }

    pub(crate) fn take(&mut self, item: &Item) -> bool {
        let found = self.peek() == Some(item);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn between(&mut self, separators: &[Between]) -> bool {
        let found = matches!(self.peek(), Some(Item::Between(found)) if separators.contains(found));
        self.at += usize::from(found);
        found
    }

    /// Counts the cost of a result.
    pub(crate) fn charge(&mut self, value: Result<Value, Problem>) -> Result<Value, Problem> {
        let value = value?;
        self.work += value.bits();
        self.operations += 1;
        match self.work > WORK {
            true => Err(Problem::impossible("the calculation is too long\nhint: split it, or use smaller numbers")),
            false => Ok(value),
        }
    }

    /// Counts work that has no result of its own.
    pub(crate) fn toil(&mut self, bits: u64) {
        self.work += bits;
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Problem::impossible(format!("brackets or functions nested more than {DEEPEST} deep")));
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    pub(crate) fn sum(&mut self) -> Result<Value, Problem> {
        let mut left = self.product()?;
        loop {
            let start = self.at;
            left = match self.peek() {
                // `plus tax at 7.5%`
                Some(Item::Plus) if self.ahead(1) == Some(&Item::Charge) => {
                    self.at += 1;
                    self.adjusted(&left)?.ok_or_else(|| Problem::unclear("a tax or tip without its percentage"))?
                }
                Some(Item::Plus) => {
                    self.at += 1;
                    // `plus with`, `plus a 5% tip`
                    let right = self.product()?;
                    self.skip_charge();
                    self.charge(left.plus(&right))?
                }
                Some(Item::Minus) => {
                    self.at += 1;
                    let right = self.product()?;
                    self.skip_charge();
                    self.charge(left.minus(&right))?
                }
                Some(Item::Flipped) => {
                    self.at += 1;
                    let right = self.product()?;
                    self.charge(right.minus(&left))?
                }
                Some(Item::Share) => {
                    self.at += 1;
                    self.between(&[Between::Among, Between::By, Between::With, Between::To]);
                    let right = self.product()?;
                    self.take(&Item::Ways);
                    self.charge(left.over(&right))?
                }
                Some(Item::Between(Between::With | Between::Comma) | Item::At | Item::Number(_) | Item::Charge) => {
                    match self.adjusted(&left)? {
                        Some(value) => value,
                        None => {
                            self.at = start;
                            match self.listed(&left)? {
                                Some(value) => value,
                                None => return Ok(left),
                            }
                        }
                    }
                }
                Some(Item::Between(Between::And)) => match self.listed(&left)? {
                    Some(value) => value,
                    None => return Ok(left),
                },
                _ => return Ok(left),
            };
        }
    }

    pub(crate) fn skip_charge(&mut self) {
        while matches!(self.peek(), Some(Item::Charge | Item::Discount)) {
            self.at += 1;
        }
    }

    /// `with 8% tax`, `with a 15% discount`, `, 15% off`, `tax at 8%` behind an amount.
    fn adjusted(&mut self, left: &Value) -> Result<Option<Value>, Problem> {
        let mut charged = false;
        while let Some(Item::Between(Between::With | Between::Comma) | Item::At | Item::Charge) = self.peek() {
            charged |= self.peek() == Some(&Item::Charge);
            self.at += 1;
        }
        let (Some(Item::Number(_)), Some(Item::Percent)) = (self.peek(), self.ahead(1)) else { return Ok(None) };
        let share = self.postfix()?;
        let off = match self.peek() {
            Some(Item::Off | Item::Discount | Item::LessThan | Item::Change(Direction::Down)) => true,
            Some(Item::Charge | Item::MoreThan | Item::Change(_)) => false,
            None | Some(Item::Share) if charged => false,
            None if self.items.contains(&Item::Between(Between::With)) => false,
            _ => return Ok(None),
        };
        self.at += usize::from(self.peek().is_some_and(|item| *item != Item::Share));
        self.charge(if off { left.minus(&share) } else { left.plus(&share) }).map(Some)
    }

    /// `and a pen for 1.80` behind an amount in a shopping list.
    fn listed(&mut self, left: &Value) -> Result<Option<Value>, Problem> {
        if !self.listing {
            return Ok(None);
        }
        let start = self.at;
        while self.between(&[Between::And, Between::Comma, Between::With]) {}
        if start == self.at {
            return Ok(None);
        }
        let right = self.product()?;
        if self.take(&Item::Each) {
            return self.charge(left.times(&right)).map(Some);
        }
        self.charge(left.plus(&right)).map(Some)
    }

    pub(crate) fn product(&mut self) -> Result<Value, Problem> {
        let mut left = self.part()?;
        loop {
            left = match self.peek() {
                Some(Item::Times) => {
                    self.at += 1;
                    let right = self.part()?;
                    self.charge(left.times(&right))?
                }
                Some(Item::Between(Between::By)) if self.depth == 0 && self.starts(1) => {
                    self.at += 1;
                    let right = self.part()?;
                    self.charge(left.times(&right))?
                }
                Some(Item::Divide | Item::OutOf) => {
                    self.at += 1;
                    let right = self.part()?;
                    self.charge(left.over(&right))?
                }
                Some(Item::Modulo) => {
                    self.at += 1;
                    let right = self.part()?;
                    self.charge(left.modulo(&right))?
                }
                // `3 notebooks at 4.25 each`
                Some(Item::At | Item::For)
                    if matches!(self.ahead(1), Some(Item::Number(_))) && self.ahead(2) != Some(&Item::Percent) =>
                {
                    let total = self.peek() == Some(&Item::For);
                    self.at += 1;
                    let price = self.part()?;
                    let each = self.take(&Item::Each);
                    if total && !each { price } else { self.charge(left.times(&price))? }
                }
                Some(Item::Open | Item::Function(_) | Item::Constant(_) | Item::Bar) if self.multiplies() => {
                    let right = self.part()?;
                    self.charge(left.times(&right))?
                }
                Some(Item::Each) => {
                    self.at += 1;
                    left
                }
                _ => return Ok(left),
            };
        }
    }

    /// Whether a bracket, function or constant here is a factor (`2 pi`), not a leftover (`5 rounded`).
    fn multiplies(&self) -> bool {
        match self.peek() {
            Some(Item::Bar) => false,
            Some(Item::Function(_)) => self.starts(1) || self.ahead(1) == Some(&Item::Of),
            _ => true,
        }
    }

    /// Whether an operand starts `ahead` items on.
    pub(crate) fn starts(&self, ahead: usize) -> bool {
        matches!(
            self.ahead(ahead),
            Some(Item::Number(_) | Item::Open | Item::Function(_) | Item::Constant(_) | Item::Minus | Item::Bar)
        )
    }

    /// `17.5% of …`, `15% off …`, `5 more than …`, right to left.
    pub(crate) fn part(&mut self) -> Result<Value, Problem> {
        let left = match self.slashed_share() {
            Some(share) => share,
            None => self.signed()?,
        };
        let share = matches!(self.peek(), Some(Item::Number(_))) && self.spelled_before();
        match self.peek() {
            Some(Item::Of) => self.at += 1,
            Some(Item::Off | Item::Discount | Item::LessThan) if self.starts(1) => {
                self.at += 1;
                let right = self.nested(Self::part)?;
                return self.charge(left.off(&right));
            }
            Some(Item::MoreThan) if self.starts(1) => {
                self.at += 1;
                let right = self.nested(Self::part)?;
                return self.charge(right.plus(&left));
            }
            // `15% 80`
            Some(Item::Number(_)) if left.kind == Kind::Percent => {}
            // `half 30`
            _ if share && left.number < ratio(1, 1) => {}
            _ => return Ok(left),
        }
        let right = self.nested(Self::part)?;
        self.charge(left.of(&right))
    }

    /// The quarter of `1/4 of 200`, which is not a division by what follows.
    fn slashed_share(&mut self) -> Option<Value> {
        let (Item::Number(top), Item::Divide, Item::Number(bottom), Item::Of) =
            (self.ahead(0)?, self.ahead(1)?, self.ahead(2)?, self.ahead(3)?)
        else {
            return None;
        };
        let share = top.value.over(&bottom.value).ok()?;
        self.at += 3;
        Some(share)
    }

    fn spelled_before(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|place| self.items.get(place));
        matches!(before, Some(Item::Number(Amount { spelled: true, .. })))
    }

    pub(crate) fn signed(&mut self) -> Result<Value, Problem> {
        if self.take(&Item::Minus) {
            return Ok(self.nested(Self::signed)?.negated());
        }
        if self.take(&Item::Plus) {
            return self.nested(Self::signed);
        }
        self.power()
    }

    pub(crate) fn power(&mut self) -> Result<Value, Problem> {
        let base = self.postfix()?;
        if self.take(&Item::Power) {
            let exponent = self.nested(Self::signed)?;
            return self.charge(base.power(&exponent));
        }
        Ok(base)
    }

    pub(crate) fn postfix(&mut self) -> Result<Value, Problem> {
        let mut value = self.primary()?;
        loop {
            value = match self.peek() {
                Some(Item::Percent) => {
                    self.at += 1;
                    self.operations += 1;
                    Value { number: value.number / ratio(100, 1), ..value }.with(Kind::Percent)
                }
                Some(Item::Factorial) if self.ahead(1) != Some(&Item::Of) => {
                    self.at += 1;
                    let factorial = Function::Factorial.apply(&[value]);
                    self.charge(factorial)?
                }
                Some(Item::Squared) => {
                    self.at += 1;
                    let square = value.power(&Value::whole(2));
                    self.charge(square)?
                }
                Some(Item::Cubed) => {
                    self.at += 1;
                    let cube = value.power(&Value::whole(3));
                    self.charge(cube)?
                }
                Some(Item::Degrees) => {
                    self.at += 1;
                    let radians = precise::pi() / ratio(180, 1);
                    let angle = value.times(&Value::rounded(&radians));
                    self.charge(angle)?
                }
                Some(Item::Choose | Item::Permute) => {
                    let function =
                        if self.peek() == Some(&Item::Choose) { Function::Choose } else { Function::Permute };
                    self.at += 1;
                    let right = self.primary()?;
                    let ways = function.apply(&[value, right]);
                    self.charge(ways)?
                }
                _ => return Ok(value),
            };
        }
    }

    fn primary(&mut self) -> Result<Value, Problem> {
        let item = self.peek().ok_or_else(|| Problem::unclear("a number is missing at the end"))?;
        self.at += 1;
        match item {
            Item::Number(amount) => Ok(amount.value.clone()),
            Item::Constant(constant) => Ok(Value::rounded(&constant.number())),
            Item::Open => self.nested(|parser| {
                let value = parser.sum()?;
                // A bracket left open at the end is closed by the end.
                if parser.take(&Item::Close) || parser.peek().is_none() {
                    return Ok(value);
                }
                Err(Problem::unclear("a closing bracket is missing"))
            }),
            Item::Bar => self.nested(|parser| {
                let value = parser.sum()?;
                parser.take(&Item::Bar);
                Function::Abs.apply(&[value])
            }),
            Item::Function(function) => self.nested(|parser| parser.call(*function)),
            Item::Factorial => self.nested(|parser| {
                parser.take(&Item::Of);
                let value = parser.power()?;
                parser.charge(Function::Factorial.apply(&[value]))
            }),
            Item::Verb(verb) => self.nested(|parser| parser.verb(*verb)),
            Item::Share => self.nested(|parser| parser.verb(Verb::Divide)),
            // `at 4.25 each`, `for 1.80`, `each 4.25`: the words of a price.
            Item::At | Item::For | Item::Each if matches!(self.peek(), Some(Item::Number(_))) => self.primary(),
            other => Err(Problem::unclear(format!("{} where a number should be", other.describe()))),
        }
    }
}
