//! The numbers of an amount: `-3 1/2`, `a`, `half a`, `3 x 10^8`, `2-3`, `1:30`.

use tomas_english::num_traits::{ToPrimitive, Zero, pow::Pow};
use tomas_english::{Rational, ratio};

use crate::compound;
use crate::quantity::{Piece, Reader};

impl Reader<'_> {
    /// `-3 1/2`, `1/2`, `3 x 10^8`, `a`, `half a`.
    pub(crate) fn number(&mut self) -> Option<Rational> {
        let start = self.at;
        let minus = self.symbol(0, '-') || matches!(self.word(0).as_str(), "minus" | "negative");
        let plus = self.symbol(0, '+');
        self.at += usize::from(minus || plus);
        let found = self.unsigned();
        if found.is_none() {
            self.at = start;
        }
        found.map(|number| if minus { -number } else { number })
    }

    pub(crate) fn unsigned(&mut self) -> Option<Rational> {
        if matches!(self.word(0).as_str(), "a" | "an") {
            self.at += 1;
            return Some(ratio(1, 1));
        }
        let mut number = self.literal(0)?.clone();
        let spelled = self.token(0)?.number()?.text.chars().any(char::is_alphabetic);
        self.at += 1;
        if self.symbol(0, '/')
            && let Some(below) = self.literal(1).filter(|below| !below.is_zero())
        {
            number /= below.clone();
            self.at += 2;
        } else if self.symbol(0, '-')
            && self.symbol(2, '/')
            && let (Some(top), Some(below)) = (self.literal(1), self.literal(3))
        {
            // `5-1/2 inches`
            if top < below {
                number += top / below;
                self.at += 4;
            }
        }
        number *= self.power_of_ten();
        let thousands =
            self.word(0) == "k" && self.token(0).is_some_and(|token| token.glued) && !self.word(1).is_empty();
        if thousands
            && compound::read(self.tokens.get(self.at + 1..)?, self.catalogue, false).is_some()
            && !matches!(self.word(1).as_str(), "in" | "to")
        {
            number *= ratio(1000, 1);
            self.at += 1;
        }
        if spelled {
            // `half of a`, `a couple of`
            self.at += usize::from(self.word(0) == "of");
            self.at += usize::from(matches!(self.word(0).as_str(), "a" | "an"));
        }
        Some(number)
    }

    /// The `x 10^8` behind a number.
    pub(crate) fn power_of_ten(&mut self) -> Rational {
        let times = self.symbol(0, '*') || self.word(0) == "x" || self.word(0) == "times";
        let ten = self.literal(1).is_some_and(|ten| *ten == ratio(10, 1));
        if !(times && ten && self.symbol(2, '^')) {
            return ratio(1, 1);
        }
        let negative = self.symbol(3, '-');
        let power = self.literal(3 + usize::from(negative)).and_then(|power| power.to_integer().to_i32());
        match power.filter(|power| (0..=400).contains(power)) {
            Some(power) => {
                self.at += 4 + usize::from(negative);
                Pow::pow(ratio(10, 1), if negative { -power } else { power })
            }
            None => ratio(1, 1),
        }
    }

    /// The 3 of `2-3 cups` and `2 to 3 cups`.
    pub(crate) fn range_end(&mut self, from: &Rational) -> Option<Rational> {
        let joined = self.symbol(0, '-') || matches!(self.word(0).as_str(), "to" | "or" | "until");
        let end = self.literal(1).filter(|end| joined && *end > from)?.clone();
        self.at += 2;
        Some(end)
    }

    /// `1:30` or `1:30:15`: the numbers.
    pub(crate) fn clock(&mut self, first: &Rational) -> Option<Vec<Rational>> {
        let sixty = ratio(60, 1);
        let mut parts = vec![first.clone()];
        while parts.len() < 3 && self.symbol(0, ':') {
            let Some(next) = self.literal(1).filter(|next| **next < sixty) else { break };
            parts.push(next.clone());
            self.at += 2;
        }
        (parts.len() > 1).then_some(parts)
    }

    /// Hours, minutes and seconds; `5:30 min` is minutes and seconds.
    pub(crate) fn of_clock(&mut self, parts: Vec<Rational>) -> Vec<Piece> {
        let start = self.at;
        let behind = self.unit().and_then(|units| units.into_iter().next()).map(|unit| unit.singular);
        if !matches!(behind.as_deref(), Some("minute" | "hour")) {
            self.at = start;
        }
        let skipped = usize::from(behind.as_deref() == Some("minute") && parts.len() == 2);
        let names = ["hour", "minute", "second"].into_iter().skip(skipped);
        parts.into_iter().zip(names).map(|(number, name)| Piece { number, units: self.catalogue.find(name) }).collect()
    }
}
