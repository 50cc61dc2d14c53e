//! What people write, and what they get. The clock stands at Friday, 21 November 2025, 14:30 UTC.

use serde_json::json;
use tomas_tool_sdk::testing;

use super::*;

fn ask(arguments: Value) -> Result<Value, String> {
    let now: Timestamp = "2025-11-21T14:30:20Z".parse().unwrap();
    let arguments: Arguments = serde_json::from_value(arguments).map_err(|error| error.to_string())?;
    answer::answer(&arguments, now).map_err(|problem| problem.to_string())
}

fn field(arguments: Value, field: &str) -> String {
    match ask(arguments) {
        Ok(result) => result[field].as_str().map_or_else(|| result[field].to_string(), str::to_owned),
        Err(error) => format!("! {error}"),
    }
}

#[track_caller]
fn all(cases: impl IntoIterator<Item = (String, String, String)>) {
    let wrong: Vec<String> = cases
        .into_iter()
        .filter(|(_, expected, found)| expected != found)
        .map(|(input, expected, found)| format!("{input}\n   expected {expected}\n   found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_description_has_no_faults() {
    assert_eq!(testing::faults::<Datetime>(), Vec::<String>::new());
}

#[test]
fn the_answers_read_well() {
    let cases = [
        (json!({ "operation": "now" }), "It is 14:30 on Friday, 21 November 2025 (UTC)."),
        (
            json!({ "operation": "now", "zone": "Tokyo" }),
            "It is 23:30 on Friday, 21 November 2025 in Tokyo (JST, UTC+9).",
        ),
        (
            json!({ "operation": "now", "zone": "são paulo" }),
            "It is 11:30 on Friday, 21 November 2025 in Sao Paulo (UTC-3).",
        ),
        (
            json!({ "operation": "now", "zone": "Tokyo and Paris" }),
            "It is 23:30 on Friday, 21 November 2025 in Tokyo (JST, UTC+9).\nIt is 15:30 on Friday, 21 November 2025 in Paris (CET, UTC+1).",
        ),
        (
            json!({ "operation": "convert", "date": "3pm", "zone": "PST", "to_zone": "Berlin" }),
            "15:00 in PST (UTC-8) is 00:00 the next day (Saturday, 22 November 2025) in Berlin (CET, UTC+1).",
        ),
        (
            json!({ "operation": "convert", "date": "2024-05-01 14:00", "zone": "UTC", "to_zone": "New York" }),
            "14:00 on Wednesday, 1 May 2024 in UTC is 10:00 on Wednesday, 1 May 2024 in New York (EDT, UTC-4).",
        ),
        (
            json!({ "operation": "convert", "zone": "London", "to_zone": "Sydney" }),
            "Sydney is 11 hours ahead of London: it is 14:30 in London (GMT, UTC) and 01:30 in Sydney (AEDT, UTC+11).",
        ),
        (
            json!({ "operation": "add", "duration": "45 days" }),
            "45 days after today (Friday, 21 November 2025) is Monday, 5 January 2026.",
        ),
        (
            json!({ "operation": "add", "duration": "100 days ago" }),
            "100 days before today (Friday, 21 November 2025) was Wednesday, 13 August 2025.",
        ),
        (
            json!({ "operation": "add", "date": "11:20", "duration": "2 hours and 45 minutes" }),
            "2 hours and 45 minutes after 11:20 is 14:05.",
        ),
        (
            json!({ "operation": "add", "date": "31 August 2025", "duration": "6 months" }),
            "6 months after Sunday, 31 August 2025 is Saturday, 28 February 2026.",
        ),
        (
            json!({ "operation": "difference", "other": "christmas" }),
            "Christmas (Thursday, 25 December 2025) is in 34 days (4 weeks and 6 days; 1 month and 4 days); the last one was 331 days ago.",
        ),
        (
            json!({ "operation": "difference", "date": "3 March 2024", "other": "17 June 2025" }),
            "From Sunday, 3 March 2024 to Tuesday, 17 June 2025: 471 days (67 weeks and 2 days; 1 year, 3 months and 14 days).",
        ),
        (
            json!({ "operation": "difference", "other": "9 november 1989" }),
            "Thursday, 9 November 1989 was 13,161 days ago (1,880 weeks and 1 day; 36 years and 12 days).",
        ),
        (
            json!({ "operation": "difference", "date": "9:00", "other": "17:30" }),
            "From 09:00 to 17:30: 8 hours and 30 minutes.",
        ),
        (json!({ "operation": "difference", "other": "5pm" }), "From now (14:30) to 17:00: 2 hours and 30 minutes."),
        (
            json!({ "operation": "info", "date": "1900" }),
            "1900 was not a leap year. 1 January 1900 was a Monday; the year had 365 days.",
        ),
        (
            json!({ "operation": "info", "date": "20 July 1969" }),
            "20 July 1969 was a Sunday (20,578 days ago): day 201 of the year, ISO week 29.",
        ),
        (
            json!({ "operation": "info", "date": "february 2028" }),
            "February 2028 has 29 days: it begins on a Tuesday and ends on a Tuesday. 2028 will be a leap year.",
        ),
        (
            json!({ "operation": "info", "date": "easter 2027" }),
            "Easter 2027 will be on Sunday, 28 March 2027 (in 492 days): day 87 of the year, ISO week 12.",
        ),
        (json!({ "operation": "info" }), "Today is Friday, 21 November 2025: day 325 of the year, ISO week 47."),
        (
            json!({ "operation": "info", "date": "Q1 2025" }),
            "Quarter 1 of 2025 ran from Wednesday, 1 January 2025 to Monday, 31 March 2025: 90 days.",
        ),
        (
            json!({ "operation": "info", "date": "2100" }),
            "2100 will not be a leap year. 1 January 2100 will be a Friday; the year has 365 days.",
        ),
    ];
    all(cases
        .into_iter()
        .map(|(arguments, expected)| (arguments.to_string(), expected.to_owned(), field(arguments, "text"))));
}

#[test]
fn dates_of_all_kinds() {
    let cases = [
        ("today", "2025-11-21"),
        ("tomorrow", "2025-11-22"),
        ("yesterday", "2025-11-20"),
        ("the day after tomorrow", "2025-11-23"),
        ("day before yesterday", "2025-11-19"),
        ("next friday", "2025-11-28"),
        ("friday", "2025-11-21"),
        ("monday", "2025-11-24"),
        ("last monday", "2025-11-17"),
        ("this saturday", "2025-11-22"),
        ("friday next week", "2025-11-28"),
        ("in 3 weeks", "2025-12-12"),
        ("3 weeks ago", "2025-10-31"),
        ("two weeks from today", "2025-12-05"),
        ("a fortnight from now", "2025-12-05"),
        ("in a fortnight", "2025-12-05"),
        ("in ten days", "2025-12-01"),
        ("a week from tomorrow", "2025-11-29"),
        ("a year ago", "2024-11-21"),
        ("in a month", "2025-12-21"),
        ("5 days before christmas", "2025-12-20"),
        ("the day before christmas", "2025-12-24"),
        ("the monday after easter 2026", "2026-04-06"),
        ("3 days after 28 feb 2024", "2024-03-02"),
        ("10 business days from today", "2025-12-05"),
        ("christmas", "2025-12-25"),
        ("xmas", "2025-12-25"),
        ("Christmas 2030", "2030-12-25"),
        ("christmas next year", "2026-12-25"),
        ("next christmas", "2025-12-25"),
        ("last christmas", "2024-12-25"),
        ("new year", "2026-01-01"),
        ("New Year's Eve", "2025-12-31"),
        ("valentine's day", "2026-02-14"),
        ("valentines", "2026-02-14"),
        ("thanksgiving", "2025-11-27"),
        ("halloween", "2026-10-31"),
        ("easter", "2026-04-05"),
        ("the 4th of july", "2026-07-04"),
        ("4th of july 2026", "2026-07-04"),
        ("July 4 2026", "2026-07-04"),
        ("March 3rd", "2026-03-03"),
        ("march 3", "2026-03-03"),
        ("3 Mar 2024", "2024-03-03"),
        ("3rd of march 2024", "2024-03-03"),
        ("the 3rd of march 2024", "2024-03-03"),
        ("the third of March, 2024", "2024-03-03"),
        ("twenty first of june 2025", "2025-06-21"),
        ("March 3rd, 2024", "2024-03-03"),
        ("mar. 3, 2024", "2024-03-03"),
        ("Sunday, March 3, 2024", "2024-03-03"),
        ("3-mar-2024", "2024-03-03"),
        ("2024-03-03", "2024-03-03"),
        ("2024/3/3", "2024-03-03"),
        ("20240303", "2024-03-03"),
        ("03/14/2024", "2024-03-14"),
        ("3/14/24", "2024-03-14"),
        ("14/3/2024", "2024-03-14"),
        ("14.3.2024", "2024-03-14"),
        ("14.03.99", "1999-03-14"),
        ("3/14", "2026-03-14"),
        ("2024-03-03T10:15:00Z", "2024-03-03"),
        ("last day of february 2028", "2028-02-29"),
        ("end of june 2025", "2025-06-30"),
        ("end of the month", "2025-11-30"),
        ("end of the year", "2025-12-31"),
        ("start of next month", "2025-12-01"),
        ("the first monday of june 2025", "2025-06-02"),
        ("last friday of november 2025", "2025-11-28"),
        ("2nd tuesday in november 2026", "2026-11-10"),
        ("the 5th", "2025-12-05"),
        ("the 5th of next month", "2025-12-05"),
        ("day 200 of 2024", "2024-07-18"),
        ("june fifth twenty twenty five", "2025-06-05"),
        ("March 3 '24", "2024-03-03"),
        ("29 february 2024", "2024-02-29"),
        ("septemeber 3 2025", "2025-09-03"),
        ("on the 12th of may 2026", "2026-05-12"),
        ("what day is 12 May 2026?", "2026-05-12"),
        ("chinese new year 2027", "2027-02-06"),
        ("tommorow", "2025-11-22"),
        ("wensday", "2025-11-26"),
        ("labor day 2026", "2026-09-07"),
        ("next weekend", "2025-11-29"),
        ("next week tuesday", "2025-11-25"),
        ("monday week", "2025-12-01"),
        ("a week on monday", "2025-12-01"),
        ("two weeks' time", "2025-12-05"),
        ("13-apr-25", "2025-04-13"),
        ("apr 13 25", "2025-04-13"),
        ("13.4.", "2026-04-13"),
        ("st. patrick's day", "2026-03-17"),
        ("orthodox easter 2024", "2024-05-05"),
        ("spring 2026", "2026-03-20"),
        ("friday the 13th", "2026-02-13"),
        ("a week ago", "2025-11-14"),
    ];
    all(cases.into_iter().map(|(date, expected)| {
        (date.to_owned(), expected.to_owned(), field(json!({ "operation": "info", "date": date }), "date"))
    }));
}

#[test]
fn conversions_of_all_kinds() {
    let cases = [
        ("3pm", "PST", "Berlin", "2025-11-22 00:00"),
        ("9:30", "London", "Sydney", "2025-11-21 20:30"),
        ("tomorrow 9:30", "New York", "Paris", "2025-11-22 15:30"),
        ("tomorrow at 9", "New York", "Paris", "2025-11-22 15:00"),
        ("18:00", "UTC", "IST", "2025-11-21 23:30"),
        ("14:00", "CET", "Chicago", "2025-11-21 07:00"),
        ("noon", "Tokyo", "LA", "2025-11-20 19:00"),
        ("midnight", "UTC", "New York", "2025-11-20 19:00"),
        ("half past 3", "London", "Paris", "2025-11-21 04:30"),
        ("quarter to five", "London", "UTC", "2025-11-21 04:45"),
        ("3pm EST", "", "London", "2025-11-21 20:00"),
        ("3pm EST", "Tokyo", "", "2025-11-22 05:00"),
        ("3pm in London", "", "Tokyo", "2025-11-22 00:00"),
        ("8 in the evening", "Berlin", "New York", "2025-11-21 14:00"),
        ("friday 3pm", "London", "Tokyo", "2025-11-22 00:00"),
        ("march 3 at 3pm", "London", "UTC", "2026-03-03 15:00"),
        ("2024-07-01 14:00", "UTC+2", "America/New_York", "2024-07-01 08:00"),
        ("9", "London", "Paris", "2025-11-21 10:00"),
        ("1530", "London", "Paris", "2025-11-21 16:30"),
        ("now", "", "Tokyo", "2025-11-21 23:30"),
        ("3pm", "Japan", "the UK", "2025-11-21 06:00"),
        ("4pm", "eastern time", "pacific", "2025-11-21 13:00"),
        ("7 p.m.", "India", "Hawaii", "2025-11-21 03:30"),
    ];
    all(cases.into_iter().map(|(date, zone, to_zone, expected)| {
        let arguments = json!({ "operation": "convert", "date": date, "zone": zone, "to_zone": to_zone });
        (arguments.to_string(), expected.to_owned(), field(arguments, "value"))
    }));
}

#[test]
fn sums_and_differences() {
    let add = [
        ("", "3 weeks", "2025-12-12"),
        ("", "-2 months", "2025-09-21"),
        ("", "3 weeks ago", "2025-10-31"),
        ("", "90 minutes", "2025-11-21 16:00"),
        ("", "ten business days", "2025-12-05"),
        ("", "two weeks from friday", "2025-12-05"),
        ("2024-01-15", "90 days", "2024-04-14"),
        ("July 4 2026", "-3 weeks", "2026-06-13"),
        ("christmas", "5 days", "2025-12-30"),
        ("christmas", "-5 days", "2025-12-20"),
        ("9:15", "50 min", "10:05"),
        ("11pm", "3 hours", "2025-11-22 02:00"),
        ("tomorrow", "a week", "2025-11-29"),
        ("", "1 year, 2 months and 3 days", "2027-01-24"),
        ("in 3 weeks", "", "2025-12-12"),
        ("friday", "6 weeks", "2026-01-02"),
        ("", "409.5 days", "2027-01-05 02:30"),
    ];
    all(add.into_iter().map(|(date, duration, expected)| {
        let arguments = json!({ "operation": "add", "date": date, "duration": duration });
        (arguments.to_string(), expected.to_owned(), field(arguments, "value"))
    }));
    let difference = [
        ("", "christmas", "34"),
        ("", "until christmas", "34"),
        ("", "July 4 2026", "225"),
        ("", "new year", "41"),
        ("", "yesterday", "1"),
        ("", "today", "0"),
        ("", "december 31", "40"),
        ("", "friday", "0"),
        ("", "next friday", "7"),
        ("", "4 April 1991", "12650"),
        ("", "december", "10"),
        ("01/02/2023", "03/14/2024", "437"),
        ("march 3", "june 5", "94"),
        ("december 20", "january 5", "16"),
        ("christmas", "new year", "7"),
        ("17 June 2025", "3 March 2024", "471"),
        ("march 3", "17 june 2025", "106"),
        ("3 May 1990", "", "12986"),
        ("1990", "2024", "12418"),
        ("9:00", "17:30", "8.5"),
        ("22:00", "6:00", "8"),
        ("today", "christmas", "34"),
    ];
    all(difference.into_iter().map(|(date, other, expected)| {
        let arguments = json!({ "operation": "difference", "date": date, "other": other });
        (arguments.to_string(), expected.to_owned(), field(arguments, "value"))
    }));
}

#[test]
fn what_has_no_answer_says_why() {
    for (arguments, part) in [
        (json!({ "operation": "info", "date": "29 february 2023" }), "February 2023 has 28 days"),
        (json!({ "operation": "info", "date": "2024-13-01" }), "2024-01-13"),
        (json!({ "operation": "info", "date": "2024-13-45" }), "there is no month `13`"),
        (json!({ "operation": "info", "date": "the moon" }), "is not understood as a date"),
        (json!({ "operation": "now", "zone": "Brigadoonia" }), "`Brigadoonia` is not a known time zone"),
        (json!({ "operation": "convert" }), "needs a time"),
        (json!({ "operation": "add" }), "needs a duration"),
        (json!({ "operation": "add", "duration": "soon" }), "is not understood as a duration"),
        (json!({ "operation": "add", "duration": "99999999999 years" }), "out of range"),
        (json!({ "operation": "difference" }), "needs a date"),
        (json!({ "operation": "info", "date": "fifth monday of february 2023" }), "does not exist"),
        (json!({ "operation": "info", "date": "diwali 1950" }), "not in the table"),
        (json!({ "operation": "guess" }), "unknown variant"),
    ] {
        let found = field(arguments.clone(), "text") + &field(arguments.clone(), "date");
        assert!(found.contains(part), "{arguments}: {found}");
    }
}

#[test]
fn nothing_panics() {
    let seeds = [
        "next friday",
        "the 3rd of march 2024",
        "3/14/24",
        "in 3 weeks",
        "5 days before christmas",
        "last day of february 2028",
        "2024-03-03T10:15:00Z",
        "half past 3",
        "Q1 2025",
        "week 53 of 2024",
        "UTC+99",
        "Europe/Paris",
        "9999-12-31",
        "0000-00-00",
        "31/12/9999",
        "1 year 2 months",
        "99999999999999999999",
        "end of the year",
        "before before after",
        "day after day after day",
        "in in in",
        "'24",
        "12:60:99",
        "easter 9999",
        "a few days ago",
    ];
    let mut state = 0xdead_beef_cafe_f00d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    for round in 0..1000 {
        let mut text = || -> String {
            if random(4) == 0 {
                let bytes: Vec<u8> = (0..random(24)).map(|_| u8::try_from(random(256)).unwrap()).collect();
                return String::from_utf8_lossy(&bytes).into_owned();
            }
            let mut chars: Vec<char> =
                format!("{} {}", seeds[random(seeds.len())], seeds[random(seeds.len())]).chars().collect();
            for _ in 0..random(6) {
                let (from, to) = (random(chars.len()), random(chars.len()));
                match random(3) {
                    0 => chars.swap(from, to),
                    1 => drop(chars.remove(from)),
                    _ => chars.insert(from, chars[to]),
                }
                if chars.is_empty() {
                    chars.push('1');
                }
            }
            chars.into_iter().collect()
        };
        let operation = ["now", "convert", "add", "difference", "info"][round % 5];
        let (date, other) = (text(), text());
        let _ = ask(json!({ "operation": operation, "date": date, "other": other, "duration": other }));
        let _ = ask(json!({ "operation": operation, "zone": date, "to_zone": other }));
        let _ = ask(json!({ "operation": operation, "date": other }));
    }
}

#[test]
fn every_sample_has_an_answer() {
    let manifest = include_str!("../tool.toml");
    let samples: Vec<&str> = manifest.lines().filter_map(|line| line.strip_prefix("arguments = ")).collect();
    assert!(samples.len() >= 9);
    for sample in samples {
        let mut json = sample.to_owned();
        for key in ["operation", "date", "other", "duration", "zone", "to_zone"] {
            json = json.replace(&format!(" {key} = "), &format!(" \"{key}\": "));
        }
        let found = ask(serde_json::from_str(&json).unwrap());
        assert!(found.is_ok(), "{sample}: {found:?}");
    }
}
