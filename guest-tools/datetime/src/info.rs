//! `info`: what there is to know about a day, week, month, quarter or year.

use jiff::civil::Date;

use crate::answer::{Answer, Question, days_between};
use crate::moment::{Grain, Moment};
use crate::problem::Problem;
use crate::reader;
use crate::show;
use crate::zone;

/// About `date`, or about today.
pub(crate) fn answer(question: &Question<'_>) -> Result<Answer, Problem> {
    let home = question.home()?;
    let today = question.today(&home, false);
    let moment = match question.date.or(question.other) {
        Some(text) => reader::read(text, today)?,
        None => Moment::of(today.now.date(), Grain::Day),
    };
    let now = today.now.date();
    let mut answer = match (moment.date, &moment.zone) {
        (Some(date), _) => match moment.grain {
            Grain::Day => of_day(&moment, date, now),
            Grain::Year => of_year(date, now),
            Grain::Month => of_month(date, now),
            Grain::Week | Grain::Quarter => of_span(&moment, date, now)?,
        },
        (None, Some(place)) => of_zone(place, question),
        (None, None) => {
            let time = moment.time.unwrap_or(today.now.time());
            Answer {
                text: format!("{} is a time of day.", show::clock(time)),
                value: show::clock(time),
                fields: Vec::new(),
            }
        }
    };
    if moment.date.is_some_and(|date| date.year() < 1583) {
        answer.text.push_str(" (by the Gregorian calendar, which began in 1582, counted back)");
    }
    if let Some(note) = &moment.note {
        answer.text.push_str(&format!(" ({note})"));
    }
    Ok(answer)
}

/// `was`, `is` or `will be`.
fn verb(date: Date, today: Date) -> &'static str {
    match date.cmp(&today) {
        std::cmp::Ordering::Less => "was",
        std::cmp::Ordering::Equal => "is",
        std::cmp::Ordering::Greater => "will be",
    }
}

fn leap(year: Date, today: Date) -> String {
    let (first, last) = (year.first_of_year(), year.last_of_year());
    let verb = if last < today {
        "was"
    } else if first > today {
        "will be"
    } else {
        "is"
    };
    let not = if year.in_leap_year() { "a" } else { "not a" };
    let verb = if verb == "will be" && !year.in_leap_year() { "will not be a" } else { verb };
    if verb.ends_with(" a") {
        format!("{} {verb} leap year", year.year())
    } else {
        format!("{} {verb} {not} leap year", year.year())
    }
}

fn of_day(moment: &Moment, date: Date, today: Date) -> Answer {
    let days = days_between(today, date);
    let when = match days {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        2.. => format!("in {}", show::days(days)),
        _ => format!("{} ago", show::days(-days)),
    };
    let week = date.iso_week_date().week();
    let head = match moment.title {
        Some(title) => format!("{title} {} {} on {} ({when})", date.year(), verb(date, today), show::long(date)),
        None if days == 0 => format!("Today is {}", show::long(date)),
        None => format!("{} {} a {} ({when})", show::short(date), verb(date, today), show::weekday(date)),
    };
    let clock = moment.time.map(|time| format!(", at {}", show::clock(time))).unwrap_or_default();
    let mut text = format!("{head}{clock}: day {} of the year, ISO week {week}.", date.day_of_year());
    if let Some(last) =
        moment.yearly.and_then(|yearly| yearly.previous(today)).filter(|last| *last < date && moment.title.is_none())
    {
        text.push_str(&format!(" {} was a {}.", show::short(last), show::weekday(last)));
    }
    Answer {
        text,
        value: show::iso(date),
        fields: vec![
            ("date", show::iso(date).into()),
            ("weekday", show::weekday(date).into()),
            ("days_from_today", days.into()),
            ("iso_week", week.into()),
            ("day_of_year", date.day_of_year().into()),
            ("days_in_month", date.days_in_month().into()),
            ("leap_year", date.in_leap_year().into()),
        ],
    }
}

fn of_year(first: Date, today: Date) -> Answer {
    let had = if first.last_of_year() < today { "had" } else { "has" };
    let text = format!(
        "{}. {} {} a {}; the year {had} {} days.",
        leap(first, today),
        show::short(first),
        verb(first, today),
        show::weekday(first),
        first.days_in_year()
    );
    Answer {
        text,
        value: first.days_in_year().to_string(),
        fields: vec![
            ("year", first.year().into()),
            ("leap_year", first.in_leap_year().into()),
            ("days", first.days_in_year().into()),
            ("first_weekday", show::weekday(first).into()),
        ],
    }
}

fn of_month(first: Date, today: Date) -> Answer {
    let last = first.last_of_month();
    let had = if last < today { "had" } else { "has" };
    let (begins, ends) = if last < today { ("began", "ended") } else { ("begins", "ends") };
    let text = format!(
        "{} {} {had} {} days: it {begins} on a {} and {ends} on a {}. {}.",
        show::month_of(first),
        first.year(),
        first.days_in_month(),
        show::weekday(first),
        show::weekday(last),
        leap(first, today)
    );
    Answer {
        text,
        value: first.days_in_month().to_string(),
        fields: vec![
            ("from", show::iso(first).into()),
            ("to", show::iso(last).into()),
            ("days", first.days_in_month().into()),
            ("first_weekday", show::weekday(first).into()),
            ("leap_year", first.in_leap_year().into()),
        ],
    }
}

fn of_span(moment: &Moment, first: Date, today: Date) -> Result<Answer, Problem> {
    let last = moment.last_day()?.unwrap_or(first);
    let name = match moment.grain {
        Grain::Week => format!("ISO week {} of {}", first.iso_week_date().week(), first.iso_week_date().year()),
        _ => format!("Quarter {} of {}", (first.month() - 1) / 3 + 1, first.year()),
    };
    let runs = if last < today { "ran" } else { "runs" };
    let days = days_between(first, last) + 1;
    Ok(Answer {
        text: format!("{name} {runs} from {} to {}: {}.", show::long(first), show::long(last), show::days(days)),
        value: show::iso(first),
        fields: vec![("from", show::iso(first).into()), ("to", show::iso(last).into()), ("days", days.into())],
    })
}

fn of_zone(place: &zone::Zone, question: &Question<'_>) -> Answer {
    let here = question.now.to_zoned(place.rules.clone());
    Answer {
        text: format!(
            "It is {:02}:{:02} on {} in {}.",
            here.hour(),
            here.minute(),
            show::long(here.date()),
            zone::described(place, question.now)
        ),
        value: show::iso_time(here.datetime()),
        fields: vec![("zone", place.name.clone().into())],
    }
}
