//! One line of a list, understood: what every format comes down to.

use url::Url;

use super::name;
use crate::manifest::sha256;

/// What a line says of one file. Nothing in it is checked yet but what the type holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Where it is, as written; perhaps relative.
    pub url: Option<String>,
    /// Its name, perhaps in a sub-folder (`a/b.png`).
    pub name: Option<String>,
    /// Size in bytes.
    pub bytes: Option<u64>,
    /// SHA-256 of its content.
    pub sha256: Option<[u8; 32]>,
    /// The render it belongs to.
    pub render: Option<u64>,
    /// What kind of file it is.
    pub asset: Option<String>,
}

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A file.
    Row(Row),
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
pub struct Checked {
    /// Absolute, http or https, without a fragment; none if the template has to give it.
    pub url: Option<Url>,
    /// A name that may be a path inside the output folder.
    pub name: String,
}

impl Row {
    /// Sets size and hash from texts; an empty text is none.
    pub fn measures(&mut self, bytes: &str, digest: &str) -> Result<(), &'static str> {
        if !bytes.is_empty() {
            self.bytes = Some(
                bytes
                    .parse()
                    .map_err(|_| "its size is no whole number of bytes")?,
            );
        }
        if !digest.is_empty() {
            self.sha256 = Some(sha256(digest).ok_or("its sha256 is not 64 hexadecimal digits")?);
        }
        Ok(())
    }

    /// The address and the name, or why there is none. Relative URLs are relative to `base`.
    pub fn check(&self, base: Option<&Url>, has_template: bool) -> Result<Checked, String> {
        let url = match &self.url {
            Some(text) => Some(address(text, base)?),
            None if has_template && self.name.is_some() => None,
            None => return Err("it names no url".to_owned()),
        };
        let name = match (&self.name, &url) {
            (Some(name), _) => name.clone(),
            (None, Some(url)) => name::of(url)?,
            (None, None) => return Err("it names no file".to_owned()),
        };
        if let Some(why) = name::fault(&name) {
            let shown = crate::names::shown(&name);
            return Err(format!("{shown}: refused as a file name: {why}"));
        }
        Ok(Checked { url, name })
    }
}

/// An absolute web address without a fragment.
pub fn address(text: &str, base: Option<&Url>) -> Result<Url, &'static str> {
    let parsed = match base {
        Some(base) => base.join(text),
        None => Url::parse(text),
    };
    let mut url = parsed.map_err(|_| "it is no absolute URL; relative ones need --base")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("its URL is neither http nor https");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("its URL names no host");
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(url: &str, name: Option<&str>) -> Row {
        Row {
            url: Some(url.to_owned()),
            name: name.map(str::to_owned),
            ..Row::default()
        }
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
            let checked = row(url, None).check(None, false);
            assert_eq!(checked.map(|row| row.name), Ok(name.to_owned()), "{url}");
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
            assert!(row(url, name).check(None, false).is_err(), "{url} {name:?}");
        }
        assert!(row("http://h/a", Some("a/b/c.png"))
            .check(None, false)
            .is_ok());
    }

    #[test]
    fn a_base_makes_relative_urls_whole() {
        let base = Url::parse("https://h/x/list.txt").ok();
        let checked = row("y/z.png#f", None).check(base.as_ref(), false);
        let url = checked.ok().and_then(|row| row.url).map(String::from);
        assert_eq!(url.as_deref(), Some("https://h/x/y/z.png"));
    }
}
