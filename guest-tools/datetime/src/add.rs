//! `add`: a date or time and some while later or earlier.

use jiff::ToSpan;
use jiff::civil::{DateTime, Time};

use crate::answer::{Answer, Question};
use crate::duration::{self, Duration};
use crate::info;
use crate::moment::Moment;
use crate::problem::Problem;
use crate::reader;
use crate::show;
use crate::token::tokens;
use crate::zone::Zone;

/// The date, and how much later.
pub(crate) fn answer(question: &Question<'_>) -> Result<Answer, Problem> {
    let home = question.home()?;
    let today = question.today(&home, false);
    let Some(text) = question.duration else {
        // `in 3 weeks` may stand in the date alone.
        return match question.date {
            Some(_) => info::answer(question),
            None => Err(Problem::new(
                "`add` needs a duration\nhint: for example `45 days`, `3 weeks ago`, `-2 months`, `90 minutes`",
            )),
        };
    };
    let base = question.date.map(|date| reader::read(date, today)).transpose()?;
    let Some(length) = duration::signed(&tokens(text)) else {
        // `two weeks from friday` is a date in itself.
        if question.date.is_none() && reader::read(text, today).is_ok() {
            return info::answer(&Question { date: Some(text), ..*question });
        }
        return Err(Problem::new(format!(
            "`{}` is not understood as a duration\nhint: write for example `45 days`, `3 weeks ago`, `-2 months`, `2 hours and 45 minutes`",
            text.trim()
        )));
    };
    match base {
        Some(moment) => beside(&moment, length, today.now, &home, false),
        None if length.has_time() => {
            let moment = Moment { time: Some(reader::whole_minute(today.now.time())), ..Moment::empty() };
            beside(&moment, length, today.now, &home, true)
        }
        None => beside(&Moment::of(today.now.date(), crate::moment::Grain::Day), length, today.now, &home, false),
    }
}

fn beside(moment: &Moment, length: Duration, now: DateTime, home: &Zone, from_now: bool) -> Result<Answer, Problem> {
    let zone = moment.zone.as_ref().unwrap_or(home);
    let date = moment.date.unwrap_or(now.date());
    let timed = moment.time.is_some() || length.has_time();
    let start = date.to_datetime(moment.time.unwrap_or(Time::midnight()));
    let moved = length.after(start)?;
    // Hours are real hours, also over a change of the clocks.
    let zoned = moved.to_zoned(zone.rules.clone()).map_err(|_| Problem::too_far())?;
    let end = zoned.checked_add(length.seconds.seconds()).map_err(|_| Problem::too_far())?.datetime();
    let direction = if length.is_back() { "before" } else { "after" };
    let (from, to, value) = match (timed, moment.date) {
        (true, None) if end.date() == date => {
            (show::clock(start.time()), show::clock(end.time()), show::clock(end.time()))
        }
        (true, None) => {
            let day = if end.date() > date { "the next day" } else { "the day before" };
            let day = if (end.date() - date).get_days().abs() == 1 {
                day.to_owned()
            } else {
                format!("on {}", show::long(end.date()))
            };
            (show::clock(start.time()), format!("{} {day}", show::clock(end.time())), show::iso_time(end))
        }
        (true, Some(_)) => (
            format!("{} on {}", show::clock(start.time()), show::long(date)),
            format!("{} on {}", show::clock(end.time()), show::long(end.date())),
            show::iso_time(end),
        ),
        (false, _) => {
            let today = date == now.date() && moment.title.is_none();
            let from = if today { format!("today ({})", show::long(date)) } else { show::named(moment, date) };
            (from, show::long(end.date()), show::iso(end.date()))
        }
    };
    let from = if from_now { format!("now ({from})") } else { from };
    let value = if from_now { show::iso_time(end) } else { value };
    let verb = if end.date() < now.date() { "was" } else { "is" };
    let mut text = format!("{} {direction} {from} {verb} {to}.", length.spelled());
    if zone.name != "UTC" && timed {
        text = format!("{} ({})", text, zone.name);
    }
    if let Some(note) = &moment.note {
        text.push_str(&format!(" ({note})"));
    }
    Ok(Answer {
        text,
        value,
        fields: vec![
            ("from", show::iso_time(start).into()),
            ("date", show::iso(end.date()).into()),
            ("time", show::clock(end.time()).into()),
            ("weekday", show::weekday(end.date()).into()),
        ],
    })
}
