//! Keys: who signs, and whose signatures are trusted.

use crate::error::printable;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, de};
use std::{fmt, str::FromStr};

/// Begins a private key, so that it is never taken for a public one.
const PRIVATE: &str = "ed25519-private:";
/// Begins a public key.
const PUBLIC: &str = "ed25519:";

/// A public key and whose it is: `NAME ed25519:BASE64`.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: VerifyingKey,
}

/// A private key and whose it is. Wiped from memory when it is dropped, and never shown.
pub struct PrivateKey {
    name: String,
    key: SigningKey,
}

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name.
    #[error("`{0}` cannot be the name of a key\nhint: use 1 to 64 letters, digits, `_`, `.` or `-`")]
    Name(String),
    /// A public key that is none.
    #[error(
        "`{0}` is not a public key\nhint: a public key is `NAME ed25519:BASE64`, as `tomas-host tool key` prints it"
    )]
    Public(String),
    /// A private key where a public one belongs; never quoted.
    #[error(
        "a private key stands where a public one belongs\nhint: a public key begins with `ed25519:`; make a new pair where this one was seen by others"
    )]
    Secret,
    /// A private key that is none; never quoted.
    #[error("the file holds no private key\nhint: make one with `tomas-host tool key NAME`")]
    Private,
    /// The system has no randomness.
    #[error("no key can be made: {0}\nhint: the operating system gives no random numbers")]
    Random(String),
}

impl PublicKey {
    /// Whose it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key alone: `ed25519:BASE64`.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{PUBLIC}{}", BASE64_STANDARD.encode(self.key.as_bytes()))
    }

    /// Whether it is the same key, whatever it is called.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.key == other.key
    }

    pub(crate) fn new(name: &str, text: &str) -> Result<Self, KeyError> {
        if text.contains(PRIVATE) {
            return Err(KeyError::Secret);
        }
        let refused = || KeyError::Public(printable(&format!("{name} {text}"), 200));
        let bytes = text.strip_prefix(PUBLIC).and_then(decoded).ok_or_else(refused)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| refused())?;
        // Anybody can sign for these.
        if key.is_weak() {
            return Err(refused());
        }
        Ok(Self { name: named(name)?, key })
    }

    /// Whether this key signed the statement; the strict rules leave one signature for one statement.
    pub(crate) fn signed(&self, statement: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(statement, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, key) = text.trim().split_once(' ').ok_or_else(|| KeyError::Public(printable(text, 200)))?;
        Self::new(name, key.trim())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.text())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

impl PrivateKey {
    /// A new key.
    ///
    /// # Errors
    /// When the name cannot be one, or the system gives no random numbers.
    pub fn generate(name: &str) -> Result<Self, KeyError> {
        let name = named(name)?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| KeyError::Random(e.to_string()))?;
        Ok(Self { name, key: SigningKey::from_bytes(&seed) })
    }

    /// The key of a file's text.
    ///
    /// # Errors
    /// When it holds none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, key) = text.trim().split_once(' ').ok_or(KeyError::Private)?;
        let seed = key.trim().strip_prefix(PRIVATE).and_then(decoded).ok_or(KeyError::Private)?;
        Ok(Self { name: named(name).map_err(|_| KeyError::Private)?, key: SigningKey::from_bytes(&seed) })
    }

    /// The text of its file, which nobody else may read.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {PRIVATE}{}\n", self.name, BASE64_STANDARD.encode(self.key.as_bytes()))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    pub(crate) fn sign(&self, statement: &[u8]) -> [u8; 64] {
        self.key.sign(statement).to_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.name)
    }
}

fn named(name: &str) -> Result<String, KeyError> {
    let ok = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let plain = (1..=64).contains(&name.len()) && name.chars().all(ok) && !name.starts_with(['.', '-']);
    if plain { Ok(name.to_owned()) } else { Err(KeyError::Name(printable(name, 80))) }
}

/// So many bytes of base64, and no other number.
pub(crate) fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back() {
        let private = PrivateKey::generate("ada").unwrap();
        let again = PrivateKey::parse(&private.text()).unwrap();
        assert_eq!(again.public(), private.public());
        assert_eq!(private.public().to_string().parse(), Ok(private.public()));
        assert_ne!(PrivateKey::generate("ada").unwrap().public(), private.public());
        assert!(!format!("{private:?}").contains(private.text().split(':').nth(1).unwrap().trim()));
    }

    #[test]
    fn damaged_keys_are_refused() {
        let private = PrivateKey::generate("ada").unwrap();
        let text = private.text();
        for part in ["", "ada", "ada ed25519-private:", "ada ed25519-private:AAAA", &text[..text.len() - 5], "\0 x"] {
            assert_eq!(PrivateKey::parse(part).unwrap_err(), KeyError::Private);
        }
        let public = private.public().to_string();
        let weak = format!("ada {PUBLIC}{}", BASE64_STANDARD.encode([0; 32]));
        for text in ["", "ada", &public[..public.len() - 4], &weak, &public.replace("ada", "a/b")] {
            assert!(text.parse::<PublicKey>().is_err(), "{text}");
        }
        assert_eq!(text.parse::<PublicKey>(), Err(KeyError::Secret));
        for name in ["", "../x", "a b", "-a", ".a", &"a".repeat(65)] {
            assert!(matches!(PrivateKey::generate(name), Err(KeyError::Name(_))), "{name}");
        }
    }
}
