//! What must hold for any bytes: one function for each target of `rust/fuzz`.
//!
//! What a target finds goes to `rust/fuzz/findings/TARGET/`, and a test here puts every finding
//! before its function for ever.

mod blocks;
mod cryptomatte;
mod images;
mod inflate;

use std::io::Cursor;

use crate::assets::cryptomatte::definitions;
use crate::info::attributes;
use crate::read::attribute::{MAX_AREA, MAX_SIDE};
use crate::read::header::Header;
use crate::read::input::Input;

pub use blocks::exr_blocks;
pub use cryptomatte::cryptomatte;
pub use images::{png, tiff};
pub use inflate::inflate;

/// A reader of any bytes; it panics if a promise does not hold.
pub type Reader = fn(&[u8]);

/// Every reader by its target's name.
pub const READERS: &[(&str, Reader)] = &[
    ("cryptomatte", cryptomatte),
    ("exr_blocks", exr_blocks),
    ("exr_header", exr_header),
    ("inflate", inflate),
    ("png", png),
    ("tiff", tiff),
];

/// A header is refused, or all its sizes are ones that the rest of the crate can trust.
pub fn exr_header(data: &[u8]) {
    let Some(header) = header(data) else {
        return;
    };
    let length = data.len() as u64;
    assert!(!header.parts.is_empty());
    assert!(header.end <= length && header.chunks_start() <= length);
    for part in &header.parts {
        for window in [part.data_window, part.display_window] {
            assert!((1..=MAX_SIDE).contains(&window.width()));
            assert!((1..=MAX_SIDE).contains(&window.height()));
            assert!(window.width() * window.height() <= MAX_AREA);
        }
        assert!(!part.channels.is_empty());
        if part.unreadable().is_none() {
            assert!(part.blocks() as u64 <= part.chunks);
        }
        for (name, kind, _) in attributes(part) {
            assert!(name.len() < 1000 && kind.len() < 1000);
        }
    }
    for known in definitions(&header, None) {
        assert!(!known.name.is_empty());
        assert!(known.layers(&header).len() <= 16);
        if let Ok(objects) = known.objects() {
            assert!(objects.windows(2).all(|pair| pair[0].name < pair[1].name));
            assert!(known.count().is_ok_and(|count| count <= objects.len()));
        }
    }
}

/// The header of a file, if it has one.
fn header(data: &[u8]) -> Option<Header> {
    Header::read(&mut Input::new(Cursor::new(data)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::READERS;

    #[test]
    fn findings_stay_found() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/findings");
        for (name, reader) in READERS {
            for entry in std::fs::read_dir(root.join(name))
                .into_iter()
                .flatten()
                .flatten()
            {
                reader(&std::fs::read(entry.path()).unwrap());
            }
            // And what no corpus begins with.
            for data in [&b""[..], b"\0", b"\xff\xff\xff\xff", b"\x76\x2f\x31\x01"] {
                reader(data);
            }
        }
    }

    #[test]
    fn every_reader_has_a_target() {
        let targets = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
        for (name, _) in READERS {
            assert!(targets.join(format!("{name}.rs")).is_file(), "{name}");
        }
    }
}
