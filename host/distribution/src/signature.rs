//! Signatures: whose key vouches for a component and its manifest, byte for byte.
//!
//! What is signed is this statement, in ASCII, each line ended by a line feed:
//!
//! ```text
//! tomas-host tool signature 1
//! key NAME
//! component sha256:HEX
//! manifest sha256:HEX
//! ```
//!
//! Its first line is in no other statement that such a key signs, so that a signature for this says nothing else.

use crate::{
    digest::Digest,
    error::printable,
    key::{PrivateKey, PublicKey, decoded},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// A signature of a component and its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    signer: PublicKey,
    component: Digest,
    manifest: Digest,
    signature: [u8; 64],
}

/// Why a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The text is no signature.
    #[error("it is no signature: {0}\nhint: sign the tool again with `tomas-host tool sign`, or remove the signature")]
    Malformed(String),
    /// It is for other bytes.
    #[error(
        "the {what} has digest `{found}`, `{signer}` signed `{signed}`\nhint: it was changed after it was signed; restore it, or have it signed again"
    )]
    Changed {
        /// What was changed.
        what: &'static str,
        /// What is there.
        found: Digest,
        /// What was signed.
        signed: Digest,
        /// By whom.
        signer: String,
    },
    /// The key did not sign it.
    #[error("the signature is not one of `{0}`\nhint: it is forged or damaged; get the tool from its author again")]
    Forged(String),
}

/// The text of a signature.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    key: String,
    public: String,
    component: Digest,
    manifest: Digest,
    signature: String,
}

impl Signature {
    /// Signs a component and its manifest.
    #[must_use]
    pub fn sign(key: &PrivateKey, component: &[u8], manifest: &[u8]) -> Self {
        let (signer, component, manifest) = (key.public(), Digest::of(component), Digest::of(manifest));
        let signature = key.sign(statement(&signer, component, manifest).as_bytes());
        Self { signer, component, manifest, signature }
    }

    /// Whose key it claims to be of; believe it after [`verify`](Self::verify).
    #[must_use]
    pub const fn signer(&self) -> &PublicKey {
        &self.signer
    }

    /// Verifies it for these bytes.
    ///
    /// # Errors
    /// When it is for other bytes, or not of its key.
    pub fn verify(&self, component: &[u8], manifest: &[u8]) -> Result<(), SignatureError> {
        // First whether it is a signature at all: then what it says was signed can be told as such.
        if !self.signer.signed(statement(&self.signer, self.component, self.manifest).as_bytes(), &self.signature) {
            return Err(SignatureError::Forged(self.signer.to_string()));
        }
        let changed = |what, found, signed| {
            let signer = self.signer.name().to_owned();
            Err(SignatureError::Changed { what, found, signed, signer })
        };
        match (Digest::of(component), Digest::of(manifest)) {
            (found, _) if found != self.component => changed("component", found, self.component),
            (_, found) if found != self.manifest => changed("manifest", found, self.manifest),
            _ => Ok(()),
        }
    }

    /// Reads the text of a signature. Any text may come here.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let malformed = |why: String| SignatureError::Malformed(printable(&why, 300));
        let file: File = toml::from_str(text).map_err(|e| malformed(e.message().to_owned()))?;
        let signer = PublicKey::new(&file.key, &file.public);
        let signer = signer.map_err(|e| malformed(e.to_string().lines().next().unwrap_or_default().to_owned()))?;
        let signature = decoded(&file.signature);
        let signature = signature.ok_or_else(|| malformed("`signature` is not base64 of 64 bytes".to_owned()))?;
        Ok(Self { signer, component: file.component, manifest: file.manifest, signature })
    }

    /// The text that [`parse`](Self::parse) reads.
    #[must_use]
    pub fn text(&self) -> String {
        let file = File {
            key: self.signer.name().to_owned(),
            public: self.signer.text(),
            component: self.component,
            manifest: self.manifest,
            signature: BASE64_STANDARD.encode(self.signature),
        };
        // Texts always are TOML.
        toml::to_string(&file).unwrap_or_default()
    }
}

fn statement(signer: &PublicKey, component: Digest, manifest: Digest) -> String {
    format!("tomas-host tool signature 1\nkey {}\ncomponent {component}\nmanifest {manifest}\n", signer.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_for_its_bytes_and_no_others() {
        let key = PrivateKey::generate("ada").unwrap();
        let signature = Signature::parse(&Signature::sign(&key, b"component", b"manifest").text()).unwrap();
        assert_eq!(signature.verify(b"component", b"manifest"), Ok(()));
        let why = |component: &[u8], manifest: &[u8]| signature.verify(component, manifest).unwrap_err().to_string();
        assert!(why(b"componenT", b"manifest").contains("the component has digest"));
        assert!(why(b"component", b"manifesT").contains("the manifest has digest"));
        assert!(why(b"manifest", b"component").contains("the component has digest"));
    }

    #[test]
    fn whatever_is_changed_in_a_signature_is_noticed() {
        let (ada, eve) = (PrivateKey::generate("ada").unwrap(), PrivateKey::generate("eve").unwrap());
        let good = Signature::sign(&ada, b"c", b"m");
        let forged = |signature: Signature| {
            let told = signature.verify(b"c", b"m").unwrap_err();
            assert!(matches!(told, SignatureError::Forged(_)), "{told}");
        };
        forged(Signature { signer: eve.public(), ..good.clone() });
        forged(Signature { manifest: Digest::of(b"c"), component: Digest::of(b"m"), ..good.clone() });
        forged(Signature { signature: Signature::sign(&eve, b"c", b"m").signature, ..good.clone() });
        forged(Signature { signature: [0; 64], ..good.clone() });
        let renamed = good.text().replace("key = \"ada\"", "key = \"microsoft\"");
        forged(Signature::parse(&renamed).unwrap());
    }

    #[test]
    fn damaged_signatures_are_refused() {
        let text = Signature::sign(&PrivateKey::generate("ada").unwrap(), b"c", b"m").text();
        for end in 0..text.len() {
            // The last line end may be missing.
            assert!(Signature::parse(&text[..end]).is_err() || end + 1 == text.len(), "{}", &text[..end]);
        }
        let deep = format!("key = {}", "[".repeat(100_000));
        for text in ["\0", "key = 3", &deep, &format!("{text}more = 1\n"), &text.replace("sha256", "md5")] {
            let told = Signature::parse(text).unwrap_err().to_string();
            assert!(told.starts_with("it is no signature") && told.len() < 600, "{told}");
        }
    }
}
