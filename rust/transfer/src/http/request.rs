//! The bytes of a request.

use std::io::Write;

use base64::prelude::{Engine, BASE64_STANDARD};
use http::header::{
    HeaderMap, HeaderName, ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HOST, USER_AGENT,
};
use http::Method;
use percent_encoding::percent_decode_str;
use url::{Position, Url};

use super::place::Place;

/// What a request is made of.
pub struct Parts<'a> {
    pub method: &'a Method,
    pub url: &'a Url,
    pub place: &'a Place,
    pub user_agent: &'a str,
    /// Headers for this origin only.
    pub secret: Option<&'a HeaderMap>,
    /// The other headers.
    pub open: &'a HeaderMap,
    pub body: Option<&'a [u8]>,
}

impl Parts<'_> {
    /// Writes it all to `out`, in place of what was there.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        let forwarder = self.place.forwarder();
        if forwarder.is_some() {
            out.extend_from_slice(b"http://");
            out.extend_from_slice(self.place.authority.as_bytes());
        }
        out.extend_from_slice(self.url[Position::BeforePath..Position::AfterQuery].as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        field(out, &HOST, self.place.authority.as_bytes());
        if !self.has(&USER_AGENT) {
            field(out, &USER_AGENT, self.user_agent.as_bytes());
        }
        if !self.has(&ACCEPT) {
            field(out, &ACCEPT, b"*/*");
        }
        if let Some(key) = forwarder.and_then(|proxy| proxy.basic_auth()) {
            field(out, &http::header::PROXY_AUTHORIZATION, key.as_bytes());
        }
        let has_user = !self.url.username().is_empty() || self.url.password().is_some();
        if has_user && !self.has(&AUTHORIZATION) {
            field(out, &AUTHORIZATION, self.basic().as_bytes());
        }
        for (name, value) in self.secret.into_iter().flatten().chain(self.open) {
            // Ours are the true ones.
            if *name != CONTENT_LENGTH && *name != HOST {
                field(out, name, value.as_bytes());
            }
        }
        let may_have_body = !self.method.is_safe();
        if self.body.is_some() || may_have_body {
            let _ = write!(
                out,
                "content-length: {}\r\n",
                self.body.map_or(0, <[u8]>::len)
            );
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(self.body.unwrap_or_default());
    }

    fn has(&self, name: &HeaderName) -> bool {
        self.open.contains_key(name) || self.secret.is_some_and(|map| map.contains_key(name))
    }

    /// The user and password of the URL, which go nowhere but to its own origin.
    fn basic(&self) -> String {
        let mut pair: Vec<u8> = percent_decode_str(self.url.username()).collect();
        pair.push(b':');
        pair.extend(percent_decode_str(self.url.password().unwrap_or_default()));
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }
}

fn field(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
