//! Hashes as text.

/// 64 hexadecimal digits as bytes.
pub fn sha256(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| {
        [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]
    });
    digits.map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_round_trip() {
        let text = "00ff".repeat(16);
        assert_eq!(sha256(&text).map(|bytes| hex(&bytes)), Some(text.clone()));
        assert_eq!(sha256(&text[1..]), None);
        assert_eq!(sha256(&"+1".repeat(32)), None);
        assert_eq!(sha256(&"zz".repeat(32)), None);
    }
}
