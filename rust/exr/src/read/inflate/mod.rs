//! One zlib stream to bytes: by libdeflate, or by zlib-rs (feature `zlib-rs`) where no C may be
//! linked. Each is the judge of the other in the tests.

#[cfg(any(test, feature = "fuzzing", not(feature = "zlib-rs")))]
pub mod libdeflate;
#[cfg(any(test, feature = "fuzzing", feature = "zlib-rs"))]
pub mod pure;

#[cfg(not(feature = "zlib-rs"))]
pub use libdeflate::Inflate;
#[cfg(feature = "zlib-rs")]
pub use pure::Inflate;

use crate::error::Error;

/// Bytes that must be free behind those that are wanted.
///
/// libdeflate leaves its fast loop 299 bytes before the end of its room. When it is stopped early it
/// drops a match that does not fit, so up to 257 bytes before the end of the room may be missing;
/// and its fast loop writes up to 39 bytes behind what it has decoded.
pub const ROOM: usize = 320;

fn damaged() -> Error {
    Error::invalid("its packed bytes are damaged")
}

fn wrong_size(found: usize, length: usize) -> Error {
    if found > length {
        Error::invalid(format!("it unpacks to more than {length} bytes"))
    } else {
        Error::invalid(format!("it unpacks to {found} bytes, not {length}"))
    }
}

#[cfg(test)]
mod tests {
    use libdeflater::{CompressionLvl, Compressor};

    use super::{libdeflate, pure, ROOM};
    use crate::error::Result;
    use crate::read::input::{Input, SLACK};

    /// Noise, runs and short words after each other, so that streams have all sorts of symbols.
    fn mixed(length: usize, seed: u32) -> Vec<u8> {
        let mut seed = seed.wrapping_mul(2_654_435_761) | 1;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed
        };
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let (kind, count, byte) = (next() % 4, next() % 700 + 1, next());
            for index in 0..count {
                bytes.push(match kind {
                    0 => next() as u8,
                    1 => byte as u8,
                    2 => (byte >> (index % 3 * 8)) as u8,
                    _ => (next() % 5) as u8,
                });
            }
        }
        bytes.truncate(length);
        bytes
    }

    fn packed(raw: &[u8], level: i32) -> Vec<u8> {
        let mut packer = Compressor::new(CompressionLvl::new(level).unwrap());
        let mut out = vec![0; packer.zlib_compress_bound(raw.len())];
        let length = packer.zlib_compress(raw, &mut out).unwrap();
        out.truncate(length);
        out
    }

    /// A zlib stream of parts that are stored as they are, each of at most `step` bytes.
    fn stored(raw: &[u8], step: usize) -> Vec<u8> {
        let mut out = vec![0x78, 0x01];
        let count = raw.len().div_ceil(step);
        for (index, part) in raw.chunks(step).enumerate() {
            out.push(u8::from(index + 1 == count));
            out.extend((part.len() as u16).to_le_bytes());
            out.extend((!(part.len() as u16)).to_le_bytes());
            out.extend(part);
        }
        out.extend(libdeflater::adler32(raw).to_be_bytes());
        out
    }

    /// What both give for a stream; other bytes than zeros stand behind it in the file.
    fn both(stream: &[u8], length: usize, need: usize) -> [Result<Vec<u8>>; 2] {
        let file = [stream, &[0xa7; SLACK]].concat();
        let mut input = Input::new(std::io::Cursor::new(file)).unwrap();
        let padded = input.block(stream.len()).unwrap();
        let mut one = vec![1; length + ROOM];
        let mut other = one.clone();
        let mut native = libdeflate::Inflate::new().unwrap();
        let mut pure = pure::Inflate::new().unwrap();
        let results = [
            native.inflate(padded, &mut one, length, need),
            pure.inflate(padded, &mut other, length, need),
        ];
        let [first, second] = results;
        one.truncate(need);
        other.truncate(need);
        [first.map(|()| one), second.map(|()| other)]
    }

    #[test]
    fn any_prefix_of_any_stream_is_right() {
        for seed in 0..40 {
            let raw = mixed(seed as usize * 977 + 3, seed);
            let needs = [0, 1, 2, 40, 258, 299, 320, 321, 1000, 5000];
            let ends = [0, 1, 258, ROOM - 1, ROOM, ROOM + 1, 2000]
                .map(|less| raw.len().saturating_sub(less));
            let mut streams: Vec<_> = [1, 6, 9, 12].map(|level| packed(&raw, level)).into();
            streams.extend([17, 1000, 65_535].map(|step| stored(&raw, step)));
            for stream in streams {
                for need in needs.into_iter().chain(ends) {
                    let need = need.min(raw.len());
                    for found in both(&stream, raw.len(), need) {
                        assert!(found.unwrap() == raw[..need], "seed {seed}, {need} bytes");
                    }
                }
            }
        }
    }

    #[test]
    fn a_stored_part_that_does_not_fit_is_not_lost() {
        // Noise is stored in parts of up to 65,535 bytes, which libdeflate drops as a whole.
        let raw: Vec<u8> = mixed(4, 1)
            .into_iter()
            .chain((0..90_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 11) as u8))
            .collect();
        for need in [500, 4000, 65_000, 89_000] {
            for found in both(&stored(&raw, 65_535), raw.len(), need) {
                assert!(found.unwrap() == raw[..need], "{need}");
            }
        }
    }

    #[test]
    fn streams_of_another_length_or_that_are_cut_or_damaged_are_errors() {
        let raw = mixed(20_000, 7);
        let stream = packed(&raw, 6);
        for (length, need) in [
            (19_999, 19_999),
            (20_001, 20_001),
            (19_000, 19_000),
            (30_000, 25_000),
        ] {
            for found in both(&stream, length, need) {
                let error = found.unwrap_err();
                assert!(
                    error.message.starts_with("it unpacks to"),
                    "{}",
                    error.message
                );
            }
        }
        for cut in [1, 3, 4, 5, 20, stream.len() / 2, stream.len()] {
            for found in both(&stream[..stream.len() - cut], raw.len(), raw.len()) {
                assert!(found.is_err(), "cut by {cut}");
            }
        }
        for place in [0, 1, stream.len() - 1, stream.len() - 4] {
            let mut changed = stream.clone();
            changed[place] ^= 4;
            for found in both(&changed, raw.len(), raw.len()) {
                assert!(found.is_err(), "changed at {place}");
            }
        }
    }

    #[test]
    fn changed_streams_end_alike() {
        let raw = mixed(3000, 3);
        let stream = packed(&raw, 6);
        for place in 2..stream.len() {
            let mut changed = stream.clone();
            changed[place] ^= 1 << (place % 8);
            let [one, other] = both(&changed, raw.len(), raw.len());
            assert_eq!(one.ok(), other.ok(), "changed at {place}");
        }
    }
}
