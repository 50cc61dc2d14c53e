//! References: what a registry calls an artifact, as in `ghcr.io/owner/tool:1.0` or `localhost:5000/tool@sha256:…`.

use crate::{digest::Digest, error::printable};
use std::{fmt, net::IpAddr, str::FromStr};

/// The tag of a reference that names none.
const LATEST: &str = "latest";

/// Registry, repository, and the tag or digest in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a reference: {why}\nhint: write REGISTRY/REPOSITORY:TAG, such as `ghcr.io/owner/tool:1.0`")]
pub struct ReferenceError {
    text: String,
    why: &'static str,
}

impl Reference {
    /// The registry: host and perhaps port.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The digest, where it names one.
    #[must_use]
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The last part of the repository.
    #[must_use]
    pub fn name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }

    /// The same repository at a digest.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// What the registry is asked for: the digest, the tag, or `latest`.
    #[must_use]
    pub fn wanted(&self) -> String {
        match (self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.clone().unwrap_or_else(|| LATEST.to_owned()),
        }
    }

    /// Whether the registry is this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = match self.registry.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => self.registry.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// Where the registry is asked: Docker Hub has its own name for that.
    pub(crate) fn host(&self) -> &str {
        if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let refused = |why| ReferenceError { text: printable(text, 300), why };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.parse().map_err(|_| refused("what follows `@` is no `sha256:` digest"))?;
                (rest, Some(digest))
            }
            None => (text, None),
        };
        let (registry, rest) = rest.split_once('/').ok_or_else(|| refused("it names no registry"))?;
        let (repository, tag) = match rest.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (rest, None),
        };
        if !is_registry(registry) {
            return Err(refused("its registry is no host name with a `.`, a port, or `localhost`"));
        }
        if repository.len() > 255 || !repository.split('/').all(is_part) {
            return Err(refused("its repository is not lower-case words joined by `/`, `.`, `_` or `-`"));
        }
        if !tag.is_none_or(is_tag) {
            return Err(refused("its tag is not 1 to 128 letters, digits, `.`, `_` or `-`"));
        }
        let tag = tag.or(digest.is_none().then_some(LATEST)).map(str::to_owned);
        Ok(Self { registry: registry.to_owned(), repository: repository.to_owned(), tag, digest })
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse().is_ok_and(|a: IpAddr| a.is_ipv6()) => {
                ("localhost", port.strip_prefix(':').or((!port.is_empty()).then_some("")))
            }
            _ => return false,
        },
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let label =
        |l: &str| !l.is_empty() && !l.starts_with('-') && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let named = host == "localhost" || host.contains('.') || port.is_some();
    let numbered = port.is_none_or(|port| port.chars().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok());
    named && numbered && host.len() <= 253 && host.split('.').all(label)
}

/// `[a-z0-9]+` joined by `.`, `_`, `__` or any number of `-`.
fn is_part(text: &str) -> bool {
    let joint = |j: &str| matches!(j, "." | "_" | "__") || j.chars().all(|c| c == '-');
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let ends = text.starts_with(word) && text.ends_with(word);
    ends && text.split(word).filter(|j| !j.is_empty()).all(joint)
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (1..=128).contains(&text.len()) && text.starts_with(word) && text.chars().all(|c| word(c) || c == '.' || c == '-')
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_a_registry_and_perhaps_a_tag_or_a_digest() {
        let digest = Digest::of(b"");
        for (text, repository, wanted) in [
            ("ghcr.io/owner/tool:1.0", "owner/tool", "1.0"),
            ("localhost/tool", "tool", "latest"),
            ("127.0.0.1:5000/a/b__c-d.e/f", "a/b__c-d.e/f", "latest"),
            ("[::1]:5000/tool:x", "tool", "x"),
            (&format!("ghcr.io/t:1@{digest}"), "t", &digest.to_string()),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!((reference.repository(), reference.wanted().as_str()), (repository, wanted));
            assert_eq!(reference.to_string().parse(), Ok(reference));
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in [
            "",
            "tool",
            "owner/tool",
            "ghcr.io/",
            "ghcr.io/Tool",
            "ghcr.io/../x",
            "ghcr.io/a//b",
            "ghcr.io/-a",
            "ghcr.io/a:b:c",
            "ghcr.io/a: ",
            "ghcr.io/a@md5:00",
            "user:pw@ghcr.io/a",
            "http://ghcr.io/a",
            "ghcr.io:99999/a",
            "ghcr.io:+1/a",
            "[::1/a",
            "[::1]x/a",
            "gh cr.io/a",
            "ghcr.io/a\nb",
            &format!("ghcr.io/{}", "a".repeat(256)),
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }

    #[test]
    fn this_machine_is_known() {
        let local = |text: &str| text.parse::<Reference>().unwrap().is_local();
        assert!(local("localhost/a") && local("localhost:5000/a") && local("127.0.0.1:1/a") && local("[::1]:1/a"));
        assert!(!local("localhost.example.com/a") && !local("10.0.0.1/a") && !local("ghcr.io/a"));
    }
}
