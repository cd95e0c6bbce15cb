//! Which format a list has, told by its first line and, in doubt, by what it calls itself.

use super::csv::Csv;
use super::row::Parsed;
use super::{json, text};
use crate::error::{Error, Result};

/// A list's format, with what it needs to remember between lines.
pub enum Format {
    /// `URL` or `URL<TAB>NAME`.
    Text,
    /// A table with a header line.
    Csv(Box<Csv>),
    /// An object a line.
    Json,
}

/// What a list calls itself: its extension or media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// `.csv`, `.tsv`, `text/csv`.
    Csv,
    /// Anything else.
    Other,
}

impl Label {
    /// The label of a file name, URL path or media type.
    pub fn of(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let bare = text.trim_end_matches(".gz").trim_end_matches(".zst");
        let ends = [".csv", ".tsv", "text/csv", "text/tab-separated-values"];
        if ends.iter().any(|end| bare.ends_with(end)) {
            Self::Csv
        } else {
            Self::Other
        }
    }
}

impl Format {
    /// The format that `line` begins, the first that is neither blank nor a comment.
    ///
    /// `is_header` tells the caller that the line itself is no file.
    pub fn sniff(line: &str, label: Label, has_base: bool) -> Result<(Self, bool)> {
        let line = line.trim();
        let refused = |why: &str| {
            Error::new("invalid-list", format!("this is no list: {why}")).hint(
                "a list has a URL a line (and perhaps a tab and a name), or is CSV with a header \
                 line that names url, or NDJSON with url, or a manifest",
            )
        };
        match line.bytes().next() {
            Some(b'{') => return Ok((Self::Json, false)),
            Some(b'[') => return Err(refused("it is a JSON array, not an object a line")),
            Some(b'<') => return Err(refused("it is a web page or XML")),
            _ => {}
        }
        let is_url = is_web(line.split('\t').next().unwrap_or_default());
        if label == Label::Other && is_url {
            return Ok((Self::Text, false));
        }
        if let Some(csv) = Csv::new(line) {
            return Ok((Self::Csv(Box::new(csv)), true));
        }
        if line.contains('\r') {
            return Err(refused("its lines end in carriage returns alone"));
        }
        if label == Label::Csv {
            return Err(refused("its header line names no column url"));
        }
        // A bad first line does not make the rest bad.
        if has_base || line.contains(':') {
            return Ok((Self::Text, false));
        }
        Err(refused(
            "its first line is no URL, and relative ones need --base",
        ))
    }

    /// Understands one line, without its end.
    pub fn parse<'a>(&'a mut self, line: &'a [u8]) -> Parsed<'a> {
        if line.contains(&0) {
            return Parsed::Bad("it holds a NUL");
        }
        let Ok(line) = std::str::from_utf8(line) else {
            return Parsed::Bad("it is not UTF-8");
        };
        match self {
            Self::Text => text::parse(line),
            Self::Csv(csv) => csv.parse(line),
            Self::Json => json::parse(line),
        }
    }

    /// True if the list must not end here.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Csv(csv) if csv.is_open())
    }
}

fn is_web(text: &str) -> bool {
    let head = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    head.starts_with("http://") || head.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(line: &str, label: Label, has_base: bool) -> &'static str {
        match Format::sniff(line, label, has_base) {
            Ok((Format::Text, _)) => "text",
            Ok((Format::Csv(_), _)) => "csv",
            Ok((Format::Json, _)) => "json",
            Err(_) => "refused",
        }
    }

    #[test]
    fn the_first_line_tells() {
        for (line, label, has_base, expected) in [
            ("http://h/a,b.png", Label::Other, false, "text"),
            ("HTTPS://h/a\tn", Label::Other, false, "text"),
            ("url,name", Label::Other, false, "csv"),
            ("name\turl", Label::Other, false, "csv"),
            ("url", Label::Other, false, "csv"),
            ("http://h/a,b.png", Label::Csv, false, "refused"),
            ("{\"url\":1}", Label::Csv, false, "json"),
            ("<html>", Label::Other, true, "refused"),
            ("[{}]", Label::Other, true, "refused"),
            ("a.png", Label::Other, true, "text"),
            ("a.png", Label::Other, false, "refused"),
            ("ftp://h/a", Label::Other, false, "text"),
            ("url\rhttp://h/a", Label::Other, false, "refused"),
        ] {
            assert_eq!(kind(line, label, has_base), expected, "{line}");
        }
        assert_eq!(Label::of("/a/B.CSV.gz"), Label::Csv);
        assert_eq!(Label::of("text/plain"), Label::Other);
    }
}
