//! The words people use for arithmetic, and what they mean.

use std::collections::HashMap;

use crate::constant::Constant;
use crate::function::Function;
use crate::item::{Between, Direction, Item, Verb};

/// Phrases and their meaning. Words are lower case; longer phrases win.
/// Separate spellings of one meaning by `|`.
fn table() -> Vec<(&'static str, Item)> {
    use Function as F;
    let call = Item::Function;
    let mut table = operators();
    table.extend(percentages());
    table.extend(verbs());
    table.extend([
        ("square root|sqrt|√|sq root|squareroot|sqroot|root|sq rt", call(F::Sqrt)),
        ("cube root|cbrt|cubic root|cuberoot|third root", call(F::Cbrt)),
        ("fourth root", call(F::Root(4))),
        ("fifth root", call(F::Root(5))),
        ("sixth root", call(F::Root(6))),
        ("square|the square", call(F::Square)),
        ("cube|the cube", call(F::Cube)),
        ("abs|absolute value|absolute|modulus of|magnitude", call(F::Abs)),
        ("floor|round down|rounded down|rounding down", call(F::Floor)),
        ("ceil|ceiling|round up|rounded up|rounding up", call(F::Ceil)),
        ("round|rounded|rounding|round off", call(F::Round)),
        ("trunc|truncate|int|integer part", call(F::Truncate)),
        ("sign|sgn", call(F::Sign)),
        ("reciprocal|inverse|multiplicative inverse", call(F::Reciprocal)),
        ("negative|neg", call(F::Negate)),
        ("log|logarithm|common log|lg|log of", call(F::Log)),
        ("ln|natural log|natural logarithm|loge", call(F::Ln)),
        ("binary log|lb", call(F::LogBase(2))),
        ("exp|exponential", call(F::Exp)),
        ("sin|sine", call(F::Sin)),
        ("cos|cosine", call(F::Cos)),
        ("tan|tangent", call(F::Tan)),
        ("asin|arcsin|arcsine|inverse sine|arc sine", call(F::Asin)),
        ("acos|arccos|arccosine|inverse cosine|arc cosine", call(F::Acos)),
        ("atan|arctan|arctangent|inverse tangent|arc tangent", call(F::Atan)),
        ("sinh", call(F::Sinh)),
        ("cosh", call(F::Cosh)),
        ("tanh", call(F::Tanh)),
        ("gcd|greatest common divisor|greatest common factor|highest common factor|hcf|gcf|greatest common denominator", call(F::Gcd)),
        ("lcm|least common multiple|lowest common multiple|lowest common denominator|least common denominator|lcd", call(F::Lcm)),
        ("min|minimum|smallest|smaller|lowest|least", call(F::Min)),
        ("max|maximum|largest|larger|biggest|highest|bigger|greatest", call(F::Max)),
        ("sum|total of|the sum|sum up|add up|add together|total up|sum total|grand total of", call(F::Sum)),
        ("product|the product|multiply together", call(F::Product)),
        ("average|mean|arithmetic mean|avg|the average|average value|mean value", call(F::Mean)),
        ("median|the median", call(F::Median)),
        ("standard deviation|std dev|stdev|stddev|std", call(F::Deviation)),
        ("double|twice|2x of", call(F::Multiple(2))),
        ("triple|thrice|treble", call(F::Multiple(3))),
        ("quadruple", call(F::Multiple(4))),
        ("ncr|binomial|binom|comb|combinations|combination|combinations of|ways to choose|ways to pick|ways of choosing|nchoosek", call(F::Choose)),
        ("npr|perm|permutations|permutations of|ways to arrange", call(F::Permute)),
        ("pow|power", call(F::Power)),
        ("pi", Item::Constant(Constant::Pi)),
        ("tau", Item::Constant(Constant::Tau)),
        ("e|euler's number|eulers number", Item::Constant(Constant::E)),
        ("phi|golden ratio|the golden ratio|φ", Item::Constant(Constant::Phi)),
    ]);
    table
}

fn operators() -> Vec<(&'static str, Item)> {
    vec![
        ("+|plus|added to|adding|added with|increased by|more|as well as|together with|positive", Item::Plus),
        (
            "-|and spend|and spent|then spend|then spent|and lose|and lost|and gave away|and give away|and ate|and eat|and paid|and pay|and used|and use|and sold|but spent|but lost|minus|take away|takeaway|taking away|less|decreased by|reduced by|without|lowered by|diminished by",
            Item::Minus,
        ),
        ("subtracted from|deducted from|taken from|taken away from", Item::Flipped),
        ("*|times|multiplied by|multiplied with|multiply by|x|time|multiply with|by a factor of", Item::Times),
        ("/|:|divided by|over|per|divide by|divided into|dividing by|devided by", Item::Divide),
        (
            "split between|split among|split by|split amongst|shared between|shared among|shared by|divided among|divided between|divided amongst|divided equally among|divided equally between|split equally between|split equally among|split evenly between|split evenly among|split",
            Item::Share,
        ),
        ("mod|modulo|modulus|rem", Item::Modulo),
        (
            "^|* *|to the power of|to the power|raised to|raised to the power of|raised to the power|raised by|exponent|to the",
            Item::Power,
        ),
        ("squared|to the square", Item::Squared),
        ("cubed", Item::Cubed),
        ("!|factorial", Item::Factorial),
        ("°|degree|degrees|deg|degs", Item::Degrees),
        ("radian|radians|rad", Item::Noise(String::new())),
        ("choose|over choose", Item::Choose),
        ("permute", Item::Permute),
        ("(|[|{", Item::Open),
        (")|]|}", Item::Close),
        ("|", Item::Bar),
        (",", Item::Between(Between::Comma)),
        ("and|&|then|and then", Item::Between(Between::And)),
        ("to|→|into|until|through", Item::Between(Between::To)),
        ("by", Item::Between(Between::By)),
        ("from|away from|out from", Item::Between(Between::From)),
        ("with|including|incl|include|after|with a|with an", Item::Between(Between::With)),
        ("among|amongst|between", Item::Between(Between::Among)),
        ("th|st|nd|rd", Item::Ordinal),
        ("base|to base|in base|to the base", Item::Base),
        ("ways|way|people|persons|friends|parts|pieces|groups|portions|equal parts|equal shares", Item::Ways),
        ("each|apiece|a piece|per piece|per item|a pop|every|per unit", Item::Each),
        ("@|at", Item::At),
        ("for|costing|which cost|that cost|worth", Item::For),
        ("what|which number|what number|unknown", Item::What),
        ("is|=|= =|are|equals|equal|makes|make", Item::Is),
    ]
}

fn percentages() -> Vec<(&'static str, Item)> {
    vec![
        ("%|percent|per cent|pct|percents|prozent|% percent|percentage points|percentage point", Item::Percent),
        (
            "of|on|tip on|tip for|tax on|vat on|gst on|sales tax on|interest on|commission on|gratuity on|service charge on|deposit on|cut of|share of|duty on|fee on|tip of|out of every",
            Item::Of,
        ),
        ("compound interest|compounded|compound interest on|compound interest of", Item::Interest(true)),
        ("simple interest|simple interest on|simple interest of", Item::Interest(false)),
        (
            "off|off of|discount on|discounted from|discount off|discount of|reduction on|reduction of|reduction in|rebate on|sale on|markdown on|discount from|discount to|discount for|reduced from",
            Item::Off,
        ),
        ("less than|lower than|smaller than|fewer than|below|under|cheaper than", Item::LessThan),
        (
            "more than|higher than|greater than|larger than|bigger than|above|over and above|markup on|mark up on|increase on|increase of|raise on|increase in|increase to|rise on|on top of",
            Item::MoreThan,
        ),
        ("out of", Item::OutOf),
        ("discount|reduction|rebate|markdown|discounted|price cut", Item::Discount),
        (
            "tax|vat|gst|tip|sales tax|gratuity|service charge|service|commission|interest|fee|surcharge|markup|mark up|shipping|delivery",
            Item::Charge,
        ),
        (
            "what percent|what percentage|what %|how many percent|which percent|which percentage|what per cent|what is the percentage|what's the percentage|whats the percentage|the percentage|what fraction in percent|what proportion in percent|how much percent|what pct|percentage",
            Item::WhatPercent,
        ),
        (
            "as a percentage|as a percent|as percent|as percentage|in percent|in percentage|as a %|as %|in %|to percent|to a percentage|into a percentage|into percent|to percentage|as a per cent|to a percent|in per cent|expressed as a percentage|in percentage terms",
            Item::AsPercent,
        ),
        (
            "what percent change|what percentage change|how many percent change|what % change|what is the percentage change|what's the percentage change|whats the percentage change|what is the percent change|what's the percent change|by what percent change|by what percentage change|what percent difference|what percentage difference|how many percent difference|what % difference|what is the percentage difference|what's the percentage difference|whats the percentage difference|what is the percent difference|what's the percent difference|by what percent difference|by what percentage difference|percent change|percentage change|% change|per cent change|percent difference|percentage difference|% difference|per cent difference|relative change|rate of change|change in percent|change in %|change in percentage",
            Item::Change(Direction::Flat),
        ),
        (
            "what percent increase|what percentage increase|how many percent increase|what % increase|what is the percentage increase|what's the percentage increase|whats the percentage increase|what is the percent increase|what's the percent increase|by what percent increase|by what percentage increase|what percent growth|what percentage growth|how many percent growth|what % growth|what is the percentage growth|what's the percentage growth|whats the percentage growth|what is the percent growth|what's the percent growth|by what percent growth|by what percentage growth|what percent rise|what percentage rise|how many percent rise|what % rise|what is the percentage rise|what's the percentage rise|whats the percentage rise|what is the percent rise|what's the percent rise|by what percent rise|by what percentage rise|what percent gain|what percentage gain|how many percent gain|what % gain|what is the percentage gain|what's the percentage gain|whats the percentage gain|what is the percent gain|what's the percent gain|by what percent gain|by what percentage gain|percent increase|percentage increase|% increase|per cent increase|percent growth|percentage growth|% growth|per cent growth|percent rise|percentage rise|% rise|per cent rise|percent gain|percentage gain|% gain|per cent gain|growth rate|rate of increase|rate of growth",
            Item::Change(Direction::Up),
        ),
        (
            "what percent decrease|what percentage decrease|how many percent decrease|what % decrease|what is the percentage decrease|what's the percentage decrease|whats the percentage decrease|what is the percent decrease|what's the percent decrease|by what percent decrease|by what percentage decrease|what percent drop|what percentage drop|how many percent drop|what % drop|what is the percentage drop|what's the percentage drop|whats the percentage drop|what is the percent drop|what's the percent drop|by what percent drop|by what percentage drop|what percent reduction|what percentage reduction|how many percent reduction|what % reduction|what is the percentage reduction|what's the percentage reduction|whats the percentage reduction|what is the percent reduction|what's the percent reduction|by what percent reduction|by what percentage reduction|what percent loss|what percentage loss|how many percent loss|what % loss|what is the percentage loss|what's the percentage loss|whats the percentage loss|what is the percent loss|what's the percent loss|by what percent loss|by what percentage loss|percent decrease|percentage decrease|% decrease|per cent decrease|percent drop|percentage drop|% drop|per cent drop|percent reduction|percentage reduction|% reduction|per cent reduction|percent decline|percentage decline|% decline|per cent decline|percent loss|percentage loss|% loss|per cent loss|percent fall|percentage fall|% fall|per cent fall",
            Item::Change(Direction::Down),
        ),
    ]
}

fn verbs() -> Vec<(&'static str, Item)> {
    vec![
        ("add|adding up", Item::Verb(Verb::Add)),
        ("subtract|substract|deduct|take|remove|knock", Item::Verb(Verb::Subtract)),
        ("multiply|times together", Item::Verb(Verb::Multiply)),
        ("divide|share|devide", Item::Verb(Verb::Divide)),
        ("increase|raise by|mark up|grow|up|bump up|bump|inflate", Item::Verb(Verb::Increase)),
        ("decrease|reduce|lower|cut|mark down|drop|shrink|discount by", Item::Verb(Verb::Decrease)),
        ("difference between|difference of|the difference between|difference", Item::Verb(Verb::Difference)),
        (
            "remainder|remainder of|remainder when|the remainder|remainder from|remainder after|what remains when|what's left when",
            Item::Verb(Verb::Remainder),
        ),
        ("raise|take to the power", Item::Verb(Verb::Raise)),
        (
            "what's left of|whats left of|what is left of|left of|left from|left over from|left over of|what remains of|what's left from|what is left from|whats left from|what's left over from|remains of|rest of|change from|change out of|change for",
            Item::Verb(Verb::Leftover),
        ),
        ("quotient of|quotient|ratio of|ratio between|ratio", Item::Verb(Verb::Quotient)),
    ]
}

/// Phrases by their first word.
pub(crate) struct Phrases {
    by_first: HashMap<&'static str, Vec<(Vec<&'static str>, Item)>>,
}

impl Phrases {
    /// All phrases.
    pub(crate) fn new() -> Self {
        let mut by_first: HashMap<&'static str, Vec<(Vec<&'static str>, Item)>> = HashMap::new();
        for (spellings, item) in table() {
            let spellings: Vec<&'static str> =
                if spellings == "|" { vec!["|"] } else { spellings.split('|').collect() };
            for spelling in spellings {
                let words: Vec<&'static str> = spelling.split(' ').collect();
                let first = words.first().copied().unwrap_or_default();
                by_first.entry(first).or_default().push((words, item.clone()));
            }
        }
        for phrases in by_first.values_mut() {
            phrases.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        }
        Self { by_first }
    }

    /// The longest phrase that `words` start with, and how many of them it takes.
    pub(crate) fn find(&self, words: &[String]) -> Option<(&Item, usize)> {
        let first = words.first()?;
        let (phrase, item) = self
            .by_first
            .get(first.as_str())?
            .iter()
            .find(|(phrase, _)| phrase.len() <= words.len() && phrase.iter().zip(words).all(|(a, b)| a == b))?;
        Some((item, phrase.len()))
    }

    /// The words worth correcting a slip of the finger to: those of at least four letters.
    pub(crate) fn vocabulary(&self) -> Vec<&'static str> {
        let phrases = self.by_first.values().flatten().flat_map(|(words, _)| words.iter().copied());
        let mut words: Vec<&'static str> = phrases.filter(|word| word.len() >= 4).collect();
        words.sort_unstable();
        words.dedup();
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_phrase_wins() {
        let phrases = Phrases::new();
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let found = |text: &str| phrases.find(&words(text)).map(|(item, length)| (item.clone(), length));
        assert_eq!(found("to the power of 3"), Some((Item::Power, 4)));
        assert_eq!(found("| x |"), Some((Item::Bar, 1)));
        assert_eq!(found("% of 3"), Some((Item::Percent, 1)));
        assert_eq!(found("% change from"), Some((Item::Change(Direction::Flat), 2)));
        assert_eq!(found("banana"), None);
        assert!(phrases.vocabulary().contains(&"divided"));
    }
}
