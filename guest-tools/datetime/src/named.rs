//! Days by the name of a holiday or month (`easter 2027`, `the third of march`), and numbered ones
//! (`week 12`, `the 5th`, `1900`).

use jiff::ToSpan;
use jiff::civil::Date;
use tomas_english::{close, month, ordinal, words};

use crate::holiday;
use crate::moment::{Grain, Moment, Yearly};
use crate::numeric;
use crate::problem::Problem;
use crate::reader::Reader;
use crate::token::Token;

impl Reader<'_> {
    pub(crate) fn holiday(&mut self) -> Result<Option<Moment>, Problem> {
        let rest = self.rest();
        // Digits belong to a name only in `4th of july`.
        let spelled: Vec<String> = rest
            .iter()
            .take(7)
            .enumerate()
            .map(|(place, token)| match token.number() {
                Some(number) if matches!(rest.get(place + 1).map(Token::word), Some("th")) => format!("{number}th"),
                Some(number) => number.to_string(),
                None => token.word().to_owned(),
            })
            .collect();
        let mut words: Vec<&str> = Vec::new();
        let mut ends: Vec<usize> = Vec::new();
        for (place, word) in spelled.iter().enumerate() {
            if word == "th" && words.last().is_some_and(|last| last.ends_with("th")) {
                if let Some(end) = ends.last_mut() {
                    *end = place + 1;
                }
                continue;
            }
            // Hyphens and apostrophes inside names: `new-year's eve`.
            if word.is_empty() && rest.get(place).is_some_and(|token| token.is('-') || token.is('\'') || token.is('.'))
            {
                continue;
            }
            words.push(word);
            ends.push(place + 1);
        }
        let Some((holiday, used)) = holiday::find(&words).or_else(|| self.misspelt(&words)) else { return Ok(None) };
        self.at += ends.get(used.saturating_sub(1)).copied().unwrap_or(used);
        let year = self.year_behind(false);
        let today = self.today.now.date();
        let yearly = Yearly::Holiday(holiday);
        let date = match year {
            Some(year) => yearly.in_year(year),
            None => yearly.upcoming(today),
        };
        let Some(date) = date else {
            let why = if holiday.is_table() { "that is not in the table" } else { "that year has none" };
            return Err(Problem::new(format!("the date of {} {why}\nhint: try a year near this one", holiday.name)));
        };
        let yearly = if year.is_some() { None } else { Some(yearly) };
        Ok(Some(Moment { title: Some(holiday.name), yearly, ..Moment::of(date, Grain::Day) }))
    }

    /// One long word that is nearly a holiday.
    pub(crate) fn misspelt(&self, words: &[&str]) -> Option<(holiday::Holiday, usize)> {
        const NAMES: [&str; 6] = ["christmas", "halloween", "thanksgiving", "easter", "pentecost", "hanukkah"];
        let word = words.first().filter(|word| word.len() >= 5)?;
        let meant = close::meant(word, NAMES)?;
        holiday::find(&[meant])
    }

    /// With `dated`, two digits behind a day are a year, too.
    /// `2025`, `next year`, `this year`, `last year`, `in 2025` behind a yearly date.
    pub(crate) fn year_behind(&mut self, dated: bool) -> Option<i16> {
        let skip = usize::from(matches!(self.word(0), "in" | "of") || self.sign(0, ','));
        let this = self.today.now.year();
        let (year, used) = match (self.word(skip), self.word(skip + 1)) {
            ("next", "year") => (this.checked_add(1)?, 2),
            ("last", "year") => (this.checked_sub(1)?, 2),
            ("this", "year") => (this, 2),
            _ => {
                let token = self.tokens.get(self.at + skip)?;
                let behind = self.tokens.get(self.at + skip + 1);
                let clock =
                    behind.is_some_and(|token| token.is(':') || matches!(token.word(), "am" | "pm" | "hours" | "hrs"));
                match token.number() {
                    Some(year) if !clock && token.text.len() == 4 => (i16::try_from(year).ok()?, 1),
                    // `apr 13 25`
                    Some(year) if dated && !clock && token.text.len() == 2 && skip == 0 => {
                        (numeric::two_digits(year)?, 1)
                    }
                    // `march 3 '24`
                    _ if token.is('\'') => {
                        (numeric::two_digits(behind.filter(|token| token.text.len() == 2)?.number()?)?, 2)
                    }
                    _ => numeric::spelled_year(self.tokens.get(self.at + skip..)?)?,
                }
            }
        };
        self.at += skip + used;
        Some(year)
    }

    /// `march 3rd, 2024`, `the third of march`, `march 2024`, `march`.
    pub(crate) fn month_name(&mut self) -> Result<Option<Moment>, Problem> {
        let start = self.at;
        self.at += usize::from(self.word(0) == "the");
        let before = self.day();
        self.at += usize::from(before.is_some() && (self.word(0) == "of" || self.sign(0, '-') || self.sign(0, '/')));
        // `may` needs a number beside it or nothing; `mar` and `sat` are months and days only as they are.
        let Some(month) = month::number(self.word(0)).and_then(|month| i8::try_from(month).ok()) else {
            self.at = start;
            return Ok(None);
        };
        self.at += 1;
        self.at += usize::from(self.sign(0, '.'));
        let mut day = before;
        if day.is_none() {
            let gap = usize::from(self.word(0) == "the" || self.sign(0, '-'));
            let place = self.at;
            self.at += gap;
            let year = self.tokens.get(self.at).is_some_and(|token| token.text.len() == 4 && token.number().is_some());
            let clock = self.sign(1, ':') || matches!(self.word(1), "am" | "pm");
            day = if year || clock { None } else { self.day() };
            if day.is_none() {
                self.at = place;
            }
        }
        let year = |token: &Token| token.number().is_some() && matches!(token.text.len(), 2 | 4);
        self.at += usize::from(self.sign(0, '-') && self.tokens.get(self.at + 1).is_some_and(year));
        let year = self.year_behind(day.is_some());
        self.dated(month, day, year).map(Some)
    }

    pub(crate) fn dated(&self, month: i8, day: Option<i8>, year: Option<i16>) -> Result<Moment, Problem> {
        let today = self.today.now.date();
        let (yearly, grain) = match day {
            Some(day) => (Yearly::Day(month, day), Grain::Day),
            None => (Yearly::Month(month), Grain::Month),
        };
        let date = match year {
            Some(year) => yearly.in_year(year),
            None => yearly.upcoming(today),
        };
        match date {
            Some(date) => {
                Ok(Moment { yearly: if year.is_some() { None } else { Some(yearly) }, ..Moment::of(date, grain) })
            }
            None => Err(numeric::no_such_day(
                i64::from(year.unwrap_or(today.year())),
                i64::from(month),
                day.map_or(0, i64::from),
            )),
        }
    }

    /// `3`, `3rd`, `third`, `twenty first`.
    pub(crate) fn day(&mut self) -> Option<i8> {
        let suffix = matches!(self.word(1), "st" | "nd" | "rd" | "th");
        if let Some(day) = self.number(0).filter(|day| (1..=99).contains(day)) {
            // `14:00` and `3pm` are times.
            if self.sign(1, ':') || matches!(self.word(1), "am" | "pm") {
                return None;
            }
            self.at += if suffix { 2 } else { 1 };
            return i8::try_from(day).ok();
        }
        let tens = words::tens(self.word(0)).filter(|tens| *tens <= 30);
        let hyphen = usize::from(self.sign(1, '-'));
        let unit = ordinal::read(self.word(1 + hyphen)).filter(|unit| *unit < 10);
        let (day, used) = match (tens, unit, ordinal::read(self.word(0)), words::small(self.word(0))) {
            (Some(tens), Some(unit), ..) => (tens + unit, 2 + hyphen),
            (_, _, Some(day), _) => (day, 1),
            (_, _, _, Some(day)) if day > 0 && month::number(self.word(1)).is_some() => (day, 1),
            _ => return None,
        };
        self.at += used;
        i8::try_from(day).ok()
    }

    /// `week 12 of 2025`, `Q1 2025`, `day 200 of 2024`, `the 5th`, `1900`.
    pub(crate) fn numbered(&mut self) -> Result<Option<Moment>, Problem> {
        let today = self.today.now.date();
        let start = self.at;
        if self.word(0) == "week" && matches!(self.word(1), "number" | "no" | "nr") && self.number(2).is_some() {
            self.at += 1;
        }
        let (label, number) = match self.tokens.get(start).map_or("", Token::word) {
            "week" => ("week", self.number(1)),
            _ => (self.word(0), self.number(1)),
        };
        match (label, number) {
            ("q", Some(quarter)) if (1..=4).contains(&quarter) => {
                self.at += 2;
                let year = self.year_behind(false).unwrap_or(today.year());
                return numeric::quarter(year, quarter).map(Some);
            }
            ("week", Some(week)) => {
                self.at += 2;
                let year = self.year_behind(false).unwrap_or(today.year());
                return numeric::week(year, week).map(Some);
            }
            ("day", Some(day)) => {
                self.at += 2;
                let year = self.year_behind(false).unwrap_or(today.year());
                return numeric::day_of_year(year, day).map(Some);
            }
            ("year", Some(_)) => self.at += 1,
            _ => {}
        }
        if let Some((nth, used)) = self.nth().filter(|(nth, _)| (1..=4).contains(nth))
            && self.word(used) == "quarter"
        {
            self.at += used + 1;
            let year = self.year_behind(false).unwrap_or(today.year());
            return numeric::quarter(year, nth).map(Some);
        }
        if let Some((day, used)) = self.nth().filter(|(nth, _)| (1..=31).contains(nth)) {
            self.at += used;
            // `the 5th of next month`
            if self.word(0) == "of" && matches!(self.word(1), "next" | "last" | "this" | "the") {
                self.at += 1 + usize::from(self.word(1) == "the");
                let span = if self.word(0) == "month" {
                    self.this_span(0)?
                } else {
                    self.neighbour()?.unwrap_or_else(Moment::empty)
                };
                return self.pick(day, None, &span).map(Some);
            }
            let months = (0..12_i64).filter_map(|months| today.first_of_month().checked_add(months.months()).ok());
            let dates = months.filter_map(|first| Date::new(first.year(), first.month(), i8::try_from(day).ok()?).ok());
            let found = dates.into_iter().find(|date| *date >= today);
            return found.map(|date| Some(Moment::of(date, Grain::Day))).ok_or_else(|| self.unknown());
        }
        if let Some((year, used)) = numeric::year(self.rest(), self.today.hours) {
            self.at += used;
            self.at += usize::from(matches!(self.word(0), "ad" | "ce"));
            let first = Date::new(year, 1, 1).map_err(|_| Problem::too_far())?;
            return Ok(Some(Moment::of(first, Grain::Year)));
        }
        self.at = start;
        Ok(None)
    }
}
