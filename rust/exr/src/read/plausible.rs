//! What a header claims against what the file can hold, before memory or time is spent on it.

use crate::error::{Error, Kind, Result};
use crate::read::attribute::Window;
use crate::read::compression::Compression;
use crate::read::header::Header;
use crate::read::part::Part;

/// Most memory for one row of blocks of all parts that are read in step: of any file, or so many
/// times its length, to an end. DWAB of wide lines needs that much, in files that are large too.
const ANY_MEMORY: u64 = 224 << 20;
const MEMORY_PER_BYTE: u64 = 16;
const MAX_MEMORY: u64 = 1 << 30;
/// The crate works on a block in so many copies of it, as measured.
pub const COPIES: u64 = 4;
/// Most blocks of the largest levels that are read.
const MAX_BLOCKS: usize = 1 << 21;
/// Bytes that any file may unpack to: by our own code, and by the slower code of the `exr` crate.
/// Of a larger file, `PER_BYTE` times its length. So no small file takes long.
const ANY_FAST: u64 = 2 << 30;
const ANY_SLOW: u64 = 256 << 20;
const PER_BYTE: u64 = 256;
/// What the crate's tables of codes cost for each block of PIZ and DWA, counted as bytes unpacked.
const TABLES: u64 = 192 << 10;
/// Pixels that may always be shown, whatever is stored.
const FEW: u64 = 1 << 24;

/// Checks parts of which some `channels` are wanted, in a file of `length` bytes.
pub fn check(header: &Header, channels: &[Vec<usize>], length: u64) -> Result<()> {
    let shown = header.parts[0].display_window;
    let (mut memory, mut work, mut blocks, mut fast, mut slow) = (0, 0, 0, 0, 0);
    let wanted = channels
        .iter()
        .enumerate()
        .filter(|(_, channels)| !channels.is_empty());
    for (index, channels) in wanted {
        let part = &header.parts[index];
        if part.unreadable().is_some() {
            continue; // which is said by name elsewhere
        }
        check_shown(shown, part, length)?;
        memory += band_bytes(part, channels.len(), shown.width() as u64);
        blocks += part.blocks();
        if part.compression.is_own() {
            fast += part.raw_bytes();
        } else {
            slow += part.raw_bytes();
            work = work.max(COPIES * block_bytes(part));
        }
    }
    let most = length.saturating_mul(PER_BYTE);
    if fast > most.max(ANY_FAST) || slow > most_by_crate(length) {
        let raw = fast + slow;
        return Err(Error::new(
            Kind::TooLarge,
            format!("{raw} bytes are more than is unpacked of a file of {length}"),
        ));
    }
    if blocks > MAX_BLOCKS {
        return Err(Error::new(
            Kind::TooLarge,
            format!("{blocks} blocks are more than {MAX_BLOCKS}"),
        ));
    }
    let memory = memory + work;
    let most = length.saturating_mul(MEMORY_PER_BYTE);
    if memory > most.clamp(ANY_MEMORY, MAX_MEMORY) {
        return Err(Error::new(
            Kind::TooLarge,
            format!("a row of its blocks needs {memory} bytes of memory"),
        )
        .hint("extract fewer assets at a time"));
    }
    Ok(())
}

/// Bytes that the crate may unpack of a file of `length`.
pub fn most_by_crate(length: u64) -> u64 {
    length.saturating_mul(PER_BYTE).max(ANY_SLOW)
}

/// What each block that the crate unpacks costs whatever is in it, counted as bytes unpacked.
pub fn overhead(part: &Part) -> u64 {
    let channels = part.channels.len() as u64;
    match part.compression {
        Compression::PIZ => TABLES,
        // Each channel's name is compared with all others.
        Compression::DWAA | Compression::DWAB => TABLES + channels * channels / 2,
        _ => 0,
    }
}

/// Rows cover the display window, which the stored pixels do not bound.
fn check_shown(shown: Window, part: &Part, length: u64) -> Result<()> {
    let area = |window: Window| window.width() as u64 * window.height() as u64;
    let (shown, stored) = (area(shown), area(part.data_window));
    if shown > FEW.max(stored) && (shown > 16 * stored || shown > 64 * length) {
        return Err(Error::invalid(format!(
            "the display window has {shown} pixels, but far fewer are stored"
        )));
    }
    Ok(())
}

/// Bytes of the largest block.
fn block_bytes(part: &Part) -> u64 {
    let window = part.data_window;
    let (x, y) = part.block_size();
    (x.min(window.width()) * y.min(window.height()) * part.pixel_bytes()) as u64
}

/// Bytes of one row of blocks, and of the lines that they give.
fn band_bytes(part: &Part, lines: usize, shown: u64) -> u64 {
    let width = part.data_window.width() as u64;
    let height = part.block_size().1.min(part.data_window.height()) as u64;
    width * height * part.pixel_bytes() as u64 + (width + shown) * 4 * lines as u64
}
