//! Which servers to believe: the system's roots and the bundled ones, both.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name other roots, as for OpenSSL.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::error::{Error, Result};

/// A client configuration with the system's and the bundled roots.
pub fn config() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(native.certs);
    if added == 0 {
        if let Some(path) = std::env::var_os("SSL_CERT_FILE") {
            let path = std::path::Path::new(&path).display().to_string();
            return Err(Error::new(
                "tls",
                format!("SSL_CERT_FILE names {path}, which holds no certificate"),
            )
            .hint("point SSL_CERT_FILE at a PEM file, or unset it"));
        }
    }
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new("tls", format!("cannot set up TLS: {error}")))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
