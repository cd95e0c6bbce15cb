//! Our words for what goes wrong on the way: kind by cause, and the host in place of the URL, so
//! that the same trouble of many files reads the same.

use std::io;

use super::place::Place;
use crate::error::Error;
use crate::tls::SHOWS_AUTHORITY;

/// No connection came about.
pub fn cannot_connect(place: &Place, error: &io::Error) -> Error {
    let kind = if error.kind() == io::ErrorKind::TimedOut {
        "timeout"
    } else {
        "network"
    };
    let text = format!("cannot connect to {}: {}", place.shown, plain(error));
    Error::new(kind, text)
}

/// A connection broke.
pub fn broken(place: &Place, error: &io::Error) -> Error {
    let shown = &place.shown;
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(tls) => {
            let why = match tls.to_string() {
                text if text.contains(SHOWS_AUTHORITY) => {
                    "its certificate is self-signed, or an authority's own, and not trusted".into()
                }
                text => text,
            };
            Error::new("tls", format!("{shown}: TLS failed: {why}")).hint(
                "check the address and the clock; SSL_CERT_FILE adds your own certificate authority",
            )
        }
        None => no_http(place, &plain(error)),
    }
}

/// What came is no answer.
pub fn no_http(place: &Place, why: &str) -> Error {
    let text = format!("{}: the connection broke: {why}", place.shown);
    Error::new("network", text)
}

fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}
