//! Dates in digits: `2024-03-03`, `3/14/24`, `14.3.2024`, `20240303`, `03/2024`, `1900`; weeks and quarters.

use jiff::ToSpan;
use jiff::civil::{Date, ISOWeekDate, Time, Weekday};
use tomas_english::month;
use tomas_english::words::{self, Piece};

use crate::moment::{Grain, Moment, Yearly};
use crate::problem::Problem;
use crate::token::Token;

/// Reads the date in digits that `tokens` start with, and how many of them it takes.
/// With `hours`, a number of four digits alone may be a time.
pub(crate) fn read(tokens: &[Token], today: Date, hours: bool) -> Result<Option<(Moment, usize)>, Problem> {
    let Some(first) = tokens.first().filter(|token| token.number().is_some()) else { return Ok(None) };
    if first.text.len() == 8 {
        return compact(&first.text, tokens);
    }
    // `2025-W15`
    if first.text.len() == 4
        && tokens.get(1).is_some_and(|token| token.is('-'))
        && tokens.get(2).is_some_and(|token| token.word() == "w" && token.glued)
        && let (Ok(year), Some(nth)) =
            (i16::try_from(first.number().unwrap_or_default()), tokens.get(3).and_then(Token::number))
    {
        return week(year, nth).map(|moment| Some((moment, 4)));
    }
    let separator = |place: usize| {
        tokens.get(place).filter(|token| token.glued && (token.is('-') || token.is('/') || token.is('.')))
    };
    let number = |place: usize| {
        tokens.get(place).filter(|token| token.glued).and_then(|token| Some((token.number()?, token.text.len())))
    };
    let Some(mark) = separator(1) else { return Ok(None) };
    let Some((second, second_length)) = number(2) else { return Ok(None) };
    let value = first.number().unwrap_or_default();
    let third = separator(3).filter(|other| other.kind == mark.kind).and_then(|_| number(4));
    match third {
        Some((third, third_length)) => {
            let (date, note) =
                three([(value, first.text.len()), (second, second_length), (third, third_length)], mark)?;
            let mut moment = Moment { note, ..Moment::of(date, Grain::Day) };
            let mut used = 5;
            if tokens.get(5).is_some_and(|token| token.word() == "t" && token.glued) {
                used += 1;
                if let Some((time, more)) = iso_time(tokens.get(6..).unwrap_or_default()) {
                    moment.time = Some(time);
                    used += more;
                }
            }
            Ok(Some((moment, used)))
        }
        None => {
            let dotted = tokens.get(3).is_some_and(|token| token.is('.') && token.glued);
            two((value, first.text.len()), (second, second_length), mark, today, hours, dotted)
        }
    }
}

fn compact(text: &str, tokens: &[Token]) -> Result<Option<(Moment, usize)>, Problem> {
    let part =
        |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or_default();
    let date = day(part(0, 4), part(4, 6), part(6, 8))?;
    let mut moment = Moment::of(date, Grain::Day);
    let mut used = 1;
    if tokens.get(1).is_some_and(|token| token.word() == "t")
        && let Some(time) = tokens.get(2)
    {
        let pair = |from: usize| time.text.get(from..from + 2).and_then(|digits| digits.parse::<i8>().ok());
        if let (Some(hour), Some(minute)) = (pair(0), pair(2)) {
            moment.time = Time::new(hour, minute, pair(4).unwrap_or(0), 0).ok();
            used = 3;
        }
    }
    Ok(Some((moment, used)))
}

fn iso_time(tokens: &[Token]) -> Option<(Time, usize)> {
    crate::clock::read(tokens, true)
}

/// Year first; else month and day in the US order unless only the other is possible, or dots are between them.
fn three(parts: [(i64, usize); 3], mark: &Token) -> Result<(Date, Option<String>), Problem> {
    let [(a, a_length), (b, _), (c, c_length)] = parts;
    if a_length == 4 {
        return if b > 12 && c <= 12 { day(a, c, b) } else { day(a, b, c) }.map(|date| (date, None));
    }
    let year = if c_length <= 2 { i64::from(two_digits(c).unwrap_or_default()) } else { c };
    let day_first = mark.is('.') || a > 12;
    let note = (!day_first && b <= 12 && a != b)
        .then(|| format!("read as month/day: {} {b}", month::name(u8::try_from(a).unwrap_or(0))));
    let date = if day_first { day(year, b, a)? } else { day(year, a, b)? };
    Ok((date, note))
}

fn two(
    (a, a_length): (i64, usize),
    (b, b_length): (i64, usize),
    mark: &Token,
    today: Date,
    hours: bool,
    dotted: bool,
) -> Result<Option<(Moment, usize)>, Problem> {
    let month_of = |year: i64, month: i64| day(year, month, 1).map(|date| Some((Moment::of(date, Grain::Month), 3)));
    match (a_length, b_length) {
        (4, 1 | 2) if b <= 12 => month_of(a, b),
        (1 | 2, 4) if a <= 12 => month_of(b, a),
        // `9.30` is a time where times are wanted, and `3.5` a number.
        (1 | 2, 1 | 2) if mark.is('/') || (mark.is('.') && !hours && (b_length == 2 || dotted) && b <= 12) => {
            let (month, day_number) = if mark.is('.') || a > 12 { (b, a) } else { (a, b) };
            let yearly = match (i8::try_from(month), i8::try_from(day_number)) {
                (Ok(month), Ok(day)) => Yearly::Day(month, day),
                _ => return Err(no_such_day(i64::from(today.year()), month, day_number)),
            };
            let date = yearly.upcoming(today).ok_or_else(|| no_such_day(i64::from(today.year()), month, day_number))?;
            let note = (mark.is('/') && a <= 12 && b <= 12 && a != b)
                .then(|| format!("read as month/day: {} {b}", month::name(u8::try_from(a).unwrap_or(0))));
            Ok(Some((Moment { yearly: Some(yearly), note, ..Moment::of(date, Grain::Day) }, 3)))
        }
        _ => Ok(None),
    }
}

/// A date, or an error that says how many days the month has.
pub(crate) fn day(year: i64, month: i64, day: i64) -> Result<Date, Problem> {
    let parts = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    match parts {
        (Ok(y), Ok(m), Ok(d)) => Date::new(y, m, d).map_err(|_| no_such_day(year, month, day)),
        _ => Err(no_such_day(year, month, day)),
    }
}

/// There is no 30th of February.
pub(crate) fn no_such_day(year: i64, month: i64, day: i64) -> Problem {
    let first =
        i16::try_from(year).ok().zip(i8::try_from(month).ok()).and_then(|(year, month)| Date::new(year, month, 1).ok());
    let Some(first) = first else {
        return Problem::new(format!(
            "there is no month `{month}` in a year `{year}`\nhint: months are 1 to 12, years up to 9999"
        ));
    };
    let name = month::name(u8::try_from(month).unwrap_or(0));
    Problem::new(format!(
        "there is no {name} `{day}` in {year}\nhint: {name} {year} has {} days",
        first.days_in_month()
    ))
}

/// 00 to 68 are this century, 69 to 99 the last.
pub(crate) fn two_digits(year: i64) -> Option<i16> {
    match year {
        0..=68 => i16::try_from(year + 2000).ok(),
        69..=99 => i16::try_from(year + 1900).ok(),
        _ => None,
    }
}

/// A year alone: three or four digits, or in words.
pub(crate) fn year(tokens: &[Token], hours: bool) -> Option<(i16, usize)> {
    let first = tokens.first()?;
    // `'99`
    if first.is('\'') {
        let digits = tokens.get(1).filter(|token| token.glued && token.text.len() == 2)?;
        return Some((two_digits(digits.number()?)?, 2));
    }
    if let Some(number) = first.number() {
        let long = matches!(first.text.len(), 3 | 4)
            && !(hours
                && first.text.len() == 4
                && tokens.len() == 1
                && number < 2400
                && number % 100 < 60
                && number < 1800);
        let clock =
            tokens.get(1).is_some_and(|token| token.is(':') || matches!(token.word(), "am" | "pm" | "hours" | "hrs"));
        return (long && !clock && number > 0).then(|| i16::try_from(number).ok().map(|year| (year, 1))).flatten();
    }
    spelled_year(tokens)
}

/// `twenty twenty five`, `nineteen eighty four`, `two thousand and six`.
pub(crate) fn spelled_year(tokens: &[Token]) -> Option<(i16, usize)> {
    let pieces: Vec<Piece<'_>> = tokens.iter().take(10).map(crate::duration::piece).collect();
    if !matches!(pieces.first(), Some(Piece::Word(_))) {
        return None;
    }
    let (first, used) = words::read(&pieces)?;
    let first = first.floor()?;
    if (1000..=9999).contains(&first) {
        return Some((i16::try_from(first).ok()?, used));
    }
    let rest = pieces.get(used..)?;
    if !(10..=29).contains(&first) || !matches!(rest.first(), Some(Piece::Word(_))) {
        return None;
    }
    if matches!(rest.first(), Some(Piece::Word("hundred"))) {
        return None;
    }
    let (second, more) = words::read(rest)?;
    let second = second.floor().filter(|second| (10..100).contains(second))?;
    Some((i16::try_from(first * 100 + second).ok()?, used + more))
}

/// A quarter of a year.
pub(crate) fn quarter(year: i16, quarter: i64) -> Result<Moment, Problem> {
    Ok(Moment::of(day(i64::from(year), quarter * 3 - 2, 1)?, Grain::Quarter))
}

/// An ISO week.
pub(crate) fn week(year: i16, week: i64) -> Result<Moment, Problem> {
    let found = i8::try_from(week).ok().and_then(|week| ISOWeekDate::new(year, week, Weekday::Monday).ok());
    let found = found.ok_or_else(|| {
        Problem::new(format!("there is no week `{week}` in {year}\nhint: ISO weeks are 1 to 52 or 53"))
    })?;
    Ok(Moment::of(found.date(), Grain::Week))
}

/// The n-th day of a year.
pub(crate) fn day_of_year(year: i16, nth: i64) -> Result<Moment, Problem> {
    let first = day(i64::from(year), 1, 1)?;
    if !(1..=i64::from(first.days_in_year())).contains(&nth) {
        return Err(Problem::new(format!(
            "there is no day `{nth}` in {year}\nhint: {year} has {} days",
            first.days_in_year()
        )));
    }
    let date = first.checked_add((nth - 1).days()).map_err(|_| Problem::too_far())?;
    Ok(Moment::of(date, Grain::Day))
}
