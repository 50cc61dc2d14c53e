//! Times of day: `3pm`, `15:30`, `half past 3`, `quarter to five`, `noon`, `8 in the evening`.

use jiff::civil::Time;
use tomas_english::words;

use crate::token::Token;

/// Reads the time of day that `tokens` start with, and how many of them it takes.
/// `bare` allows a number alone (`9`, `1530`), where nothing but a time can stand.
pub(crate) fn read(tokens: &[Token], bare: bool) -> Option<(Time, usize)> {
    let reader = Reader { tokens };
    reader.named().or_else(|| reader.spoken()).or_else(|| reader.digits(bare))
}

struct Reader<'a> {
    tokens: &'a [Token],
}

/// The half of the day that a word names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Morning,
    Evening,
}

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", Token::word)
    }

    fn sign(&self, at: usize, sign: char) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(sign))
    }

    fn number(&self, at: usize) -> Option<i64> {
        self.tokens.get(at).and_then(Token::number)
    }

    /// A number in digits or a single word up to twenty-nine.
    fn small(&self, at: usize) -> Option<(i64, usize)> {
        if let Some(number) = self.number(at) {
            return Some((number, 1));
        }
        if let Some(tens) = words::tens(self.word(at)) {
            let hyphen = usize::from(self.sign(at + 1, '-'));
            return match words::small(self.word(at + 1 + hyphen)).filter(|unit| (1..10).contains(unit)) {
                Some(unit) => Some((tens + unit, 2 + hyphen)),
                None => Some((tens, 1)),
            };
        }
        words::small(self.word(at)).map(|number| (number, 1))
    }

    fn named(&self) -> Option<(Time, usize)> {
        let twelve = usize::from(self.number(0) == Some(12));
        match self.word(twelve) {
            "noon" | "midday" | "noontime" => Some((time(12, 0, 0)?, twelve + 1)),
            "midnight" => Some((time(0, 0, 0)?, twelve + 1)),
            _ => None,
        }
    }

    /// `half past 3`, `quarter to five`, `ten to six`, `20 past 4`, `half three`.
    fn spoken(&self) -> Option<(Time, usize)> {
        let article = usize::from(self.word(0) == "a");
        let (minutes, used) = match self.word(article) {
            "half" => (30, 1),
            "quarter" => (15, 1),
            _ => self.small(article)?,
        };
        let mut at = article + used;
        at += usize::from(matches!(self.word(at), "minutes" | "minute" | "mins" | "min"));
        let sign = match self.word(at) {
            "past" | "after" => 1,
            "to" | "before" | "til" | "till" => -1,
            // `half three` is half past three.
            _ if minutes == 30
                && self.word(article) == "half"
                && self.small(at).is_some_and(|(hour, _)| (1..=12).contains(&hour)) =>
            {
                at -= 1;
                1
            }
            _ => return None,
        };
        at += 1;
        let (hour, used) = match self.word(at) {
            "noon" | "midday" => (12, 1),
            "midnight" => (0, 1),
            _ => self.small(at).filter(|(hour, _)| *hour <= 24)?,
        };
        at += used;
        at += usize::from(self.word(at) == "oclock");
        if !(0..60).contains(&minutes) {
            return None;
        }
        let (half, used) = self.half(at);
        let total = hours(hour, half)? * 60 + sign * minutes;
        let total = total.rem_euclid(24 * 60);
        Some((time(total / 60, total % 60, 0)?, at + used))
    }

    fn digits(&self, bare: bool) -> Option<(Time, usize)> {
        let (hour, mut at) = self.small(0)?;
        let written = self.tokens.first()?;
        let pair = |at: usize| {
            self.tokens.get(at).filter(|token| token.text.len() == 2).and_then(Token::number).filter(|n| *n < 60)
        };
        let separated = self.sign(at, ':')
            || ((self.sign(at, '.') || matches!(self.word(at), "h"))
                && self.tokens.get(at + 1).is_some_and(|token| token.glued));
        let mut minute = separated.then(|| pair(at + 1)).flatten();
        let colon = self.sign(at, ':') || self.word(at) == "h";
        let mut second = 0;
        if minute.is_some() {
            at += 2;
            if self.sign(at, ':')
                && let Some(seconds) = pair(at + 1)
            {
                second = seconds;
                at += 2;
                // Fractions of seconds say nothing here.
                at += if self.sign(at, '.') && self.number(at + 1).is_some() { 2 } else { 0 };
            }
        }
        let (half, used) = self.half(at);
        let certain = used > 0 || (colon && minute.is_some());
        at += used;
        let oclock = self.word(at) == "oclock" || (self.word(at) == "o" && self.word(at + 1) == "clock");
        if oclock {
            at += if self.word(at) == "oclock" { 1 } else { 2 };
            let (half, used) = self.half(at);
            return Some((time(hours(hour, half)?, 0, 0)?, at + used));
        }
        let military = written.text.len() == 4
            && minute.is_none()
            && (bare || matches!(self.word(at), "hours" | "hrs" | "h" | "hr"));
        let mut hour = hour;
        if military {
            at += usize::from(matches!(self.word(at), "hours" | "hrs" | "h" | "hr"));
            (hour, minute) = (hour / 100, Some(hour % 100));
        } else if !certain
            && minute.is_none()
            && self.word(at) == "h"
            && hour <= 24
            && self.tokens.get(at).is_some_and(|token| token.glued)
        {
            at += 1;
        } else if !(certain || bare && (written.text.len() <= 2 || minute.is_some())) {
            return None;
        }
        Some((time(hours(hour, half)?, minute.unwrap_or(0), second)?, at))
    }

    /// `am`, `p.m.`, `in the morning`, `at night`, and how many tokens it takes.
    fn half(&self, at: usize) -> (Option<Half>, usize) {
        let dotted = |letter: &str| self.word(at) == letter && (self.sign(at + 1, '.') || self.word(at + 1) == "m");
        match self.word(at) {
            "am" => return (Some(Half::Morning), 1),
            "pm" => return (Some(Half::Evening), 1),
            _ => {}
        }
        for (letter, half) in [("a", Half::Morning), ("p", Half::Evening)] {
            if dotted(letter) {
                let mut used = 1;
                while self.sign(at + used, '.') || (self.word(at + used) == "m" && used <= 2) {
                    used += 1;
                }
                if used > 1 {
                    return (Some(half), used);
                }
            }
        }
        if self.word(at) == "p" && self.tokens.get(at).is_some_and(|token| token.glued) {
            return (Some(Half::Evening), 1);
        }
        if self.word(at) == "a" && self.tokens.get(at).is_some_and(|token| token.glued) {
            return (Some(Half::Morning), 1);
        }
        match (self.word(at), self.word(at + 1), self.word(at + 2)) {
            ("in", "the", "morning") => (Some(Half::Morning), 3),
            ("in", "the", "afternoon" | "evening") => (Some(Half::Evening), 3),
            ("at", "night", _) => (Some(Half::Evening), 2),
            ("this", "morning", _) => (Some(Half::Morning), 2),
            ("this", "afternoon" | "evening", _) => (Some(Half::Evening), 2),
            ("tonight", ..) => (Some(Half::Evening), 0),
            _ => (None, 0),
        }
    }
}

fn hours(hour: i64, half: Option<Half>) -> Option<i64> {
    match half {
        _ if !(0..=24).contains(&hour) => None,
        None => Some(hour % 24),
        Some(Half::Morning) if hour == 12 => Some(0),
        Some(Half::Morning) => Some(hour % 24),
        Some(Half::Evening) if hour < 12 => Some(hour + 12),
        Some(Half::Evening) => Some(hour % 24),
    }
}

fn time(hour: i64, minute: i64, second: i64) -> Option<Time> {
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tokens;

    #[test]
    fn times_of_day() {
        for (text, hour, minute) in [
            ("3pm", 15, 0),
            ("3 PM", 15, 0),
            ("3 p.m.", 15, 0),
            ("12am", 0, 0),
            ("12pm", 12, 0),
            ("9:30", 9, 30),
            ("9:30pm", 21, 30),
            ("9.30pm", 21, 30),
            ("18:00", 18, 0),
            ("14:05:09", 14, 5),
            ("noon", 12, 0),
            ("12 noon", 12, 0),
            ("midnight", 0, 0),
            ("half past 3", 3, 30),
            ("half past three in the afternoon", 15, 30),
            ("quarter to five", 4, 45),
            ("a quarter past 6pm", 18, 15),
            ("ten to six", 5, 50),
            ("20 past 4", 4, 20),
            ("twenty five to 8", 7, 35),
            ("3 o'clock", 3, 0),
            ("three oclock in the afternoon", 15, 0),
            ("8 in the evening", 20, 0),
            ("15h30", 15, 30),
            ("15h", 15, 0),
            ("1530 hours", 15, 30),
            ("five pm", 17, 0),
            ("7a", 7, 0),
            ("11 at night", 23, 0),
        ] {
            let found = read(&tokens(text), false).map(|(time, _)| (i64::from(time.hour()), i64::from(time.minute())));
            assert_eq!(found, Some((hour, minute)), "{text}");
        }
        for text in ["3", "march", "25:00", "9:75", "1530", "13 may", "3 days"] {
            assert_eq!(read(&tokens(text), false), None, "{text}");
        }
        assert!(read(&tokens("9"), true).is_some() && read(&tokens("0930"), true).is_some());
    }
}
