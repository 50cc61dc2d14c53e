//! Dates and spans as they stand in answers.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Unit, Zoned};
use tomas_english::month;

use crate::moment::Moment;

/// English names, Monday first.
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// `Sunday`.
pub(crate) fn weekday(date: Date) -> &'static str {
    let place = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
    WEEKDAYS.get(place).copied().unwrap_or("?")
}

/// `March`.
pub(crate) fn month_of(date: Date) -> &'static str {
    month::name(u8::try_from(date.month()).unwrap_or(0))
}

/// `3 March 2024`.
pub(crate) fn short(date: Date) -> String {
    format!("{} {} {}", date.day(), month_of(date), date.year())
}

/// `Sunday, 3 March 2024`.
pub(crate) fn long(date: Date) -> String {
    format!("{}, {}", weekday(date), short(date))
}

/// `14:05`, with seconds only where there are some.
pub(crate) fn clock(time: Time) -> String {
    match time.second() {
        0 => format!("{:02}:{:02}", time.hour(), time.minute()),
        second => format!("{:02}:{:02}:{second:02}", time.hour(), time.minute()),
    }
}

/// `2024-03-03`.
pub(crate) fn iso(date: Date) -> String {
    date.to_string()
}

/// `2024-03-03 14:05`.
pub(crate) fn iso_time(at: DateTime) -> String {
    format!("{} {}", at.date(), clock(at.time()))
}

/// `14:05 on Sunday, 3 March 2024`.
pub(crate) fn full(at: &Zoned) -> String {
    format!("{} on {}", clock(at.time()), long(at.date()))
}

/// The name of a day: `Christmas (Thursday, 25 December 2025)` or the date alone.
pub(crate) fn named(moment: &Moment, date: Date) -> String {
    match moment.title {
        Some(title) => format!("{title} ({})", long(date)),
        None => long(date),
    }
}

/// `4 weeks and 6 days`, or nothing below a week.
pub(crate) fn weeks(days: i64) -> Option<String> {
    let (weeks, rest) = (days / 7, days % 7);
    match (weeks, rest) {
        (0, _) => None,
        (_, 0) => Some(counted(weeks, "week")),
        _ => Some(listed(&[counted(weeks, "week"), counted(rest, "day")])),
    }
}

/// `1 year, 3 months and 14 days`, or nothing below a month.
pub(crate) fn calendar(from: Date, to: Date) -> Option<String> {
    let span = from.until((Unit::Year, to)).ok()?;
    let parts = [
        (i64::from(span.get_years()), "year"),
        (i64::from(span.get_months()), "month"),
        (i64::from(span.get_days()), "day"),
    ];
    if parts.iter().take(2).all(|(count, _)| *count == 0) {
        return None;
    }
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count != 0).map(|(count, name)| counted(*count, name)).collect();
    Some(listed(&parts))
}

/// `34 days`, `1 day`.
pub(crate) fn days(count: i64) -> String {
    counted(count, "day")
}

/// `8 hours and 30 minutes`, `2 days, 3 hours`.
pub(crate) fn seconds(total: i64) -> String {
    let parts =
        [(total / 86_400, "day"), (total / 3600 % 24, "hour"), (total / 60 % 60, "minute"), (total % 60, "second")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count != 0).map(|(count, name)| counted(*count, name)).collect();
    if parts.is_empty() { "no time".to_owned() } else { listed(&parts) }
}

/// Hours as a short decimal: `8.5`, `-5.75`.
pub(crate) fn hours(total: i64) -> String {
    let sign = if total < 0 { "-" } else { "" };
    let (hours, rest) = (total.unsigned_abs() / 3600, total.unsigned_abs() % 3600);
    let fraction = format!("{:06}", (rest * 1_000_000 + 1800) / 3600);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{sign}{hours}") } else { format!("{sign}{hours}.{fraction}") }
}

/// `1 day`, `2,000 days`.
pub(crate) fn counted(count: i64, name: &str) -> String {
    let digits = tomas_english::show::group(&count.to_string());
    format!("{digits} {name}{}", if count == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}
