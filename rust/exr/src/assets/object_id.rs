//! The id that a cryptomatte gives to a name.

/// The 32-bit id of an object name: MurmurHash3_32 with seed 0; where that would be a float with
/// an exponent of all zeros or all ones, bit 23 is flipped.
pub fn object_id(name: &str) -> u32 {
    let hash = murmur3(name.as_bytes());
    match hash >> 23 & 0xff {
        0 | 255 => hash ^ 1 << 23,
        _ => hash,
    }
}

/// MurmurHash3_x86_32 by Austin Appleby, seed 0.
fn murmur3(bytes: &[u8]) -> u32 {
    let mix = |word: u32| {
        word.wrapping_mul(0xcc9e_2d51)
            .rotate_left(15)
            .wrapping_mul(0x1b87_3593)
    };
    let word = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u32, |word, &byte| word << 8 | u32::from(byte))
    };
    let chunks = bytes.chunks_exact(4);
    let tail = mix(word(chunks.remainder()));
    let mut hash = chunks.fold(0_u32, |hash, chunk| {
        (hash ^ mix(word(chunk)))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64)
    });
    hash ^= tail ^ bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_public_files_do() {
        for (name, key) in [
            ("cryptomatte", "881c23b"),
            ("segmentation", "b818ccc"),
            ("VRayCryptomatte_Mtl", "88ce693"),
        ] {
            assert_eq!(format!("{:08x}", murmur3(name.as_bytes()))[..7], *key);
        }
        for (name, id) in [
            ("belts_2", 0xe9d4_5938),
            ("walls_0", 0x932c_97e6),
            ("arm_lower_left", 0x6ce9_3cfe),
        ] {
            assert_eq!(object_id(name), id);
        }
    }
}
