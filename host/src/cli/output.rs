//! What commands print: answers on standard output, everything else on standard error.

use std::io::{self, ErrorKind, IsTerminal as _, Write};

/// Writes text and a line end to standard output. A reader that went away is no error: it has what it wanted.
///
/// # Errors
/// When standard output cannot be written, for instance because the disk is full.
pub fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes text and a line end to standard error, as well as possible.
pub fn note(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Writes an error with its causes on standard error, and the hints of all of them at the end.
pub fn complain(error: &anyhow::Error) {
    note(&explain(error));
}

/// The text of [`complain`].
#[must_use]
pub fn explain(error: &anyhow::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut hints: Vec<String> = Vec::new();
    for cause in error.chain() {
        let (told, hinted): (Vec<String>, Vec<String>) =
            cause.to_string().lines().map(str::to_owned).partition(|l| !l.starts_with("hint:"));
        let text = told.join("\n");
        // Transparent errors repeat their source.
        if !causes.iter().any(|c| c.contains(&text)) {
            causes.push(text);
        }
        hints.extend(hinted.into_iter().filter(|h| !hints.contains(h)).collect::<Vec<_>>());
    }
    let mut out = format!("error: {}", causes.join(": "));
    for hint in hints {
        out.push('\n');
        out.push_str(&hint);
    }
    plain(&out)
}

/// A text that others may have written, as it can be shown: what moves the cursor or turns the writing around is a space.
#[must_use]
pub fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let moves = |c: char| c.is_control() && c != '\n' && c != '\t';
    text.chars().map(|c| if moves(c) || turns(c) { ' ' } else { c }).collect()
}

/// A progress bar on standard error, or none where that is not a terminal.
///
/// # Errors
/// Never in practice: only when the template does not parse.
pub fn bar(length: u64, what: &'static str) -> anyhow::Result<indicatif::ProgressBar> {
    drawn(length, what, "{prefix} {bar:30} {pos}/{len} {elapsed}<{eta} {msg}")
}

/// A progress bar of bytes, whose number is not known yet.
///
/// # Errors
/// As [`bar`].
pub fn bytes_bar(what: &'static str) -> anyhow::Result<indicatif::ProgressBar> {
    drawn(0, what, "{prefix} {bar:30} {binary_bytes}/{binary_total_bytes} {elapsed}<{eta}")
}

fn drawn(length: u64, what: &'static str, template: &str) -> anyhow::Result<indicatif::ProgressBar> {
    let bar = indicatif::ProgressBar::new(length);
    if !io::stderr().is_terminal() {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    Ok(bar.with_style(indicatif::ProgressStyle::with_template(template)?).with_prefix(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_write_to_the_terminal() {
        let error = anyhow::anyhow!("unknown field `\u{1b}[2J\u{9b}A\u{202e}`\nhint: \u{7}no");
        assert_eq!(explain(&error), "error: unknown field ` [2J A `\nhint:  no");
    }

    #[test]
    fn hints_come_last_and_once() {
        let error = anyhow::anyhow!("`3` is odd\nhint: use 4").context("number refused").context("number refused");
        assert_eq!(explain(&error), "error: number refused: `3` is odd\nhint: use 4");
    }
}
