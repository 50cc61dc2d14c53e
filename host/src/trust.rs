//! What vouches for a tool: its signature, the keys that the operator trusts, and the lock of its folder. It is checked on
//! the bytes that are about to be loaded, before anything is compiled.

use crate::{files, lock};
use anyhow::{Context as _, bail};
use std::{path::Path, sync::Arc};
use tomas_core::amount::Bytes;
use tomas_distribution::{PublicKey, Signature, SignatureError};

/// The signature's file, beside `tool.toml`.
pub const SIGNATURE: &str = "tool.sig";

/// Most bytes of a signature's file; they have a few hundred.
const MOST: Bytes = Bytes(16 << 10);

/// What the tools of a folder must meet. By default nothing but what they carry themselves.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// One of these must have signed a tool; none: nobody needs to.
    keys: Vec<PublicKey>,
    lock: Option<lock::Held>,
}

/// What stands beside a component.
#[derive(Debug, Clone, Default)]
pub struct Papers {
    /// What the component is locked as.
    pub name: String,
    /// The bytes of `tool.toml`; those that were parsed.
    pub manifest: Option<Vec<u8>>,
    /// What `tool.sig` says.
    pub signature: Option<Result<Signature, SignatureError>>,
    /// What its folder demands.
    pub rules: Arc<Rules>,
}

impl Rules {
    /// The rules of a folder of tools: who must have signed them, and its lock where it has one.
    ///
    /// # Errors
    /// When the lock cannot be read or is damaged.
    pub fn of(folder: &Path, keys: Vec<PublicKey>) -> anyhow::Result<Self> {
        Ok(Self { keys, lock: lock::Held::of(folder)? })
    }
}

impl Papers {
    /// Refuses a component that somebody has something against: its own signature, the trusted keys, the lock. Returns
    /// who signed it.
    ///
    /// # Errors
    /// Says who, and why.
    pub fn check(&self, component: &[u8]) -> anyhow::Result<Option<&PublicKey>> {
        let signer = self.signer(component)?;
        trusted(signer, &self.rules.keys)?;
        if let Some(lock) = &self.rules.lock {
            lock.check(&self.name, component, self.manifest.as_deref())?;
        }
        Ok(signer)
    }

    /// Who signed it, if anybody did.
    ///
    /// # Errors
    /// When it carries a signature that is damaged, forged, or of other bytes.
    pub fn signer(&self, component: &[u8]) -> anyhow::Result<Option<&PublicKey>> {
        let Some(signature) = &self.signature else { return Ok(None) };
        let signature = signature.as_ref().map_err(Clone::clone).context("its signature is refused")?;
        let manifest = self.manifest.as_deref().unwrap_or_default();
        signature.verify(component, manifest).context("its signature is refused")?;
        Ok(Some(signature.signer()))
    }
}

/// Refuses who is none of those trusted, if any are.
///
/// # Errors
/// Names the signer and those who are trusted.
pub fn trusted(signer: Option<&PublicKey>, keys: &[PublicKey]) -> anyhow::Result<()> {
    if keys.is_empty() || signer.is_some_and(|signer| keys.iter().any(|key| key.is(signer))) {
        return Ok(());
    }
    let allowed = keys.iter().map(|key| format!("`{}`", key.name())).collect::<Vec<_>>().join(", ");
    match signer {
        Some(signer) => bail!(
            "it is signed by `{signer}`, allowed are {allowed}\n\
             hint: if you trust that key, add it to `[trust] keys` of the host's configuration"
        ),
        None => bail!(
            "it is not signed, allowed are tools signed by {allowed}\n\
             hint: sign it with `tomas-host tool sign`, or name its folder in `[trust] unsigned` of the host's configuration"
        ),
    }
}

/// The signature in a tool's folder, if there is one. What cannot be read counts as one that is refused.
#[must_use]
pub fn signature(folder: &Path) -> Option<Result<Signature, SignatureError>> {
    let path = folder.join(SIGNATURE);
    path.symlink_metadata().ok()?;
    let text = files::read(&path, MOST).and_then(|bytes| Ok(String::from_utf8(bytes)?));
    Some(match text {
        Ok(text) => Signature::parse(&text),
        Err(error) => {
            Err(SignatureError::Malformed(format!("{error:#}").lines().next().unwrap_or_default().to_owned()))
        }
    })
}
