//! Logging in: what a registry that refuses is shown the next time.

use crate::{
    challenge::Challenge,
    error::{RegistryError, printable},
    http::{Http, read, said},
};
use serde::Deserialize;
use ureq::http::{header, request};

/// Most bytes of a token service's answer.
const TOKEN: u64 = 64 << 10;

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Http {
    /// The header that the registry wants to see.
    pub(crate) fn log_in(&self, challenges: &[Challenge]) -> Result<String, RegistryError> {
        let bearer = challenges.iter().find_map(|challenge| match challenge {
            Challenge::Bearer { realm, service } => Some((realm, service.as_deref())),
            Challenge::Basic => None,
        });
        match (bearer, &self.credentials) {
            (Some((realm, service)), _) => self.token(realm, service),
            (None, Some(credentials)) if challenges.contains(&Challenge::Basic) => Ok(credentials.basic()),
            (None, Some(_)) => Err(self.unauthorized("it names no way to log in that is known here".to_owned())),
            (None, None) => Err(self.unauthorized("it wants a login".to_owned())),
        }
    }

    /// A token for this repository. The registry names who gives it out, not what for.
    fn token(&self, realm: &str, service: Option<&str>) -> Result<String, RegistryError> {
        self.permitted(realm)?;
        let joint = if realm.contains('?') { '&' } else { '?' };
        let mut url = format!("{realm}{joint}scope=repository:{}:{}", self.repository, self.scope);
        if let Some(service) = service {
            url.push_str("&service=");
            url.extend(service.bytes().map(escaped));
        }
        let mut builder = request::Builder::new().method("GET").uri(&url);
        if let Some(credentials) = &self.credentials {
            builder = builder.header(header::AUTHORIZATION, credentials.basic());
        }
        let unreachable = |why: ureq::Error| self.unreachable(realm, &why);
        let request = builder.body(()).map_err(|e| unreachable(e.into()))?;
        let response = self.agent.run(request).map_err(unreachable)?;
        if response.status() != 200 {
            return Err(self.unauthorized(said(response)));
        }
        let bytes = read(response, TOKEN, "a token", "ask who runs the registry", &mut |_| ())?;
        let answer = |why: String| RegistryError::Answer { what: "token", why, url: printable(realm, 200) };
        let token: Token = serde_json::from_slice(&bytes).map_err(|e| answer(e.to_string()))?;
        let token = token.token.or(token.access_token).unwrap_or_default();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(answer("it is no visible text".to_owned()));
        }
        Ok(format!("Bearer {token}"))
    }

    pub(crate) fn unauthorized(&self, why: String) -> RegistryError {
        let (registry, repository) = (self.registry.clone(), self.repository.clone());
        RegistryError::Unauthorized { registry, repository, why }
    }
}

/// A byte of a query.
fn escaped(byte: u8) -> String {
    match byte {
        b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    }
}
