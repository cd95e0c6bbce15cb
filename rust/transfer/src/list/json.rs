//! NDJSON: an object a line, with `url`, `name`, `size` or `bytes`, `sha256`, `render`, `asset`, or
//! with a manifest's short keys; also a manifest that was saved to a file.

use serde::Deserialize;
use serde_json::Value;

use super::row::{Parsed, Row};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    #[serde(alias = "u")]
    url: Option<String>,
    #[serde(alias = "n")]
    name: Option<String>,
    #[serde(alias = "b", alias = "size")]
    bytes: Option<Value>,
    #[serde(alias = "h")]
    sha256: Option<String>,
    #[serde(alias = "r")]
    render: Option<u64>,
    #[serde(alias = "a")]
    asset: Option<String>,
    count: Option<u64>,
    expires: Option<i64>,
    complete: Option<bool>,
    end: Option<bool>,
    next: Option<String>,
}

/// Understands one line, without its end.
pub fn parse(line: &str) -> Parsed {
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
    let bytes = match raw.bytes {
        None | Some(Value::Null) => String::new(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text,
        Some(_) => return Parsed::Bad("its size is no whole number of bytes"),
    };
    match (raw.url, raw.name) {
        (Some(template), None) if template.contains("{name}") => Parsed::Head {
            template,
            count: raw.count,
            bytes: bytes.parse().ok(),
            expires: raw.expires,
            complete: raw.complete,
        },
        (url, name) => {
            let mut row = Row {
                url,
                name,
                render: raw.render,
                asset: raw.asset,
                ..Row::default()
            };
            match row.measures(&bytes, raw.sha256.as_deref().unwrap_or_default()) {
                Ok(()) => Parsed::Row(row),
                Err(why) => Parsed::Bad(why),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sets_of_keys_are_known() {
        let digest = "ab".repeat(32);
        let long = parse(&format!(
            r#"{{"url":"http://h/a","name":"a","size":7,"sha256":"{digest}","extra":[1]}}"#
        ));
        let short = parse(&format!(
            r#"{{"u":"http://h/a","n":"a","b":7,"h":"{digest}"}}"#
        ));
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
