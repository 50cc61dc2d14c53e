//! `convert`: what a clock elsewhere shows.

use jiff::Zoned;

use crate::answer::{Answer, Question, days_between, zones};
use crate::problem::Problem;
use crate::reader;
use crate::show;
use crate::zone::{self, Zone};

/// One answer for each target zone.
pub(crate) fn answer(question: &Question<'_>) -> Result<Vec<Answer>, Problem> {
    let home = question.home()?;
    let Some(text) = question.date else {
        return compared(question, &home);
    };
    let today = question.today(&home, true);
    let moment = reader::read(text, today)?;
    // `3pm EST` in `zone` Tokyo without a target asks for Tokyo.
    let (from, targets) = match (&moment.zone, question.zone, question.to_zone) {
        (Some(own), Some(zone), None) => (own.clone(), zones(zone)?),
        (Some(own), _, Some(target)) => (own.clone(), zones(target)?),
        (Some(own), None, None) => (own.clone(), vec![Zone::utc()]),
        (None, _, Some(target)) => (home, zones(target)?),
        (None, _, None) => (home, vec![Zone::utc()]),
    };
    let today = question.now.to_zoned(from.rules.clone()).datetime();
    let named_day = moment.date.is_some();
    let civil = moment.date.unwrap_or(today.date()).to_datetime(moment.time.unwrap_or(jiff::civil::Time::midnight()));
    let start = civil.to_zoned(from.rules.clone()).map_err(|_| Problem::too_far())?;
    Ok(targets.iter().map(|target| converted(&start, &from, target, named_day, moment.note.as_deref())).collect())
}

fn converted(start: &Zoned, from: &Zone, target: &Zone, named_day: bool, note: Option<&str>) -> Answer {
    let there = start.with_time_zone(target.rules.clone());
    let day = match days_between(start.date(), there.date()) {
        0 if named_day => format!(" on {}", show::long(there.date())),
        0 => String::new(),
        1 => format!(" the next day ({})", show::long(there.date())),
        -1 => format!(" the day before ({})", show::long(there.date())),
        _ => format!(" on {}", show::long(there.date())),
    };
    let source = match named_day {
        true => show::full(start),
        false => show::clock(start.time()),
    };
    let moment = start.timestamp();
    let mut text = format!(
        "{source} in {} is {}{day} in {}.",
        zone::described(from, moment),
        show::clock(there.time()),
        zone::described(target, moment)
    );
    if let Some(note) = note {
        text.push_str(&format!(" ({note})"));
    }
    Answer {
        text,
        value: show::iso_time(there.datetime()),
        fields: vec![
            ("from", show::iso_time(start.datetime()).into()),
            ("to", show::iso_time(there.datetime()).into()),
            ("from_zone", from.name.clone().into()),
            ("to_zone", target.name.clone().into()),
        ],
    }
}

/// Without a time: how far apart two zones are now.
fn compared(question: &Question<'_>, home: &Zone) -> Result<Vec<Answer>, Problem> {
    let Some(target) = question.to_zone else {
        return Err(Problem::new(
            "`convert` needs a time and a zone\nhint: for example `date` `3pm`, `zone` `PST`, `to_zone` `Berlin`",
        ));
    };
    let now = question.now;
    let answers = zones(target)?.into_iter().map(|target| {
        let here = now.to_zoned(home.rules.clone());
        let there = now.to_zoned(target.rules.clone());
        let seconds = i64::from(there.offset().seconds()) - i64::from(here.offset().seconds());
        let apart = show::seconds(seconds.abs());
        let relation = match seconds {
            0 => format!("{} and {} have the same time", home.name, target.name),
            1.. => format!("{} is {apart} ahead of {}", target.name, home.name),
            _ => format!("{} is {apart} behind {}", target.name, home.name),
        };
        let times = format!(
            "it is {} in {} and {} in {}",
            minute(&here),
            zone::described(home, now),
            minute(&there),
            zone::described(&target, now)
        );
        Answer {
            text: format!("{relation}: {times}."),
            value: show::hours(seconds),
            fields: vec![
                ("hours", show::hours(seconds).into()),
                ("from_zone", home.name.clone().into()),
                ("to_zone", target.name.clone().into()),
            ],
        }
    });
    Ok(answers.collect())
}

fn minute(at: &Zoned) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}
