//! Which servers to believe: the system's roots and the bundled ones, both.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` name other roots, as for OpenSSL, and as there one of them may be
//! the server's own certificate: what `openssl req -x509` makes says of itself that it is an authority.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_name, WebPkiServerVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use crate::error::{Error, Result};

/// A client configuration with the system's and the bundled roots.
pub fn config() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    let is_named = |name| std::env::var_os(name).is_some();
    let own = match is_named("SSL_CERT_FILE") || is_named("SSL_CERT_DIR") {
        true => native.certs.clone(),
        false => Vec::new(),
    };
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
    let fail =
        |error: &dyn std::fmt::Display| Error::new("tls", format!("cannot set up TLS: {error}"));
    let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let usual = usual.build().map_err(|error| fail(&error))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| fail(&error))?;
    let mut config = config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { usual, own }))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What a server shows when it shows an authority's certificate as its own.
pub const SHOWS_AUTHORITY: &str = "CaUsedAsEndEntity";

/// The usual checks; of a certificate that is, byte for byte, one that the user named, all but that it
/// is no authority.
#[derive(Debug)]
struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    own: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let outcome = self
            .usual
            .verify_server_cert(shown, intermediates, name, ocsp, now);
        // The times were looked at before this is said; who holds the key is shown by the handshake.
        match &outcome {
            Err(rustls::Error::InvalidCertificate(CertificateError::Other(why)))
                if why.0.to_string() == SHOWS_AUTHORITY && self.own.contains(shown) =>
            {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            _ => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, shown, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, shown, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
