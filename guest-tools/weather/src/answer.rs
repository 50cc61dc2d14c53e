//! From a city and a time of the year to the sentence that answers.

use std::time::SystemTime;

use serde_json::{Map, Value as Json, json};
use tomas_english::month;

use crate::period::{self, Period};
use crate::place::{self, Found};
use crate::problem::Problem;
use crate::table::City;

/// Longer lists are refused, in characters.
const LONGEST: usize = 20_000;

/// Answers for all cities, which `;` or lines separate.
pub(crate) fn answer(text: &str, when: Option<&str>, now: SystemTime) -> Result<Json, Problem> {
    if text.chars().count() > LONGEST || when.is_some_and(|when| when.chars().count() > LONGEST) {
        return Err(Problem::new(format!("more than {LONGEST} characters\nhint: ask about fewer cities at once")));
    }
    let mut results = Vec::new();
    for place in places(text)? {
        let period = period::read(when, now, &place.city)?;
        results.push(result(&place, &period));
    }
    match results.as_slice() {
        [] => Err(Problem::new("`city` is empty\nhint: name a city, for example `Paris` or `Austin, Texas`")),
        [one] => Ok(Json::Object(one.clone())),
        several => {
            let joined = |key: &str, separator: &str| {
                several
                    .iter()
                    .map(|result| result.get(key).and_then(Json::as_str).unwrap_or_default())
                    .collect::<Vec<_>>()
                    .join(separator)
            };
            Ok(json!({ "text": joined("text", "\n"), "value": joined("value", "; "), "results": results }))
        }
    }
}

/// The cities of a list; a part that is not a city may be two: `Tokyo and Paris`.
fn places(text: &str) -> Result<Vec<Found>, Problem> {
    let mut found = Vec::new();
    for part in text.split([';', '\n']).filter(|part| !part.trim().is_empty()) {
        match place::find(part) {
            Ok(place) => found.push(place),
            Err(problem) => {
                let joints = [" and ", " vs ", " or ", " versus ", ", ", " & "];
                let split =
                    joints.iter().filter(|joint| part.contains(**joint)).find_map(|joint| all(part.split(joint)));
                found.extend(split.ok_or(problem)?);
            }
        }
    }
    Ok(found)
}

/// All parts, if each is a city; a country there is only what the city lies in.
fn all<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Vec<Found>> {
    parts.map(|part| place::find(part).ok().filter(|found| !found.stands_for_region)).collect()
}

fn result(place: &Found, period: &Period) -> Map<String, Json> {
    let city = &place.city;
    let months: Vec<Json> = period.months.iter().filter_map(|month| month_of(city, *month)).collect();
    let (high, low, rain) =
        (extremes(&city.high, &period.months), extremes(&city.low, &period.months), total(city, period));
    let name = format!("{}, {}", city.name, city.country);
    let name = if city.name == city.country { city.name.to_owned() } else { name };
    let detail = match period.months.len() {
        0 | 1 => format!("high {}, low {}, {} of precipitation", degrees(high.0), degrees(low.0), millimetres(rain)),
        12 => year(city, rain),
        _ => format!(
            "highs from {}, lows from {}, {} of precipitation in all",
            range(high),
            range(low),
            millimetres(rain)
        ),
    };
    let stands = if place.stands_for_region { " (as an example of the whole region)" } else { "" };
    let text = format!("{name}{stands}, {} (climate normal, not a forecast): {detail}.", period.label);
    let mut result = Map::new();
    result.insert("text".to_owned(), text.into());
    result.insert("value".to_owned(), mean(&city.high, &period.months).to_string().into());
    result.insert("city".to_owned(), city.name.into());
    result.insert("country".to_owned(), city.country.into());
    result.insert("period".to_owned(), period.label.clone().into());
    result.insert("high_c".to_owned(), mean(&city.high, &period.months).into());
    result.insert("low_c".to_owned(), mean(&city.low, &period.months).into());
    result.insert("precipitation_mm".to_owned(), rain.into());
    result.insert("forecast".to_owned(), false.into());
    result.insert("months".to_owned(), months.into());
    result
}

fn value(table: &[i16; 12], month: u8) -> Option<i16> {
    table.get(usize::from(month).checked_sub(1)?).copied()
}

fn month_of(city: &City, number: u8) -> Option<Json> {
    Some(json!({
        "month": month::name(number),
        "high_c": value(&city.high, number)?,
        "low_c": value(&city.low, number)?,
        "precipitation_mm": value(&city.rain, number)?,
    }))
}

/// The least and the largest value in some months.
fn extremes(table: &[i16; 12], months: &[u8]) -> (i16, i16) {
    let values = || months.iter().filter_map(|month| value(table, *month));
    (values().min().unwrap_or(0), values().max().unwrap_or(0))
}

/// The mean over some months, rounded.
fn mean(table: &[i16; 12], months: &[u8]) -> i16 {
    let values: Vec<i16> = months.iter().filter_map(|month| value(table, *month)).collect();
    let count = i16::try_from(values.len()).unwrap_or(1).max(1);
    let sum: i16 = values.iter().sum();
    (2 * sum + count).div_euclid(2 * count)
}

fn total(city: &City, period: &Period) -> i16 {
    period.months.iter().filter_map(|month| value(&city.rain, *month)).fold(0, i16::saturating_add)
}

/// The warmest, the coldest and the wettest month.
fn year(city: &City, rain: i16) -> String {
    let by =
        |key: &dyn Fn(u8) -> i16| (1..=12).max_by_key(|month| (key(*month), std::cmp::Reverse(*month))).unwrap_or(1);
    let hottest = by(&|month| value(&city.high, month).unwrap_or(0));
    let coldest = by(&|month| -value(&city.low, month).unwrap_or(0));
    let wettest = by(&|month| value(&city.rain, month).unwrap_or(0));
    let at = |table: &[i16; 12], month: u8| value(table, month).unwrap_or(0);
    format!(
        "warmest in {} (high {}, low {}), coldest in {} (high {}, low {}), wettest in {} ({}), {} of precipitation in all",
        month::name(hottest),
        degrees(at(&city.high, hottest)),
        degrees(at(&city.low, hottest)),
        month::name(coldest),
        degrees(at(&city.high, coldest)),
        degrees(at(&city.low, coldest)),
        month::name(wettest),
        millimetres(at(&city.rain, wettest)),
        millimetres(rain)
    )
}

/// `26 °C (79 °F)`.
fn degrees(celsius: i16) -> String {
    format!("{celsius} °C ({} °F)", fahrenheit(celsius))
}

/// `14 to 25 °C (57 to 77 °F)`.
fn range((least, most): (i16, i16)) -> String {
    if least == most {
        return degrees(least);
    }
    format!("{least} to {most} °C ({} to {} °F)", fahrenheit(least), fahrenheit(most))
}

fn fahrenheit(celsius: i16) -> i16 {
    // Rounded half up: (18 c + 325) / 10 is 1.8 c + 32 and a half.
    (18 * celsius + 325).div_euclid(10)
}

/// `45 mm (1.8 in)`.
fn millimetres(amount: i16) -> String {
    let tenths = (i32::from(amount) * 100 + 127) / 254;
    format!("{amount} mm ({}.{} in)", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_units() {
        assert_eq!(degrees(26), "26 °C (79 °F)");
        assert_eq!(degrees(-40), "-40 °C (-40 °F)");
        assert_eq!(degrees(0), "0 °C (32 °F)");
        assert_eq!(millimetres(45), "45 mm (1.8 in)");
        assert_eq!(millimetres(0), "0 mm (0.0 in)");
        assert_eq!(range((5, 5)), "5 °C (41 °F)");
    }
}
