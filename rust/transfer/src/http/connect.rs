//! From a place to an open connection: addresses in turn, the faster family, proxies, TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout, Instant};
use tokio_rustls::TlsConnector;

use super::connection::{Stream, Wire};
use super::place::{Found, Place};
use super::trouble::{broken, cannot_connect};
use super::tunnel::tunnel;
use crate::backoff::lock;
use crate::error::{Error, Result};
use crate::tls;

/// At most four handshakes begin in a millisecond: more at once look like an attack.
const STEP: Duration = Duration::from_micros(250);

/// How long one address has before the next is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// How long addresses are believed.
const FRESH: Duration = Duration::from_secs(10);

/// Opens connections.
pub struct Connector {
    limit: Duration,
    next: Mutex<Instant>,
    tls: std::sync::OnceLock<Arc<ClientConfig>>,
}

impl Connector {
    /// Each connection may take `limit`, TLS included.
    pub fn new(limit: Duration) -> Self {
        Self {
            limit,
            next: Mutex::new(Instant::now()),
            tls: std::sync::OnceLock::new(),
        }
    }

    /// Opens a connection to `place`.
    pub async fn connect(&self, place: &Place) -> Result<Wire> {
        self.wait_for_turn().await;
        match timeout(self.limit, self.open(place)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let seconds = self.limit.as_secs_f32();
                let text = format!(
                    "cannot connect to {}: no answer in {seconds} s",
                    place.shown
                );
                Err(Error::new("timeout", text))
            }
        }
    }

    async fn wait_for_turn(&self) {
        let now = Instant::now();
        let turn = {
            let mut next = lock(&self.next);
            let turn = (*next).max(now);
            *next = turn + STEP;
            turn
        };
        // Clocks tick in milliseconds: four go at once.
        if turn > now + Duration::from_millis(1) {
            sleep_until(turn).await;
        }
    }

    async fn open(&self, place: &Place) -> Result<Wire> {
        let fail = |error: io::Error| cannot_connect(place, &error);
        let Some(proxy) = &place.proxy else {
            let socket = reach(place, &place.host, place.port).await.map_err(fail)?;
            return match place.tls {
                true => self.secure(place, &place.host, socket).await,
                false => Ok(Wire::Tcp(socket)),
            };
        };
        let uri = proxy.uri();
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let scheme = uri.scheme_str().unwrap_or("http");
        let port = uri.port_u16().unwrap_or(match scheme {
            "http" => 80,
            "https" => 443,
            _ => 1080,
        });
        let socket = reach(place, host, port).await.map_err(fail)?;
        let wire = match scheme {
            "https" => self.secure(place, host, socket).await?,
            _ => Wire::Tcp(socket),
        };
        let wire = match scheme {
            "http" | "https" if !place.tls => return Ok(wire),
            _ => tunnel(place, proxy, wire).await.map_err(fail)?,
        };
        match (place.tls, wire) {
            (true, Wire::Tcp(socket)) => self.secure(place, &place.host, socket).await,
            (true, Wire::Other(stream)) => self.secure(place, &place.host, stream).await,
            (false, wire) => Ok(wire),
        }
    }

    async fn secure(
        &self,
        place: &Place,
        host: &str,
        stream: impl Stream + 'static,
    ) -> Result<Wire> {
        let config = match self.tls.get() {
            Some(config) => config,
            None => {
                let config = Arc::new(tls::config()?);
                self.tls.get_or_init(|| config)
            }
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            let text = format!("{}: TLS failed: it is no proper host name", place.shown);
            Error::new("tls", text)
        })?;
        let connector = TlsConnector::from(config.clone());
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Wire::Other(Box::new(stream))),
            Err(error) => Err(broken(place, &error)),
        }
    }
}

/// A socket to a host: its addresses in turn, a head start apart.
async fn reach(place: &Place, host: &str, port: u16) -> io::Result<TcpStream> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return dial(SocketAddr::new(address, port)).await;
    }
    let mut addresses = addresses(place, host, port).await?.into_iter();
    let mut dials = JoinSet::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    loop {
        let is_last = match addresses.next() {
            Some(address) => {
                dials.spawn(async move { (address, dial(address).await) });
                addresses.len() == 0
            }
            None => true,
        };
        loop {
            let done = tokio::select! {
                done = dials.join_next() => done,
                () = sleep(HEAD_START), if !is_last => break,
            };
            match done {
                Some(Ok((address, Ok(socket)))) => {
                    *lock(&place.prefers_v4) = Some(address.is_ipv4());
                    return Ok(socket);
                }
                Some(Ok((_, Err(error)))) => last = error,
                Some(Err(_)) => {}
                None if is_last => {
                    // They may have moved.
                    *place.found.lock().await = None;
                    return Err(last);
                }
                None => break,
            }
        }
    }
}

async fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// The host's addresses, both families by turns, beginning with the next of the better one.
async fn addresses(place: &Place, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let mut found = place.found.lock().await;
    let known = match found.take() {
        Some(known) if known.at.elapsed() < FRESH => known,
        _ => Found {
            addresses: tokio::net::lookup_host((host, port)).await?.collect(),
            at: Instant::now(),
        },
    };
    let all = found.insert(known).addresses.clone();
    drop(found);
    let turn = place.turn.fetch_add(1, Ordering::Relaxed);
    let first_is_v4 = all.first().is_some_and(SocketAddr::is_ipv4);
    let v4_first = lock(&place.prefers_v4).unwrap_or(first_is_v4);
    Ok(order(all, turn, v4_first))
}

fn order(all: Vec<SocketAddr>, turn: usize, v4_first: bool) -> Vec<SocketAddr> {
    let (mut one, mut other): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|address| address.is_ipv4() == v4_first);
    for family in [&mut one, &mut other] {
        let by = turn % family.len().max(1);
        family.rotate_left(by);
    }
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut ordered = Vec::new();
    loop {
        match (one.next(), other.next()) {
            (None, None) => return ordered,
            pair => ordered.extend([pair.0, pair.1].into_iter().flatten()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_and_so_do_addresses() {
        let parse = |text: &str| text.parse().unwrap_or_else(|_| panic!("{text}"));
        let all: Vec<SocketAddr> = ["[::1]:1", "[::2]:1", "1.1.1.1:1", "2.2.2.2:1", "3.3.3.3:1"]
            .map(parse)
            .to_vec();
        let shown = |turn, v4_first| {
            let ordered = order(all.clone(), turn, v4_first).into_iter();
            ordered
                .map(|address| address.ip().to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(shown(0, false), "::1 1.1.1.1 ::2 2.2.2.2 3.3.3.3");
        assert_eq!(shown(1, true), "2.2.2.2 ::2 3.3.3.3 ::1 1.1.1.1");
        assert_eq!(order(Vec::new(), 5, true), []);
    }
}
