//! NDJSON: an object a line, with `url`, `name`, `size` or `bytes`, `sha256`, `render`, `asset`, or
//! with a manifest's short keys; also a manifest that was saved to a file.

mod size;

use std::borrow::Cow;

use serde::Deserialize;

use super::row::{digest, Parsed, Row, NO_SIZE};
use crate::borrowed::Borrowed;
use size::Size;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw<'a> {
    #[serde(alias = "u", borrow)]
    url: Option<Borrowed<'a>>,
    #[serde(alias = "n", borrow)]
    name: Option<Borrowed<'a>>,
    #[serde(alias = "b", alias = "size")]
    bytes: Size,
    #[serde(alias = "h", borrow)]
    sha256: Option<Borrowed<'a>>,
    #[serde(alias = "r")]
    render: Option<u64>,
    #[serde(alias = "a", borrow)]
    asset: Option<Borrowed<'a>>,
    count: Option<u64>,
    expires: Option<i64>,
    complete: Option<bool>,
    end: Option<bool>,
    #[serde(borrow)]
    next: Option<Borrowed<'a>>,
}

/// Understands one line, without its end.
pub fn parse(line: &str) -> Parsed<'_> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Parsed::Nothing;
    }
    if !line.starts_with('{') {
        return Parsed::Bad("it is no JSON object");
    }
    let raw: Raw = match serde_json::from_str(line) {
        Ok(raw) => raw,
        Err(error) if error.is_data() => return Parsed::Bad("a value in it has the wrong type"),
        Err(_) => return Parsed::Bad("it is no JSON object"),
    };
    if raw.end == Some(true) {
        return Parsed::End(raw.next.is_some());
    }
    let Size::Known(bytes) = raw.bytes else {
        return Parsed::Bad(NO_SIZE);
    };
    match (text(raw.url), text(raw.name)) {
        (Some(template), None) if template.contains("{name}") => Parsed::Head {
            template: template.into_owned(),
            count: raw.count,
            bytes,
            expires: raw.expires,
            complete: raw.complete,
        },
        (url, name) => match digest(&text(raw.sha256).unwrap_or_default()) {
            Err(why) => Parsed::Bad(why),
            Ok(sha256) => Parsed::Row(Row {
                url,
                name,
                bytes,
                sha256,
                render: raw.render,
                asset: text(raw.asset),
            }),
        },
    }
}

fn text(field: Option<Borrowed<'_>>) -> Option<Cow<'_, str>> {
    field.map(|text| text.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sets_of_keys_are_known() {
        let digest = "ab".repeat(32);
        let long = format!(
            r#"{{"url":"http://h/a","name":"a","size":7,"sha256":"{digest}","extra":[1]}}"#
        );
        let short = format!(r#"{{"u":"http://h/\u0061","n":"a","b":"7","h":"{digest}"}}"#);
        let (long, short) = (parse(&long), parse(&short));
        assert!(matches!(&long, Parsed::Row(row) if row.bytes == Some(7)));
        assert_eq!(long, short);
        let bare = parse(r#"{"url":"http://h/a","size":null,"sha256":null}"#);
        assert!(matches!(&bare, Parsed::Row(row) if row.bytes.is_none() && row.name.is_none()));
    }

    #[test]
    fn a_saved_manifest_has_a_head_and_an_end() {
        let head = parse(r#"{"job":"j","count":2,"bytes":9,"url":"/f/{name}?s=1","expires":5}"#);
        assert!(matches!(
            head,
            Parsed::Head {
                count: Some(2),
                bytes: Some(9),
                ..
            }
        ));
        assert_eq!(parse(r#"{"end":true,"next":null}"#), Parsed::End(false));
        assert_eq!(parse(r#"{"end":true,"next":"x"}"#), Parsed::End(true));
    }

    #[test]
    fn bad_lines_say_why_and_never_panic() {
        for bad in [
            r#"{"url":5}"#,
            r#"{"url":"http://h/a","size":-1}"#,
            r#"{"url":"http://h/a","size":1.5}"#,
            r#"{"url":"http://h/a","size":"many"}"#,
            r#"{"url":"http://h/a","size":[{"a":1}]}"#,
            r#"{"url":"http://h/a","size":true}"#,
            r#"{"url":"http://h/a","size":18446744073709551616}"#,
            r#"{"url":"http://h/a","sha256":"xyz"}"#,
            r#"{"url":"a","u":"b"}"#,
            "[]",
            "{",
            "nonsense",
        ] {
            assert!(matches!(parse(bad), Parsed::Bad(_)), "{bad}");
        }
        let whole = r#"{"url":"http://h/a","name":"é","size":7}"#;
        for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            assert!(!matches!(parse(&whole[..end]), Parsed::Row(_)), "{end}");
        }
    }
}
