//! Dates and times in English: from tokens to a [`Moment`].

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, Weekday};
use tomas_english::close;

use crate::clock;
use crate::duration::Duration;
use crate::moment::{Grain, Moment};
use crate::numeric;
use crate::problem::Problem;
use crate::token::{Token, tokens};
use crate::zone;

/// Words between the parts of a date that say nothing.
const NOISE: [&str; 47] = [
    "on",
    "at",
    "the",
    "of",
    "in",
    "by",
    "is",
    "was",
    "will",
    "be",
    "day",
    "date",
    "what",
    "when",
    "a",
    "and",
    "for",
    "until",
    "till",
    "til",
    "since",
    "my",
    "to",
    "how",
    "many",
    "days",
    "it",
    "this",
    "from",
    "weekday",
    "around",
    "about",
    "please",
    "are",
    "there",
    "does",
    "fall",
    "did",
    "morning",
    "afternoon",
    "evening",
    "night",
    "exactly",
    "year",
    "time",
    "come",
    "oclock",
];

/// The day and time it is, which relative dates need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Today {
    /// The date and time in the zone of the question.
    pub(crate) now: DateTime,
    /// Whether a bare number is an hour (`convert`) and not a year.
    pub(crate) hours: bool,
}

/// Reads all of `text`.
pub(crate) fn read(text: &str, today: Today) -> Result<Moment, Problem> {
    let tokens = tokens(text);
    let mut reader = Reader { tokens: &tokens, at: 0, today, text, depth: 0 };
    let moment = reader.moment()?;
    if moment.date.is_none() && moment.time.is_none() && moment.zone.is_none() {
        return Err(reader.unknown());
    }
    Ok(moment)
}

pub(crate) struct Reader<'a> {
    pub(crate) tokens: &'a [Token],
    pub(crate) at: usize,
    pub(crate) today: Today,
    pub(crate) text: &'a str,
    depth: u8,
}

impl<'a> Reader<'a> {
    pub(crate) fn rest(&self) -> &'a [Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn word(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", Token::word)
    }

    pub(crate) fn number(&self, ahead: usize) -> Option<i64> {
        self.tokens.get(self.at + ahead).and_then(Token::number)
    }

    pub(crate) fn sign(&self, ahead: usize, sign: char) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| token.is(sign))
    }

    pub(crate) fn unknown(&self) -> Problem {
        Problem::new(format!(
            "`{}` is not understood as a date or time\nhint: write for example `3 March 2024`, `2024-03-03`, `next friday`, `in 3 weeks`, `christmas`, `3pm`",
            self.text.trim()
        ))
    }

    /// Reads on to the end, putting the parts together.
    pub(crate) fn moment(&mut self) -> Result<Moment, Problem> {
        self.depth += 1;
        if self.depth > 8 {
            return Err(self.unknown());
        }
        let mut moment = Moment::empty();
        let mut weekday = None;
        while self.at < self.tokens.len() {
            let start = self.at;
            if let Some(found) = self.relative()? {
                moment = join(moment, found);
            } else if let Some(found) = self.weekday_on()? {
                moment = join(moment, found);
            } else if let Some((name, _)) = weekday_named(self.word(0)) {
                self.at += 1;
                weekday = Some(name);
                self.week_behind(name, &mut moment)?;
            } else if let Some(found) = self.date()? {
                moment = join(moment, found);
            } else if let Some(found) = self.time(&moment) {
                moment.time = Some(found);
            } else if let Some(found) = self.zone(start > 0) {
                moment.zone = Some(found);
            } else if !self.skip() {
                return Err(self.unknown());
            }
        }
        if let (Some(weekday), Some(monday), Grain::Week) = (weekday, moment.date, moment.grain) {
            // `next week tuesday`
            let offset = i64::from(weekday.to_monday_zero_offset());
            let date = monday.checked_add(offset.days()).map_err(|_| Problem::too_far())?;
            moment = Moment { date: Some(date), grain: Grain::Day, ..moment };
        }
        if let (Some(weekday), None) = (weekday, moment.date) {
            moment.date = Some(upcoming(self.today.now.date(), weekday, true)?);
        }
        self.depth -= 1;
        Ok(moment)
    }

    /// Skips a token that says nothing; numbers always say something.
    fn skip(&mut self) -> bool {
        let number = self.number(0).is_some();
        self.at += 1;
        !number
    }

    fn time(&mut self, moment: &Moment) -> Option<Time> {
        if self.word(0) == "now" {
            self.at += 1;
            return Some(whole_minute(self.today.now.time()));
        }
        if moment.time.is_some() {
            return None;
        }
        let before = self.at.checked_sub(1).and_then(|place| self.tokens.get(place)).map_or("", Token::word);
        let bare = before == "at" || (self.today.hours && (moment.date.is_some() || self.at == 0 || before == "by"));
        let (time, used) = clock::read(self.rest(), bare)?;
        self.at += used;
        Some(time)
    }

    fn zone(&mut self, behind: bool) -> Option<zone::Zone> {
        let before = self.at.checked_sub(1).and_then(|place| self.tokens.get(place)).map_or("", Token::word);
        let announced = behind && matches!(before, "in" | "for" | "am" | "pm");
        let known = NOISE.contains(&self.word(0)) && !announced;
        if known {
            return None;
        }
        let (found, used) = zone::read(self.rest(), announced)?;
        self.at += used;
        Some(found)
    }

    pub(crate) fn date(&mut self) -> Result<Option<Moment>, Problem> {
        if let Some(found) = self.keyword()? {
            return Ok(Some(found));
        }
        if let Some(found) = self.edge()? {
            return Ok(Some(found));
        }
        if let Some(found) = self.neighbour()? {
            return Ok(Some(found));
        }
        if let Some(found) = self.holiday()? {
            return Ok(Some(found));
        }
        if let Some((found, used)) = numeric::read(self.rest(), self.today.now.date(), self.today.hours)? {
            self.at += used;
            return Ok(Some(found));
        }
        if let Some(found) = self.month_name()? {
            return Ok(Some(found));
        }
        self.numbered()
    }

    fn keyword(&mut self) -> Result<Option<Moment>, Problem> {
        let (days, used) = match (self.word(0), self.word(1), self.word(2)) {
            ("day", "after", "tomorrow" | "tomorow") => (2, 3),
            ("day", "before", "yesterday") => (-2, 3),
            ("overmorrow", ..) => (2, 1),
            ("today" | "todays" | "tonight" | "tday", ..) => (0, 1),
            ("now", ..) if self.at + 1 == self.tokens.len() && self.at == 0 => {
                self.at += 1;
                let now = self.today.now;
                return Ok(Some(Moment { time: Some(whole_minute(now.time())), ..Moment::of(now.date(), Grain::Day) }));
            }
            (
                "tomorrow" | "tomorow" | "tommorow" | "tommorrow" | "tmrw" | "tmr" | "tomorrows" | "tomorro" | "2moro",
                ..,
            ) => (1, 1),
            ("yesterday" | "yesterdays" | "yday" | "yesturday", ..) => (-1, 1),
            _ => return Ok(None),
        };
        self.at += used;
        let date = self.today.now.date().checked_add(i64::from(days).days()).map_err(|_| Problem::too_far())?;
        Ok(Some(Moment::of(date, Grain::Day)))
    }
}

/// The later part of a text adds what the earlier did not say; a day beats a month, and a month in a year is one.
fn join(first: Moment, second: Moment) -> Moment {
    Moment {
        date: second.date.or(first.date),
        grain: if second.date.is_some() { second.grain } else { first.grain },
        yearly: if second.date.is_some() { second.yearly } else { first.yearly },
        title: second.title.or(first.title),
        time: second.time.or(first.time),
        zone: second.zone.or(first.zone),
        note: second.note.or(first.note),
    }
}

pub(crate) fn moved(start: DateTime, length: Duration, timed: bool) -> Result<Moment, Problem> {
    let moved = length.after(start)?;
    let moved = moved.checked_add(length.seconds.seconds()).map_err(|_| Problem::too_far())?;
    Ok(Moment { time: timed.then(|| moved.time()), ..Moment::of(moved.date(), Grain::Day) })
}

/// A time without its seconds.
pub(crate) fn whole_minute(time: Time) -> Time {
    Time::new(time.hour(), time.minute(), 0, 0).unwrap_or(time)
}

/// The weekday of a name or abbreviation; also misspelt.
pub(crate) fn weekday_named(word: &str) -> Option<(Weekday, usize)> {
    const NAMES: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let short = |name: &str| match word {
        "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun" | "tues" | "weds" | "thur" | "thurs" => {
            name.starts_with(&word.replace("weds", "wed"))
        }
        _ => false,
    };
    let singular = word.strip_suffix('s').filter(|singular| singular.len() > 4).unwrap_or(word);
    if let Some((_, weekday)) = NAMES.iter().find(|(name, _)| *name == singular || short(name)) {
        return Some((*weekday, 1));
    }
    if matches!(word, "wensday" | "wendsday" | "wedesday" | "wenesday") {
        return Some((Weekday::Wednesday, 1));
    }
    if word.len() < 6 || word == "someday" || word == "midday" {
        return None;
    }
    let meant = close::meant(word, NAMES.iter().map(|(name, _)| *name))?;
    NAMES.iter().find(|(name, _)| *name == meant).map(|(_, weekday)| (*weekday, 1))
}

pub(crate) fn monday_of(date: Date) -> Result<Date, Problem> {
    date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).map_err(|_| Problem::too_far())
}

/// The first `weekday` after `date`, or on it if `on`.
pub(crate) fn upcoming(date: Date, weekday: Weekday, on: bool) -> Result<Date, Problem> {
    if on && date.weekday() == weekday {
        return Ok(date);
    }
    date.nth_weekday(1, weekday).map_err(|_| Problem::too_far())
}

/// The last `weekday` before `date`.
pub(crate) fn preceding(date: Date, weekday: Weekday) -> Result<Date, Problem> {
    date.nth_weekday(-1, weekday).map_err(|_| Problem::too_far())
}
