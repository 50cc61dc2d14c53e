//! From the characters of a request to the items of an expression.

use tomas_english::lex::{Kind as Sort, Token, lex, with_number_words};
use tomas_english::num_traits::pow::Pow;
use tomas_english::number::Comma;
use tomas_english::{Rational, close, num_bigint::BigInt, ordinal, ratio};

use crate::function::Function;
use crate::item::{Amount, Between, Item};
use crate::phrase::Phrases;
use crate::problem::Problem;
use crate::value::{Kind, Value};

/// How to read what is not clear at first sight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// What a comma between digits means.
    pub(crate) comma: Comma,
    /// Whether words with a slip of the finger are corrected.
    pub(crate) forgiving: bool,
}

/// Tokens of a folded text, with numbers in words joined.
pub(crate) fn tokens(text: &str, manner: Manner) -> Result<Vec<Token>, Problem> {
    let tokens = lex(text, manner.comma).map_err(|number| {
        Problem::impossible(format!("`{}` has an exponent above 5000\nhint: write smaller powers of ten", number.0))
    })?;
    Ok(with_number_words(tokens))
}

/// The items that `tokens` stand for.
pub(crate) fn items(tokens: &[Token], phrases: &Phrases, manner: Manner) -> Vec<Item> {
    let keys: Vec<String> = tokens.iter().map(key).collect();
    let vocabulary = if manner.forgiving { phrases.vocabulary() } else { Vec::new() };
    let keys: Vec<String> = keys.into_iter().map(|word| corrected(word, phrases, &vocabulary)).collect();
    let mut reader = Reader { tokens, keys: &keys, phrases, items: Vec::new(), sign: None, at: 0 };
    while reader.at < tokens.len() {
        reader.step();
    }
    tidy(reader.items)
}

/// The word or symbol by which phrases know a token; empty for numbers.
fn key(token: &Token) -> String {
    match &token.kind {
        Sort::Symbol(symbol) => symbol.to_string(),
        _ => token.word(),
    }
}

fn corrected(word: String, phrases: &Phrases, vocabulary: &[&str]) -> String {
    if vocabulary.is_empty()
        || phrases.find(std::slice::from_ref(&word)).is_some()
        || vocabulary.contains(&word.as_str())
    {
        return word;
    }
    close::meant(&word, vocabulary.iter().copied()).map_or(word, str::to_owned)
}

struct Reader<'a> {
    tokens: &'a [Token],
    keys: &'a [String],
    phrases: &'a Phrases,
    items: Vec<Item>,
    /// A currency sign read before its number.
    sign: Option<&'static str>,
    at: usize,
}

impl Reader<'_> {
    fn key(&self, ahead: usize) -> &str {
        self.keys.get(self.at + ahead).map_or("", String::as_str)
    }

    fn glued(&self, ahead: usize) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| token.glued)
    }

    fn step(&mut self) {
        let Some(token) = self.tokens.get(self.at) else { return };
        if let Some(literal) = token.number() {
            let spelled = literal.text.chars().any(char::is_alphabetic);
            let amount = Amount {
                value: Value::exact(literal.value.clone()),
                text: literal.text.clone(),
                grouped: literal.grouped,
                spelled: spelled && !literal.text.starts_with('0'),
                decimals: literal.decimals,
            };
            self.at += 1;
            self.amount(amount);
            return;
        }
        if let Some(sign) = currency(self.key(0)) {
            let named = self.key(0).chars().all(char::is_alphabetic);
            self.at += 1;
            self.currency(sign, named);
            return;
        }
        if matches!(self.key(0), "per" | "a" | "an") && self.per_piece() {
            self.items.push(Item::Each);
            self.at += 2;
            return;
        }
        if self.key(0) == "%" && self.next_is_number(1) && (!self.glued(0) || self.glued(1)) {
            self.items.push(Item::Modulo);
            self.at += 1;
            return;
        }
        let after_power = self.items.last() == Some(&Item::Power);
        if let Some(number) = ordinal::read(self.key(0)).filter(|_| after_power) {
            self.items.push(whole(number));
            self.items.push(Item::Ordinal);
            self.at += 1;
            return;
        }
        let rest = self.keys.get(self.at..).unwrap_or_default();
        match self.phrases.find(rest) {
            Some((item, length)) => {
                self.items.push(item.clone());
                self.at += length;
            }
            None if self.key(0) == "." && self.key(1) == "." => {
                self.items.push(Item::Noise("...".to_owned()));
                self.at += 1;
                while self.key(0) == "." {
                    self.at += 1;
                }
            }
            None => {
                let word = self.key(0).to_owned();
                self.items.push(Item::Noise(word));
                self.at += 1;
            }
        }
    }

    /// `per bottle`, and `a bottle` behind a price.
    fn per_piece(&self) -> bool {
        let next = self.keys.get(self.at + 1..).unwrap_or_default();
        let word = next.first().is_some_and(|word| word.chars().all(char::is_alphabetic) && !word.is_empty());
        let priced = matches!(self.items.last(), Some(Item::Number(amount)) if amount.decimals == 2 || matches!(amount.value.kind, Kind::Money(_)));
        let phrase =
            self.phrases.find(self.keys.get(self.at..).unwrap_or_default()).is_some_and(|(_, length)| length > 1);
        word && !phrase && self.phrases.find(next).is_none() && (self.key(0) == "per" || priced)
    }

    /// A number has been read; takes in what is written right behind it.
    fn amount(&mut self, mut amount: Amount) {
        let word = self.key(0).to_owned();
        let factor = match word.as_str() {
            "k" => Some(3_u32),
            "m" | "mm" | "mil" | "mio" | "mn" if self.glued(0) => Some(6),
            "b" | "bn" | "bil" if self.glued(0) => Some(9),
            "t" | "tn" | "trn" if self.glued(0) => Some(12),
            _ => None,
        };
        if let Some(power) = factor {
            let scale = Rational::from(Pow::pow(BigInt::from(10), power));
            amount.value.number *= scale;
            amount.text.push_str(&word);
            self.at += 1;
        }
        if let Some(sign) = self.sign.take() {
            amount.value.kind = Kind::Money(sign);
        }
        let between = matches!(word.as_str(), "c" | "p") && self.glued(0) && self.glued(1) && self.next_is_number(1);
        if between {
            self.items.push(Item::Number(amount));
            self.items.push(if word == "c" { Item::Choose } else { Item::Permute });
            self.at += 1;
            return;
        }
        if matches!(word.as_str(), "cents" | "cent" | "¢" | "pence") || (word == "p" && self.glued(0)) {
            self.cents(amount, if matches!(word.as_str(), "pence" | "p") { "£" } else { "$" });
            return;
        }
        self.items.push(Item::Number(amount));
    }

    fn next_is_number(&self, ahead: usize) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| token.number().is_some())
    }

    /// `50 cents`, also behind `4 dollars and`.
    fn cents(&mut self, mut amount: Amount, sign: &'static str) {
        self.at += 1;
        amount.value.number /= ratio(100, 1);
        amount.value.kind = Kind::Money(sign);
        amount.decimals = 2;
        let joined = self.items.last() == Some(&Item::Between(Between::And));
        let place = self.items.len().wrapping_sub(if joined { 2 } else { 1 });
        if let Some(Item::Number(whole)) = self.items.get_mut(place)
            && let Kind::Money(currency) = whole.value.kind
        {
            whole.value.number += &amount.value.number;
            whole.value.kind = Kind::Money(currency);
            whole.decimals = 2;
            if joined {
                self.items.pop();
            }
            return;
        }
        self.items.push(Item::Number(amount));
    }

    /// `$` before a number, `dollars` behind one.
    fn currency(&mut self, sign: &'static str, named: bool) {
        let before = self.next_is_number(0);
        if let Some(Item::Number(amount)) = self.items.last_mut()
            && amount.value.kind == Kind::Plain
            && (named || !before)
        {
            amount.value.kind = Kind::Money(sign);
        } else if before {
            self.sign = Some(sign);
        }
    }
}

fn whole(number: i64) -> Item {
    Item::Number(Amount {
        value: Value::whole(number),
        text: number.to_string(),
        grouped: false,
        spelled: true,
        decimals: 0,
    })
}

/// The sign of a currency by sign, code or name.
fn currency(word: &str) -> Option<&'static str> {
    Some(match word {
        "$" | "dollar" | "dollars" | "usd" | "buck" | "bucks" => "$",
        "€" | "euro" | "euros" | "eur" => "€",
        "£" | "gbp" | "quid" | "pounds" | "pound" => "£",
        "¥" | "yen" | "jpy" | "yuan" | "rmb" | "cny" => "¥",
        "₹" | "rupee" | "rupees" | "inr" => "₹",
        "₽" | "rouble" | "roubles" | "ruble" | "rubles" => "₽",
        "₩" | "won" | "krw" => "₩",
        "₺" => "₺",
        "₪" => "₪",
        "₴" => "₴",
        "chf" | "francs" | "franc" => "CHF ",
        "kr" | "kronor" | "kroner" | "sek" | "nok" | "dkk" => "kr ",
        "r$" | "reais" | "brl" => "R$",
        "pesos" | "peso" | "mxn" => "MX$",
        "cad" => "CA$",
        "aud" => "A$",
        "zł" | "zloty" | "pln" => "zł ",
        _ => return None,
    })
}

/// Whether an unknown word stands for a number: `r`, `…`.
fn is_variable(word: &str) -> bool {
    let mut chars = word.chars();
    match (chars.next(), chars.next()) {
        (Some(letter), None) => {
            (letter.is_alphabetic() && !matches!(letter, 'a' | 'i' | 's' | 'o' | 'u')) || letter == '…'
        }
        _ => word == "...",
    }
}

/// Joins items that mean one thing together.
fn tidy(items: Vec<Item>) -> Vec<Item> {
    let mut tidied: Vec<Item> = Vec::with_capacity(items.len());
    for item in items {
        let before = tidied.len().checked_sub(2).and_then(|place| tidied.get(place));
        match (&item, tidied.last()) {
            // `4th root`
            (Item::Function(Function::Sqrt), Some(Item::Ordinal)) => {
                let degree = match before {
                    Some(Item::Number(amount)) => u32::try_from(amount.value.number.to_integer()).ok(),
                    _ => None,
                };
                tidied.truncate(tidied.len().saturating_sub(2));
                tidied.push(Item::Function(degree.map_or(Function::Sqrt, Function::Root)));
            }
            // `to the 10th power`
            (Item::Function(Function::Power), Some(Item::Ordinal)) => {}
            // A variable or an ellipsis says something that is not understood.
            (Item::Noise(word), _) if !is_variable(word) => {}
            _ => tidied.push(item),
        }
    }
    tidied.retain(|item| *item != Item::Ordinal);
    tidied
}
