//! Lengths of time: `45 days`, `2 hours and 45 minutes`, `a fortnight`, `1h30m`, `half a year`, `10 business days`.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{Span, ToSpan};
use tomas_english::small::Small;
use tomas_english::words::{self, Piece};

use crate::problem::Problem;
use crate::show::{counted, listed};
use crate::token::{Kind, Token};

/// The longest durations, in days: 20,000 years.
const MOST_DAYS: i64 = 7_300_000;
/// Business days are counted one by one.
const MOST_BUSINESS_DAYS: i64 = 50_000;

/// A length of time with a direction. Its parts apply from the largest to the smallest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Duration {
    /// Months; a year has twelve.
    pub(crate) months: i64,
    /// Weeks.
    pub(crate) weeks: i64,
    /// Days.
    pub(crate) days: i64,
    /// Days that are neither Saturday nor Sunday.
    pub(crate) business_days: i64,
    /// Seconds.
    pub(crate) seconds: i64,
}

/// What a duration counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Months(i64),
    Weeks(i64),
    Days,
    Business,
    Seconds(i64),
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "century" | "centuries" => Unit::Months(1200),
        "decade" | "decades" => Unit::Months(120),
        "year" | "years" | "yr" | "yrs" | "y" | "yeas" => Unit::Months(12),
        "quarter" | "quarters" => Unit::Months(3),
        "month" | "months" | "mo" | "mos" | "mth" | "mths" | "moths" => Unit::Months(1),
        "fortnight" | "fortnights" => Unit::Weeks(2),
        "week" | "weeks" | "wk" | "wks" | "w" | "weaks" => Unit::Weeks(1),
        "day" | "days" | "d" | "dys" | "dayz" | "night" | "nights" => Unit::Days,
        "workday" | "workdays" | "weekday" | "weekdays" => Unit::Business,
        "hour" | "hours" | "hr" | "hrs" | "h" | "houres" | "hous" => Unit::Seconds(3600),
        "minute" | "minutes" | "min" | "mins" | "m" | "minuts" => Unit::Seconds(60),
        "second" | "seconds" | "sec" | "secs" | "s" => Unit::Seconds(1),
        _ => return None,
    })
}

/// Reads the duration that `tokens` start with, without a direction, and how many of them it takes.
pub(crate) fn read(tokens: &[Token]) -> Option<(Duration, usize)> {
    let mut reader = Reader { tokens, at: 0, total: Duration::default() };
    reader.part()?;
    loop {
        let start = reader.at;
        while reader.word(0) == "and" || reader.sign(',') || reader.sign('+') {
            reader.at += 1;
        }
        if reader.part().is_none() {
            reader.at = start;
            break;
        }
    }
    Some((reader.total, reader.at))
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    total: Duration,
}

impl Reader<'_> {
    fn word(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", Token::word)
    }

    fn sign(&self, sign: char) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is(sign))
    }

    /// One number with its unit.
    fn part(&mut self) -> Option<()> {
        let start = self.at;
        let found = self.counted();
        if found.is_none() {
            self.at = start;
        }
        found
    }

    fn counted(&mut self) -> Option<()> {
        let mut amount = self.amount()?;
        let working =
            matches!(self.word(0), "business" | "working" | "work" | "bank") && matches!(self.word(1), "days" | "day");
        let hyphen = usize::from(self.sign('-') && self.tokens.get(self.at).is_some_and(|token| token.glued));
        let unit = if working { Unit::Business } else { unit(self.word(hyphen))? };
        self.at += hyphen + if working { 2 } else { 1 };
        // `an hour and a half`, `a year and a quarter`
        if self.word(0) == "and"
            && self.word(1) == "a"
            && matches!(self.word(2), "half" | "quarter")
            && self.unit_at(3).is_none()
        {
            let more = if self.word(2) == "half" { Small::new(1, 2) } else { Small::new(1, 4) };
            amount = amount.plus(more)?;
            self.at += 3;
        }
        self.add(amount, unit)?;
        // `2 h 30`
        if let (Unit::Seconds(3600), Some(minutes)) = (unit, self.bare_minutes()) {
            self.total.seconds += minutes * 60;
            self.at += 1;
        }
        Some(())
    }

    fn unit_at(&self, ahead: usize) -> Option<Unit> {
        unit(self.word(ahead))
    }

    fn bare_minutes(&self) -> Option<i64> {
        let token = self.tokens.get(self.at)?;
        let last = self.tokens.len() == self.at + 1;
        token.number().filter(|minutes| last && *minutes < 60 && token.text.len() == 2)
    }

    /// `45`, `1.5`, `1/2`, `a`, `half an`, `two and a half`, `a couple of`, `a few`.
    fn amount(&mut self) -> Option<Small> {
        let pieces: Vec<Piece<'_>> = self.tokens.iter().skip(self.at).take(16).map(piece).collect();
        // `2 quarters` are half a year, not a half.
        let quarters = matches!(self.word(1), "quarters") && self.word(2) != "of";
        if let Some((value, used)) = words::read(&pieces).filter(|_| !quarters) {
            self.at += used;
            self.at += usize::from(self.word(0) == "of");
            self.at += usize::from(matches!(self.word(0), "a" | "an"));
            return Some(value);
        }
        let few = usize::from(matches!(self.word(0), "a" | "an" | "another"));
        if self.word(few) == "few" {
            self.at += few + 1;
            return Some(Small::whole(3));
        }
        if matches!(self.word(0), "a" | "an" | "one" | "another" | "every") {
            self.at += 1;
            return Some(Small::ONE);
        }
        let number = self.tokens.get(self.at)?;
        number.number()?;
        let mut value = number.value;
        self.at += 1;
        let next = |ahead: usize| self.tokens.get(self.at + ahead);
        let glued = next(1).is_some_and(|token| token.glued && token.number().is_some());
        if self.sign('.') && glued {
            let digits = next(1)?;
            let places = u32::try_from(digits.text.len().min(9)).ok()?;
            let part = digits.text.get(..digits.text.len().min(9))?.parse::<i64>().ok()?;
            value = value.plus(Small::new(part, 10_i64.checked_pow(places)?))?;
            self.at += 2;
        } else if self.sign(',') && glued && next(1)?.text.len() == 3 {
            // `1,000 days`
            value = value.times(Small::whole(1000))?.plus(next(1)?.value)?;
            self.at += 2;
        } else if self.sign('/') && glued && !next(1)?.value.is_zero() {
            value = value.over(next(1)?.value)?;
            self.at += 2;
        }
        Some(value)
    }

    fn add(&mut self, amount: Small, unit: Unit) -> Option<()> {
        let rest = |value: Small, floor: i64, factor: i64| {
            value.plus(Small::whole(floor.checked_neg()?))?.times(Small::whole(factor))?.round()
        };
        let sum = |total: i64, more: Option<i64>| total.checked_add(more?);
        let total = &mut self.total;
        match unit {
            Unit::Months(factor) => {
                let months = amount.times(Small::whole(factor))?;
                let floor = months.floor()?;
                total.months = sum(total.months, Some(floor))?;
                // What is left of a month, in days of a 30th.
                total.days = sum(total.days, rest(months, floor, 30))?;
            }
            Unit::Weeks(factor) if amount.times(Small::whole(factor))?.is_whole() => {
                total.weeks = sum(total.weeks, amount.times(Small::whole(factor))?.to_whole())?;
            }
            Unit::Weeks(_) | Unit::Days => {
                let days =
                    if let Unit::Weeks(factor) = unit { amount.times(Small::whole(7 * factor))? } else { amount };
                let floor = days.floor()?;
                total.days = sum(total.days, Some(floor))?;
                total.seconds = sum(total.seconds, rest(days, floor, 86_400))?;
            }
            Unit::Business => total.business_days = sum(total.business_days, amount.ceil())?,
            Unit::Seconds(factor) => {
                let seconds = amount.times(Small::whole(factor))?;
                total.seconds = sum(total.seconds, seconds.round())?;
            }
        }
        Some(())
    }
}

pub(crate) fn piece(token: &Token) -> Piece<'_> {
    match &token.kind {
        Kind::Word(word) => Piece::Word(word),
        Kind::Number(_) => Piece::Digits(token.value),
        Kind::Sign('-') if token.glued => Piece::Hyphen,
        Kind::Sign(_) => Piece::Other,
    }
}

/// Reads all of `tokens` as a duration with its direction: `3 weeks ago`, `-2 months`, `in 5 days`.
pub(crate) fn signed(tokens: &[Token]) -> Option<Duration> {
    const LEAD: [&str; 16] = [
        "in", "after", "plus", "add", "about", "within", "the", "next", "another", "for", "of", "exactly", "later",
        "is", "roughly", "by",
    ];
    const BACK: [&str; 10] =
        ["ago", "before", "earlier", "back", "prior", "previously", "sooner", "previous", "minus", "past"];
    const ON: [&str; 20] = [
        "from",
        "now",
        "later",
        "hence",
        "after",
        "time",
        "today",
        "on",
        "ahead",
        "more",
        "following",
        "it",
        "that",
        "then",
        "to",
        "of",
        "from",
        "the",
        "exactly",
        "forward",
    ];
    let mut at = 0;
    let mut back = false;
    while let Some(token) = tokens.get(at) {
        match token.word() {
            "minus" | "negative" | "subtract" | "last" | "past" | "less" | "take" | "remove" => back = true,
            word if LEAD.contains(&word) => {}
            _ if token.is('-') => back = true,
            _ if token.is('+') => {}
            _ => break,
        }
        at += 1;
    }
    let (duration, used) = read(tokens.get(at..)?)?;
    for token in tokens.get(at + used..)? {
        match token.word() {
            word if BACK.contains(&word) => back = true,
            word if ON.contains(&word) => {}
            _ if matches!(token.kind, Kind::Sign('?' | '.' | '!' | '\'' | ',')) => {}
            _ => return None,
        }
    }
    Some(if back { duration.reversed() } else { duration })
}

impl Duration {
    /// The same in the other direction.
    pub(crate) fn reversed(self) -> Self {
        Self {
            months: -self.months,
            weeks: -self.weeks,
            days: -self.days,
            business_days: -self.business_days,
            seconds: -self.seconds,
        }
    }

    /// Whether it goes back.
    pub(crate) fn is_back(self) -> bool {
        self.months < 0 || self.weeks < 0 || self.days < 0 || self.business_days < 0 || self.seconds < 0
    }

    /// Whether a time of day matters.
    pub(crate) fn has_time(self) -> bool {
        self.seconds != 0
    }

    /// `start` and this much later, in civil time; seconds are left to the caller, who knows the zone.
    pub(crate) fn after(self, start: DateTime) -> Result<DateTime, Problem> {
        let days =
            self.weeks.checked_mul(7).and_then(|days| days.checked_add(self.days)).ok_or_else(Problem::too_far)?;
        if days.abs() > MOST_DAYS || self.months.abs() > MOST_DAYS / 30 || self.business_days.abs() > MOST_BUSINESS_DAYS
        {
            return Err(Problem::too_far());
        }
        let months = Span::new().try_months(self.months).map_err(|_| Problem::too_far())?;
        let days = Span::new().try_days(days).map_err(|_| Problem::too_far())?;
        let moved =
            start.checked_add(months).and_then(|moved| moved.checked_add(days)).map_err(|_| Problem::too_far())?;
        let date = business(moved.date(), self.business_days)?;
        Ok(date.to_datetime(moved.time()))
    }

    /// `3 weeks`, `2 hours and 45 minutes`: for the answer.
    pub(crate) fn spelled(self) -> String {
        let size = if self.is_back() { self.reversed() } else { self };
        let mut parts = Vec::new();
        let mut part = |count: i64, name: &str| {
            if count != 0 {
                parts.push(counted(count, name));
            }
        };
        part(size.months / 12, "year");
        part(size.months % 12, "month");
        part(size.weeks, "week");
        part(size.days, "day");
        part(size.business_days, "business day");
        part(size.seconds / 3600, "hour");
        part(size.seconds / 60 % 60, "minute");
        part(size.seconds % 60, "second");
        if parts.is_empty() { "0 days".to_owned() } else { listed(&parts) }
    }
}

/// `date` and `count` business days later (or earlier).
fn business(mut date: Date, count: i64) -> Result<Date, Problem> {
    let step = if count < 0 { -1 } else { 1 };
    for _ in 0..count.abs() {
        loop {
            date = date.checked_add(step.days()).map_err(|_| Problem::too_far())?;
            if !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
                break;
            }
        }
    }
    Ok(date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tokens;

    fn check(text: &str, months: i64, days: i64, business_days: i64, seconds: i64) {
        let found =
            signed(&tokens(text)).map(|found| Duration { weeks: 0, days: found.days + 7 * found.weeks, ..found });
        let expected = Duration { months, weeks: 0, days, business_days, seconds };
        assert_eq!(found, Some(expected), "{text}");
    }

    #[test]
    fn durations() {
        check("45 days", 0, 45, 0, 0);
        check("-45 days", 0, -45, 0, 0);
        check("3 weeks ago", 0, -21, 0, 0);
        check("-2 months", -2, 0, 0, 0);
        check("90 minutes", 0, 0, 0, 5400);
        check("2 hours and 45 minutes", 0, 0, 0, 9900);
        check("1h30m", 0, 0, 0, 5400);
        check("2h 30", 0, 0, 0, 9000);
        check("an hour and a half", 0, 0, 0, 5400);
        check("half an hour", 0, 0, 0, 1800);
        check("two and a half weeks", 0, 17, 0, 43_200);
        check("a fortnight", 0, 14, 0, 0);
        check("2 quarters", 6, 0, 0, 0);
        check("three quarters of an hour", 0, 0, 0, 2700);
        check("1 year, 2 months and 3 days", 14, 3, 0, 0);
        check("1.5 years", 18, 0, 0, 0);
        check("half a year", 6, 0, 0, 0);
        check("10 business days", 0, 0, 10, 0);
        check("ten working days from now", 0, 0, 10, 0);
        check("a couple of weeks", 0, 14, 0, 0);
        check("a few days", 0, 3, 0, 0);
        check("1,000 days", 0, 1000, 0, 0);
        check("in 5 days", 0, 5, 0, 0);
        check("twenty-one days later", 0, 21, 0, 0);
        check("a week from now", 0, 7, 0, 0);
        check("minus three years", -36, 0, 0, 0);
        check("6-week", 0, 42, 0, 0);
        check("a quarter of an hour", 0, 0, 0, 900);
        for text in ["", "5", "days", "5 bananas", "soon"] {
            assert_eq!(signed(&tokens(text)), None, "{text}");
        }
        let friday = jiff::civil::date(2025, 11, 21).at(0, 0, 0, 0);
        let later = Duration { business_days: 1, ..Duration::default() }.after(friday).unwrap();
        assert_eq!(later.date(), jiff::civil::date(2025, 11, 24));
    }
}
