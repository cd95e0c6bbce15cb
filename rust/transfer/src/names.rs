//! File names come from the network: they are data, and hostile until shown otherwise.

/// The folder inside the output folder that holds unfinished work.
pub const WORK: &str = ".synthesis";

/// Longest name that every common file system takes, in bytes.
const LONGEST: usize = 255;

/// Why `name` must not be used as a file name on some system we run on, or `None` if it is fine.
///
/// The same rules hold everywhere, so that a folder made on one system can be copied to any other.
pub fn fault(name: &str) -> Option<&'static str> {
    if is_ordinary(name) {
        return None;
    }
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.len() > LONGEST {
        return Some("it is longer than 255 bytes");
    }
    if name == "." || name == ".." {
        return Some("it names a folder");
    }
    if name.contains(['/', '\\']) {
        return Some("it holds a path separator");
    }
    if name
        .chars()
        .any(|letter| letter.is_control() || is_invisible(letter))
    {
        return Some("it holds a control character");
    }
    if name.contains(['<', '>', ':', '"', '|', '?', '*']) {
        return Some("it holds a character that Windows forbids");
    }
    if name.ends_with(['.', ' ']) {
        return Some("it ends in a dot or a space");
    }
    if is_device(name) {
        return Some("Windows reserves it for a device");
    }
    if name.eq_ignore_ascii_case(WORK) {
        return Some("it is the folder of unfinished work");
    }
    None
}

/// True for most names, which need no closer look: ASCII letters, digits, `-`, `_` and inner dots, and
/// before the first dot not as many as a device has.
fn is_ordinary(name: &str) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bytes = name.as_bytes();
    let stem = bytes.iter().position(|byte| *byte == b'.');
    !matches!(stem.unwrap_or(bytes.len()), 0 | 3 | 4)
        && bytes.len() <= LONGEST
        && bytes.last() != Some(&b'.')
        && bytes.iter().all(is_plain)
}

/// What a disk that does not tell capital letters apart, nor how accents are written, makes of a
/// name: two names with the same outcome would be one file there.
pub fn folded(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    name.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfd()
        .collect()
}

/// Marks that change the direction of text or take no room: a name with them is not what it seems.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// CON, PRN, AUX, NUL, COM1-9, LPT1-9 (also with superscript digits), whatever follows a dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    if matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) {
        return true;
    }
    let Some(port) = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"))
    else {
        return false;
    };
    let mut digits = port.chars();
    matches!(
        (digits.next(), digits.next()),
        (Some('1'..='9' | '¹' | '²' | '³'), None)
    )
}

/// A name made safe to print: control characters become `?`, and it is cut at 120 letters.
pub fn shown(name: &str) -> String {
    name.chars()
        .take(120)
        .map(|letter| {
            if letter.is_control() || is_invisible(letter) {
                '?'
            } else {
                letter
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_pass() {
        for name in [
            "0.cam_default.f_1.rgb.png",
            "metadata.jsonl",
            "é.png",
            ".hidden",
            "a b",
            "CONSOLE.txt",
            "com10",
        ] {
            assert_eq!(fault(name), None, "{name}");
        }
    }

    #[test]
    fn hostile_names_are_refused() {
        let long = "x".repeat(256);
        let bad = [
            "",
            ".",
            "..",
            "../a",
            "a/b",
            "a\\b",
            "/etc/passwd",
            "C:\\x",
            "c:x",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a.",
            "a ",
            "CON",
            "con.txt",
            "Nul",
            "aux.png",
            "COM1",
            "lpt9.x",
            "COM¹",
            "a<b",
            "a>b",
            "a\"b",
            "a|b",
            "a?b",
            "a*b",
            ".synthesis",
            ".SYNTHESIS",
            "a\u{202e}gnp.exe",
            long.as_str(),
        ];
        for name in bad {
            assert!(fault(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn folding_makes_one_of_what_is_one_to_a_disk() {
        for (one, other) in [
            ("a.PNG", "A.png"),
            ("\u{e9}.png", "E\u{301}.PNG"),
            ("straße", "STRASSE"),
            ("ﬁ", "FI"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("e.png"), folded("\u{e9}.png"));
    }

    #[test]
    fn printing_a_name_cannot_move_the_cursor() {
        assert_eq!(shown("a\x1b[2Jb"), "a?[2Jb");
    }
}
