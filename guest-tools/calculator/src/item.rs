//! The pieces of an expression, in whichever words they were written.

use crate::constant::Constant;
use crate::function::Function;
use crate::value::Value;

/// One piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A number.
    Number(Amount),
    /// `+`, `plus`.
    Plus,
    /// `-`, `minus`, `less`.
    Minus,
    /// `subtracted from`: the left is taken from the right.
    Flipped,
    /// `*`, `times`.
    Times,
    /// `/`, `divided by`.
    Divide,
    /// `split between`: divides all that stands before.
    Share,
    /// `mod`.
    Modulo,
    /// `^`, `to the power of`.
    Power,
    /// `of`, and `tip on`, `tax on`.
    Of,
    /// `off`, `discount on`.
    Off,
    /// `less than`, `lower than` after a percentage: off.
    LessThan,
    /// `more than`, `higher than`: added to what follows.
    MoreThan,
    /// `out of`.
    OutOf,
    /// `%`.
    Percent,
    /// `!`.
    Factorial,
    /// `squared`.
    Squared,
    /// `cubed`.
    Cubed,
    /// `°`, `degrees`.
    Degrees,
    /// `choose`.
    Choose,
    /// `permute`.
    Permute,
    /// A function before its argument.
    Function(Function),
    /// `pi` and its like.
    Constant(Constant),
    /// `add 5 to 6` and its like.
    Verb(Verb),
    /// `(`, `[`.
    Open,
    /// `)`, `]`.
    Close,
    /// `|`.
    Bar,
    /// What stands between two numbers of a list or of a verb.
    Between(Between),
    /// `what percent`.
    WhatPercent,
    /// `as a percentage`.
    AsPercent,
    /// `percent change`.
    Change(Direction),
    /// `what`, as the unknown in `20% of what`.
    What,
    /// `is`, `=`.
    Is,
    /// `each`, `per piece`.
    Each,
    /// `at`, `@`.
    At,
    /// `for`.
    For,
    /// `tax`, `tip`: money, otherwise nothing.
    Charge,
    /// `compound interest` (true) or `simple interest`.
    Interest(bool),
    /// `discount` with nothing to take it off.
    Discount,
    /// `th`, `rd` right behind a number.
    Ordinal,
    /// `base` of a logarithm.
    Base,
    /// `ways`, `people`: in `split 60 four ways`.
    Ways,
    /// Any other word, which says nothing about the calculation.
    Noise(String),
}

/// A number and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Its value.
    pub(crate) value: Value,
    /// The characters it was read from.
    pub(crate) text: String,
    /// Whether commas or spaces in it might separate several numbers.
    pub(crate) grouped: bool,
    /// Whether it was written in words (`half`).
    pub(crate) spelled: bool,
    /// Digits after the decimal sign.
    pub(crate) decimals: usize,
}

/// A verb before its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// `add A to B`, `sum of A and B` without a list.
    Add,
    /// `subtract A from B`.
    Subtract,
    /// `multiply A by B`.
    Multiply,
    /// `divide A by B`, `split A between B`.
    Divide,
    /// `increase A by B`.
    Increase,
    /// `decrease A by B`.
    Decrease,
    /// `difference between A and B`.
    Difference,
    /// `remainder of A divided by B`.
    Remainder,
    /// `raise A to B`.
    Raise,
    /// `ratio of A to B`, `quotient of A and B`.
    Quotient,
    /// `what's left of A after B`, `change from A for B`.
    Leftover,
}

/// Which way a change goes, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Flat,
    Up,
    Down,
}

/// A separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    Comma,
    And,
    To,
    By,
    From,
    With,
    Among,
}

impl Item {
    /// An item for messages.
    pub(crate) fn describe(&self) -> String {
        let what = match self {
            Self::Number(amount) => return format!("the number `{}`", amount.text),
            Self::Noise(word) => return format!("`{word}`"),
            Self::Plus
            | Self::Minus
            | Self::Flipped
            | Self::Times
            | Self::Divide
            | Self::Share
            | Self::Modulo
            | Self::Power => "an operator",
            Self::Of | Self::Off | Self::OutOf | Self::LessThan | Self::MoreThan => {
                "`of`, `off`, `more than` or `less than`"
            }
            Self::Percent | Self::WhatPercent | Self::AsPercent | Self::Change(_) => "a percentage",
            Self::Open | Self::Bar => "an opening bracket",
            Self::Close => "a closing bracket",
            Self::Function(_) => "a function",
            Self::Between(Between::Comma) => "a comma",
            Self::Between(_) => "`and`, `to`, `by`, `from` or `with`",
            Self::Is => "`is` or `=`",
            Self::What => "`what`",
            _ => "a word",
        };
        what.to_owned()
    }
}
