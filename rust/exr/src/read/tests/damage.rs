//! Files that are cut, interrupted, or claim too much.

use std::io::Cursor;
use std::sync::atomic::AtomicBool;

use super::{file, no_gap, read, Made, WANTED};
use crate::error::{Kind, Result};
use crate::read::header::Header;
use crate::read::{Input, Place, Reading, Rows};

const PARTIAL: Reading = Reading {
    partial: true,
    verify: false,
};

/// Blocks of `made` whose rows are whole though the file was cut to `length` and its table is
/// zeros where `zero` says so.
fn damaged(
    made: &Made,
    shown: [i32; 4],
    change: impl Fn(&mut Vec<u8>, usize),
) -> (Result<Vec<bool>>, Vec<bool>) {
    let (mut data, table) = file(std::slice::from_ref(made), shown, |_| {});
    change(&mut data, table);
    let strict = read(
        &data,
        std::slice::from_ref(made),
        shown,
        WANTED[0],
        Reading::default(),
        no_gap,
    );
    // Which rows are whole is not known before; zeros are allowed where they are not.
    let mut input = Input::new(Cursor::new(&data[..])).unwrap();
    let header = Header::read(&mut input).unwrap();
    let places: Vec<Place> = (0..6).map(|channel| Place { part: 0, channel }).collect();
    let mut rows = Rows::new(input, &header, &places, PARTIAL).unwrap();
    let mut whole = Vec::new();
    while let Some(row) = rows.next(&AtomicBool::new(false)).unwrap() {
        whole.push(row.is_whole);
    }
    let gap = |_: usize, _: i32, y: i32| !whole[(y - shown[1]) as usize];
    let again = read(
        &data,
        std::slice::from_ref(made),
        shown,
        WANTED[0],
        PARTIAL,
        gap,
    )
    .unwrap();
    assert_eq!(whole, again);
    (strict, whole)
}

#[test]
fn what_there_is_of_an_interrupted_file_is_given_on_request() {
    let shown = [0, 0, 63, 79];
    let count = |whole: &[bool]| whole.iter().filter(|&&whole| whole).count();
    for (made, block) in [
        (Made::new(2, shown), 1),
        (Made::new(3, shown), 16),
        (Made::new(3, shown).tiled(64, 20, 0), 20),
    ] {
        let blocks = 80 / block;
        // No offset was written, but all blocks.
        let (strict, whole) = damaged(&made, shown, |data, table| {
            data[table..table + 8 * blocks].fill(0);
        });
        assert_eq!(count(&whole), 80);
        let error = strict.unwrap_err();
        assert_eq!(
            error.message,
            "part 0, block 0: it was never written: the render did not finish"
        );

        // Some offsets are zero and their blocks gone: zeros in rows that are marked.
        let (strict, whole) = damaged(&made, shown, |data, table| {
            let entry = table + 8 * (blocks - 1);
            let offset = u64::from_le_bytes(data[entry..entry + 8].try_into().unwrap());
            data[entry..entry + 8].fill(0);
            data.truncate(offset as usize);
        });
        assert_eq!(count(&whole), 80 - block);
        assert!(whole[..80 - block].iter().all(|&whole| whole));
        let place = format!("part 0, block {}: it was never written", blocks - 1);
        assert!(strict.unwrap_err().message.starts_with(&place));

        // The tail is cut off within a block.
        let (strict, whole) = damaged(&made, shown, |data, _| data.truncate(data.len() - 3));
        assert_eq!(count(&whole), 80 - block);
        let error = strict.unwrap_err();
        assert!(error
            .message
            .starts_with(&format!("part 0, block {}: ", blocks - 1)));
        assert_eq!(error.kind, Kind::InvalidExr);

        // Cut in the middle: offsets lead behind the end.
        let (strict, whole) = damaged(&made, shown, |data, table| {
            let middle = (table + data.len()) / 2;
            data.truncate(middle);
        });
        assert!((1..79).contains(&count(&whole)), "{}", count(&whole));
        assert!(strict
            .unwrap_err()
            .message
            .contains("is outside of the pixels"));

        // Damage in one block.
        let (strict, whole) = damaged(&made, shown, |data, table| {
            let offset = u64::from_le_bytes(data[table..table + 8].try_into().unwrap()) as usize;
            data[offset] ^= 0x40;
        });
        assert_eq!(count(&whole), 80 - block);
        assert!(strict
            .unwrap_err()
            .message
            .starts_with("part 0, block 0: it s"));
    }
}

#[test]
fn two_parts_that_were_interrupted_are_told_apart() {
    let shown = [0, 0, 30, 30];
    let parts = [Made::new(2, shown), Made::new(3, shown).tiled(8, 8, 1)];
    let (mut data, table) = file(&parts, shown, |places| places.reverse());
    let end = table + 8 * (parts[0].chunks(0).len() + parts[1].chunks(1).len());
    data[table..end].fill(0);
    let wanted = [(0, 1), (1, 2)];
    let whole = read(&data, &parts, shown, &wanted, PARTIAL, no_gap).unwrap();
    assert!(whole.into_iter().all(|whole| whole));
}

#[test]
fn blocks_may_not_overlap() {
    // Each block lies in the bytes of the one before: a short file that would be read for long.
    let shown = [0, 0, 999, 999];
    let made = Made::new(2, shown);
    let mut data = [20_000_630_u32.to_le_bytes(), 2_u32.to_le_bytes()].concat();
    data.extend(made.header(shown, None));
    let line = 1000 * 18_i32;
    let first = data.len() + 8000;
    for y in 0..1000_u64 {
        data.extend((first as u64 + 8 * y).to_le_bytes());
    }
    for y in 0..1000_i32 {
        data.extend(y.to_le_bytes());
        data.extend(line.to_le_bytes());
    }
    data.resize(first + 18_000_000 / 2, 0);
    let mut input = Input::new(Cursor::new(&data[..])).unwrap();
    let header = Header::read(&mut input).unwrap();
    let place = [Place {
        part: 0,
        channel: 0,
    }];
    let mut rows = Rows::new(input, &header, &place, Reading::default()).unwrap();
    let error = loop {
        match rows.next(&AtomicBool::new(false)) {
            Ok(row) => assert!(row.is_some(), "it was all read"),
            Err(error) => break error,
        }
    };
    assert!(
        error.message.ends_with("it overlaps other blocks"),
        "{}",
        error.message
    );
}

#[test]
fn what_needs_too_much_is_refused_before_it_is_read() {
    let refused = |made: Made, size: usize, kind: Kind, words: &str| {
        let shown = made.window;
        let mut data = [20_000_630_u32.to_le_bytes(), 2_u32.to_le_bytes()].concat();
        if made.tile.is_some() {
            data[5] = 2;
        }
        data.extend(made.header(shown, None));
        data.resize(data.len() + size, 1);
        let mut input = Input::new(Cursor::new(&data[..])).unwrap();
        let result = Header::read(&mut input).and_then(|header| {
            let place = [Place {
                part: 0,
                channel: 2,
            }];
            Rows::new(input, &header, &place, Reading::default()).map(drop)
        });
        let error = result.unwrap_err();
        assert!(
            error.kind == kind && error.message.contains(words),
            "{}",
            error.message
        );
    };
    let (full, mega) = ([0, 0, 65_535, 4095], 40 << 20);
    // Where a cut file ends says more than that it is too short for its pixels.
    refused(
        Made::new(0, full),
        mega,
        Kind::InvalidExr,
        "part 0, block 0: its offset",
    );
    refused(
        Made::new(8, full),
        mega / 400,
        Kind::TooLarge,
        "bytes are more than",
    );
    refused(
        Made::new(3, full),
        mega / 7,
        Kind::TooLarge,
        "bytes are more than",
    );
    refused(Made::new(9, full), mega, Kind::TooLarge, "blocks of");
    let ones = |window| Made::new(3, window).tiled(1, 1, 0);
    refused(ones(full), mega, Kind::InvalidExr, "the offset tables need");
    refused(
        ones([0, 0, 2047, 2047]),
        mega,
        Kind::TooLarge,
        "4194304 blocks",
    );
    let lossy = Made::new(9, [0, 0, 16_383, 255]);
    refused(
        lossy.clone(),
        1 << 20,
        Kind::TooLarge,
        "a row of its blocks",
    );
    // A larger file may take more: nothing is wrong with this one until its table is read.
    refused(lossy, 48 << 20, Kind::InvalidExr, "its offset");
    let wide = Made::new(3, [0, 0, 65_535, 255]).tiled(256, 256, 0);
    refused(wide, mega / 4, Kind::TooLarge, "a row of its blocks");
}

#[test]
fn any_change_gives_rows_or_an_error() {
    let shown = [0, 0, 19, 23];
    let tiled = Made::new(3, shown).tiled(8, 8, 1);
    let seeds = [
        file(&[Made::new(1, shown)], shown, |_| {}).0,
        file(&[Made::new(2, shown)], shown, |_| {}).0,
        file(std::slice::from_ref(&tiled), shown, |_| {}).0,
        file(&[Made::new(3, shown), tiled], shown, |_| {}).0,
    ];
    let mut state = 1_u32;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % below
    };
    let mut read = [0, 0];
    for round in 0..4000 {
        let mut data = seeds[round % seeds.len()].clone();
        for _ in 0..=next(3) {
            let place = next(data.len());
            match next(4) {
                0 => data.truncate(place.max(9)),
                1 => data[place] ^= 1 << next(8),
                2 => data[place] = [0, 1, 127, 128, 255][next(5)],
                _ => drop(data.drain(place..(place + next(9)).min(data.len()))),
            }
            data.resize(data.len().max(9), 0);
        }
        let how = Reading {
            partial: round % 8 < 4,
            verify: round % 3 == 0,
        };
        let rows = || -> Result<()> {
            let mut input = Input::new(Cursor::new(&data[..]))?;
            let header = Header::read(&mut input)?;
            let places: Vec<Place> = (0..header.parts.len())
                .map(|part| Place {
                    part,
                    channel: part % header.parts[part].channels.len(),
                })
                .collect();
            let mut rows = Rows::new(input, &header, &places, how)?;
            while let Some(row) = rows.next(&AtomicBool::new(false))? {
                for index in 0..places.len() {
                    assert!(!row.channel(index).is_empty());
                }
            }
            Ok(())
        };
        read[usize::from(rows().is_ok())] += 1;
    }
    assert!(read.into_iter().all(|count| count > 300), "{read:?}");
}
