//! Streams against libdeflate's reader, and the wide loops against the plain ones.

use libdeflater::Decompressor;

use super::far::Far;
use super::huffman::{codes, lengths, LIMIT};
use super::runs::{look, scan, Tally};
use super::{Deflate, SLACK};
use crate::encode::wide::equal_plain;

/// Pseudo-random numbers that stay the same.
fn noise(seed: u32) -> impl FnMut() -> u32 {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    }
}

/// Flat, noise of a few or many values, runs of all lengths, halves of two sorts.
fn contents(size: usize) -> Vec<Vec<u8>> {
    let mut random = noise(size as u32);
    let mut runs = Vec::new();
    while runs.len() < size {
        let (byte, length) = (
            random() as u8,
            random() % [3, 20, 700][random() as usize % 3],
        );
        runs.resize(runs.len() + length as usize, byte);
    }
    runs.truncate(size);
    let mut all = vec![vec![0; size], vec![255; size], runs];
    for limit in [1, 2, 9, 255] {
        all.push((0..size).map(|_| (random() % (limit + 1)) as u8).collect());
    }
    all.push(
        (0..size)
            .map(|at| {
                if at / 1000 % 2 == 0 {
                    random() as u8 & 3
                } else {
                    random() as u8
                }
            })
            .collect(),
    );
    // Counts like Fibonacci's numbers, whose codes grow too long.
    all.push(
        (0..size)
            .map(|_| (random() | 1 << 31).trailing_zeros() as u8)
            .collect(),
    );
    all
}

fn unpack(stream: &[u8], size: usize) -> Vec<u8> {
    let mut back = vec![0; size];
    let found = Decompressor::new()
        .deflate_decompress(stream, &mut back)
        .unwrap();
    assert_eq!(found, size);
    back
}

#[test]
fn round_trips_in_one_piece_and_in_many() {
    let mut deflate = Deflate::new(0);
    for size in [
        1, 2, 3, 7, 8, 9, 63, 64, 65, 257, 258, 259, 1000, 5001, 70_000,
    ] {
        for (kind, data) in contents(size).into_iter().enumerate() {
            for (piece, section) in [(size, size), (size, 999), (size.div_ceil(3), 4096)] {
                let mut stream = Vec::new();
                let pieces = data.chunks(piece);
                let count = pieces.len();
                for (index, part) in pieces.enumerate() {
                    let mut padded = part.to_vec();
                    // Whatever lies behind must not matter.
                    padded.resize(part.len() + SLACK, *part.last().unwrap());
                    let last = index + 1 == count;
                    deflate.pack(&padded, section, last, &mut stream).unwrap();
                }
                assert!(
                    unpack(&stream, size) == data,
                    "{size} {kind} {piece} {section}"
                );
                let blocks = size.div_ceil(section.min(piece)) + size / 65_535;
                assert!(stream.len() <= size + 6 * blocks + 10, "{size} {kind}");
            }
        }
    }
}

#[test]
fn flat_data_is_nothing_and_noise_is_stored() {
    let mut stream = Vec::new();
    let mut deflate = Deflate::new(0);
    let flat = vec![7; (1 << 18) + SLACK];
    deflate.pack(&flat, 1 << 14, true, &mut stream).unwrap();
    assert!(stream.len() < 300, "{}", stream.len());

    let mut random = noise(5);
    let noise: Vec<u8> = (0..100_000 + SLACK).map(|_| random() as u8).collect();
    stream.clear();
    deflate.pack(&noise, 1 << 14, true, &mut stream).unwrap();
    assert!(stream.len() < 100_000 + 50, "{}", stream.len());
}

#[test]
fn rows_that_repeat_the_one_above_are_said_so() {
    let mut random = noise(11);
    for row in [4, 5, 6, 255, 256, 257, 6144, 32_768, 32_769] {
        let above: Vec<u8> = (0..row).map(|_| random() as u8).collect();
        // Some bytes differ from row to row, and some are a run in which the row above repeats.
        let mut data: Vec<u8> = (0..6 * row + 13).map(|at| above[at % row]).collect();
        for at in (0..data.len()).step_by(1 + row / 3) {
            data[at] = data[at].wrapping_add(random() as u8);
        }
        let flat = 3 * row..3 * row + row / 2;
        data[flat].fill(9);
        let size = data.len();
        data.resize(size + SLACK, 1);
        let mut stream = Vec::new();
        let mut deflate = Deflate::new(row);
        for section in [size, row.div_ceil(2)] {
            stream.clear();
            deflate.pack(&data, section, true, &mut stream).unwrap();
            assert!(unpack(&stream, size) == data[..size], "{row}");
        }
        if (6144..=32_768).contains(&row) {
            assert!(stream.len() < size / 2, "{row} {}", stream.len());
        }
    }
}

#[test]
fn every_processor_finds_the_same() {
    for size in [1, 60, 61, 64, 65, 130, 4000] {
        for data in contents(size) {
            for (from, far) in [(0, None), (size / 3, None), (0, Far::new(97))] {
                let mut padded = data.clone();
                padded.resize(size + SLACK, data[size - 1]);
                let (mut wide, mut plain) = (Vec::new(), Vec::new());
                let mut tally = Tally::new();
                let first = scan(&padded, from, size, far, &mut wide, &mut tally);
                let second = look(
                    &padded,
                    from,
                    size,
                    far,
                    &mut plain,
                    &mut tally,
                    equal_plain,
                );
                assert_eq!(wide, plain);
                assert_eq!(
                    (first.symbols, first.extra, first.far),
                    (second.symbols, second.extra, second.far)
                );
                let all: u32 = wide.iter().map(|span| span.literals + span.run).sum();
                assert_eq!(all as usize, size - from);
            }
        }
    }
}

#[test]
fn codes_are_whole_and_short_enough() {
    let mut random = noise(9);
    for round in 0..200 {
        let mut counts = [0_u32; 286];
        for count in &mut counts {
            *count = random() >> (random() % 32) >> 9;
        }
        (counts[round], counts[256]) = (1 << 22, 1);
        let lengths = lengths(&counts, LIMIT);
        let room: u32 = lengths
            .iter()
            .filter(|&&length| length > 0)
            .map(|&length| 1 << (LIMIT as u8 - length))
            .sum();
        assert_eq!(room, 1 << LIMIT);
        assert!(counts
            .iter()
            .zip(&lengths)
            .all(|(count, length)| (*count > 0) == (*length > 0)));
        assert!(codes(&lengths)
            .iter()
            .zip(&lengths)
            .all(|(code, length)| code.length() == u32::from(*length)));
    }
}
