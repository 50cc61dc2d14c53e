//! How heavy ingredients are, so that cups of flour become grams.

use tomas_english::Rational;

const TABLE: &str = include_str!("../data/ingredients.txt");

/// The name and density (grams per millilitre) of the ingredient that `words` name, longest name first.
pub(crate) fn find(words: &[&str]) -> Option<(String, Rational)> {
    let said = words.join(" ");
    let mut best: Option<(String, Rational)> = None;
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('|');
        let (Some(name), Some(density), Some(others)) = (columns.next(), columns.next(), columns.next()) else {
            continue;
        };
        let names = std::iter::once(name).chain(others.split(',')).filter(|name| !name.is_empty());
        for name in names.filter(|name| contains(&said, name)) {
            if best.as_ref().is_none_or(|(known, _)| known.len() < name.len()) {
                best = density_of(density).map(|density| (name.to_owned(), density));
            }
        }
    }
    best
}

fn contains(said: &str, name: &str) -> bool {
    format!(" {said} ").contains(&format!(" {name} "))
}

fn density_of(text: &str) -> Option<Rational> {
    let chars: Vec<char> = text.chars().collect();
    let (literal, _) = tomas_english::number::read(&chars, tomas_english::number::Comma::Separates).ok()??;
    Some(literal.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tomas_english::ratio;

    #[test]
    fn the_longest_name_wins() {
        assert_eq!(find(&["brown", "sugar"]), Some(("brown sugar".to_owned(), ratio(93, 100))));
        assert_eq!(
            find(&["all", "purpose", "flour", "sifted"]).map(|(name, _)| name),
            Some("all purpose flour".to_owned())
        );
        assert_eq!(find(&["gravel"]), None);
    }
}
