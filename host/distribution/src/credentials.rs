//! Who asks a registry: a name and a password, given or kept by `docker login`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};

/// A name and a password. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// Why Docker's list of logins is refused. The list itself is never quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// It does not parse.
    #[error("it is not Docker's list of logins (line {0}, column {1})\nhint: log in again with `docker login`")]
    Malformed(usize, usize),
    /// The entry of a registry does not.
    #[error("its entry of `{0}` is not base64 of `NAME:PASSWORD`\nhint: log in again with `docker login {0}`")]
    Entry(String),
}

/// The part of `config.json` that matters here.
#[derive(Deserialize)]
struct Docker {
    #[serde(default)]
    auths: BTreeMap<String, Login>,
}

#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    auth: String,
}

impl Credentials {
    /// A name and a password.
    #[must_use]
    pub const fn new(username: String, password: String) -> Self {
        Self { username, password }
    }

    /// What the text of Docker's `config.json` has for a registry. Logins that Docker leaves to a helper program are not
    /// seen.
    ///
    /// # Errors
    /// When the text is not what Docker writes.
    pub fn of_docker(config: &str, registry: &str) -> Result<Option<Self>, CredentialsError> {
        let docker: Docker =
            serde_json::from_str(config).map_err(|e| CredentialsError::Malformed(e.line(), e.column()))?;
        let hub = (registry == "docker.io").then_some("https://index.docker.io/v1/").into_iter();
        let keys = [registry.to_owned(), format!("https://{registry}"), format!("https://{registry}/v2/")];
        let mut keys = keys.iter().map(String::as_str).chain(hub);
        let Some(login) = keys.find_map(|key| docker.auths.get(key)).filter(|login| !login.auth.is_empty()) else {
            return Ok(None);
        };
        let decoded = BASE64_STANDARD.decode(login.auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        match decoded.as_deref().and_then(|text| text.split_once(':')) {
            Some((username, password)) => Ok(Some(Self::new(username.to_owned(), password.to_owned()))),
            None => Err(CredentialsError::Entry(registry.to_owned())),
        }
    }

    /// The header that carries them.
    pub(crate) fn basic(&self) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.username, self.password)))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_logins_are_read() {
        let auth = BASE64_STANDARD.encode("ada:pass:word");
        let config = format!(r#"{{"auths": {{"ghcr.io": {{"auth": "{auth}"}}, "b.io": {{}}}}, "credsStore": "x"}}"#);
        let ada = Credentials::new("ada".to_owned(), "pass:word".to_owned());
        assert_eq!(Credentials::of_docker(&config, "ghcr.io"), Ok(Some(ada)));
        assert_eq!(Credentials::of_docker(&config, "b.io"), Ok(None));
        assert_eq!(Credentials::of_docker(&config, "c.io"), Ok(None));
        assert_eq!(Credentials::of_docker("{}", "c.io"), Ok(None));
    }

    #[test]
    fn damaged_logins_are_refused_and_never_quoted() {
        for config in ["", "secret", r#"{"auths": "secret"}"#, r#"{"auths": {"a.io": {"auth": "secret!"}}}"#] {
            let error = Credentials::of_docker(config, "a.io").unwrap_err().to_string();
            assert!(error.contains("docker login") && !error.contains("secret"), "{error}");
        }
        let shown = format!("{:?}", Credentials::new("ada".to_owned(), "secret".to_owned()));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
