//! One line of a list, understood: what every format comes down to.

use std::borrow::Cow;

use url::Url;

use super::address::Addresses;
use super::name;
use crate::manifest::sha256;

/// What a line says of one file. Nothing in it is checked yet but what the type holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row<'a> {
    /// Where it is, as written; perhaps relative.
    pub url: Option<Cow<'a, str>>,
    /// Its name, perhaps in a sub-folder (`a/b.png`).
    pub name: Option<Cow<'a, str>>,
    /// Size in bytes.
    pub bytes: Option<u64>,
    /// SHA-256 of its content.
    pub sha256: Option<[u8; 32]>,
    /// The render it belongs to.
    pub render: Option<u64>,
    /// What kind of file it is.
    pub asset: Option<Cow<'a, str>>,
}

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A file.
    Row(Row<'a>),
    /// The first line of a manifest: how a name becomes a URL, how many files and bytes.
    Head {
        /// A URL reference that holds `{name}`.
        template: String,
        /// Files, if known.
        count: Option<u64>,
        /// Their bytes.
        bytes: Option<u64>,
        /// When the template's signature ends, in seconds since 1970.
        expires: Option<i64>,
        /// True once no more files will come.
        complete: Option<bool>,
    },
    /// The last line of a manifest; true if the list goes on elsewhere.
    End(bool),
    /// Nothing by itself: a blank line, a comment, the header, a record that goes on.
    Nothing,
    /// A line that is none of this, and why.
    Bad(&'static str),
}

/// A row with its address and name made sure of.
#[derive(Debug, PartialEq, Eq)]
pub struct Checked<'a> {
    /// Absolute, http or https, without a fragment; none if the template has to give it.
    pub url: Option<Cow<'a, str>>,
    /// A name that may be a path inside the output folder.
    pub name: Cow<'a, str>,
}

/// The size that a text tells; an empty one tells none.
pub fn size(text: &str) -> Result<Option<u64>, &'static str> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| NO_SIZE),
    }
}

/// What is said of a size that is none.
pub const NO_SIZE: &str = "its size is no whole number of bytes";

/// The hash that a text tells; an empty one tells none.
pub fn digest(text: &str) -> Result<Option<[u8; 32]>, &'static str> {
    match text {
        "" => Ok(None),
        text => sha256(text)
            .map(Some)
            .ok_or("its sha256 is not 64 hexadecimal digits"),
    }
}

impl Row<'_> {
    /// The address and the name, or why there is none. Relative URLs are relative to `base`.
    pub fn check(
        &self,
        addresses: &mut Addresses,
        base: Option<&Url>,
        has_template: bool,
    ) -> Result<Checked<'_>, String> {
        let url = match &self.url {
            Some(text) => Some(addresses.whole(text, base)?),
            None if has_template && self.name.is_some() => None,
            None => return Err("it names no url".to_owned()),
        };
        let name = match (&self.name, &url) {
            (Some(name), _) => Cow::Borrowed(name.as_ref()),
            (None, Some(url)) => name::of(url)?.into_owned().into(),
            (None, None) => return Err("it names no file".to_owned()),
        };
        if let Some(why) = name::fault(&name) {
            let shown = crate::names::shown(&name);
            return Err(format!("{shown}: refused as a file name: {why}"));
        }
        Ok(Checked { url, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(url: &'a str, name: Option<&'a str>) -> Row<'a> {
        Row {
            url: Some(url.into()),
            name: name.map(Into::into),
            ..Row::default()
        }
    }

    fn check(row: &Row<'_>, base: Option<&Url>) -> Result<(String, String), String> {
        let checked = row.check(&mut Addresses::default(), base, false)?;
        let url = checked.url.unwrap_or_default();
        Ok((url.into_owned(), checked.name.into_owned()))
    }

    #[test]
    fn names_come_from_the_last_segment() {
        for (url, name) in [
            ("http://h/a/b.png", "b.png"),
            ("https://h/a%20b.png?X-Sig=1#frag", "a b.png"),
            ("http://h/%C3%A9.png", "é.png"),
            ("http://h/a%2Fb.png", "a%2Fb.png"),
            ("http://h/a%3Ab.png", "a%3Ab.png"),
            ("http://h/%FF.png", "%FF.png"),
            ("http://h/a%00b", "a%00b"),
        ] {
            let checked = check(&row(url, None), None);
            assert_eq!(checked.map(|row| row.1), Ok(name.to_owned()), "{url}");
        }
    }

    #[test]
    fn bad_addresses_and_names_say_why() {
        for (url, name) in [
            ("ftp://h/a", None),
            ("file:///etc/passwd", None),
            ("javascript:alert(1)", None),
            ("a/b.png", None),
            ("http://h/", None),
            ("http://h/a/", None),
            ("http://", None),
            ("http://h/CON", None),
            ("http://h/a", Some("../a")),
            ("http://h/a", Some("/a")),
            ("http://h/a", Some("a//b")),
            ("http://h/a", Some("a/")),
            ("http://h/a", Some("a/../b")),
            ("http://h/a", Some("a\\b")),
            ("http://h/a", Some(".synthesis/lock")),
            ("http://h/a", Some("a/CON.txt")),
        ] {
            assert!(check(&row(url, name), None).is_err(), "{url} {name:?}");
        }
        assert!(check(&row("http://h/a", Some("a/b/c.png")), None).is_ok());
    }

    #[test]
    fn a_base_makes_relative_urls_whole() {
        let base = Url::parse("https://h/x/list.txt").ok();
        let checked = check(&row("y/z.png#f", None), base.as_ref());
        assert_eq!(
            checked.map(|row| row.0).as_deref(),
            Ok("https://h/x/y/z.png")
        );
    }
}
