//! Whole files through `Rows`.

use std::io::Cursor;
use std::sync::atomic::AtomicBool;

use super::header;
use crate::error::{Kind, Result};
use crate::read::header::Header;
use crate::read::Samples;
use crate::read::{Input, Place, Reading, Rows};

/// Larger pictures are right, but slow under a fuzzer.
const FEW: u64 = 1 << 22;

/// All channels, some channels, strict, partial or with every checksum: whatever is given is the
/// same, and an error is one of a bad file. The first byte chooses the channels.
pub fn exr_blocks(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else {
        return;
    };
    let Some(header) = header(data) else {
        return;
    };
    let readable = header
        .parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.unreadable().is_none());
    let mut all = Vec::new();
    for (part, found) in readable {
        all.extend((0..found.channels.len()).map(|channel| Place { part, channel }));
    }
    let shown = header.parts[0].display_window;
    let stored: u64 = header.parts.iter().map(|part| part.raw_bytes()).sum();
    let shown = (shown.width() * shown.height() * all.len()) as u64;
    if shown.saturating_add(stored) > FEW || all.is_empty() {
        return;
    }
    let some: Vec<Place> = all
        .iter()
        .enumerate()
        .filter(|(index, _)| choice >> (index % 8) & 1 == 1)
        .map(|(_, &place)| place)
        .collect();
    let plain = Reading::default();
    let verify = Reading {
        verify: true,
        ..plain
    };
    let partial = Reading {
        partial: true,
        ..plain
    };
    let whole = read(data, &header, &all, plain);
    if let Ok((whole, is_whole)) = &whole {
        assert!(is_whole.iter().all(|&is_whole| is_whole));
        // What is right when all is read is right when some of it is.
        let part = read(data, &header, &some, plain).expect("fewer channels fail");
        let numbers = (0..all.len()).filter(|index| choice >> (index % 8) & 1 == 1);
        for (number, line) in numbers.zip(&part.0) {
            assert!(&whole[number] == line, "channel {number} differs");
        }
        let gaps = read(data, &header, &all, partial).expect("partial reading fails");
        assert!(gaps.1.iter().all(|&is_whole| is_whole) && gaps.0 == *whole);
    }
    match read(data, &header, &all, verify) {
        Ok((found, _)) => assert!(whole.is_ok_and(|(whole, _)| whole == found)),
        Err(_) => {
            let _ = read(data, &header, &some, partial);
        }
    }
}

/// Bits of the samples of every channel, and which rows are whole.
type Found = (Vec<Vec<u32>>, Vec<bool>);

fn read(data: &[u8], header: &Header, wanted: &[Place], how: Reading) -> Result<Found> {
    let stop = AtomicBool::new(false);
    let found: Result<Found> = (|| {
        let input = Input::new(Cursor::new(data))?;
        let mut rows = Rows::new(input, header, wanted, how)?;
        let (mut lines, mut is_whole) = (vec![Vec::new(); wanted.len()], Vec::new());
        while let Some(row) = rows.next(&stop)? {
            assert_eq!(row.y, is_whole.len());
            is_whole.push(row.is_whole);
            for (index, line) in lines.iter_mut().enumerate() {
                match row.channel(index) {
                    Samples::Half(bits) => line.extend(bits.iter().map(|&bits| u32::from(bits))),
                    Samples::Float(bits) | Samples::Uint(bits) => line.extend_from_slice(bits),
                }
            }
        }
        let shown = header.parts[0].display_window;
        assert_eq!(is_whole.len(), shown.height());
        assert!(lines
            .iter()
            .all(|line| line.len() == shown.width() * shown.height()));
        Ok((lines, is_whole))
    })();
    if let Err(error) = &found {
        let kinds = [Kind::InvalidExr, Kind::UnsupportedExr, Kind::TooLarge];
        assert!(kinds.contains(&error.kind), "{error:?}");
        assert!(!error.message.contains('\n'), "{error:?}");
    }
    found
}
