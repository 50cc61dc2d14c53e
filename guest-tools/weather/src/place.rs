//! Finding a city by what people call it.

use std::collections::HashMap;
use std::sync::OnceLock;

use tomas_english::{close, fold};

use crate::problem::Problem;
use crate::table::{City, cities};

/// Words around the name of a city.
const NOISE: [&str; 31] = [
    "in",
    "at",
    "the",
    "weather",
    "climate",
    "city",
    "of",
    "for",
    "like",
    "is",
    "what",
    "whats",
    "how",
    "near",
    "around",
    "downtown",
    "temperature",
    "temperatures",
    "to",
    "and",
    "it",
    "hot",
    "cold",
    "rain",
    "forecast",
    "usually",
    "normally",
    "there",
    "on",
    "over",
    "today",
];
/// Other names of countries.
const COUNTRIES: [(&str, &str); 30] = [
    ("uk", "united kingdom"),
    ("great britain", "united kingdom"),
    ("britain", "united kingdom"),
    ("gb", "united kingdom"),
    ("usa", "united states"),
    ("us", "united states"),
    ("u s a", "united states"),
    ("america", "united states"),
    ("united states of america", "united states"),
    ("the us", "united states"),
    ("the states", "united states"),
    ("uae", "united arab emirates"),
    ("emirates", "united arab emirates"),
    ("czechia", "czech republic"),
    ("holland", "netherlands"),
    ("the netherlands", "netherlands"),
    ("korea", "south korea"),
    ("republic of korea", "south korea"),
    ("russian federation", "russia"),
    ("turkiye", "turkey"),
    ("viet nam", "vietnam"),
    ("burma", "myanmar"),
    ("bosnia", "bosnia and herzegovina"),
    ("macedonia", "north macedonia"),
    ("cote divoire", "ivory coast"),
    ("the philippines", "philippines"),
    ("the bahamas", "bahamas"),
    ("congo", "dr congo"),
    ("nz", "new zealand"),
    ("ksa", "saudi arabia"),
];

/// What was found, and whether it stands for a larger place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// The city.
    pub(crate) city: City,
    /// A country or region was named, not the city.
    pub(crate) stands_for_region: bool,
}

/// A city with the names it lies in, folded.
struct Entry {
    city: City,
    country: String,
    regions: Vec<String>,
}

/// The table by folded names.
struct Index {
    entries: Vec<Entry>,
    /// Places in `entries`, the better known city first.
    names: HashMap<String, Vec<usize>>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index = Index { entries: Vec::new(), names: HashMap::new() };
        for city in cities() {
            let place = index.entries.len();
            let others = city.others.split(',').filter(|other| !other.is_empty());
            for name in std::iter::once(city.name).chain(others) {
                let places = index.names.entry(fold::plain(name)).or_default();
                if !places.contains(&place) {
                    places.push(place);
                }
            }
            let regions = city.regions.split(',').filter(|region| !region.is_empty()).map(fold::plain).collect();
            index.entries.push(Entry { city, country: fold::plain(city.country), regions });
        }
        index
    })
}

impl Index {
    /// The cities of this name, the better known first.
    fn named(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.names.get(name).into_iter().flatten().filter_map(|place| self.entries.get(*place))
    }
}

/// The city that `text` names, with or without its country.
pub(crate) fn find(text: &str) -> Result<Found, Problem> {
    let whole = fold::plain(text);
    let words: Vec<&str> = whole.split(' ').filter(|word| !word.is_empty()).collect();
    let kept: Vec<&str> = words.iter().copied().filter(|word| !NOISE.contains(word)).collect();
    for words in [&words, &kept] {
        if let Some(entry) = index().named(&words.join(" ")).next() {
            return Ok(Found { city: entry.city, stands_for_region: false });
        }
        // `Paris, France`, `Austin Texas`: the front is a city, and the back must agree with it.
        for length in (1..words.len()).rev() {
            let (front, back) = words.split_at(length);
            let back = back.join(" ");
            if let Some(entry) = index().named(&front.join(" ")).find(|entry| entry.lies_in(&back)) {
                return Ok(Found { city: entry.city, stands_for_region: false });
            }
        }
    }
    for words in [&words, &kept] {
        let said = words.join(" ");
        if let Some(entry) = index().entries.iter().find(|entry| entry.lies_in(&said)) {
            return Ok(Found { city: entry.city, stands_for_region: true });
        }
    }
    misspelt(&kept).ok_or_else(|| unknown(text, &kept))
}

impl Entry {
    /// Whether `back` is the country or a region of the city, or both.
    fn lies_in(&self, back: &str) -> bool {
        if back.is_empty() {
            return false;
        }
        let meant = COUNTRIES.iter().find(|(other, _)| *other == back).map_or(back, |(_, country)| *country);
        if meant == self.country || self.regions.iter().any(|region| region == back) {
            return true;
        }
        // `Austin, TX, USA`
        let behind = |region: &String| back.strip_prefix(region.as_str()).and_then(|rest| rest.strip_prefix(' '));
        self.regions.iter().filter_map(behind).any(|rest| self.lies_in(rest))
    }
}

/// The city whose name is nearest, with or without a country behind it.
fn misspelt(words: &[&str]) -> Option<Found> {
    // `Birmingham, Utah` is not a misspelt `Birmingham UK`.
    if (1..words.len()).any(|length| index().named(&words.split_at(length).0.join(" ")).next().is_some()) {
        return None;
    }
    for length in (1..=words.len()).rev() {
        let (front, back) = words.split_at(length);
        let back = back.join(" ");
        let nearest = close::nearest(&front.join(" "), index().names.keys().map(String::as_str));
        let mut found = nearest.iter().filter_map(|name| index().named(name).next());
        let Some(first) = found.next() else { continue };
        if found.all(|entry| entry.city == first.city) && (back.is_empty() || first.lies_in(&back)) {
            return Some(Found { city: first.city, stands_for_region: false });
        }
    }
    None
}

fn unknown(text: &str, words: &[&str]) -> Problem {
    let mut names: Vec<&str> = index().names.keys().map(String::as_str).collect();
    names.sort_unstable();
    let said = words.join(" ");
    let first = words.first().copied().unwrap_or_default();
    let mut close: Vec<String> = Vec::new();
    for query in [said.as_str(), first] {
        for name in close::suggestions(query, names.iter().copied(), 4) {
            let Some(entry) = index().named(name).next() else { continue };
            let shown = format!("{}, {}", entry.city.name, entry.city.country);
            if !close.contains(&shown) && close.len() < 4 {
                close.push(shown);
            }
        }
    }
    let hint = match close.is_empty() {
        true => format!("{} large cities are known; name one near by", index().entries.len()),
        false => format!("close names are `{}`", close.join("`, `")),
    };
    Problem::missing(format!("`{}` is not in the table of climate normals\nhint: {hint}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cities_by_what_people_call_them() {
        for (text, expected) in [
            ("Paris", "Paris, France"),
            ("paris france", "Paris, France"),
            ("Paris, France", "Paris, France"),
            ("NYC", "New York, United States"),
            ("LA", "Los Angeles, United States"),
            ("Bombay", "Mumbai, India"),
            ("sao paulo", "Sao Paulo, Brazil"),
            ("São Paulo", "Sao Paulo, Brazil"),
            ("München", "Munich, Germany"),
            ("Köln", "Cologne, Germany"),
            ("Washington D.C.", "Washington, United States"),
            ("St. Louis", "St. Louis, United States"),
            ("Xi'an", "Xi'an, China"),
            ("Jo'burg", "Johannesburg, South Africa"),
            ("Austin, TX", "Austin, United States"),
            ("Austin, TX, USA", "Austin, United States"),
            ("Portland, Oregon", "Portland, United States"),
            ("Vancouver, BC", "Vancouver, Canada"),
            ("London, UK", "London, United Kingdom"),
            ("London, England", "London, United Kingdom"),
            ("Seoul, Korea", "Seoul, South Korea"),
            ("Bali", "Denpasar, Indonesia"),
            ("the weather in Oslo", "Oslo, Norway"),
            ("barcelone", "Barcelona, Spain"),
            ("Reykjavík", "Reykjavik, Iceland"),
            ("Edinburg", "Edinburgh, United Kingdom"),
            ("The Hague", "The Hague, Netherlands"),
            ("Japan", "Tokyo, Japan"),
            ("Marrakech", "Marrakesh, Morocco"),
            ("Rio", "Rio de Janeiro, Brazil"),
        ] {
            let found = find(text).map(|found| format!("{}, {}", found.city.name, found.city.country));
            assert_eq!(found.as_deref(), Ok(expected), "{text}");
        }
        let maine = find("Portland, Maine").unwrap().city;
        assert_eq!(maine.latitude, 44);
        for text in ["Atlantis Deep", "London, Ontario", "", "Paris, Texas", "Birmingham, Ut"] {
            assert!(find(text).is_err(), "{text}");
        }
        let error = find("London, Ontario").unwrap_err().to_string();
        assert!(error.contains("London, United Kingdom"), "{error}");
    }
}
