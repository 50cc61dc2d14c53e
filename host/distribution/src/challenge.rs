//! What a registry wants of who asks: the `WWW-Authenticate` header.

/// A way to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Name and password with every request.
    Basic,
    /// A token that another address gives out.
    Bearer {
        /// The address.
        realm: String,
        /// What the token is for.
        service: Option<String>,
    },
}

impl Challenge {
    /// The challenge of a header, if it is one of those known. Any text may come here.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let header = header.trim();
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let value = |name: &str| Some(parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.clone());
        Some(Self::Bearer { realm: value("realm")?, service: value("service") })
    }
}

/// `name="value", name=value`, as far as it is that.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| *c == ',' || c.is_whitespace()).is_some() {}
        let mut name = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=' && *c != ',') {
            name.push(c);
        }
        if chars.next_if_eq(&'=').is_none() {
            if chars.peek().is_none() {
                return found;
            }
            continue;
        }
        let mut value = String::new();
        if chars.next_if_eq(&'"').is_some() {
            while let Some(c) = chars.next() {
                match c {
                    '"' => break,
                    '\\' => value.extend(chars.next()),
                    c => value.push(c),
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| *c != ',') {
                value.push(c);
            }
        }
        found.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) })
        };
        let header = r#"Bearer realm="https://a.io/token",service="a, b",scope="x""#;
        assert_eq!(Challenge::parse(header), bearer("https://a.io/token", Some("a, b")));
        assert_eq!(Challenge::parse("bearer REALM=x"), bearer("x", None));
        assert_eq!(Challenge::parse(r#"Bearer realm="a\"b"#), bearer("a\"b", None));
        assert_eq!(Challenge::parse("Basic realm=\"x\""), Some(Challenge::Basic));
    }

    #[test]
    fn nonsense_is_no_challenge() {
        for header in ["", " ", "Digest x=1", "Bearer", "Bearer ,,,", "Bearer realm", "Bearer =,=\"", "Bearer \"\\"] {
            assert_eq!(Challenge::parse(header), None, "{header}");
        }
    }
}
