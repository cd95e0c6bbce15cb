//! The simplest list: `URL` or `URL<TAB>NAME`, one a line; blank lines and `#` comments say nothing.

use super::row::{Parsed, Row};

/// Understands one line, without its end.
pub fn parse(line: &str) -> Parsed<'_> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Parsed::Nothing;
    }
    let (url, name) = match line.split_once('\t') {
        Some((url, name)) => (url.trim_end(), Some(name.trim())),
        None => (line, None),
    };
    if url.contains(char::is_whitespace) {
        return Parsed::Bad("its URL holds a space; a name is divided from it by a tab");
    }
    Parsed::Row(Row {
        url: Some(url.into()),
        name: name.filter(|name| !name.is_empty()).map(Into::into),
        ..Row::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(String, Option<String>)> {
        match parse(line) {
            Parsed::Row(row) => {
                let url = row.url.unwrap_or_default().into_owned();
                Some((url, row.name.map(Into::into)))
            }
            _ => None,
        }
    }

    #[test]
    fn a_line_is_a_url_and_perhaps_a_name() {
        let url = "http://h/a.png".to_owned();
        assert_eq!(read("http://h/a.png\r"), Some((url.clone(), None)));
        assert_eq!(read("  http://h/a.png\t"), Some((url.clone(), None)));
        assert_eq!(
            read("http://h/a.png\tx/b c.png"),
            Some((url, Some("x/b c.png".to_owned())))
        );
        assert_eq!(parse("# comment"), Parsed::Nothing);
        assert_eq!(parse(" \t "), Parsed::Nothing);
        assert!(matches!(parse("http://h/a b"), Parsed::Bad(_)));
    }
}
