//! What can go wrong between here and a registry.

use crate::digest::Digest;

/// See the module. What a registry said is quoted in part and without control characters.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Nobody answers, or not in HTTP.
    #[error(
        "registry `{registry}` cannot be reached: {why}\nhint: is the name right, and the registry running? One without TLS needs --plain-http"
    )]
    Unreachable {
        /// Host and port.
        registry: String,
        /// Why.
        why: String,
    },
    /// The registry wants somebody else.
    #[error(
        "registry `{registry}` refuses access to `{repository}`: {why}\nhint: log in with `docker login {registry}`, or give --username and the password in TOMAS_REGISTRY_PASSWORD"
    )]
    Unauthorized {
        /// Host and port.
        registry: String,
        /// What was asked for.
        repository: String,
        /// What the registry said of it.
        why: String,
    },
    /// There is no such thing.
    #[error("`{0}` is not in the registry\nhint: check the name, and the tag or digest")]
    NotFound(String),
    /// An answer of another status than those that are understood.
    #[error("registry answers `{url}` with status {status}: {said}\nhint: ask who runs the registry")]
    Status {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// The beginning of the body.
        said: String,
    },
    /// More bytes than are accepted.
    #[error("{what} has {found} bytes, at most {most} are accepted\nhint: {hint}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How many, or at least how many.
        found: u64,
        /// The limit.
        most: u64,
        /// What to do.
        hint: &'static str,
    },
    /// Fewer bytes than were promised.
    #[error("{what} ends after {found} bytes, {wanted} were promised\nhint: try again; the connection may have broken")]
    Short {
        /// What.
        what: &'static str,
        /// How many came.
        found: u64,
        /// How many were promised.
        wanted: u64,
    },
    /// Other bytes than were asked for.
    #[error(
        "{what} has digest `{found}`, `{wanted}` was asked for\nhint: the registry, or who stands between, changed it; do not use it"
    )]
    Digest {
        /// What.
        what: &'static str,
        /// Of the bytes that came.
        found: Digest,
        /// What was asked for.
        wanted: Digest,
    },
    /// An answer that cannot be understood.
    #[error("registry's {what} is refused: {why}\nhint: is `{url}` an OCI registry?")]
    Answer {
        /// What.
        what: &'static str,
        /// Why.
        why: String,
        /// What was asked.
        url: String,
    },
    /// Something that is no component.
    #[error(
        "{what} is `{found}`, `{allowed}` is wanted\nhint: only WebAssembly components can be pulled, not container images"
    )]
    Kind {
        /// What.
        what: &'static str,
        /// What it is.
        found: String,
        /// What it should be.
        allowed: &'static str,
    },
    /// An artifact of several layers, or none.
    #[error("the artifact has {0} layers, one is wanted\nhint: only WebAssembly components can be pulled")]
    Layers(usize),
    /// An address that the registry may not send us to.
    #[error(
        "registry sends to `{to}`, which is refused\nhint: only HTTPS is followed, and plain HTTP at the registry itself where that was allowed"
    )]
    Redirect {
        /// Where to.
        to: String,
    },
    /// Redirects without end.
    #[error("registry redirects more than {0} times\nhint: ask who runs the registry")]
    Redirects(usize),
}

/// A text of others as it can be shown: without control characters, and with at most so many characters.
pub(crate) fn printable(text: &str, most: usize) -> String {
    let shown = |c: char| if c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) { ' ' } else { c };
    let mut out: String = text.chars().take(most).map(shown).collect();
    if out.len() < text.len() && text.chars().nth(most).is_some() {
        out.push('…');
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_cannot_write_to_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\n\u{202e}", 100), "a [2Jb");
        assert_eq!(printable("ééé", 2), "éé…");
        assert_eq!(printable("ééé", 3), "ééé");
    }
}
