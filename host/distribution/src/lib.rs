//! Sharing components: through OCI registries ([`pull`](fn@pull), [`push`](fn@push)), with signatures ([`Signature`]) and a
//! list of digests ([`Lock`]).
//!
//! An artifact is what the WebAssembly ecosystem puts into registries: one layer of type `application/wasm`. Texts that
//! belong to it (a manifest, a signature) travel as annotations, so that every other client can pull it too.
//!
//! A registry is not trusted: bodies are bounded, every digest is computed here, redirects go to HTTPS or nowhere, and
//! credentials to the registry and its token service alone. That is why the protocol is spoken here, in the few requests
//! that it takes, and not by a client library that reads manifests and tokens of any length.
//!
//! Architecture invariant: this is the only crate of ours that knows OCI registries, TLS and signatures. It knows nothing
//! of tools beyond their bytes.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod challenge;
mod credentials;
mod digest;
mod error;
mod http;
mod image;
mod key;
mod lock;
mod login;
mod reference;
mod signature;
mod transfer;

#[cfg(test)]
mod tests;

pub use credentials::{Credentials, CredentialsError};
pub use digest::{Digest, DigestError};
pub use error::RegistryError;
pub use http::Access;
pub use image::{Artifact, MOST_IMAGE};
pub use key::{KeyError, PrivateKey, PublicKey};
pub use lock::{Lock, LockError, Locked};
pub use reference::{Reference, ReferenceError};
pub use signature::{Signature, SignatureError};
pub use transfer::{Pulled, Session, pull, push};
