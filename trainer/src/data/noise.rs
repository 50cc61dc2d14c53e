//! Noise: what real typing does to wording. Values in slots are never touched here.

use super::template::Part;
use fastrand::Rng;

/// Joins rendered parts, whose slots are filled by `surface`, into one request with casing, punctuation and typos as
/// people leave them.
pub fn apply(parts: &[Part], surface: impl Fn(&str) -> String, rng: &mut Rng) -> String {
    let typos = match rng.u32(0..100) {
        0..85 => 0,
        85..96 => 1,
        _ => 2,
    };
    let shout = rng.u32(0..100) == 0;
    let mut wording: Vec<(String, bool)> = parts
        .iter()
        .map(|p| match p {
            Part::Text(text) => (text.clone(), true),
            Part::Slot(name) => (surface(name), false),
        })
        .collect();
    for _ in 0..typos {
        let texts: Vec<usize> = wording.iter().enumerate().filter(|(_, w)| w.1).map(|(i, _)| i).collect();
        if let Some(&at) = rng.choice(&texts)
            && let Some((text, _)) = wording.get_mut(at)
        {
            *text = typo(text, rng);
        }
    }
    if shout {
        wording.iter_mut().filter(|w| w.1).for_each(|w| w.0 = w.0.to_uppercase());
    }
    if rng.u32(0..100) < 45
        && let Some((first, true)) = wording.first_mut()
    {
        *first = capitalised(first);
    }
    squeeze(&mut wording);
    punctuate(&mut wording, rng);
    // Where a mark fell away, the space before it may be left.
    while let Some((last, true)) = wording.last_mut() {
        last.truncate(last.trim_end().len());
        if !last.is_empty() {
            break;
        }
        wording.pop();
    }
    wording.into_iter().map(|w| w.0).collect()
}

/// One slip in one word of at least four letters.
fn typo(text: &str, rng: &mut Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let inside = |i: usize| {
        let word = |j: usize| chars.get(j).is_some_and(|c| c.is_ascii_lowercase());
        i > 0 && word(i - 1) && word(i) && word(i + 1) && (word(i + 2) || (i > 1 && word(i - 2)))
    };
    let places: Vec<usize> = (0..chars.len()).filter(|&i| inside(i)).collect();
    let Some(&at) = rng.choice(&places) else { return text.to_owned() };
    match rng.u32(0..4) {
        0 => chars.swap(at, at + 1),
        1 => {
            chars.remove(at);
        }
        2 => {
            if let Some(&c) = chars.get(at) {
                chars.insert(at, c);
            }
        }
        _ => {
            if let Some(c) = chars.get_mut(at) {
                *c = neighbour(*c, rng);
            }
        }
    }
    chars.into_iter().collect()
}

/// A key beside this one on a QWERTY keyboard.
fn neighbour(c: char, rng: &mut Rng) -> char {
    const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
    for row in ROWS {
        if let Some(at) = row.find(c) {
            let near: Vec<char> = [at.checked_sub(1), Some(at + 1)]
                .into_iter()
                .flatten()
                .filter_map(|i| row.as_bytes().get(i).map(|&b| char::from(b)))
                .collect();
            return rng.choice(near).unwrap_or(c);
        }
    }
    c
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// Optional parts leave double spaces behind; values keep theirs.
fn squeeze(wording: &mut [(String, bool)]) {
    let mut spaced = true; // at the very start a space is one too many
    for (text, is_wording) in wording.iter_mut() {
        if *is_wording {
            let mut out = String::with_capacity(text.len());
            for c in text.chars() {
                if c == ' ' && spaced {
                    continue;
                }
                if matches!(c, '?' | '.' | ',') && out.ends_with(' ') {
                    out.pop();
                }
                spaced = c == ' ';
                out.push(c);
            }
            *text = out;
        } else if !text.is_empty() {
            spaced = text.ends_with(' ');
        }
    }
    if let Some((last, true)) = wording.last_mut() {
        last.truncate(last.trim_end().len());
    }
}

/// Drops or adds the final mark; a value's own last character stays.
fn punctuate(wording: &mut Vec<(String, bool)>, rng: &mut Rng) {
    const MARKS: [char; 3] = ['?', '.', '!'];
    let marked = wording.last().is_some_and(|(t, _)| t.ends_with(MARKS));
    match rng.u32(0..100) {
        0..30 => {
            if let Some((last, true)) = wording.last_mut() {
                last.truncate(last.trim_end_matches(MARKS).len());
            }
        }
        30..45 if !marked => wording.push(("?".to_owned(), true)),
        45..50 if !marked => wording.push((".".to_owned(), true)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::template::Template;

    #[test]
    fn values_survive_whatever_happens_to_wording() {
        let template = Template::parse("[please ]sumarise  [this ]{text} [now]?").unwrap();
        let mut rng = Rng::with_seed(3);
        for _ in 0..500 {
            let text = apply(&template.render(&mut rng), |_| "Two  spaces. And a stop.".to_owned(), &mut rng);
            assert!(text.contains("Two  spaces. And a stop."), "{text}");
            assert!(!text.starts_with(' ') && !text.ends_with(' '), "{text}");
        }
    }
}
