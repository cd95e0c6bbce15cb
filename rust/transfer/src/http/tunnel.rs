//! A way through a proxy: HTTP CONNECT and SOCKS, both by `hyper-util`.

use std::future::{ready, Ready};
use std::io;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::proxy::{SocksV4, SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::connection::{Stream, Wire};
use super::place::Place;

/// Lets the proxy at the other end of `wire` connect it to `place`.
pub async fn tunnel(place: &Place, proxy: &Intercept, wire: Wire) -> io::Result<Wire> {
    let stream: Box<dyn Stream> = match wire {
        Wire::Tcp(socket) => Box::new(socket),
        Wire::Other(stream) => stream,
    };
    let open = Given(Some(TokioIo::new(stream)));
    let scheme = proxy.uri().scheme_str().unwrap_or("http");
    // Those without an h or an a leave the look-up of names to us.
    let host = match scheme {
        "socks4" | "socks5" => &looked_up(place, scheme == "socks4").await?,
        _ => &place.host,
    };
    let target = if host.contains(':') {
        format!("http://[{host}]:{}/", place.port)
    } else {
        format!("http://{host}:{}/", place.port)
    };
    let target: Uri = target.parse().map_err(io::Error::other)?;
    let through = proxy.uri().clone();
    let stream = match scheme {
        "socks4" | "socks4a" => SocksV4::new(through, open)
            .call(target)
            .await
            .map_err(|error| refused(&error))?,
        "socks5" | "socks5h" => {
            let mut socks = SocksV5::new(through, open);
            if let Some((user, password)) = proxy.raw_auth() {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            socks.call(target).await.map_err(|error| refused(&error))?
        }
        _ => {
            let mut tunnel = Tunnel::new(through, open);
            if let Some(key) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(key.clone());
            }
            tunnel.call(target).await.map_err(|error| refused(&error))?
        }
    };
    Ok(Wire::Other(stream.into_inner()))
}

async fn looked_up(place: &Place, v4_only: bool) -> io::Result<String> {
    let mut found = tokio::net::lookup_host((place.host.as_str(), place.port)).await?;
    let address = found.find(|address| address.is_ipv4() || !v4_only);
    let none = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    Ok(address.ok_or_else(none)?.ip().to_string())
}

fn refused(error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("the proxy made no tunnel: {error}"))
}

/// The library would open the connection to the proxy itself; ours is open already.
struct Given(Option<TokioIo<Box<dyn Stream>>>);

impl Service<Uri> for Given {
    type Response = TokioIo<Box<dyn Stream>>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(
            self.0
                .take()
                .ok_or_else(|| io::ErrorKind::NotConnected.into()),
        )
    }
}
