//! Days beside other days: `in 3 weeks`, `5 days before christmas`, `the monday after easter`, `friday the 13th`.

use jiff::ToSpan;
use jiff::civil::{Date, Time, Weekday};

use crate::duration::{self, Duration};
use crate::moment::{Grain, Moment};
use crate::problem::Problem;
use crate::reader::{Reader, monday_of, moved, preceding, upcoming, weekday_named};
use crate::token::tokens;

impl Reader<'_> {
    /// `friday the 13th`: the next one.
    pub(crate) fn weekday_on(&mut self) -> Result<Option<Moment>, Problem> {
        let Some((weekday, _)) = weekday_named(self.word(0)) else { return Ok(None) };
        let (Some(day), "st" | "nd" | "rd" | "th") = (self.number(2), self.word(3)) else { return Ok(None) };
        if self.word(1) != "the" || self.at + 4 < self.tokens.len() {
            return Ok(None);
        }
        self.at += 4;
        let today = self.today.now.date();
        let months = (0..400_i64).filter_map(|months| today.first_of_month().checked_add(months.months()).ok());
        let mut dates = months.filter_map(|first| Date::new(first.year(), first.month(), i8::try_from(day).ok()?).ok());
        let found = dates.find(|date| *date >= today && date.weekday() == weekday);
        found.map(|date| Some(Moment::of(date, Grain::Day))).ok_or_else(|| self.unknown())
    }

    /// `in 3 weeks`, `5 days before christmas`, `the day after tomorrow`, `a week ago`.
    pub(crate) fn relative(&mut self) -> Result<Option<Moment>, Problem> {
        let start = self.at;
        let ahead = matches!(self.word(0), "in" | "within" | "after");
        self.at += usize::from(ahead);
        self.at += usize::from(self.word(0) == "the" || self.word(0) == "exactly");
        let minus = self.sign(0, '-') && (self.at == 0 || !self.tokens.get(self.at).is_some_and(|token| token.glued));
        self.at += usize::from(minus);
        if let Some((weekday, _)) = weekday_named(self.word(0))
            && matches!(self.word(1), "after" | "before" | "following")
        {
            return self.weekday_beside(weekday);
        }
        let Some((length, used)) = self.length() else {
            self.at = start;
            return Ok(None);
        };
        self.at += used;
        self.at += usize::from(self.sign(0, '\''));
        let length = if minus { length.reversed() } else { length };
        let found = match (self.word(0), self.word(1)) {
            ("ago" | "earlier" | "back", _) => self.shifted(length.reversed(), 1)?,
            ("from", "now" | "today") => self.shifted(length, 2)?,
            ("before", "now" | "today") => self.shifted(length.reversed(), 2)?,
            ("after", "now" | "today") => self.shifted(length, 2)?,
            // `in two weeks' time`
            ("time", _) if self.at + 1 == self.tokens.len() => self.shifted(length, 1)?,
            ("on", _) if weekday_named(self.word(1)).is_some() => self.beside(length)?,
            ("hence" | "later" | "ahead", _) => self.shifted(length, 1)?,
            ("from" | "after" | "following" | "past", _) if self.at + 1 < self.tokens.len() => self.beside(length)?,
            ("before" | "prior" | "until" | "till" | "to", _)
                if self.at + 1 < self.tokens.len() && self.word(0) != "to" =>
            {
                self.at += usize::from(self.word(0) == "prior");
                self.beside(length.reversed())?
            }
            _ if ahead || minus => self.shifted(length, 0)?,
            _ => {
                self.at = start;
                return Ok(None);
            }
        };
        Ok(Some(found))
    }

    /// A duration, or `day`, `week` … alone before `after` and `before`.
    pub(crate) fn length(&self) -> Option<(Duration, usize)> {
        if matches!(self.word(0), "day" | "week" | "month" | "year" | "fortnight") {
            let beside = matches!(self.word(1), "after" | "before" | "following" | "prior");
            let one = tokens(&format!("one {}", self.word(0)));
            return duration::read(&one).filter(|_| beside).map(|(length, _)| (length, 1));
        }
        duration::read(self.rest())
    }

    pub(crate) fn shifted(&mut self, length: Duration, used: usize) -> Result<Moment, Problem> {
        self.at += used;
        moved(self.today.now, length, length.has_time())
    }

    /// `length` beside what follows the word here.
    pub(crate) fn beside(&mut self, length: Duration) -> Result<Moment, Problem> {
        self.at += 1;
        let anchor = self.moment()?;
        let Some(date) = anchor.date.or_else(|| anchor.time.map(|_| self.today.now.date())) else {
            return Err(self.unknown());
        };
        let time = anchor.time.unwrap_or(Time::midnight());
        let timed = anchor.time.is_some() || length.has_time();
        Ok(Moment { zone: anchor.zone, note: anchor.note, ..moved(date.to_datetime(time), length, timed)? })
    }

    /// `the monday after easter`.
    pub(crate) fn weekday_beside(&mut self, weekday: Weekday) -> Result<Option<Moment>, Problem> {
        let before = self.word(1) == "before";
        self.at += 2;
        // `the friday after next`
        if self.word(0) == "next" && self.at + 1 >= self.tokens.len() {
            self.at += 1;
            let next = upcoming(self.today.now.date(), weekday, false)?;
            return Ok(Some(Moment::of(next.checked_add(7.days()).map_err(|_| Problem::too_far())?, Grain::Day)));
        }
        let anchor = self.moment()?;
        let Some(date) = anchor.date else { return Err(self.unknown()) };
        let found = if before { preceding(date, weekday)? } else { upcoming(date, weekday, false)? };
        Ok(Some(Moment::of(found, Grain::Day)))
    }

    /// `friday next week`, `monday week`.
    pub(crate) fn week_behind(&mut self, weekday: Weekday, moment: &mut Moment) -> Result<(), Problem> {
        let weeks = match (self.word(0), self.word(1)) {
            ("next", "week") => 1,
            ("last", "week") => -1,
            ("this", "week") => 0,
            ("week", _) => {
                self.at += 1;
                let date = upcoming(self.today.now.date(), weekday, true)?;
                moment.date = Some(date.checked_add(7.days()).map_err(|_| Problem::too_far())?);
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.at += 2;
        let monday = monday_of(self.today.now.date())?;
        let offset = i64::from(weekday.to_monday_zero_offset()) + 7 * weeks;
        moment.date = Some(monday.checked_add(offset.days()).map_err(|_| Problem::too_far())?);
        Ok(())
    }
}
