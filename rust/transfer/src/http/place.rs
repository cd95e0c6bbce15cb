//! Where connections lead: an origin, and the proxy that stands before it.

use std::net::IpAddr;
use std::sync::{Mutex, OnceLock};

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::time::Instant;
use url::{Host, Url};

use crate::error::{Error, Result};
use crate::key::host;

/// One origin, with what is known of the way there.
pub struct Place {
    /// True for `https`.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// The port, the scheme's own if none was named.
    pub port: u16,
    /// For people: scheme, host and port.
    pub shown: String,
    /// What the `Host` field says.
    pub authority: String,
    /// The proxy to go through.
    pub proxy: Option<Intercept>,
    /// Addresses found for the host, and when.
    pub(super) found: tokio::sync::Mutex<Option<Found>>,
    /// How many connections were begun: each begins with the next address.
    pub(super) turn: std::sync::atomic::AtomicUsize,
    /// Connections that are open.
    pub(super) open: std::sync::atomic::AtomicUsize,
    /// True after IPv4 was faster, so that a network with a broken IPv6 costs one wait.
    pub(super) prefers_v4: Mutex<Option<bool>>,
}

/// The addresses of a name.
pub(super) struct Found {
    pub addresses: Vec<std::net::SocketAddr>,
    pub at: Instant,
}

impl Place {
    /// The place of a URL.
    pub fn of(url: &Url) -> Result<Self> {
        let no_host = || Error::new("bad-answer", "a web address without a host");
        let name = match url.host().ok_or_else(no_host)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let written = url.host_str().unwrap_or_default();
        let authority = match url.port() {
            Some(port) => format!("{written}:{port}"),
            None => written.to_owned(),
        };
        let proxy = if is_loopback(&name) {
            None
        } else {
            let origin = format!("{}://{authority}/", url.scheme());
            let uri = origin.parse().ok();
            uri.and_then(|uri| proxies().intercept(&uri))
        };
        Ok(Self {
            tls: url.scheme() == "https",
            port: url.port_or_known_default().unwrap_or(80),
            shown: host(url),
            host: name,
            authority,
            proxy,
            found: tokio::sync::Mutex::default(),
            turn: std::sync::atomic::AtomicUsize::new(0),
            open: std::sync::atomic::AtomicUsize::new(0),
            prefers_v4: Mutex::default(),
        })
    }

    /// The HTTP proxy that is sent whole requests, if there is one on the way.
    pub fn forwarder(&self) -> Option<&Intercept> {
        let is_http =
            |proxy: &&Intercept| matches!(proxy.uri().scheme_str(), Some("http" | "https"));
        self.proxy.as_ref().filter(is_http).filter(|_| !self.tls)
    }
}

/// No proxy can reach this machine's own loopback, where the embedded platform is.
fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The environment's proxies, or the system's: read once.
fn proxies() -> &'static Matcher {
    static PROXIES: OnceLock<Matcher> = OnceLock::new();
    PROXIES.get_or_init(Matcher::from_system)
}
