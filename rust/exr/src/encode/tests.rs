//! What a file holds that Python's readers do not see, and who is refused.

use std::io::Cursor;

use super::filter;
use super::tiff::offset;
use super::{Encoder, Format, Mode, Pixels, Shape};
use crate::error::Kind;

const MODES: [Mode; 3] = [Mode::Exact, Mode::Fast, Mode::Small];

fn numbers(count: usize) -> Vec<u32> {
    (0..count as u32)
        .map(|i| (i / 3).wrapping_mul(2_654_435_761) >> (i % 29))
        .collect()
}

#[test]
fn filters_are_as_the_standard_writes_them() {
    for (width, step) in [(1, 1), (1, 3), (2, 2), (5, 3), (17, 3), (100, 1), (333, 3)] {
        let bytes: Vec<u8> = numbers(2 * width * step).iter().map(|&n| n as u8).collect();
        let (above, row) = bytes.split_at(width * step);
        let get = |line: &[u8], at: usize, back: usize| {
            at.checked_sub(back).map_or(0, |at| i32::from(line[at]))
        };
        let plain = |predict: &dyn Fn(i32, i32, i32) -> i32| -> Vec<u8> {
            (0..row.len())
                .map(|at| {
                    let (a, b, c) = (get(row, at, step), get(above, at, 0), get(above, at, step));
                    (i32::from(row[at]) - predict(a, b, c)) as u8
                })
                .collect()
        };
        let mut out = vec![0; row.len()];
        filter::sub(row, step, &mut out);
        assert_eq!(out, plain(&|a, _, _| a));
        filter::up(row, above, &mut out);
        assert_eq!(out, plain(&|_, b, _| b));
        let nearest = |a: i32, b: i32, c: i32| {
            let estimate = a + b - c;
            let (to_a, to_b, to_c) = (
                (estimate - a).abs(),
                (estimate - b).abs(),
                (estimate - c).abs(),
            );
            if to_a <= to_b && to_a <= to_c {
                a
            } else if to_b <= to_c {
                b
            } else {
                c
            }
        };
        filter::paeth(row, above, step, &mut out);
        assert_eq!(out, plain(&nearest), "{width} {step}");
        filter::paeth_body(row, above, step, &mut out);
        assert_eq!(out, plain(&nearest), "{width} {step}");
    }
}

#[test]
fn predictors_can_be_undone() {
    for (width, step) in [(1, 1), (1, 3), (4, 1), (7, 3), (300, 3), (1000, 1)] {
        let row = numbers(width * step);
        let count = row.len();
        let undo = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for at in step..bytes.len() {
                bytes[at] = bytes[at].wrapping_add(bytes[at - step]);
            }
            bytes
        };
        let mut out = vec![0; 4 * count];
        filter::split_floats(&row, step, &mut out);
        let planes = undo(&out);
        let word =
            |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|plane| planes[plane * count + at]));
        assert!((0..count).all(|at| word(at) == row[at]));

        let halves: Vec<u16> = row.iter().map(|&number| number as u16).collect();
        let mut out = vec![0; 2 * count];
        filter::split_halves(&halves, step, &mut out);
        let planes = undo(&out);
        assert!(
            (0..count).all(|at| u16::from_be_bytes([planes[at], planes[count + at]]) == halves[at])
        );
        let mut plain = vec![0; 2 * count];
        filter::split_halves_body(&halves, step, &mut plain);
        assert_eq!(out, plain);

        let mut out = vec![0; 4 * count];
        filter::less_words(&row, step, &mut out);
        let mut words: Vec<u32> = out
            .as_chunks()
            .0
            .iter()
            .map(|&word| u32::from_le_bytes(word))
            .collect();
        for at in step..count {
            words[at] = words[at].wrapping_add(words[at - step]);
        }
        assert_eq!(words, row);
    }
}

#[test]
fn an_array_file_is_its_samples_behind_a_line() {
    let shape = Shape {
        width: 3,
        height: 2,
        samples: Format::Float,
    };
    let mut encoder = Encoder::npy(Cursor::new(Vec::new()), shape).unwrap();
    encoder.row(Pixels::Longs(&[1, 2, 3])).unwrap();
    encoder.row(Pixels::Longs(&[4, 5, 0x8000_0000])).unwrap();
    let file = encoder.finish().unwrap().into_inner();
    assert_eq!(&file[..10], b"\x93NUMPY\x01\x00\x76\x00");
    let line = std::str::from_utf8(&file[10..128]).unwrap();
    assert_eq!(
        line.trim_end(),
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    );
    assert!(line.ends_with(" \n"));
    let samples: Vec<u32> = file[128..]
        .as_chunks()
        .0
        .iter()
        .map(|&word| u32::from_le_bytes(word))
        .collect();
    assert_eq!(samples, [1, 2, 3, 4, 5, 0x8000_0000]);
}

#[test]
fn wrong_rows_and_sides_are_refused() {
    let shape = |width, height, samples| Shape {
        width,
        height,
        samples,
    };
    for mode in MODES {
        for (width, height) in [(0, 1), (1, 0), (65_537, 1), (1, 65_537)] {
            let shape = shape(width, height, Format::Rgb8);
            let error = Encoder::new(Cursor::new(Vec::new()), shape, mode)
                .err()
                .unwrap();
            assert_eq!(error.kind, Kind::Usage);
        }
        let begin =
            || Encoder::new(Cursor::new(Vec::new()), shape(2, 1, Format::Gray16), mode).unwrap();
        assert_eq!(begin().finish().unwrap_err().kind, Kind::Usage);
        assert!(begin().row(Pixels::Words(&[1])).is_err());
        assert!(begin().row(Pixels::Bytes(&[1, 2])).is_err());
        let mut whole = begin();
        whole.row(Pixels::Words(&[1, 2])).unwrap();
        assert!(whole.row(Pixels::Words(&[1, 2])).is_err());
        whole.finish().unwrap();
    }
    assert_eq!(
        offset(u64::from(u32::MAX) + 1).unwrap_err().kind,
        Kind::TooLarge
    );
}

#[test]
fn the_longest_sides_are_written() {
    for mode in MODES {
        for (width, height) in [(65_536, 2), (1, 65_536)] {
            for samples in [Format::Gray8, Format::Gray16, Format::Half(1)] {
                let shape = Shape {
                    width,
                    height,
                    samples,
                };
                let mut encoder = Encoder::new(Cursor::new(Vec::new()), shape, mode).unwrap();
                for _ in 0..height {
                    match samples {
                        Format::Gray8 => encoder.row(Pixels::Bytes(&vec![9; width])),
                        _ => encoder.row(Pixels::Words(&vec![9; width])),
                    }
                    .unwrap();
                }
                assert!(encoder.finish().unwrap().into_inner().len() < 2_000_000);
            }
        }
    }
}
