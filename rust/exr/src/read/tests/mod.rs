//! Rows of small files made here, against the formula that their samples come from.

mod damage;
mod rows;

use std::io::Cursor;
use std::sync::atomic::AtomicBool;

use libdeflater::{CompressionLvl, Compressor};

use super::compression::Compression;
use super::header::Header;
use super::{predictor, Input, Place, Reading, Rows, Samples};
use crate::error::Result;

/// A part of a made-up file; its channels are named and typed as `CHANNELS` are.
#[derive(Clone)]
struct Made {
    compression: u8,
    window: [i32; 4],
    tile: Option<(usize, usize, u8)>,
}

const CHANNELS: [(&str, i32); 6] = [
    ("A", 1),
    ("B", 1),
    ("Z", 2),
    ("a.R", 2),
    ("id", 0),
    ("n", 1),
];

/// Sample of channel `channel` at a place of the picture: slopes, runs and noise.
fn sample(part: usize, channel: usize, x: i32, y: i32) -> u32 {
    let (x, y) = (x.wrapping_add(77) as u32, y.wrapping_add(77) as u32);
    let noise = (x ^ (y << 9)).wrapping_mul(2_654_435_761) >> 7;
    match (channel + part) % 4 {
        0 => 0x3c00 + x * 3 + y,
        1 => noise,
        2 => (x / 40) * 0x0101_0101,
        _ => (y % 3) * 0x2000 + (noise & 15),
    }
}

fn word(channel: usize, value: u32) -> Vec<u8> {
    let size = if CHANNELS[channel].1 == 1 { 2 } else { 4 };
    value.to_le_bytes()[..size].to_vec()
}

fn pack(raw: &[u8], compression: u8) -> Vec<u8> {
    let mut moved = vec![0; raw.len()];
    predictor::split(raw, &mut moved);
    let packed = match compression {
        0 => return raw.to_vec(),
        1 => {
            let mut out = Vec::new();
            for same in moved.chunk_by(|one, other| one == other) {
                for run in same.chunks(128) {
                    if run.len() > 2 {
                        out.extend([(run.len() - 1) as u8, run[0]]);
                    } else {
                        out.push((-(run.len() as i32)) as u8);
                        out.extend(run);
                    }
                }
            }
            out
        }
        _ => {
            let mut packer = Compressor::new(CompressionLvl::new(6).unwrap());
            let mut out = vec![0; packer.zlib_compress_bound(raw.len())];
            let length = packer.zlib_compress(&moved, &mut out).unwrap();
            out.truncate(length);
            out
        }
    };
    if packed.len() < raw.len() {
        packed
    } else {
        raw.to_vec()
    }
}

impl Made {
    fn new(compression: u8, window: [i32; 4]) -> Self {
        Self {
            compression,
            window,
            tile: None,
        }
    }

    fn tiled(mut self, x: usize, y: usize, levels: u8) -> Self {
        self.tile = Some((x, y, levels));
        self
    }

    fn size(&self) -> (usize, usize) {
        let [left, top, right, bottom] = self.window;
        ((right - left + 1) as usize, (bottom - top + 1) as usize)
    }

    fn header(&self, shown: [i32; 4], name: Option<(usize, usize)>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut put = |name: &str, kind: &str, value: &[u8]| {
            for text in [name, kind] {
                out.extend(text.as_bytes());
                out.push(0);
            }
            out.extend((value.len() as i32).to_le_bytes());
            out.extend(value);
        };
        let mut list = Vec::new();
        for (name, kind) in CHANNELS {
            list.extend(name.as_bytes());
            list.push(0);
            for number in [kind, 0, 1, 1] {
                list.extend(number.to_le_bytes());
            }
        }
        list.push(0);
        put("channels", "chlist", &list);
        put("compression", "compression", &[self.compression]);
        let corners = |window: [i32; 4]| window.map(i32::to_le_bytes).concat();
        put("dataWindow", "box2i", &corners(self.window));
        put("displayWindow", "box2i", &corners(shown));
        if let Some((x, y, levels)) = self.tile {
            let sizes = [x as u32, y as u32].map(u32::to_le_bytes).concat();
            put("tiles", "tiledesc", &[&sizes[..], &[levels]].concat());
        }
        if let Some((number, chunks)) = name {
            let kind = if self.tile.is_some() {
                "tiledimage"
            } else {
                "scanlineimage"
            };
            put("name", "string", format!("part{number}").as_bytes());
            put("type", "string", kind.as_bytes());
            put("chunkCount", "int", &(chunks as i32).to_le_bytes());
        }
        out.push(0);
        out
    }

    /// Chunks in the order of the table, without part numbers; smaller levels are copies.
    fn chunks(&self, part: usize) -> Vec<Vec<u8>> {
        let (width, height) = self.size();
        let lines = Compression(self.compression).lines().unwrap();
        let (step_x, step_y, levels) = self.tile.unwrap_or((width, lines, 0));
        let halves = |size: usize| {
            let mut sizes = vec![size];
            while sizes[sizes.len() - 1] > 1 {
                sizes.push(sizes[sizes.len() - 1] / 2);
            }
            sizes
        };
        let pairs: Vec<(usize, usize)> = match levels {
            0 => vec![(0, 0)],
            1 => (0..halves(width.max(height)).len())
                .map(|level| (level, level))
                .collect(),
            _ => (0..halves(height).len())
                .flat_map(|y| (0..halves(width).len()).map(move |x| (x, y)))
                .collect(),
        };
        let mut chunks = Vec::new();
        for (level_x, level_y) in pairs {
            let (wide, high) = ((width >> level_x).max(1), (height >> level_y).max(1));
            for row in 0..high.div_ceil(step_y) {
                for column in 0..wide.div_ceil(step_x) {
                    let mut chunk = Vec::new();
                    if self.tile.is_some() {
                        for number in [column, row, level_x, level_y] {
                            chunk.extend((number as i32).to_le_bytes());
                        }
                    } else {
                        chunk.extend((self.window[1] + (row * step_y) as i32).to_le_bytes());
                    }
                    let across = column * step_x..(column * step_x + step_x).min(wide);
                    let down = row * step_y..(row * step_y + step_y).min(high);
                    let packed = pack(&self.raw(part, across, down), self.compression);
                    chunk.extend((packed.len() as i32).to_le_bytes());
                    chunk.extend(packed);
                    chunks.push(chunk);
                }
            }
        }
        chunks
    }

    fn raw(
        &self,
        part: usize,
        across: std::ops::Range<usize>,
        down: std::ops::Range<usize>,
    ) -> Vec<u8> {
        let mut raw = Vec::new();
        for y in down {
            for channel in 0..CHANNELS.len() {
                for x in across.clone() {
                    let value = sample(
                        part,
                        channel,
                        self.window[0] + x as i32,
                        self.window[1] + y as i32,
                    );
                    raw.extend(word(channel, value));
                }
            }
        }
        raw
    }
}

/// A file whose chunks lie in the order that `order` makes of them; and where its table is.
fn file(parts: &[Made], shown: [i32; 4], order: impl Fn(&mut Vec<usize>)) -> (Vec<u8>, usize) {
    let multi = parts.len() > 1;
    let mut chunks = Vec::new();
    let mut heads = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let own = part.chunks(number);
        heads.extend(part.header(shown, multi.then_some((number, own.len()))));
        for chunk in own {
            let number = (number as i32).to_le_bytes();
            chunks.push(if multi {
                [&number[..], &chunk].concat()
            } else {
                chunk
            });
        }
    }
    let flags = 2 | if multi {
        0x1000
    } else {
        u32::from(parts[0].tile.is_some()) * 0x200
    };
    let mut out = [20_000_630_u32.to_le_bytes(), flags.to_le_bytes()].concat();
    out.extend(heads);
    out.extend(multi.then_some(0));
    let table = out.len();
    out.resize(table + 8 * chunks.len(), 0);
    let mut places: Vec<usize> = (0..chunks.len()).collect();
    order(&mut places);
    for place in places {
        let offset = out.len() as u64;
        out[table + 8 * place..][..8].copy_from_slice(&offset.to_le_bytes());
        out.extend(&chunks[place]);
    }
    (out, table)
}

/// Which rows are whole, after every sample was compared; those of `gap` must be zero instead.
fn read(
    data: &[u8],
    parts: &[Made],
    shown: [i32; 4],
    wanted: &[(usize, usize)],
    how: Reading,
    gap: impl Fn(usize, i32, i32) -> bool,
) -> Result<Vec<bool>> {
    let mut input = Input::new(Cursor::new(data))?;
    let header = Header::read(&mut input)?;
    let places: Vec<Place> = wanted
        .iter()
        .map(|&(part, channel)| Place { part, channel })
        .collect();
    let mut rows = Rows::new(input, &header, &places, how)?;
    let mut whole = Vec::new();
    while let Some(row) = rows.next(&AtomicBool::new(false))? {
        assert_eq!(row.y, whole.len());
        whole.push(row.is_whole);
        let y = shown[1] + row.y as i32;
        for (index, &(part, channel)) in wanted.iter().enumerate() {
            let found: Vec<u32> = match row.channel(index) {
                Samples::Half(all) => all.iter().map(|&bits| bits.into()).collect(),
                Samples::Float(all) | Samples::Uint(all) => all.to_vec(),
            };
            let [left, top, right, bottom] = parts[part].window;
            let expected: Vec<u32> = (shown[0]..=shown[2])
                .map(|x| {
                    let stored = (left..=right).contains(&x) && (top..=bottom).contains(&y);
                    if !stored || gap(part, x, y) {
                        return 0;
                    }
                    let mut bytes = word(channel, sample(part, channel, x, y));
                    bytes.resize(4, 0);
                    bytes
                        .into_iter()
                        .rev()
                        .fold(0, |sum, byte| sum << 8 | u32::from(byte))
                })
                .collect();
            assert!(found == expected, "part {part}, channel {channel}, row {y}");
        }
    }
    assert_eq!(whole.len() as i32, shown[3] - shown[1] + 1);
    Ok(whole)
}

const WANTED: [&[(usize, usize)]; 6] = [
    &[(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 5)],
    &[(0, 2)],
    &[(0, 5), (0, 0), (0, 5)],
    &[(0, 1), (0, 3)],
    &[(0, 0)],
    &[],
];

fn no_gap(_: usize, _: i32, _: i32) -> bool {
    false
}
