//! `difference`: how long from one date or time to another.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, Weekday};

use crate::answer::{Answer, Question, days_between, seconds_between};
use crate::moment::{Grain, Moment};
use crate::problem::Problem;
use crate::reader;
use crate::show;

/// Weekdays of longer spans are not counted.
const MOST_COUNTED: i64 = 40_000;

/// Days, weeks and years between `date` (or today) and `other`.
pub(crate) fn answer(question: &Question<'_>) -> Result<Answer, Problem> {
    let home = question.home()?;
    let today = question.today(&home, false);
    let read = |text: Option<&str>| text.map(|text| reader::read(text, today)).transpose();
    let (first, second) = match (read(question.date)?, read(question.other)?) {
        (first, Some(second)) => (first, second),
        (Some(only), None) => (None, only),
        (None, None) => {
            return Err(Problem::new(
                "`difference` needs a date\nhint: `other` is for example `christmas` or `July 4 2026`; `date` is today if left out",
            ));
        }
    };
    // Clock times of both sides, or of the one that counts from now.
    let timed =
        second.time.is_some() && first.as_ref().is_none_or(|first| first.time.is_some()) && !is_midnight_word(&second);
    if timed {
        return of_times(first.as_ref(), &second, today.now, question);
    }
    of_days(first.as_ref(), &second, today.now.date())
}

/// `today` has no time, and a date at midnight is a date.
fn is_midnight_word(moment: &Moment) -> bool {
    moment.date.is_some() && moment.time == Some(Time::midnight())
}

fn of_days(first: Option<&Moment>, second: &Moment, today: Date) -> Result<Answer, Problem> {
    let missing = || Problem::new("a date is missing\nhint: give days such as `3 March 2024`, `christmas`, `tomorrow`");
    let Some(first) = first else {
        let date = second.date.ok_or_else(missing)?;
        return Ok(from_today(second, date, today));
    };
    let (mut from, mut to) = (first.date.ok_or_else(missing)?, second.date.ok_or_else(missing)?);
    match (first.yearly, second.yearly) {
        // From 3 May to Christmas: the Christmas after it; of a day long past, the coming one.
        (_, Some(yearly)) if from >= today => to = yearly.upcoming(from).unwrap_or(to),
        // From 3 March to 17 June 2025: the 3 March before it.
        (Some(yearly), None) if from > to => from = yearly.previous(to).unwrap_or(from),
        _ => {}
    }
    let (start, end) = (from.min(to), from.max(to));
    let days = days_between(start, end);
    let title = |date: Date| if date == from { show::named(first, date) } else { show::named(second, date) };
    let mut text = format!("From {} to {}: {}", title(start), title(end), show::days(days));
    let parts: Vec<String> = show::weeks(days).into_iter().chain(show::calendar(start, end)).collect();
    if !parts.is_empty() {
        text.push_str(&format!(" ({})", parts.join("; ")));
    }
    text.push('.');
    if first.grain == Grain::Year && second.grain == Grain::Year {
        text = format!(
            "From {} to {}: {}, {}.",
            start.year(),
            end.year(),
            show::counted(i64::from(end.year()) - i64::from(start.year()), "year"),
            show::days(days)
        );
    }
    for note in [&first.note, &second.note].into_iter().flatten() {
        text.push_str(&format!(" ({note})"));
    }
    Ok(finished(text, start, end))
}

/// How long until or since a day.
fn from_today(moment: &Moment, date: Date, today: Date) -> Answer {
    let days = days_between(today, date);
    let name = match moment.grain {
        Grain::Year => format!("The beginning of {}", date.year()),
        Grain::Month => format!("The beginning of {} {}", show::month_of(date), date.year()),
        _ => show::named(moment, date),
    };
    let (start, end) = (today.min(date), today.max(date));
    let parts: Vec<String> = show::weeks(days.abs()).into_iter().chain(show::calendar(start, end)).collect();
    let detail = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) };
    let mut text = match days {
        0 if moment.grain == Grain::Day => format!("{name} is today"),
        1 => format!("{name} is tomorrow, in 1 day"),
        -1 => format!("{name} was yesterday, 1 day ago"),
        2.. => format!("{name} is in {}{detail}", show::days(days)),
        _ => format!("{name} was {} ago{detail}", show::days(-days)),
    };
    if let Some(last) =
        moment.yearly.and_then(|yearly| yearly.previous(today)).filter(|_| days > 0 && moment.grain == Grain::Day)
    {
        text.push_str(&format!("; the last one was {} ago", show::days(days_between(last, today))));
    }
    text.push('.');
    if let Some(note) = &moment.note {
        text.push_str(&format!(" ({note})"));
    }
    finished(text, start, end)
}

fn finished(text: String, start: Date, end: Date) -> Answer {
    let days = days_between(start, end);
    let mut fields = vec![
        ("from", show::iso(start).into()),
        ("to", show::iso(end).into()),
        ("days", days.into()),
        ("weeks", (days / 7).into()),
    ];
    if let Some(calendar) = show::calendar(start, end) {
        fields.push(("calendar", calendar.into()));
    }
    if let Some(weekdays) = weekdays(start, days) {
        fields.push(("business_days", weekdays.into()));
    }
    Answer { text, value: days.to_string(), fields }
}

/// Days from Monday to Friday in the `days` days from `start` on.
fn weekdays(start: Date, days: i64) -> Option<i64> {
    if days > MOST_COUNTED {
        return None;
    }
    let (weeks, rest) = (days / 7, days % 7);
    let mut count = weeks * 5;
    for offset in 0..rest {
        let day = start.checked_add(offset.days()).ok()?;
        count += i64::from(!matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
    }
    Some(count)
}

fn of_times(
    first: Option<&Moment>,
    second: &Moment,
    now: DateTime,
    question: &Question<'_>,
) -> Result<Answer, Problem> {
    let at = |moment: &Moment| moment.date.unwrap_or(now.date()).to_datetime(moment.time.unwrap_or(Time::midnight()));
    let home = question.home()?;
    // Nobody wants to be told seconds of the time that is left.
    let minute = now.with().second(0).build().unwrap_or(now);
    let (from, mut to) = (first.map_or(minute, at), at(second));
    // Between two clock times without a day, the second is the next one of its kind.
    let clock_only = second.date.is_none() && first.is_none_or(|first| first.date.is_none());
    if to < from && clock_only {
        to = to.checked_add(1.day()).map_err(|_| Problem::too_far())?;
    }
    let seconds = match (first.and_then(|first| first.zone.as_ref()), second.zone.as_ref()) {
        (None, None) => seconds_between(from, to),
        (a, b) => {
            let zoned =
                |at: DateTime, zone: Option<&crate::zone::Zone>| at.to_zoned(zone.unwrap_or(&home).rules.clone());
            let (from, to) =
                (zoned(from, a).map_err(|_| Problem::too_far())?, zoned(to, b).map_err(|_| Problem::too_far())?);
            to.timestamp().as_second() - from.timestamp().as_second()
        }
    };
    let shown = |at: DateTime| match clock_only {
        true => show::clock(at.time()),
        false => format!("{} on {}", show::clock(at.time()), show::long(at.date())),
    };
    let length = seconds.abs();
    let start = if first.is_none() { format!("now ({:02}:{:02})", from.hour(), from.minute()) } else { shown(from) };
    let text = match seconds {
        0.. => format!("From {start} to {}: {}.", shown(to), show::seconds(length)),
        _ => format!("From {} to {start}: {}.", shown(to), show::seconds(length)),
    };
    Ok(Answer {
        text,
        value: show::hours(length),
        fields: vec![
            ("from", show::iso_time(from).into()),
            ("to", show::iso_time(to).into()),
            ("seconds", length.into()),
        ],
    })
}
