//! The units by name: the table, prefixes, plurals, and slips of the finger.

use std::collections::HashMap;

use tomas_english::num_traits::pow::Pow;
use tomas_english::number::{self, Comma};
use tomas_english::{Rational, close, num_bigint::BigInt, ratio};

use crate::dimension::Dimension;
use crate::measure::Measure;

const TABLE: &str = include_str!("../data/units.txt");

/// Names, symbols and powers of ten of the SI prefixes, the usual ones first: `mw` is a megawatt.
const PREFIXES: [(&str, &str, i32); 21] = [
    ("kilo", "k", 3),
    ("mega", "M", 6),
    ("giga", "G", 9),
    ("tera", "T", 12),
    ("centi", "c", -2),
    ("milli", "m", -3),
    ("micro", "µ", -6),
    ("micro", "u", -6),
    ("nano", "n", -9),
    ("hecto", "h", 2),
    ("deci", "d", -1),
    ("deca", "da", 1),
    ("deka", "da", 1),
    ("pico", "p", -12),
    ("femto", "f", -15),
    ("peta", "P", 15),
    ("exa", "E", 18),
    ("zetta", "Z", 21),
    ("yotta", "Y", 24),
    ("kilo", "K", 3),
    ("atto", "a", -18),
];
/// Binary prefixes and their powers of two.
const BINARY: [(&str, &str, u32); 5] =
    [("kibi", "Ki", 10), ("mebi", "Mi", 20), ("gibi", "Gi", 30), ("tebi", "Ti", 40), ("pebi", "Pi", 50)];

/// Which prefixes a unit takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefixes {
    None,
    Si,
    Data,
}

struct Entry {
    measure: Measure,
    prefixes: Prefixes,
}

/// All units.
pub(crate) struct Catalogue {
    entries: Vec<Entry>,
    /// Symbols as written, and names in lower case, with the units they may mean, likeliest first.
    exact: HashMap<String, Vec<usize>>,
    /// The same in lower case, for `KM` and `Mb`.
    lower: HashMap<String, Vec<usize>>,
}

impl Catalogue {
    /// Reads the table.
    pub(crate) fn new() -> Self {
        let mut catalogue = Self { entries: Vec::new(), exact: HashMap::new(), lower: HashMap::new() };
        for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            catalogue.add(line);
        }
        catalogue
    }

    fn add(&mut self, line: &str) {
        let mut columns = line.split('|');
        let mut next = || columns.next().unwrap_or_default();
        let (singular, plural, factor, dimension, symbols, names, prefixes) =
            (next(), next(), next(), next(), next(), next(), next());
        let place = self.entries.len();
        self.entries.push(Entry {
            measure: Measure {
                singular: singular.to_owned(),
                plural: plural.to_owned(),
                factor: factor_of(factor.trim_start_matches('~')),
                offset: offset(singular),
                dimension: Dimension::read(dimension),
                rough: factor.starts_with('~'),
            },
            prefixes: match prefixes {
                "s" => Prefixes::Si,
                "b" => Prefixes::Data,
                _ => Prefixes::None,
            },
        });
        let symbols = symbols.split_whitespace().map(|symbol| symbol.replace('_', " "));
        let names = [singular, plural].into_iter().chain(names.split(',')).filter(|name| !name.is_empty());
        for name in symbols.chain(names.map(str::to_lowercase)) {
            let lowered = self.lower.entry(name.to_lowercase()).or_default();
            if !lowered.contains(&place) {
                lowered.push(place);
            }
            let exact = self.exact.entry(name).or_default();
            if !exact.contains(&place) {
                exact.push(place);
            }
        }
    }

    /// The units that `name` may mean, likeliest first; empty when there is none. Slips are not forgiven.
    pub(crate) fn find(&self, name: &str) -> Vec<Measure> {
        let lowered = name.to_lowercase();
        let mut found = self.named(&self.exact, name);
        found.extend(self.prefixed(name));
        if found.is_empty() {
            found = self.named(&self.exact, &lowered);
            found.extend(self.prefixed(&lowered));
        }
        // `c` is a cup, and where that does not fit a degree Celsius.
        found.extend(self.named(&self.lower, &lowered));
        if found.is_empty() {
            found = self.prefixed_loosely(&lowered);
        }
        if found.is_empty() && lowered.len() > 2 {
            // `kms`, `gbs`: a plural of the symbol.
            found = lowered.strip_suffix('s').map(|symbol| self.find(symbol)).unwrap_or_default();
        }
        let mut seen = Vec::new();
        found.retain(|unit| {
            let new = !seen.contains(&unit.singular);
            seen.push(unit.singular.clone());
            new
        });
        found
    }

    /// The units listed under just this name, in any case and without prefixes; for names of several words.
    pub(crate) fn find_listed(&self, name: &str) -> Vec<Measure> {
        let found = self.named(&self.exact, name);
        if !found.is_empty() {
            return found;
        }
        let lowered = name.to_lowercase();
        let found = self.named(&self.lower, &lowered);
        if found.is_empty() { self.named(&self.lower, &lowered.replace('-', " ")) } else { found }
    }

    fn named(&self, map: &HashMap<String, Vec<usize>>, name: &str) -> Vec<Measure> {
        let places = map.get(name).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|place| self.entries.get(*place)).map(|entry| entry.measure.clone()).collect()
    }

    /// `km`, `kilometre`, `MiB`.
    fn prefixed(&self, name: &str) -> Vec<Measure> {
        self.with_prefix(name, |prefix, name| name.strip_prefix(prefix), &self.exact)
    }

    /// `mhz`, `mw`, which are in the wrong case.
    fn prefixed_loosely(&self, name: &str) -> Vec<Measure> {
        self.with_prefix(name, |prefix, name| name.strip_prefix(prefix.to_lowercase().as_str()), &self.lower)
    }

    fn with_prefix<'n>(
        &self,
        name: &'n str,
        strip: impl Fn(&str, &'n str) -> Option<&'n str>,
        map: &HashMap<String, Vec<usize>>,
    ) -> Vec<Measure> {
        let mut found = Vec::new();
        let decimal = PREFIXES.iter().map(|(long, short, power)| (*long, *short, ten_to(*power), *power > 2));
        let binary = BINARY.iter().map(|(long, short, power)| (*long, *short, two_to(*power), true));
        for (place, (long, short, factor, large)) in decimal.chain(binary).enumerate() {
            let binary = place >= PREFIXES.len();
            for (prefix, written) in [(long, true), (short, false)] {
                let Some(rest) = strip(prefix, name).map(|rest| rest.trim_start_matches(['-', ' '])) else { continue };
                for entry in map.get(rest).into_iter().flatten().filter_map(|place| self.entries.get(*place)) {
                    let takes = match entry.prefixes {
                        Prefixes::None => false,
                        Prefixes::Si => !binary,
                        Prefixes::Data => large,
                    };
                    // A symbol takes short prefixes, a name long ones.
                    let both = rest.len() == 3 && rest == entry.measure.singular;
                    if takes && (both || written == is_name(rest, &entry.measure)) {
                        found.push(scaled(&entry.measure, long, &factor));
                    }
                }
            }
        }
        found
    }

    /// The unit that a misspelt `name` means, if all the names nearest to it are of one unit.
    pub(crate) fn meant(&self, name: &str) -> Vec<Measure> {
        let names = self.names();
        let nearest = close::nearest(&name.to_lowercase(), names.iter().map(String::as_str));
        let mut found = nearest.into_iter().map(|name| self.find(name));
        let first = found.next().unwrap_or_default();
        let same =
            |other: Vec<Measure>| other.first().map(|unit| &unit.singular) == first.first().map(|unit| &unit.singular);
        if found.all(same) { first } else { Vec::new() }
    }

    /// Names that look like `name`.
    pub(crate) fn suggestions(&self, name: &str) -> Vec<String> {
        let names = self.names();
        let found = close::suggestions(&name.to_lowercase(), names.iter().map(String::as_str), 3);
        found.into_iter().map(str::to_owned).collect()
    }

    /// Names of four letters and more, also with the usual prefixes.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.lower.keys().filter(|name| name.len() >= 4).cloned().collect();
        for entry in self.entries.iter().filter(|entry| entry.prefixes != Prefixes::None) {
            let usual = PREFIXES.iter().take(9).filter(|(_, _, power)| entry.prefixes == Prefixes::Si || *power > 2);
            for (long, _, _) in usual {
                for name in [&entry.measure.singular, &entry.measure.plural] {
                    names.push(format!("{long}{name}"));
                    names.push(american(&format!("{long}{name}")));
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// `kilometre` as Americans write it.
pub(crate) fn american(name: &str) -> String {
    name.replace("metre", "meter").replace("litre", "liter")
}

fn is_name(written: &str, measure: &Measure) -> bool {
    written.chars().count() > 3 || written == measure.singular || written == "gm"
}

fn scaled(measure: &Measure, prefix: &str, factor: &Rational) -> Measure {
    Measure {
        singular: format!("{prefix}{}", measure.singular),
        plural: format!("{prefix}{}", measure.plural),
        factor: &measure.factor * factor,
        ..measure.clone()
    }
}

fn ten_to(power: i32) -> Rational {
    Pow::pow(ratio(10, 1), power)
}

fn two_to(power: u32) -> Rational {
    Rational::from(Pow::pow(BigInt::from(2), power))
}

/// Reads `0.0254`, `1852/3600`.
fn factor_of(text: &str) -> Rational {
    let read = |part: &str| {
        let chars: Vec<char> = part.chars().collect();
        number::read(&chars, Comma::Separates).ok().flatten().map_or_else(|| ratio(1, 1), |(literal, _)| literal.value)
    };
    match text.split_once('/') {
        Some((top, bottom)) => read(top) / read(bottom),
        None => read(text),
    }
}

/// The zero of the temperature scales in kelvin.
fn offset(singular: &str) -> Rational {
    match singular {
        "degree Celsius" => ratio(27315, 100),
        "degree Fahrenheit" => ratio(45_967, 100) * ratio(5, 9),
        // Mark 1 is 275 °F, and each further one 25 °F more.
        "gas mark" => (ratio(250, 1) + ratio(45_967, 100)) * ratio(5, 9),
        _ => ratio(0, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_by_name() {
        let catalogue = Catalogue::new();
        for (name, expected) in [
            ("km", "kilometre"),
            ("KM", "kilometre"),
            ("Kilometers", "kilometre"),
            ("m", "metre"),
            ("mm", "millimetre"),
            ("mW", "milliwatt"),
            ("MW", "megawatt"),
            ("mw", "megawatt"),
            ("mhz", "megahertz"),
            ("GB", "gigabyte"),
            ("gb", "gigabyte"),
            ("Mb", "megabit"),
            ("MB", "megabyte"),
            ("MiB", "mebibyte"),
            ("Mbps", "megabit per second"),
            ("mbps", "megabit per second"),
            ("kcal", "kilocalorie"),
            ("kWh", "kilowatt hour"),
            ("kwh", "kilowatt hour"),
            ("lbs", "pound"),
            ("oz", "ounce"),
            ("ug", "microgram"),
            ("hPa", "hectopascal"),
            ("gigabytes", "gigabyte"),
            ("f", "degree Fahrenheit"),
            ("mpg", "mile per gallon"),
            ("GHz", "gigahertz"),
            ("kN", "kilonewton"),
            ("mAh", "milliampere hour"),
            ("Mbit", "megabit"),
            ("cms", "centimetre"),
            ("gigs", "gigabyte"),
            ("Calories", "food calorie"),
        ] {
            let found = catalogue.find(name);
            assert_eq!(found.first().map(|unit| unit.singular.as_str()), Some(expected), "{name}");
        }
        assert!(catalogue.find("foo").is_empty());
        for (name, expected) in [
            ("killometres", "kilometre"),
            ("fahrenhiet", "degree Fahrenheit"),
            ("galllons", "gallon"),
            ("centimeteres", "centimetre"),
        ] {
            let found = if catalogue.find(name).is_empty() { catalogue.meant(name) } else { catalogue.find(name) };
            assert_eq!(found.first().map(|unit| unit.singular.as_str()), Some(expected), "{name}");
        }
    }

    #[test]
    fn every_line_of_the_table_is_whole() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            assert_eq!(line.split('|').count(), 7, "{line}");
        }
        let catalogue = Catalogue::new();
        assert!(catalogue.entries.iter().all(|entry| entry.measure.dimension != Dimension::default()));
    }
}
