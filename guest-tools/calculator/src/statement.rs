//! Whole sentences about numbers: `10 is what percent of 50`, `20% of what is 10`, `percent change from a to b`.

use tomas_english::ratio;

use crate::function::Function;
use crate::item::{Between, Direction, Item};
use crate::parse;
use crate::problem::Problem;
use crate::value::{Kind, Value};

/// What the answer is about, for its wording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Story {
    /// `expression = value`.
    Plain,
    /// The value is the share that the first is of the second.
    Share(Value, Value),
    /// The value is the relative change from the first to the second.
    Change(Value, Value),
    /// The first is the value's share `second`.
    Whole(Value, Value),
    /// This much was taken off.
    Off(Value),
    /// The value is interest, after which the balance is this.
    Interest(Value),
}

/// A result before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The number.
    pub(crate) value: Value,
    /// How to say it.
    pub(crate) story: Story,
    /// How many operations were needed; none when the text was one number.
    pub(crate) operations: u32,
}

/// The outcome of `items`.
pub(crate) fn outcome(items: &[Item], listing: bool) -> Result<Outcome, Problem> {
    let (items, last) = trimmed(items);
    if items.is_empty() {
        return Err(Problem::unclear("no number in it"));
    }
    let mut outcome = sentence(&items, listing)?;
    if let Some(function) = last {
        outcome.value = function.apply(&[outcome.value])?;
        outcome.operations += 1;
    }
    Ok(outcome)
}

/// The items without words at the ends that say nothing, and a rounding function at the end.
fn trimmed(items: &[Item]) -> (Vec<Item>, Option<Function>) {
    let mut items = items.to_vec();
    let mut last = None;
    let empty = |item: &Item| {
        matches!(item, Item::What | Item::Is | Item::Between(_) | Item::For | Item::At | Item::Divide | Item::Times)
    };
    let mut start = 0;
    while items.get(start).is_some_and(empty) {
        start += 1;
    }
    items.drain(..start);
    loop {
        match (items.last(), items.len().checked_sub(2).and_then(|place| items.get(place))) {
            (Some(Item::Is | Item::Between(_) | Item::For), _) => {}
            (Some(Item::What), Some(Item::Is)) => {}
            (Some(Item::Function(Function::Sum | Function::Max)), Some(_)) => {}
            (Some(Item::Function(function @ (Function::Round | Function::Ceil | Function::Floor))), Some(_)) => {
                last = Some(*function);
            }
            _ => break,
        }
        items.pop();
    }
    (items, last)
}

fn sentence(items: &[Item], listing: bool) -> Result<Outcome, Problem> {
    let place = |wanted: &dyn Fn(&Item) -> bool| items.iter().position(wanted);
    let around = |at: usize| (items.get(..at).unwrap_or_default(), items.get(at + 1..).unwrap_or_default());
    if let Some(at) = place(&|item| *item == Item::WhatPercent) {
        let (before, after) = around(at);
        return what_percent(before, after);
    }
    if let Some(at) = place(&|item| *item == Item::AsPercent) {
        let (before, after) = around(at);
        return as_percent(before, after);
    }
    if let Some(at) = place(&|item| matches!(item, Item::Change(_))) {
        let (before, after) = around(at);
        return change(before, after, items.get(at));
    }
    if let Some(at) = place(&|item| *item == Item::What) {
        let (before, after) = around(at);
        return of_what(before, after);
    }
    if let Some(Item::Interest(compound)) = items.iter().find(|item| matches!(item, Item::Interest(_))) {
        return interest(items, *compound);
    }
    if let Some(answer) = charge_at(items)? {
        return Ok(answer);
    }
    let (value, operations) = parse::value(items, listing)?;
    Ok(Outcome { value, story: off_story(items)?, operations })
}

/// `compound interest on 1000 at 5% for 10 years`: a share, and two numbers in this order.
fn interest(items: &[Item], compound: bool) -> Result<Outcome, Problem> {
    let mut rate = None;
    let mut numbers = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let Item::Number(amount) = item else { continue };
        match items.get(place + 1) {
            Some(Item::Percent) => rate = Some(Value::exact(&amount.value.number / ratio(100, 1))),
            _ => numbers.push(amount.value.clone()),
        }
    }
    let (Some(rate), [principal, years]) = (rate, numbers.as_slice()) else {
        return Err(Problem::unclear("interest needs an amount, a percentage and a number of years"));
    };
    let one = Value::whole(1);
    let growth = match compound {
        true => one.plus(&rate)?.power(years)?,
        false => one.plus(&rate.times(years)?)?,
    };
    let balance = principal.times(&growth)?;
    Ok(Outcome { value: balance.minus(principal)?, story: Story::Interest(balance), operations: 1 })
}

/// The saving in `15% off 80`.
fn off_story(items: &[Item]) -> Result<Story, Problem> {
    let [Item::Number(share), Item::Percent, Item::Off, Item::Number(price)] = items else { return Ok(Story::Plain) };
    let share = Value::exact(&share.value.number / ratio(100, 1)).with(Kind::Percent);
    Ok(Story::Off(share.of(&price.value)?))
}

fn simple(items: &[Item]) -> Result<Value, Problem> {
    let (items, _) = trimmed(items);
    parse::value(&items, false).map(|(value, _)| value)
}

/// Cuts at the first item of `separators`.
fn cut<'a>(items: &'a [Item], separators: &[Item]) -> Option<(&'a [Item], &'a [Item])> {
    let at = items.iter().position(|item| separators.contains(item))?;
    Some((items.get(..at)?, items.get(at + 1..)?))
}

fn share(part: Value, whole: Value) -> Result<Outcome, Problem> {
    let quotient = part.over(&whole)?;
    Ok(Outcome { value: quotient.with(Kind::Percent), story: Story::Share(part, whole), operations: 1 })
}

/// `a is what percent of b`, `what percent of b is a`, `what percent is a of b`.
fn what_percent(before: &[Item], after: &[Item]) -> Result<Outcome, Problem> {
    let of = [Item::Of, Item::OutOf];
    if let [Item::Number(_)] = before
        && matches!(after.first(), Some(Item::Of | Item::Off))
    {
        // `17.5 percentage of 2,340`
        let items: Vec<Item> = before.iter().chain(&[Item::Percent]).chain(after).cloned().collect();
        let (value, operations) = parse::value(&items, false)?;
        return Ok(Outcome { value, story: Story::Plain, operations });
    }
    let before_is_empty = trimmed(before).0.is_empty();
    let rest = after.get(1..).unwrap_or_default();
    match after.first() {
        Some(Item::MoreThan | Item::LessThan) if !before_is_empty => relative(simple(rest)?, simple(before)?),
        Some(Item::Of | Item::OutOf) if !before_is_empty => share(simple(before)?, simple(rest)?),
        Some(Item::Of) => match (cut(rest, &[Item::Is]), cut(rest, &of)) {
            (Some((whole, part)), _) if !part.is_empty() => share(simple(part)?, simple(whole)?),
            (_, Some((part, whole))) => share(simple(part)?, simple(whole)?),
            _ => Err(Problem::unclear("a percentage of one number only")),
        },
        _ => {
            let after = trimmed(after).0;
            let (part, whole) = cut(&after, &of).ok_or_else(|| Problem::unclear("a percentage of one number only"))?;
            share(simple(part)?, simple(whole)?)
        }
    }
}

/// `10 as a percentage of 50`, `10 out of 50 as a percentage`, `3/8 in percent`.
fn as_percent(before: &[Item], after: &[Item]) -> Result<Outcome, Problem> {
    if let Some((Item::Of | Item::OutOf, whole)) = after.split_first() {
        return share(simple(before)?, simple(whole)?);
    }
    let all: Vec<Item> = before.iter().chain(after).cloned().collect();
    if !all.contains(&Item::Percent)
        && let Some((part, whole)) = cut(&all, &[Item::OutOf, Item::Of])
    {
        return share(simple(part)?, simple(whole)?);
    }
    let value = simple(&all)?.with(Kind::Percent);
    Ok(Outcome { value, story: Story::Plain, operations: 1 })
}

/// `percent change from a to b`, or `20% increase on 80`.
fn change(before: &[Item], after: &[Item], item: Option<&Item>) -> Result<Outcome, Problem> {
    let joint = |item: &Item| matches!(item, Item::Between(Between::To | Between::And | Between::Comma));
    if let Some(Item::Number(_)) = before.last() {
        let operand = after.iter().position(|item| matches!(item, Item::Number(_) | Item::Open));
        let between = after.iter().any(joint);
        if between || (operand.is_none() && before.iter().any(joint)) {
            return two(before, after);
        }
        let down = item == Some(&Item::Change(Direction::Down));
        let mut items = before.to_vec();
        items.extend([Item::Percent, if down { Item::LessThan } else { Item::MoreThan }]);
        items.extend(after.iter().skip(operand.unwrap_or(0)).cloned());
        let (value, operations) = parse::value(&items, false)?;
        return Ok(Outcome { value, story: Story::Plain, operations });
    }
    two(before, after)
}

/// The change between the two numbers among these items.
fn two(before: &[Item], after: &[Item]) -> Result<Outcome, Problem> {
    let said = |item: &&Item| {
        !matches!(
            item,
            Item::What
                | Item::Is
                | Item::Of
                | Item::Between(Between::From | Between::Among | Between::With | Between::By)
        )
    };
    let items: Vec<Item> = before.iter().chain(after).filter(said).cloned().collect();
    let (items, _) = trimmed(&items);
    let joints = [Item::Between(Between::To), Item::Between(Between::And), Item::Between(Between::Comma)];
    let (from, to) = cut(&items, &joints).ok_or_else(|| Problem::unclear("a change needs two numbers"))?;
    relative(simple(from)?, simple(to)?)
}

fn relative(from: Value, to: Value) -> Result<Outcome, Problem> {
    let difference = to.minus(&from)?;
    let size = Function::Abs.apply(std::slice::from_ref(&from))?;
    let value = difference.over(&size)?.with(Kind::Percent);
    Ok(Outcome { value, story: Story::Change(from, to), operations: 1 })
}

/// `10 is 20% of what`, `20% of what is 10`.
fn of_what(before: &[Item], after: &[Item]) -> Result<Outcome, Problem> {
    let unclear = || Problem::unclear("`what` in a place where it cannot be worked out");
    // `30% is 60, what is 100%`
    if let (Some((share, part)), Some((Item::Is, wanted))) = (cut(before, &[Item::Is]), after.split_first()) {
        let (share, part, wanted) = (simple(share)?, simple(part)?, simple(wanted)?);
        if share.kind == Kind::Percent && wanted.kind == Kind::Percent {
            let value = part.over(&share.with(Kind::Plain))?.times(&wanted.with(Kind::Plain))?;
            return Ok(Outcome { value, story: Story::Plain, operations: 1 });
        }
    }
    let (part, share) = match after.split_first() {
        Some((Item::Is, part)) => (simple(part)?, before),
        _ => {
            let (part, share) = cut(before, &[Item::Is]).ok_or_else(unclear)?;
            (simple(part)?, share)
        }
    };
    let Some((Item::Of, share)) = share.split_last() else { return Err(unclear()) };
    let (share, _) = parse::value(share, false)?;
    let value = part.over(&share.clone().with(Kind::Plain))?;
    Ok(Outcome { value, story: Story::Whole(part, share), operations: 1 })
}

/// `tip on $45 at 20%`, `tax of 8% on 120`.
fn charge_at(items: &[Item]) -> Result<Option<Outcome>, Problem> {
    let Some((Item::Charge | Item::Of | Item::Off, rest)) = items.split_first() else { return Ok(None) };
    let rest = match rest.split_first() {
        Some((Item::Of | Item::At, rest)) => rest,
        _ => rest,
    };
    let shares = |items: &[Item]| matches!(items, [Item::Number(_), Item::Percent]);
    let value = match cut(rest, &[Item::At, Item::Between(Between::With)]) {
        Some((price, share)) if shares(share) => simple(share)?.of(&simple(price)?)?,
        _ => simple(rest)?,
    };
    let value = match items.first() {
        Some(Item::Off) => simple(cut(rest, &[Item::At]).map_or(rest, |(price, _)| price))?.minus(&value)?,
        _ => value,
    };
    Ok(Some(Outcome { value, story: Story::Plain, operations: 1 }))
}
