//! What people ask, and what they get. The clock stands at 21 November 2025.

use std::time::{Duration, UNIX_EPOCH};

use tomas_tool_sdk::testing;

use super::*;

fn ask(city: &str, month: Option<&str>) -> Result<Value, ToolError> {
    let now = UNIX_EPOCH + Duration::from_secs(1_763_735_420);
    Arguments { city: city.to_owned(), month: month.map(str::to_owned) }.answer(now)
}

fn text(city: &str, month: Option<&str>) -> String {
    match ask(city, month) {
        Ok(result) => result["text"].as_str().unwrap_or_default().to_owned(),
        Err(error) => format!("! {error}"),
    }
}

#[test]
fn the_description_has_no_faults() {
    assert_eq!(testing::faults::<Weather>(), Vec::<String>::new());
}

#[test]
fn the_answers_read_well() {
    for (city, month, expected) in [
        (
            "Paris, France",
            Some("July"),
            "Paris, France, July (climate normal, not a forecast): high 26 °C (79 °F), low 16 °C (61 °F), 61 mm (2.4 in) of precipitation.",
        ),
        (
            "oslo",
            None,
            "Oslo, Norway, November (climate normal, not a forecast): high 4 °C (39 °F), low -1 °C (30 °F), 84 mm (3.3 in) of precipitation.",
        ),
        (
            "Sydney",
            Some("summer"),
            "Sydney, Australia, summer (December to February) (climate normal, not a forecast): highs from 26 to 27 °C (79 to 81 °F), lows from 18 to 20 °C (64 to 68 °F), 298 mm (11.7 in) of precipitation in all.",
        ),
        (
            "Singapore",
            Some("whole year"),
            "Singapore, the whole year (climate normal, not a forecast): warmest in March (high 32 °C (90 °F), low 25 °C (77 °F)), coldest in January (high 31 °C (88 °F), low 24 °C (75 °F)), wettest in December (331 mm (13.0 in)), 2125 mm (83.7 in) of precipitation in all.",
        ),
    ] {
        assert_eq!(text(city, month), expected);
    }
    assert_eq!(text("Tokyo; Paris", Some("May")).lines().count(), 2);
    assert_eq!(text("Tokyo and Paris", None).lines().count(), 2);
    assert_eq!(text("Helsinki, Stockholm", None).lines().count(), 2);
    assert!(text("Bangkok", Some("rainy season")).contains("wettest three months (August to October)"));
    assert!(text("Japan", None).starts_with("Tokyo, Japan (as an example"));
}

#[test]
fn what_has_no_answer_says_why() {
    for (city, month, part) in [
        ("", None, "`city` is empty"),
        ("Atlantis Deep", None, "not in the table"),
        ("London, Ontario", None, "not in the table"),
        ("Paris", Some("blue cheese"), "not understood as a time of the year"),
    ] {
        let found = text(city, month);
        assert!(found.starts_with("! ") && found.contains(part), "{city}: {found}");
    }
    assert!(matches!(ask("Atlantis Deep", None), Err(ToolError::NotFound(_))));
}

#[test]
fn nothing_panics() {
    let seeds = [
        "Paris, France",
        "são paulo",
        "NYC; LA",
        "Portland, Maine",
        "June to August",
        "next week",
        "in 3 months",
        "2024-07-14",
        "7/14",
        "christmas",
        "99999999999999999999",
        "in 99999999999 days",
        "- - -",
        "a week",
        "the whole year",
        "summer winter",
        "xi'an",
    ];
    let mut state = 0x0123_4567_89ab_cdef_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
    };
    for _ in 0..500 {
        let mut text = || -> String {
            if random(4) == 0 {
                let bytes: Vec<u8> = (0..random(24)).map(|_| u8::try_from(random(256)).unwrap()).collect();
                return String::from_utf8_lossy(&bytes).into_owned();
            }
            let mut chars: Vec<char> = seeds[random(seeds.len())].chars().collect();
            for _ in 0..random(5) {
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
        let (city, month) = (text(), text());
        let _ = ask(&city, Some(&month));
        let _ = ask("Oslo", Some(&city));
    }
}

#[test]
fn every_sample_has_an_answer() {
    let manifest = include_str!("../tool.toml");
    let samples: Vec<&str> = manifest.lines().filter_map(|line| line.strip_prefix("arguments = ")).collect();
    assert!(samples.len() >= 9);
    for sample in samples {
        let json = sample.replacen("city =", "\"city\":", 1).replacen(", month =", ", \"month\":", 1);
        let arguments: Value = serde_json::from_str(&json).unwrap();
        let found = testing::call::<Weather>(arguments);
        assert!(found.is_ok(), "{found:?}");
    }
}
