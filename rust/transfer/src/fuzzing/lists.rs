//! Readers of lists, of the ends of signed links, and of shards.

use std::io::Cursor;

use url::Url;

use crate::expiry;
use crate::list::{name, Addresses, Format, Label, Parsed};
use crate::manifest::{file_of, Line};
use crate::tar;

/// Whatever a list holds, what is taken from it is a web address and a path inside the folder.
pub fn list(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let base = Url::parse("https://h/x/").ok();
    for (label, base) in [(Label::Other, None), (Label::Csv, base.as_ref())] {
        let Ok((mut format, _)) = Format::sniff(&first, label, base.is_some()) else {
            continue;
        };
        let mut addresses = Addresses::default();
        for line in lines.clone() {
            let Parsed::Row(row) = format.parse(line) else {
                continue;
            };
            let Ok(checked) = row.check(&mut addresses, base, true) else {
                continue;
            };
            assert!(name::fault(&checked.name).is_none());
            assert!(!checked.name.starts_with('/') && !checked.name.contains('\\'));
            assert!(checked
                .name
                .split('/')
                .all(|part| !matches!(part, "" | "." | "..")));
            if let Some(text) = checked.url {
                let url = Url::parse(&text);
                assert!(url.as_ref().is_ok_and(|url| url.as_str() == text));
                let Ok(url) = url else { continue };
                assert!(matches!(url.scheme(), "http" | "https") && url.fragment().is_none());
                assert!(url.host_str().is_some_and(|host| !host.is_empty()));
            }
        }
    }
}

/// A line of a manifest is a file with all that is needed to check it, or no file.
pub fn manifest(data: &[u8]) {
    for text in data.split(|byte| *byte == b'\n') {
        if let Some(Line::File(entry)) = file_of(text) {
            assert!(entry
                .bytes
                .is_some_and(|bytes| i64::try_from(bytes).is_ok()));
            assert!(entry.sha256.is_some());
        }
    }
}

/// Any query has an end or none; the same one each time.
pub fn link_expiry(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(url) = Url::parse(&format!("https://h/f?{text}")) {
        assert_eq!(expiry::ends(&url), expiry::ends(&url));
        assert!(url.query().is_some_and(|query| !query.is_empty()) || expiry::ends(&url).is_none());
    }
}

/// A shard is whole and ours, or refused; its members fit in it.
pub fn shard(data: &[u8]) {
    let mut total = 0_u64;
    let outcome = tar::read(&mut Cursor::new(data), |_, size| total += size);
    if outcome.is_ok() {
        assert!(total < data.len() as u64 && data.ends_with(&[0; 1024]));
    }
}
