//! Hashes as text.

/// What each letter stands for as a hexadecimal digit; 255 for none.
const VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut digit = 0;
    while digit < 16 {
        let letter = b"0123456789abcdef"[digit];
        values[letter as usize] = digit as u8;
        values[letter.to_ascii_uppercase() as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// 64 hexadecimal digits as bytes.
pub fn sha256(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let (mut bytes, mut all) = ([0; 32], 0);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        all |= high | low;
        *byte = high << 4 | low & 15;
    }
    (all < 16).then_some(bytes)
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
        assert_eq!(sha256(&text.to_uppercase()), sha256(&text));
        assert_eq!(sha256(&text[1..]), None);
        assert_eq!(sha256(&"+1".repeat(32)), None);
        assert_eq!(sha256(&"zz".repeat(32)), None);
    }
}
