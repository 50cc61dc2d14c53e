//! Days by their place in a span (`last day of february`, `first monday of june`), and the spans next to
//! today (`next month`, `last friday`).

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use tomas_english::ordinal;

use crate::moment::{Grain, Moment};
use crate::problem::Problem;
use crate::reader::{Reader, monday_of, preceding, upcoming, weekday_named};
use crate::token::Token;

impl Reader<'_> {
    /// `last day of february`, `end of the month`, `first monday of june 2025`, `start of next year`.
    pub(crate) fn edge(&mut self) -> Result<Option<Moment>, Problem> {
        let start = self.at;
        let Some((nth, used)) = self.nth() else { return Ok(None) };
        self.at += used;
        let weekday = weekday_named(self.word(0)).map(|(weekday, _)| weekday);
        let day = matches!(self.word(0), "day" | "date");
        let edge = matches!(
            self.tokens.get(self.at - 1).map_or("", Token::word),
            "end" | "start" | "beginning" | "middle" | "mid"
        );
        let counted = weekday.is_some() || day;
        self.at += usize::from(counted);
        let joined = matches!(self.word(0), "of" | "in") || (edge && self.at < self.tokens.len());
        if !(counted || edge) || !joined {
            self.at = start;
            return Ok(None);
        }
        self.at += usize::from(matches!(self.word(0), "of" | "in"));
        self.at += usize::from(self.word(0) == "the");
        let span = match (self.word(0), self.word(1)) {
            ("month" | "year" | "week" | "quarter", _) => self.this_span(0)?,
            _ => match self.date()? {
                Some(span) => span,
                None => {
                    self.at = start;
                    return Ok(None);
                }
            },
        };
        self.pick(nth, weekday, &span).map(Some)
    }

    /// `first`, `2nd`, `last`, `end`: 1 to 366, -1 for the last, 0 for the middle.
    pub(crate) fn nth(&self) -> Option<(i64, usize)> {
        let article = usize::from(self.word(0) == "the");
        let found = match self.word(article) {
            "last" | "final" | "end" => Some((-1, 1)),
            "start" | "beginning" => Some((1, 1)),
            "middle" | "mid" => Some((0, 1)),
            word => ordinal::read(word).map(|nth| (nth, 1)),
        };
        let digits = || {
            let suffix = matches!(self.word(article + 1), "st" | "nd" | "rd" | "th");
            self.number(article).filter(|nth| suffix && (1..=366).contains(nth)).map(|nth| (nth, 2))
        };
        found.or_else(digits).map(|(nth, used)| (nth, used + article))
    }

    pub(crate) fn pick(&self, nth: i64, weekday: Option<Weekday>, span: &Moment) -> Result<Moment, Problem> {
        let (Some(first), Some(last)) = (span.date, span.last_day()?) else { return Err(self.unknown()) };
        let missing =
            || Problem::new(format!("`{}` does not exist\nhint: that span has no such day", self.text.trim()));
        let found = match (weekday, nth) {
            (Some(weekday), -1) => preceding(last.checked_add(1.day()).map_err(|_| Problem::too_far())?, weekday)?,
            (Some(weekday), nth) => {
                let start = upcoming(first, weekday, true)?;
                start.checked_add((7 * (nth - 1)).days()).map_err(|_| Problem::too_far())?
            }
            (None, -1) => last,
            (None, 0) => first
                .checked_add(((i64::from((last - first).get_days())) / 2).days())
                .map_err(|_| Problem::too_far())?,
            (None, nth) => first.checked_add((nth - 1).days()).map_err(|_| Problem::too_far())?,
        };
        if found < first || found > last {
            return Err(missing());
        }
        Ok(Moment::of(found, Grain::Day))
    }

    /// `next friday`, `last month`, `this year`, `next christmas`, `this weekend`.
    pub(crate) fn neighbour(&mut self) -> Result<Option<Moment>, Problem> {
        let step = match self.word(0) {
            "next" | "coming" | "upcoming" | "following" => 1,
            "last" | "past" | "previous" => -1,
            "this" | "current" => 0,
            _ => return Ok(None),
        };
        let today = self.today.now.date();
        if let Some((weekday, _)) = weekday_named(self.word(1)) {
            self.at += 2;
            let date = match step {
                -1 => preceding(today, weekday)?,
                _ => upcoming(today, weekday, step == 0)?,
            };
            return Ok(Some(Moment::of(date, Grain::Day)));
        }
        if matches!(self.word(1), "week" | "month" | "year" | "quarter" | "weekend") {
            self.at += 1;
            return self.this_span(step).map(Some);
        }
        let start = self.at;
        self.at += 1;
        let found = match self.holiday()? {
            Some(found) => Some(found),
            None => self.month_name()?,
        };
        let Some(Moment { yearly: Some(yearly), title, grain, .. }) = found else {
            self.at = start;
            return Ok(None);
        };
        let date = match step {
            -1 => yearly.previous(if grain == Grain::Month { today.first_of_month() } else { today }),
            // `next march` in March is next year's.
            1 if grain == Grain::Month => {
                yearly.upcoming(today.last_of_month().checked_add(1.day()).map_err(|_| Problem::too_far())?)
            }
            1 => yearly.upcoming(today.checked_add(1.day()).map_err(|_| Problem::too_far())?),
            _ => yearly.in_year(today.year()),
        };
        let Some(date) = date else { return Err(self.unknown()) };
        Ok(Some(Moment { title, ..Moment::of(date, grain) }))
    }

    /// The week, month, quarter, year or weekend here, `step` of them on.
    pub(crate) fn this_span(&mut self, step: i64) -> Result<Moment, Problem> {
        let today = self.today.now.date();
        let far = |_| Problem::too_far();
        let (date, grain) = match self.word(0) {
            "week" => (monday_of(today)?.checked_add((7 * step).days()).map_err(far)?, Grain::Week),
            "weekend" => (monday_of(today)?.checked_add((7 * step + 5).days()).map_err(far)?, Grain::Day),
            "month" => (today.first_of_month().checked_add(step.months()).map_err(far)?, Grain::Month),
            "quarter" => {
                let month = (today.month() - 1) / 3 * 3 + 1;
                let first = Date::new(today.year(), month, 1).map_err(far)?;
                (first.checked_add((3 * step).months()).map_err(far)?, Grain::Quarter)
            }
            _ => (today.first_of_year().checked_add(step.years()).map_err(far)?, Grain::Year),
        };
        self.at += 1;
        Ok(Moment::of(date, grain))
    }
}
