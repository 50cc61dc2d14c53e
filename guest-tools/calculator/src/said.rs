//! The request as it is repeated in the answer.

/// Words before an expression that belong to the asking.
const LEADS: [&str; 62] = [
    "what is the value of",
    "what is the result of",
    "what's the result of",
    "what is the answer to",
    "can you calculate",
    "can you work out",
    "can you tell me",
    "could you calculate",
    "could you tell me",
    "could you",
    "can you",
    "i need to know",
    "i need",
    "i want to know",
    "how much would",
    "how much is",
    "how much are",
    "how much does",
    "how much do",
    "how much",
    "how many is",
    "how many are",
    "what does",
    "what do",
    "what would",
    "what will",
    "what are",
    "what is",
    "what's",
    "whats",
    "what",
    "calculate",
    "compute",
    "calc",
    "work out",
    "figure out",
    "evaluate",
    "eval",
    "solve",
    "simplify",
    "find out",
    "find me",
    "find",
    "determine",
    "tell me",
    "give me",
    "show me",
    "do the math",
    "do",
    "get",
    "please",
    "pls",
    "hey",
    "hi",
    "ok",
    "so",
    "quick",
    "help me with",
    "the",
    "and",
    "wats",
    "wat is",
];
/// Words behind an expression that belong to the asking.
const TAILS: [&str; 22] = [
    "please",
    "pls",
    "plz",
    "thanks",
    "thank you",
    "thx",
    "equals what",
    "equal",
    "equals",
    "is what",
    "is how much",
    "be",
    "come to",
    "make",
    "makes",
    "is equal to",
    "equal to",
    "is",
    "for me",
    "exactly",
    "gives",
    "to get",
];

/// `text` without the words of asking and the punctuation around the expression.
pub(crate) fn stripped(text: &str) -> String {
    let mut rest = text.trim();
    loop {
        let before = rest;
        rest = rest.trim_start_matches([':', ',', '"', '“', '`', '=', '>', '?']).trim();
        rest = rest.trim_end_matches(['?', '=', '.', ',', ':', '"', '”', '`', '？', '…']).trim();
        for lead in LEADS {
            // `what percent …` is part of the expression.
            let percent =
                (lead.starts_with("wh") || lead.starts_with("how")) && after(rest, lead).is_some_and(asks_share);
            if let Some(behind) = after(rest, lead).filter(|_| !percent) {
                rest = behind;
                break;
            }
        }
        for tail in TAILS {
            if let Some(ahead) = ahead_of(rest, tail) {
                rest = ahead;
                break;
            }
        }
        if rest == before {
            return rest.to_owned();
        }
    }
}

fn asks_share(rest: &str) -> bool {
    ["percent", "%", "per cent", "number", "pct", "fraction", "left", "remains", "the percent"]
        .iter()
        .any(|word| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
}

/// What follows the word or words `lead`.
fn after<'a>(text: &'a str, lead: &str) -> Option<&'a str> {
    let start = text.get(..lead.len())?;
    let rest = text.get(lead.len()..)?;
    (start.eq_ignore_ascii_case(lead) && rest.starts_with([' ', ',', ':', '\t'])).then(|| rest.trim_start())
}

/// What stands before the word or words `tail`.
fn ahead_of<'a>(text: &'a str, tail: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(tail.len())?;
    let end = text.get(at..)?;
    let rest = text.get(..at)?;
    (end.eq_ignore_ascii_case(tail) && rest.ends_with([' ', ','])).then(|| rest.trim_end())
}

/// At most 120 characters of `text`, its middle left out.
pub(crate) fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= 120 {
        return text.to_owned();
    }
    let start: String = text.chars().take(80).collect();
    let end: String = text.chars().skip(count - 36).collect();
    format!("{start} … {end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_asking_go() {
        for (text, expected) in [
            ("What is 17.5% of 2,340?", "17.5% of 2,340"),
            ("can you calculate 3+4 please", "3+4"),
            ("5 + 5 = ?", "5 + 5"),
            ("what percent of 50 is 10?", "what percent of 50 is 10"),
            ("how much is 12 times 7", "12 times 7"),
            ("?", ""),
        ] {
            assert_eq!(stripped(text), expected);
        }
    }
}
