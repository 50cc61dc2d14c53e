//! Templates: text with choices, optional parts and slots.
//!
//! `(a|b)` chooses one, `[x]` may be left out, `{slot}` is filled; a backslash takes the next character literally.

use fastrand::Rng;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Node>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Text(String),
    Slot(String),
    /// One of the branches; an empty branch leaves the part out.
    Choice(Vec<Vec<Self>>),
}

/// A piece of a rendered template. Slots are kept apart from wording so that noise never touches a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Wording.
    Text(String),
    /// A slot to fill.
    Slot(String),
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a template: {what}\nhint: `(a|b)` chooses, `[x]` is optional, `{{slot}}` is filled, `\\\\` escapes"
)]
pub struct TemplateError {
    text: String,
    what: &'static str,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// When brackets do not match.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let fail = |what| TemplateError { text: text.to_owned(), what };
        let mut chars = text.chars().peekable();
        let nodes = sequence(&mut chars, 0).map_err(fail)?;
        match chars.next() {
            None => Ok(Self(nodes)),
            Some(_) => Err(fail("a closing bracket has no opening one")),
        }
    }

    /// The slots that occur anywhere in the template.
    #[must_use]
    pub fn slots(&self) -> Vec<&str> {
        fn walk<'a>(nodes: &'a [Node], out: &mut Vec<&'a str>) {
            for node in nodes {
                match node {
                    Node::Text(_) => {}
                    Node::Slot(name) => out.push(name),
                    Node::Choice(branches) => branches.iter().for_each(|b| walk(b, out)),
                }
            }
        }
        let mut out = Vec::new();
        walk(&self.0, &mut out);
        out
    }

    /// Draws one text.
    pub fn render(&self, rng: &mut Rng) -> Vec<Part> {
        let mut parts = Vec::new();
        render(&self.0, rng, &mut parts);
        parts
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Deep nesting is refused rather than followed.
const MAX_DEPTH: usize = 16;

fn sequence(chars: &mut Chars<'_>, depth: usize) -> Result<Vec<Node>, &'static str> {
    if depth > MAX_DEPTH {
        return Err("brackets nest too deep");
    }
    let mut nodes = Vec::new();
    let mut text = String::new();
    while let Some(&c) = chars.peek() {
        if matches!(c, ')' | ']' | '|') && depth > 0 {
            break;
        }
        chars.next();
        let node = match c {
            '\\' => {
                text.push(chars.next().ok_or("it ends in a backslash")?);
                continue;
            }
            '(' => Node::Choice(branches(chars, ')', depth)?),
            '[' => {
                let mut branches = branches(chars, ']', depth)?;
                branches.push(Vec::new());
                Node::Choice(branches)
            }
            '{' => Node::Slot(slot(chars)?),
            ')' | ']' => return Err("a closing bracket has no opening one"),
            other => {
                text.push(other);
                continue;
            }
        };
        if !text.is_empty() {
            nodes.push(Node::Text(std::mem::take(&mut text)));
        }
        nodes.push(node);
    }
    if !text.is_empty() {
        nodes.push(Node::Text(text));
    }
    Ok(nodes)
}

fn branches(chars: &mut Chars<'_>, close: char, depth: usize) -> Result<Vec<Vec<Node>>, &'static str> {
    let mut branches = Vec::new();
    loop {
        branches.push(sequence(chars, depth + 1)?);
        match chars.next() {
            Some('|') => {}
            Some(c) if c == close => return Ok(branches),
            Some(_) => return Err("brackets of two kinds cross"),
            None => return Err("a bracket is not closed"),
        }
    }
}

fn slot(chars: &mut Chars<'_>) -> Result<String, &'static str> {
    let mut name = String::new();
    loop {
        match chars.next() {
            Some('}') => return Ok(name),
            Some(c) => name.push(c),
            None => return Err("a slot is not closed"),
        }
    }
}

fn render(nodes: &[Node], rng: &mut Rng, parts: &mut Vec<Part>) {
    for node in nodes {
        match node {
            Node::Text(text) => parts.push(Part::Text(text.clone())),
            Node::Slot(name) => parts.push(Part::Slot(name.clone())),
            Node::Choice(branches) => {
                if let Some(branch) = rng.choice(branches) {
                    render(branch, rng, parts);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn all(text: &str) -> BTreeSet<String> {
        let template = Template::parse(text).unwrap();
        let mut rng = Rng::with_seed(1);
        let mut seen = BTreeSet::new();
        for _ in 0..200 {
            let parts = template.render(&mut rng);
            seen.insert(
                parts
                    .iter()
                    .map(|p| match p {
                        Part::Text(t) => t.clone(),
                        Part::Slot(s) => format!("<{s}>"),
                    })
                    .collect(),
            );
        }
        seen
    }

    #[test]
    fn choices_options_slots_and_escapes() {
        let set = |items: &[&str]| items.iter().map(|s| (*s).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(all("(a|b) {x}"), set(&["a <x>", "b <x>"]));
        assert_eq!(all("a[ b|c]"), set(&["a", "a b", "ac"]));
        assert_eq!(all("(a[b]|c)"), set(&["a", "ab", "c"]));
        assert_eq!(all(r"\[1\] | \{x\}"), set(&["[1] | {x}"]));
    }

    #[test]
    fn unbalanced_brackets_are_refused() {
        for bad in ["(a", "a)", "[a", "a]", "{a", "(a]", "a\\"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
