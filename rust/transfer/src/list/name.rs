//! Names in lists: taken from URLs when the list gives none, and paths of valid names otherwise.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::names;

/// Longest path inside the output folder, in bytes, and its most parts.
const LONGEST: usize = 1_000;
const DEEPEST: usize = 32;

/// Why `name` must not be used as a path inside the output folder, or `None` if it is fine.
///
/// Each part must be a file name that every system takes; parts are divided by `/`.
pub fn fault(name: &str) -> Option<&'static str> {
    if name.len() > LONGEST {
        return Some("it is longer than 1000 bytes");
    }
    if name.split('/').count() > DEEPEST {
        return Some("it is more than 32 folders deep");
    }
    name.split('/').find_map(names::fault)
}

/// The last segment of the path of an absolute URL, percent-decoded as far as the result can be a file name.
///
/// What cannot (`/`, `:` and others, control characters, what is not UTF-8) stays encoded, so two
/// different segments never give one name.
pub fn of(url: &str) -> Result<Cow<'_, str>, &'static str> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let segment = path.rsplit('/').next().unwrap_or_default();
    if segment.is_empty() {
        return Err("its URL ends in a slash, so it needs a name");
    }
    let Ok(text) = percent_decode_str(segment).decode_utf8() else {
        return Ok(segment.into());
    };
    let is_kept = |letter: char| !letter.is_control() && !"/\\<>:\"|?*%".contains(letter);
    if text.chars().all(is_kept) {
        return Ok(text);
    }
    let mut name = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_kept(letter) {
            name.push(letter);
            continue;
        }
        let mut bytes = [0; 4];
        for byte in letter.encode_utf8(&mut bytes).bytes() {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(name.into())
}
