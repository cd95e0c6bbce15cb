//! What is secret, where it may go, and how URLs are shown.

use std::borrow::Cow;

use http::header::{HeaderMap, HeaderName};
use url::Url;

/// Headers for one origin only, whatever redirects or manifests say.
#[derive(Debug, Clone)]
pub struct Key {
    headers: HeaderMap,
    home: Option<Url>,
}

impl Key {
    /// The secret ones among `headers`, bound to the origin of `home` (without one, to that of each
    /// file's own URL, see [`Key::starting_at`]); and the others.
    pub fn split(headers: HeaderMap, home: Option<&Url>) -> (Self, HeaderMap) {
        let (mut secret, mut open) = (HeaderMap::new(), HeaderMap::new());
        let mut last = None;
        for (name, value) in headers {
            // A header map names only the first of several values of one header.
            last = name.or(last);
            let Some(name) = last.clone() else { continue };
            if is_secret(&name) {
                &mut secret
            } else {
                &mut open
            }
            .append(name, value);
        }
        (
            Self {
                headers: secret,
                home: home.cloned(),
            },
            open,
        )
    }

    /// The key for a request that begins at `url`, which a list without an origin of its own named:
    /// redirects to other origins get nothing.
    pub fn starting_at(&self, url: &Url) -> Cow<'_, Self> {
        if self.home.is_some() || self.headers.is_empty() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self {
            headers: self.headers.clone(),
            home: Some(url.clone()),
        })
    }

    /// The secret headers if `url` is at home, else none.
    pub fn for_url(&self, url: &Url) -> Option<&HeaderMap> {
        let home = self.home.as_ref()?;
        same_origin(url, home).then_some(&self.headers)
    }
}

/// True for headers that open doors, and for those whose names say so.
fn is_secret(name: &HeaderName) -> bool {
    let name = name.as_str();
    let tells = ["auth", "cookie", "token", "key", "secret", "password"];
    name == "x-synthesis-org" || tells.iter().any(|word| name.contains(word))
}

/// True if scheme, host and port are the same.
pub fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// A URL for people: no query (signatures live there), no user and password, no fragment.
pub fn shown(url: &Url) -> String {
    format!("{}{}", host(url), url.path())
}

/// Scheme, host and port of a URL, for people.
pub fn host(url: &Url) -> String {
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!(
        "{}://{}{port}",
        url.scheme(),
        url.host_str().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_key_without_a_home_goes_where_a_request_begins_and_no_further() {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", "k".parse().unwrap_or_else(|_| panic!()));
        headers.insert("accept", "*/*".parse().unwrap_or_else(|_| panic!()));
        let (key, open) = Key::split(headers, None);
        assert_eq!(open.len(), 1);
        assert!(key.for_url(&url("https://a.example/")).is_none());
        let begun = key.starting_at(&url("https://a.example/x"));
        assert!(begun.for_url(&url("https://a.example/y")).is_some());
        assert!(begun.for_url(&url("https://b.example/y")).is_none());
    }

    #[test]
    fn the_key_stays_at_home() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "authorization",
            "Bearer secret".parse().unwrap_or_else(|_| panic!()),
        );
        headers.insert("accept", "*/*".parse().unwrap_or_else(|_| panic!()));
        let (key, open) = Key::split(headers, Some(&url("https://a.example/api")));
        assert_eq!(open.len(), 1);
        assert!(key.for_url(&url("https://a.example:443/other")).is_some());
        for other in [
            "http://a.example/",
            "https://a.example:444/",
            "https://b.example/",
            "https://a.example.b.example/",
        ] {
            assert!(key.for_url(&url(other)).is_none(), "{other}");
        }
    }

    #[test]
    fn shown_urls_hold_no_secret() {
        assert_eq!(
            shown(&url("https://u:p@h.example:8/a/b?sig=SECRET#frag")),
            "https://h.example:8/a/b"
        );
    }
}
