//! Dates, times and durations as people write them.

use super::{Value, numbers, pick};
use fastrand::Rng;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A date in one of many shapes; `future` and `past` lean that way.
pub(super) fn date(lean: &str, rng: &mut Rng) -> Result<Value, String> {
    let years = match lean {
        "" => 1900..2060,
        "future" => 2027..2060,
        "past" => 1700..2025,
        _ => return Err("dates lean `future` or `past`".to_owned()),
    };
    let (year, month, day) = (rng.u32(years), rng.u32(1..=12), rng.u32(1..=28));
    let name = cased(MONTHS[month as usize - 1], rng);
    let short: String = name.chars().take(3).collect();
    let dated = match rng.u32(0..14) {
        0..3 => format!("{name} {day}, {year}"),
        3 => format!("{name} {day} {year}"),
        4 => format!("{day} {name} {year}"),
        5 => format!("{short} {day} {year}"),
        6 => format!("{day} {short} {year}"),
        7 => format!("{year}-{month:02}-{day:02}"),
        8 => format!("{month}/{day}/{year}"),
        9 => format!("{name} {} {year}", ordinal(day)),
        10 => format!("the {} of {name} {year}", ordinal(day)),
        _ => match rng.u32(0..4) {
            0 => format!("{name} {day}"),
            1 => format!("{name} {}", ordinal(day)),
            2 => format!("{day} {name}"),
            _ => format!("the {} of {name}", ordinal(day)),
        },
    };
    Ok(match rng.u32(0..20) {
        0 if lean != "past" => Value::closed(*pick(&["tomorrow", "the day after tomorrow"], rng)),
        1 if lean != "past" => Value::closed(format!("next {}", weekday(rng))),
        2 if lean == "past" => Value::closed(format!("last {}", weekday(rng))),
        3 if lean.is_empty() => Value::closed(*pick(&["today", "tomorrow", "yesterday"], rng)),
        _ => Value::open(dated),
    })
}

/// A time of day.
pub(super) fn time(rng: &mut Rng) -> String {
    let (h, m) = (rng.u32(1..=12), rng.u32(0..12) * 5);
    let half = *pick(&["am", "pm", "am", "pm", " am", " pm", " AM", " PM", "AM", "PM"], rng);
    match rng.u32(0..10) {
        0..4 => format!("{h}{half}"),
        4..7 => format!("{h}:{m:02}{half}"),
        7..9 => format!("{}:{m:02}", rng.u32(0..24)),
        _ => (*pick(&["noon", "midnight"], rng)).to_owned(),
    }
}

/// A date with a time.
pub(super) fn datetime(rng: &mut Rng) -> String {
    let (year, month, day) = (rng.u32(2020..2032), rng.u32(1..=12), rng.u32(1..=28));
    match rng.u32(0..5) {
        0 => format!("{year}-{month:02}-{day:02} {:02}:{:02}", rng.u32(0..24), rng.u32(0..12) * 5),
        1 => format!("tomorrow {}", time(rng)),
        2 => format!("tomorrow at {}", time(rng)),
        3 => format!("{} {}", weekday(rng), time(rng)),
        _ => format!("{} {day} at {}", cased(MONTHS[month as usize - 1], rng), time(rng)),
    }
}

/// A length of time.
pub(super) fn duration(rng: &mut Rng) -> String {
    let n = match rng.u32(0..10) {
        0..2 => numbers::spelled(rng.u64(2..20)),
        2..6 => rng.u32(2..30).to_string(),
        _ => rng.u32(2..400).to_string(),
    };
    let unit =
        *pick(&["days", "days", "days", "weeks", "weeks", "months", "years", "hours", "minutes", "business days"], rng);
    match rng.u32(0..20) {
        0 => {
            (*pick(&["a week", "a month", "a year", "a fortnight", "an hour", "half an hour", "a day"], rng)).to_owned()
        }
        1 => format!("{} weeks and {} days", rng.u32(2..12), rng.u32(2..7)),
        2 => format!("{} hours and {} minutes", rng.u32(2..30), rng.u32(2..60)),
        3 => format!("{} hours {} minutes", rng.u32(2..30), rng.u32(2..60)),
        _ => format!("{n} {unit}"),
    }
}

/// A day of the week.
pub(super) fn weekday(rng: &mut Rng) -> String {
    let day = *pick(&WEEKDAYS, rng);
    cased(day, rng)
}

/// A month.
pub(super) fn month(rng: &mut Rng) -> String {
    let month = *pick(&MONTHS, rng);
    match rng.u32(0..12) {
        0 => month.chars().take(3).collect::<String>().to_lowercase(),
        _ => cased(month, rng),
    }
}

fn cased(word: &str, rng: &mut Rng) -> String {
    if rng.u32(0..100) < 55 { word.to_lowercase() } else { word.to_owned() }
}

fn ordinal(day: u32) -> String {
    let suffix = match (day % 10, day % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{suffix}")
}
