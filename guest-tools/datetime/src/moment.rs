//! What a text about time means before the question is looked at: a day or a longer span, a time, a zone.

use jiff::ToSpan;
use jiff::civil::{Date, Time};

use crate::holiday::Holiday;
use crate::problem::Problem;
use crate::zone::Zone;

/// How long the span is that a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    /// One day.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A quarter of a calendar year.
    Quarter,
    /// A calendar year.
    Year,
}

/// A day that comes back every year.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Yearly {
    /// Month and day.
    Day(i8, i8),
    /// A whole month.
    Month(i8),
    /// A holiday.
    Holiday(Holiday),
}

impl Yearly {
    /// The day in `year`, if it has one.
    pub(crate) fn in_year(self, year: i16) -> Option<Date> {
        match self {
            Self::Day(month, day) => Date::new(year, month, day).ok(),
            Self::Month(month) => Date::new(year, month, 1).ok(),
            Self::Holiday(holiday) => holiday.in_year(year),
        }
    }

    /// The first one on or after `date`; the 29th of February comes within eight years.
    pub(crate) fn upcoming(self, date: Date) -> Option<Date> {
        // A month that is still going on counts.
        let from = if let Self::Month(_) = self { date.first_of_month() } else { date };
        (0..=8).filter_map(|years| self.in_year(date.year().checked_add(years)?)).find(|day| *day >= from)
    }

    /// The last one before `date`.
    pub(crate) fn previous(self, date: Date) -> Option<Date> {
        (0..=8).filter_map(|years| self.in_year(date.year().checked_sub(years)?)).find(|day| *day < date)
    }
}

/// What was understood of a text.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// The day, or the first day of the span; `None` when only a time or a zone was named.
    pub(crate) date: Option<Date>,
    /// How much of the calendar it is.
    pub(crate) grain: Grain,
    /// Set when no year was named, so that another one may be meant.
    pub(crate) yearly: Option<Yearly>,
    /// The name of a holiday.
    pub(crate) title: Option<&'static str>,
    /// The time of day.
    pub(crate) time: Option<Time>,
    /// The zone.
    pub(crate) zone: Option<Zone>,
    /// What the reader should know about how it was read.
    pub(crate) note: Option<String>,
}

impl Moment {
    /// Nothing understood yet.
    pub(crate) fn empty() -> Self {
        Self { date: None, grain: Grain::Day, yearly: None, title: None, time: None, zone: None, note: None }
    }

    /// A span that starts on `date`.
    pub(crate) fn of(date: Date, grain: Grain) -> Self {
        Self { date: Some(date), grain, ..Self::empty() }
    }

    /// The last day of the span.
    pub(crate) fn last_day(&self) -> Result<Option<Date>, Problem> {
        let Some(date) = self.date else { return Ok(None) };
        let next = match self.grain {
            Grain::Day => return Ok(Some(date)),
            Grain::Week => date.checked_add(7.days()),
            Grain::Month => date.checked_add(1.month()),
            Grain::Quarter => date.checked_add(3.months()),
            Grain::Year => date.checked_add(1.year()),
        };
        let last = next.and_then(|next| next.checked_sub(1.day()));
        last.map(Some).map_err(|_| Problem::too_far())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn yearly_days_come_back() {
        let today = date(2025, 11, 21);
        assert_eq!(Yearly::Day(12, 25).upcoming(today), Some(date(2025, 12, 25)));
        assert_eq!(Yearly::Day(3, 3).upcoming(today), Some(date(2026, 3, 3)));
        assert_eq!(Yearly::Day(3, 3).previous(today), Some(date(2025, 3, 3)));
        assert_eq!(Yearly::Day(2, 29).upcoming(today), Some(date(2028, 2, 29)));
        assert_eq!(Yearly::Month(11).upcoming(today), Some(date(2025, 11, 1)));
        assert_eq!(Yearly::Day(2, 30).upcoming(today), None);
        assert_eq!(Moment::of(date(2028, 2, 1), Grain::Month).last_day(), Ok(Some(date(2028, 2, 29))));
    }
}
