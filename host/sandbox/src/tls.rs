//! Whom tools' connections trust: the certificate authorities of Mozilla's list, and those that the operator adds.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// Made when a tool first asks for an encrypted connection.
#[derive(Debug)]
pub(crate) struct Tls {
    certificates: Option<PathBuf>,
    client: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Tls {
    /// Trusts the authorities in the PEM file `certificates` as well.
    pub(crate) const fn new(certificates: Option<PathBuf>) -> Self {
        Self { certificates, client: OnceLock::new() }
    }

    /// How to be a client.
    ///
    /// # Errors
    /// When the file cannot be read or holds something else.
    pub(crate) fn client(&self) -> Result<Arc<ClientConfig>, String> {
        let made = self.client.get_or_init(|| self.make());
        made.clone().inspect_err(|error| tracing::error!("{error}"))
    }

    fn make(&self) -> Result<Arc<ClientConfig>, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() };
        if let Some(path) = &self.certificates {
            let refused = |why: &dyn std::fmt::Display| {
                format!(
                    "certificates `{}` are refused: {why}\nhint: give a PEM file of certificate authorities",
                    path.display()
                )
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(|error| refused(&error))? {
                let certificate = certificate.map_err(|error| refused(&error))?;
                roots.add(certificate).map_err(|error| refused(&error))?;
            }
        }
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}
