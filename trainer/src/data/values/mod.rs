//! Values: what fills a slot. A generator is named by a spec such as `int:2..500` or `quantity:length`.
//!
//! Every draw gives a surface (what the request says) and a canonical form (what an argument says where it does not
//! quote). *Open* values come from many; held-out samples draw them from the held-out side. *Closed* ones (months, small
//! counts, units) are few enough that every side needs them all.

mod dates;
mod matrices;
mod numbers;
mod units;

use super::split::Split;
use fastrand::Rng;
use std::collections::BTreeMap;

/// A filled slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// What the request says.
    pub surface: String,
    /// What a computed argument says.
    pub canonical: String,
    /// Whether it was drawn from so many that it must respect the split.
    pub open: bool,
    /// A file to attach, with its size in bytes and pixels.
    pub attachment: Option<Attachment>,
    /// The unit's canonical name, so that a conversion never goes to the unit it comes from.
    pub unit: Option<&'static str>,
}

/// A file that a request attaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// Length.
    pub bytes: u64,
    /// Pixels, for images.
    pub pixels: Option<u64>,
}

impl Value {
    fn closed(surface: impl Into<String>) -> Self {
        let surface = surface.into();
        Self { canonical: surface.clone(), surface, open: false, attachment: None, unit: None }
    }

    fn open(surface: impl Into<String>) -> Self {
        Self { open: true, ..Self::closed(surface) }
    }

    fn canonical(self, canonical: impl Into<String>) -> Self {
        Self { canonical: canonical.into(), ..self }
    }
}

/// Why a slot cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{spec}` is not a slot kind: {what}\nhint: see data/README.md for the kinds")]
pub struct SpecError {
    spec: String,
    what: String,
}

/// Lists that slots draw from (`data/language/values.toml`).
#[derive(Debug, Clone, Default)]
pub struct Lists(pub BTreeMap<String, Vec<String>>);

/// How often an open value is redrawn until it lies on the wanted side.
const REDRAWS: usize = 4000;

impl Lists {
    /// Fills one slot for one side of the split. `avoid` names units that must not come out.
    ///
    /// # Errors
    /// When the spec names no generator, no list, or a range that is empty.
    pub fn draw(&self, spec: &str, split: Split, avoid: &[&str], rng: &mut Rng) -> Result<Value, SpecError> {
        let fail = |what: &str| SpecError { spec: spec.to_owned(), what: what.to_owned() };
        for _ in 0..REDRAWS {
            let value = self.any(spec, rng).map_err(|what| fail(&what))?;
            let side = !value.open || Split::of(&value.surface) == split;
            if side && value.unit.is_none_or(|u| !avoid.contains(&u)) {
                return Ok(value);
            }
        }
        Err(fail("no value of it lies on the wanted side of the split"))
    }

    fn any(&self, spec: &str, rng: &mut Rng) -> Result<Value, String> {
        let (kind, rest) = spec.split_once(':').unwrap_or((spec, ""));
        Ok(match kind {
            "topic" if rng.bool() => self.composed(rng)?,
            "passage" => self.passage(rng)?,
            "list" | "city" | "topic" | "holiday" => {
                let name = if kind == "list" { rest } else { kind };
                self.item(name, rng)?
            }
            "int" => numbers::int(rest, rng)?,
            "intw" | "count" => numbers::words(rest, rng)?,
            "grouped" => numbers::grouped(rest, rng)?,
            "decimal" => numbers::decimal(rest, rng)?,
            "money" => numbers::money(rest, rng)?,
            "percent" => numbers::percent(rest, rng)?,
            "expression" => Value::open(numbers::expression(rng)),
            "english" => Value::open(numbers::english(rng)),
            "quantity" => units::quantity(rest, rng)?,
            "unit" => units::unit(rest, rng)?,
            "date" => dates::date(rest, rng)?,
            "year" => Value::open(rng.u32(1600..2200).to_string()),
            "time" => Value::open(dates::time(rng)),
            "datetime" => Value::open(dates::datetime(rng)),
            "duration" => Value::open(dates::duration(rng)),
            "weekday" => Value::closed(dates::weekday(rng)),
            "month" => Value::closed(dates::month(rng)),
            "zone" => self.zone(rng)?,
            "matrix" => Value::open(matrices::matrix(rest, rng)?),
            "vector" => Value::open(matrices::vector(rest, rng)?),
            "attachment" => self.attachment(rest, rng)?,
            "size" => {
                let grid = if rng.bool() { 8 } else { 1 };
                let (w, h) = (rng.u32(16..3200) / grid * grid, rng.u32(16..2400) / grid * grid);
                let by = *pick(&["x", "x", "x", "×", " x ", " by ", "*"], rng);
                Value::open(format!("{w}{by}{h}")).canonical(format!("{w}x{h}"))
            }
            "angle" => {
                let angle = *pick(&[90, 180, 270], rng);
                Value::closed(angle.to_string())
            }
            _ => return Err("no generator has this name".to_owned()),
        })
    }

    fn item(&self, name: &str, rng: &mut Rng) -> Result<Value, String> {
        let list = self.0.get(name).filter(|l| !l.is_empty()).ok_or_else(|| format!("there is no list `{name}`"))?;
        let text = pick(list, rng).clone();
        let typed = match rng.u32(0..100) {
            0..15 if name != "passage" => text.to_lowercase(),
            _ => text,
        };
        Ok(if list.len() >= 40 { Value::open(typed) } else { Value::closed(typed) })
    }

    /// From one sentence to a page: what is longer than the network reads must be quoted whole all the same.
    fn passage(&self, rng: &mut Rng) -> Result<Value, String> {
        let count = match rng.u32(0..10) {
            0..6 => 1,
            6..8 => rng.usize(2..5),
            _ => rng.usize(5..13),
        };
        let one = |rng: &mut Rng| Ok(self.item("passage", rng)?.surface);
        let texts: Vec<String> = (0..count).map(|_| one(rng)).collect::<Result<_, String>>()?;
        let whole = texts.join(pick::<&str>(&[" ", " ", "\n", "\n\n"], rng));
        let cut = if rng.u32(0..4) == 0 { whole.match_indices(". ").map(|(at, _)| at + 1).last() } else { None };
        Ok(Value::open(whole.get(..cut.unwrap_or(whole.len())).unwrap_or(&whole)))
    }

    /// A topic that nobody listed: what is quoted must end where the wording goes on, whatever the words are.
    fn composed(&self, rng: &mut Rng) -> Result<Value, String> {
        const POOLS: [&str; 14] = [
            "topic",
            "topic",
            "goods",
            "thing",
            "subject",
            "device",
            "app",
            "dish",
            "ingredient",
            "food",
            "program",
            "company",
            "country",
            "person",
        ];
        let word = |rng: &mut Rng| -> Result<String, String> {
            let pool = pick::<&str>(&POOLS, rng);
            let text = self.item(pool, rng)?.surface;
            let words: Vec<&str> = text.split_whitespace().collect();
            Ok((*pick(&words, rng)).to_owned())
        };
        let (a, b, c) = (word(rng)?, word(rng)?, word(rng)?);
        Ok(Value::open(match rng.u32(0..12) {
            0..2 => a,
            2..6 => format!("{a} {b}"),
            6..8 => format!("{a} {b} {c}"),
            8 => format!("{a} {} {b}", pick(&["of", "for", "in", "by", "to", "and", "from", "with"], rng)),
            9 => format!("{a} {} {b} {c}", pick(&["of the", "for", "in the", "by", "to the", "without"], rng)),
            10 => format!("{a}-{b} {c}"),
            _ => format!("{}{} {a} {b}", pick(&["Q", "phase ", "version ", "v", "20"], rng), rng.u32(1..30)),
        }))
    }

    fn zone(&self, rng: &mut Rng) -> Result<Value, String> {
        Ok(match rng.u32(0..10) {
            0..5 => self.item("city", rng)?,
            5..7 => Value::closed(*pick(
                &[
                    "PST", "EST", "CET", "GMT", "UTC", "CST", "MST", "JST", "IST", "BST", "EDT", "PDT", "AEST", "est",
                    "pst", "utc", "gmt",
                ],
                rng,
            )),
            7 => Value::closed(*pick(
                &[
                    "Europe/Paris",
                    "America/New_York",
                    "Asia/Tokyo",
                    "Europe/London",
                    "Asia/Kolkata",
                    "Australia/Sydney",
                    "America/Sao_Paulo",
                    "Africa/Cairo",
                ],
                rng,
            )),
            8 => {
                let half = pick(&["", "", ":30", ":00"], rng);
                Value::closed(format!(
                    "{}{}{}{half}",
                    pick(&["UTC", "GMT"], rng),
                    pick(&["+", "-"], rng),
                    rng.u32(1..12)
                ))
            }
            _ => Value::closed(*pick(
                &[
                    "eastern time",
                    "pacific time",
                    "central european time",
                    "central time",
                    "mountain time",
                    "eastern",
                    "pacific",
                ],
                rng,
            )),
        })
    }

    fn attachment(&self, kind: &str, rng: &mut Rng) -> Result<Value, String> {
        let (stems, extensions): (&str, &[&str]) = match kind {
            "text" => ("file_text", &["txt", "txt", "txt", "md", "md", "log", "csv", "html"]),
            "image" => ("file_image", &["jpg", "jpg", "png", "png", "jpeg", "webp", "bmp", "gif"]),
            "table" => ("file_table", &["csv", "csv", "txt"]),
            _ => return Err("attachments are text, image or table".to_owned()),
        };
        let stem = match self.0.get(stems).filter(|l| !l.is_empty()) {
            Some(list) if rng.u32(0..4) > 0 => pick(list, rng).clone(),
            _ => pick(&STEMS, rng).to_string() + &numbers::suffix(rng),
        };
        let name = if stem.contains('.') { stem } else { format!("{stem}.{}", pick(extensions, rng)) };
        // Sizes spread over all classes: a log-uniform draw.
        let bytes = 2f64.powf(9.0 + rng.f64() * 13.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 2^9 and 2^22")]
        let bytes = bytes as u64;
        let pixels = (kind == "image").then(|| bytes * rng.u64(2..12));
        Ok(Value { attachment: Some(Attachment { name: name.clone(), bytes, pixels }), ..Value::open(name.clone()) }
            .canonical(format!("blob:{name}")))
    }
}

const STEMS: [&str; 24] = [
    "notes",
    "report",
    "draft",
    "minutes",
    "IMG_",
    "photo",
    "scan",
    "essay",
    "article",
    "transcript",
    "letter",
    "summary",
    "holiday",
    "cat",
    "screenshot",
    "data",
    "matrix",
    "chapter",
    "paper",
    "blogpost",
    "logo",
    "DSC",
    "readme",
    "speech",
];

/// One of a non-empty array.
fn pick<'a, T>(items: &'a [T], rng: &mut Rng) -> &'a T {
    &items[rng.usize(0..items.len())]
}

/// `A..B`, both included.
fn range(text: &str) -> Result<(i64, i64), String> {
    let (a, b) = text.split_once("..").ok_or("a range is written A..B")?;
    let number = |t: &str| t.trim().parse::<f64>().map_err(|_| format!("`{t}` is not a number"));
    #[expect(clippy::cast_possible_truncation, reason = "ranges are small numbers written by hand")]
    let (a, b) = (number(a)?.floor() as i64, number(b)?.ceil() as i64);
    if a <= b { Ok((a, b)) } else { Err("the range is empty".to_owned()) }
}
