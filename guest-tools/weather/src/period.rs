//! Which months are asked for: `July`, `summer`, `next week`, `June to August`, `christmas`, the whole year.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tomas_english::{fold, month, ordinal, words};

use crate::problem::Problem;
use crate::table::City;

/// Some months and how to call them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Period {
    /// 1 to 12, in the order in which they come.
    pub(crate) months: Vec<u8>,
    /// `July`, `summer (June to August)`, `the whole year`.
    pub(crate) label: String,
}

/// The day of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    /// 1 to 12.
    pub(crate) month: u8,
    /// 1 to 31.
    pub(crate) day: u8,
}

/// Days and months ahead of today.
enum Ahead {
    Days(u64),
    Months(u8),
}

const DAY: u64 = 86_400;

/// The month and day of the month of a moment, in UTC.
pub(crate) fn day_of(now: SystemTime) -> Day {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    // Howard Hinnant's civil_from_days; years begin in March.
    let days = seconds / DAY + 719_468;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    Day { month: u8::try_from(month).unwrap_or(1), day: u8::try_from(day).unwrap_or(1) }
}

/// Reads `text`; without one it is the month of today. Seasons turn round south of the equator, and the rainy
/// season is when it rains in `city`.
pub(crate) fn read(text: Option<&str>, now: SystemTime, city: &City) -> Result<Period, Problem> {
    let today = day_of(now);
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(one(today.month));
    };
    let folded = fold::plain(&fold::characters(text).replace(['-', '–'], " to "));
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    if whole_year(&folded) {
        return Ok(Period { months: (1..=12).collect(), label: "the whole year".to_owned() });
    }
    if let Some(found) = by_rain(&words, city) {
        return Ok(found);
    }
    let southern = city.latitude < 0;
    if let Some(found) = quarter(&words) {
        return Ok(found);
    }
    let date = in_digits(text);
    if let Some(found) = date.map(one).or_else(|| between(&words)).or_else(|| season(&words, southern)) {
        return Ok(found);
    }
    if let Some(ahead) = ahead(&words) {
        return Ok(match ahead {
            Ahead::Days(days) => one(day_of(now + Duration::from_secs(days * DAY)).month),
            Ahead::Months(months) => one((today.month - 1 + months) % 12 + 1),
        });
    }
    let named: Vec<u8> = words.iter().filter_map(|word| month::number(word)).collect();
    if let Some(found) = several(&named) {
        return Ok(found);
    }
    if let Some(month) = holiday(&folded) {
        return Ok(one(month));
    }
    if current(&words) {
        return Ok(one(today.month));
    }
    Err(Problem::new(format!(
        "`{}` is not understood as a time of the year\nhint: name a month, a season, `today`, `next week`, `June to August` or `the whole year`",
        text.trim()
    )))
}

fn one(number: u8) -> Period {
    Period { months: vec![number], label: month::name(number).to_owned() }
}

fn several(months: &[u8]) -> Option<Period> {
    let mut months = months.to_vec();
    months.dedup();
    match months.as_slice() {
        [] => None,
        [single] => Some(one(*single)),
        [front @ .., last] => {
            let front: Vec<&str> = front.iter().map(|number| month::name(*number)).collect();
            let label = format!("{} and {}", front.join(", "), month::name(*last));
            Some(Period { months, label })
        }
    }
}

fn whole_year(text: &str) -> bool {
    [
        "whole year",
        "all year",
        "year round",
        "annual",
        "yearly",
        "all months",
        "every month",
        "per month",
        "monthly",
        "throughout the year",
        "entire year",
        "the year",
        "full year",
        "each month",
        "average year",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
        || matches!(
            text,
            "year" | "next year" | "this year" | "last year" | "in general" | "generally" | "usually" | "normally"
        )
        || (text.len() == 4 && text.chars().all(|c| c.is_ascii_digit()))
}

/// `q3`, `third quarter`.
fn quarter(words: &[&str]) -> Option<Period> {
    let named = words.iter().position(|word| *word == "quarter").and_then(|place| words.get(place.checked_sub(1)?));
    let nth = match named {
        Some(word) => ordinal::read(word)?,
        None => words.iter().find_map(|word| word.strip_prefix('q')?.parse().ok())?,
    };
    let first = u8::try_from(nth).ok().filter(|nth| (1..=4).contains(nth))? * 3 - 2;
    let label = format!("{} to {}", month::name(first), month::name(first + 2));
    Some(Period { months: (first..first + 3).collect(), label })
}

/// `rainy season`, `monsoon`, `dry season`: the three months on end with most or least precipitation.
fn by_rain(words: &[&str], city: &City) -> Option<Period> {
    let wet = words.iter().any(|word| matches!(*word, "monsoon" | "monsoons"));
    let season = words.iter().position(|word| matches!(*word, "season" | "months"));
    let before = season.and_then(|place| words.get(place.checked_sub(1)?)).copied();
    let wet = wet || matches!(before, Some("rainy" | "wet" | "rain" | "wettest"));
    if !wet && !matches!(before, Some("dry" | "driest")) {
        return None;
    }
    let rain =
        |first: usize| -> i32 { city.rain.iter().cycle().skip(first).take(3).map(|month| i32::from(*month)).sum() };
    let first =
        (0..12).max_by_key(|first| (if wet { rain(*first) } else { -rain(*first) }, std::cmp::Reverse(*first)))?;
    let months: Vec<u8> = (first..first + 3).filter_map(|place| u8::try_from(place % 12 + 1).ok()).collect();
    let (start, end) = (months.first().copied()?, months.last().copied()?);
    let which = if wet { "wettest" } else { "driest" };
    Some(Period { label: format!("the {which} three months ({} to {})", month::name(start), month::name(end)), months })
}

/// `june to august`, `between may and september`, `from june until august`.
fn between(words: &[&str]) -> Option<Period> {
    let mut months =
        words.iter().enumerate().filter_map(|(place, word)| month::number(word).map(|number| (place, number)));
    let ((start, first), (end, last)) = (months.next()?, months.next()?);
    let inner = words.get(start + 1..end)?;
    let joined = inner.iter().any(|word| matches!(*word, "to" | "until" | "till" | "through" | "thru"));
    let between = words.contains(&"between") && inner.contains(&"and");
    if !(joined || between) || first == last || months.next().is_some() {
        return None;
    }
    let count = (last + 12 - first) % 12 + 1;
    let months: Vec<u8> = (0..count).map(|step| (first - 1 + step) % 12 + 1).collect();
    Some(Period { months, label: format!("{} to {}", month::name(first), month::name(last)) })
}

fn season(words: &[&str], southern: bool) -> Option<Period> {
    let (name, north) = words.iter().find_map(|word| {
        Some(match *word {
            "winter" | "wintertime" | "winters" => ("winter", 12),
            "spring" | "springtime" => ("spring", 3),
            "summer" | "summertime" | "summers" => ("summer", 6),
            "autumn" => ("autumn", 9),
            "fall" => ("fall", 9),
            _ => return None,
        })
    })?;
    let first: u8 = if southern { (north + 5) % 12 + 1 } else { north };
    let months: Vec<u8> = (0..3).map(|step| (first - 1 + step) % 12 + 1).collect();
    let last = months.last().copied().unwrap_or(first);
    Some(Period { months, label: format!("{name} ({} to {})", month::name(first), month::name(last)) })
}

/// `tomorrow`, `next week`, `in 3 months`, `in two weeks`, `next month`.
fn ahead(words: &[&str]) -> Option<Ahead> {
    let has = |word: &str| words.contains(&word);
    let behind_next = words.iter().position(|word| *word == "next").and_then(|place| words.get(place + 1));
    match behind_next.copied() {
        Some("month") => return Some(Ahead::Months(1)),
        Some("week" | "weekend") => return Some(Ahead::Days(7)),
        Some("fortnight") => return Some(Ahead::Days(14)),
        Some("few") => return Some(Ahead::Days(3)),
        Some(word) if weekday(word) => return Some(Ahead::Days(7)),
        _ => {}
    }
    if has("last") && has("month") {
        return Some(Ahead::Months(11));
    }
    if has("day") && has("after") && has("tomorrow") {
        return Some(Ahead::Days(2));
    }
    if words.iter().any(|word| matches!(*word, "tomorrow" | "tomorow" | "tommorow" | "tommorrow" | "tmrw")) {
        return Some(Ahead::Days(1));
    }
    let unit = words
        .iter()
        .position(|word| matches!(*word, "day" | "days" | "week" | "weeks" | "month" | "months" | "fortnight"))?;
    let count: u64 = match words.get(unit.checked_sub(1)?).copied() {
        Some("a" | "an" | "one") => 1,
        Some("couple" | "of") => 2,
        Some("few") => 3,
        Some(word) => word.parse().ok().or_else(|| words::small(word).and_then(|n| u64::try_from(n).ok()))?,
        None => return None,
    };
    let count = count.min(3650);
    Some(match words.get(unit).copied() {
        Some("day" | "days") => Ahead::Days(count),
        Some("week" | "weeks") => Ahead::Days(7 * count),
        Some("fortnight") => Ahead::Days(14 * count),
        _ => Ahead::Months(u8::try_from(count % 12).unwrap_or(0)),
    })
}

fn weekday(word: &str) -> bool {
    matches!(
        word,
        "monday"
            | "tuesday"
            | "wednesday"
            | "thursday"
            | "friday"
            | "saturday"
            | "sunday"
            | "mon"
            | "tue"
            | "wed"
            | "thu"
            | "fri"
            | "sat"
            | "sun"
    )
}

/// Words for about now; a day of the week is within the next seven.
fn current(words: &[&str]) -> bool {
    const NOW: [&str; 17] = [
        "today",
        "now",
        "tonight",
        "currently",
        "current",
        "present",
        "presently",
        "moment",
        "weekend",
        "morning",
        "afternoon",
        "evening",
        "night",
        "soon",
        "later",
        "outside",
        "midday",
    ];
    /// Words that mean now only as `this week`, or alone.
    const SPANS: [&str; 8] = ["week", "month", "season", "day", "days", "time", "date", "hour"];
    const POINTERS: [&str; 9] = ["this", "these", "the", "coming", "same", "at", "today", "current", "that"];
    let pointed = words.iter().any(|word| POINTERS.contains(word)) || words.len() == 1;
    words
        .iter()
        .any(|word| NOW.contains(word) || weekday(word.trim_end_matches('s')) || (pointed && SPANS.contains(word)))
}

fn holiday(text: &str) -> Option<u8> {
    const HOLIDAYS: [(&str, u8); 27] = [
        ("christmas", 12),
        ("the holidays", 12),
        ("festive", 12),
        ("xmas", 12),
        ("new years eve", 12),
        ("new year", 1),
        ("valentine", 2),
        ("carnival", 2),
        ("mardi gras", 2),
        ("st patrick", 3),
        ("spring break", 3),
        ("easter", 4),
        ("april fool", 4),
        ("mothers day", 5),
        ("may day", 5),
        ("memorial day", 5),
        ("midsummer", 6),
        ("fathers day", 6),
        ("independence day", 7),
        ("fourth of july", 7),
        ("4th of july", 7),
        ("bastille", 7),
        ("labor day", 9),
        ("oktoberfest", 9),
        ("halloween", 10),
        ("diwali", 11),
        ("thanksgiving", 11),
    ];
    HOLIDAYS.iter().find(|(name, _)| text.contains(name)).map(|(_, month)| *month)
}

/// The month of `2024-07-14`, `7/14/2024`, `14.7.2024`, `7` or `07`.
fn in_digits(text: &str) -> Option<u8> {
    let trimmed = text.trim().trim_end_matches('?');
    let mark = trimmed.chars().find(|c| matches!(c, '-' | '/' | '.'));
    let parts: Vec<&str> = match mark {
        Some(mark) => trimmed.split(mark).collect(),
        None => vec![trimmed],
    };
    let numbers: Vec<u32> =
        parts.iter().filter_map(|part| part.trim().get(..part.trim().len().min(4))?.parse().ok()).collect();
    let month = match (numbers.as_slice(), mark) {
        ([month], None) => *month,
        ([year, month, ..], _) if *year > 31 => *month,
        ([day, month, _], Some('.')) | ([day, month], Some('.')) if *day <= 31 => *month,
        ([first, second, ..], Some('/' | '-')) => {
            if *first > 12 {
                *second
            } else {
                *first
            }
        }
        _ => return None,
    };
    if numbers.len() != parts.len() {
        return None;
    }
    u8::try_from(month).ok().filter(|month| (1..=12).contains(month))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Friday, 21 November 2025.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_763_735_420)
    }

    fn city(latitude: i16) -> City {
        let london = crate::table::cities().next().unwrap();
        City { latitude, ..london }
    }

    #[test]
    fn months_in_many_words() {
        assert_eq!(day_of(now()), Day { month: 11, day: 21 });
        for (text, expected) in [
            ("", vec![11]),
            ("July", vec![7]),
            ("in july", vec![7]),
            ("mid-july", vec![7]),
            ("early june", vec![6]),
            ("september 12", vec![9]),
            ("14 march", vec![3]),
            ("summer", vec![6, 7, 8]),
            ("this winter", vec![12, 1, 2]),
            ("next fall", vec![9, 10, 11]),
            ("today", vec![11]),
            ("right now", vec![11]),
            ("next week", vec![11]),
            ("in two weeks", vec![12]),
            ("next month", vec![12]),
            ("in 3 months", vec![2]),
            ("tomorrow", vec![11]),
            ("this weekend", vec![11]),
            ("on friday", vec![11]),
            ("at this time of year", vec![11]),
            ("June to August", vec![6, 7, 8]),
            ("June-August", vec![6, 7, 8]),
            ("between november and february", vec![11, 12, 1, 2]),
            ("june and july", vec![6, 7]),
            ("christmas", vec![12]),
            ("New Year's Eve", vec![12]),
            ("2024-07-14", vec![7]),
            ("7/14/2024", vec![7]),
            ("14.7.2024", vec![7]),
            ("the whole year", (1..=12).collect()),
            ("febuary", vec![2]),
            ("q3", vec![7, 8, 9]),
            ("third quarter", vec![7, 8, 9]),
            ("this week", vec![11]),
            ("2026", (1..=12).collect()),
        ] {
            assert_eq!(read(Some(text), now(), &city(50)).map(|period| period.months), Ok(expected), "{text}");
        }
        assert_eq!(read(Some("summer"), now(), &city(-30)).unwrap().months, [12, 1, 2]);
        assert_eq!(read(Some("summer"), now(), &city(-30)).unwrap().label, "summer (December to February)");
        assert!(read(Some("golden week"), now(), &city(50)).is_err());
        assert!(read(Some("blue cheese"), now(), &city(50)).is_err());
    }
}
