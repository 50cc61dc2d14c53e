//! The five operations, from arguments to results.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde_json::{Map, Value as Json, json};

use crate::add;
use crate::convert;
use crate::difference;
use crate::info;
use crate::problem::Problem;
use crate::reader::Today;
use crate::show;
use crate::zone::{self, Zone};
use crate::{Arguments, Operation};

/// Longer lists are refused, in characters.
const LONGEST: usize = 20_000;

/// Arguments of which empty strings are none, and the moment of the question.
pub(crate) struct Question<'a> {
    pub(crate) date: Option<&'a str>,
    pub(crate) other: Option<&'a str>,
    pub(crate) duration: Option<&'a str>,
    pub(crate) zone: Option<&'a str>,
    pub(crate) to_zone: Option<&'a str>,
    pub(crate) now: Timestamp,
}

impl Question<'_> {
    /// Today in the zone asked for, or in UTC.
    pub(crate) fn home(&self) -> Result<Zone, Problem> {
        self.zone.map_or_else(|| Ok(Zone::utc()), zone::find)
    }

    /// What relative dates count from.
    pub(crate) fn today(&self, home: &Zone, hours: bool) -> Today {
        Today { now: self.now.to_zoned(home.rules.clone()).datetime(), hours }
    }
}

/// One result.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) value: String,
    pub(crate) fields: Vec<(&'static str, Json)>,
}

/// Answers for all dates, which `;` or lines separate.
pub(crate) fn answer(arguments: &Arguments, now: Timestamp) -> Result<Json, Problem> {
    let given = [&arguments.date, &arguments.other, &arguments.duration, &arguments.zone, &arguments.to_zone];
    if given.into_iter().flatten().any(|text| text.chars().count() > LONGEST) {
        return Err(Problem::new(format!(
            "an argument has more than {LONGEST} characters\nhint: send fewer dates at once"
        )));
    }
    let filled = |text: &'_ Option<String>| text.as_deref().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let [date, other, duration, home, to_zone] = given.map(filled);
    let dates: Vec<Option<&str>> = match &date {
        Some(list) => list.split([';', '\n']).filter(|part| !part.trim().is_empty()).map(Some).collect(),
        None => vec![None],
    };
    let question = Question {
        date: None,
        other: other.as_deref(),
        duration: duration.as_deref(),
        zone: home.as_deref(),
        to_zone: to_zone.as_deref(),
        now,
    };
    let mut answers = Vec::new();
    for date in dates {
        let question = Question { date, ..question };
        match arguments.operation {
            Operation::Now => answers.extend(now_in(&question)?),
            Operation::Convert => answers.extend(convert::answer(&question)?),
            Operation::Add => answers.push(add::answer(&question)?),
            Operation::Difference => answers.push(difference::answer(&question)?),
            Operation::Info => answers.push(info::answer(&question)?),
        }
    }
    Ok(written(answers))
}

fn written(answers: Vec<Answer>) -> Json {
    let text = answers.iter().map(|answer| answer.text.as_str()).collect::<Vec<_>>().join("\n");
    let value = answers.iter().map(|answer| answer.value.as_str()).collect::<Vec<_>>().join("; ");
    let mut results: Vec<Map<String, Json>> = Vec::with_capacity(answers.len());
    for answer in answers {
        let mut result = Map::new();
        result.insert("text".to_owned(), answer.text.into());
        result.insert("value".to_owned(), answer.value.into());
        result.extend(answer.fields.into_iter().map(|(key, value)| (key.to_owned(), value)));
        results.push(result);
    }
    match <[Map<String, Json>; 1]>::try_from(results) {
        Ok([one]) => Json::Object(one),
        Err(results) => json!({ "text": text, "value": value, "results": results }),
    }
}

/// The zones of a list: `Tokyo; Paris`, `Tokyo and Paris`.
pub(crate) fn zones(text: &str) -> Result<Vec<Zone>, Problem> {
    let lowered = text.to_lowercase();
    let several = text.contains(';') || lowered.contains(" and ");
    match zone::find(text) {
        // `Trinidad and Tobago` is one place.
        Ok(zone) if !text.contains(';') && (!several || crate::zone::is_place(text)) => Ok(vec![zone]),
        Err(problem) if !several => Err(problem),
        _ => lowered.replace(" and ", ";").split(';').filter(|part| !part.trim().is_empty()).map(zone::find).collect(),
    }
}

fn now_in(question: &Question<'_>) -> Result<Vec<Answer>, Problem> {
    // `now` in a place that was given as the date or the target.
    let place = question.zone.or(question.to_zone).or(question.date.filter(|date| zone::find(date).is_ok()));
    let zones = place.map_or_else(|| Ok(vec![Zone::utc()]), zones)?;
    Ok(zones.iter().map(|zone| clock(zone, question.now)).collect())
}

fn clock(zone: &Zone, now: Timestamp) -> Answer {
    let here = now.to_zoned(zone.rules.clone());
    let (date, time) = (here.date(), here.time().round(jiff::Unit::Second).unwrap_or(here.time()));
    let time_text = format!("{:02}:{:02}", time.hour(), time.minute());
    let place = zone::described(zone, now);
    let text = match zone.name.as_str() {
        "UTC" => format!("It is {time_text} on {} (UTC).", show::long(date)),
        _ => format!("It is {time_text} on {} in {place}.", show::long(date)),
    };
    Answer {
        text,
        value: format!("{date} {time_text}"),
        fields: vec![
            ("date", show::iso(date).into()),
            ("time", time_text.into()),
            ("weekday", show::weekday(date).into()),
            ("zone", zone.name.clone().into()),
            ("offset", format!("UTC{}", zone::offset_text(here.offset())).into()),
        ],
    }
}

/// Days from `from` to `to`.
pub(crate) fn days_between(from: Date, to: Date) -> i64 {
    i64::from((to - from).get_days())
}

/// Seconds from `from` to `to` in civil time.
pub(crate) fn seconds_between(from: DateTime, to: DateTime) -> i64 {
    let days = days_between(from.date(), to.date());
    let of_day = |at: DateTime| (i64::from(at.hour()) * 60 + i64::from(at.minute())) * 60 + i64::from(at.second());
    days * 86_400 + of_day(to) - of_day(from)
}
