//! Tables with a header line (RFC 4180): columns `url`, `name`, `size` or `bytes`, `sha256`,
//! `render`, `asset` in any order; others are passed over. Divided by commas or by tabs.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::row::{digest, size, Parsed, Row};

/// Longest record, in bytes: as long as the longest line of the other formats.
const LONGEST: usize = 64 << 10;

/// Most columns.
const WIDEST: usize = 256;

/// A reader of records, which may go over several lines inside quotes.
pub struct Csv {
    reader: Reader,
    columns: Columns,
    text: Box<[u8]>,
    ends: Box<[usize; WIDEST]>,
    written: usize,
    fields: usize,
    /// True while a quoted field goes on in the next line.
    is_open: bool,
}

/// Where the columns are that we know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Columns {
    url: usize,
    name: Option<usize>,
    bytes: Option<usize>,
    sha256: Option<usize>,
    render: Option<usize>,
    asset: Option<usize>,
}

impl Csv {
    /// A reader for the records under `header`, or `None` if that has no column `url`.
    pub fn new(header: &str) -> Option<Self> {
        let delimiter = if header.contains('\t') { b'\t' } else { b',' };
        let mut csv = Self {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            columns: Columns::default(),
            text: vec![0; LONGEST].into_boxed_slice(),
            ends: Box::new([0; WIDEST]),
            written: 0,
            fields: 0,
            is_open: false,
        };
        if !matches!(csv.record(header), Ok(true)) {
            return None;
        }
        csv.columns = Columns::find(&csv.all())?;
        Some(csv)
    }

    /// Understands one more line, without its end.
    pub fn parse(&mut self, line: &str) -> Parsed<'_> {
        if !self.is_open && line.trim().is_empty() {
            return Parsed::Nothing;
        }
        match self.record(line) {
            Ok(true) => self.row(),
            Ok(false) => Parsed::Nothing,
            Err(why) => Parsed::Bad(why),
        }
    }

    /// True if the list must not end here: a quoted field is still open.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Takes a line; true if it ends a record.
    fn record(&mut self, line: &str) -> Result<bool, &'static str> {
        if !std::mem::replace(&mut self.is_open, false) {
            (self.written, self.fields) = (0, 0);
        }
        for mut input in [line.as_bytes(), b"\n"] {
            while !input.is_empty() {
                let (result, read, written, fields) = self.reader.read_record(
                    input,
                    &mut self.text[self.written..],
                    &mut self.ends[self.fields..],
                );
                input = &input[read..];
                self.written += written;
                self.fields += fields;
                match result {
                    ReadRecordResult::Record if input.is_empty() => return Ok(true),
                    // Nothing is passed over unsaid: lines of another kind may follow in it.
                    ReadRecordResult::Record => {
                        self.reader.reset();
                        return Err("a carriage return divides it; lines end in line feeds");
                    }
                    ReadRecordResult::InputEmpty => {}
                    ReadRecordResult::End => return Ok(false),
                    ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                        self.reader.reset();
                        return Err("its record is longer than 64 KiB or has over 256 columns");
                    }
                }
            }
        }
        self.is_open = true;
        Ok(false)
    }

    fn field(&self, at: usize) -> Option<&str> {
        let end = *self.ends[..self.fields].get(at)?;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        std::str::from_utf8(self.text.get(start..end)?).ok()
    }

    fn all(&self) -> Vec<&str> {
        (0..self.fields)
            .map(|at| self.field(at).unwrap_or_default())
            .collect()
    }

    fn row(&self) -> Parsed<'_> {
        let text = |at: Option<usize>| {
            at.and_then(|at| self.field(at))
                .map(str::trim)
                .unwrap_or_default()
        };
        let given = |at| {
            Some(text(at))
                .filter(|text| !text.is_empty())
                .map(Into::into)
        };
        let Columns {
            url,
            name,
            bytes,
            sha256,
            render,
            asset,
        } = self.columns;
        let (bytes, sha256) = match (size(text(bytes)), digest(text(sha256))) {
            (Ok(bytes), Ok(sha256)) => (bytes, sha256),
            (Err(why), _) | (_, Err(why)) => return Parsed::Bad(why),
        };
        let render = match text(render) {
            "" => None,
            id => match id.parse() {
                Ok(id) => Some(id),
                Err(_) => return Parsed::Bad("its render is no whole number"),
            },
        };
        Parsed::Row(Row {
            url: given(Some(url)),
            name: given(name),
            bytes,
            sha256,
            render,
            asset: given(asset),
        })
    }
}

impl Columns {
    fn find(names: &[&str]) -> Option<Self> {
        let named = |known: &[&str]| {
            let is_known = |name: &&str| {
                known
                    .iter()
                    .any(|one| name.trim().eq_ignore_ascii_case(one))
            };
            names.iter().position(is_known)
        };
        Some(Self {
            url: named(&["url", "u"])?,
            name: named(&["name", "n"]),
            bytes: named(&["size", "bytes", "b"]),
            sha256: named(&["sha256", "h"]),
            render: named(&["render", "r"]),
            asset: named(&["asset", "a"]),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn rows(lines: &[&str]) -> Vec<Parsed<'static>> {
        let Some(mut csv) = Csv::new(lines[0]) else {
            return vec![];
        };
        let kept = |text: Option<Cow<'_, str>>| text.map(|text| text.into_owned().into());
        let parsed = lines[1..].iter().filter_map(|line| match csv.parse(line) {
            Parsed::Row(row) => Some(Parsed::Row(Row {
                url: kept(row.url),
                name: kept(row.name),
                asset: kept(row.asset),
                bytes: row.bytes,
                sha256: row.sha256,
                render: row.render,
            })),
            Parsed::Bad(why) => Some(Parsed::Bad(why)),
            _ => None,
        });
        parsed.collect()
    }

    #[test]
    fn columns_come_in_any_order_and_quotes_hold_anything() {
        let digest = "ab".repeat(32);
        let found = rows(&[
            "\"SHA256\",size,other,Name,url\r",
            &format!("{digest},12,x,\"a,\"\"b\"\".png\",http://h/1\r"),
            "",
            ",,,,http://h/2",
            ",,,\"two",
            "lines\",http://h/3",
        ]);
        let [Parsed::Row(one), Parsed::Row(two), Parsed::Row(three)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(one.name.as_deref(), Some("a,\"b\".png"));
        assert_eq!((one.bytes, one.sha256), (Some(12), Some([0xab; 32])));
        assert_eq!(one.url.as_deref(), Some("http://h/1"));
        assert_eq!((two.name.as_deref(), two.bytes), (None, None));
        assert_eq!(three.name.as_deref(), Some("two\nlines"));
    }

    #[test]
    fn tabs_divide_too() {
        let found = rows(&["url\tbytes", "http://h/a,b\t7"]);
        assert!(matches!(&found[0], Parsed::Row(row)
            if row.url.as_deref() == Some("http://h/a,b") && row.bytes == Some(7)));
    }

    #[test]
    fn bad_records_are_told_and_the_rest_goes_on() {
        let long = format!("http://h/{}", "x".repeat(LONGEST));
        let found = rows(&[
            "url,size,sha256",
            "http://h/1,many,",
            "http://h/2,-1,",
            "http://h/3,1,abc",
            &long,
            "http://h/4,18446744073709551616,",
            "http://h/5",
        ]);
        assert!(
            found[..5].iter().all(|line| matches!(line, Parsed::Bad(_))),
            "{found:?}"
        );
        assert!(matches!(&found[5], Parsed::Row(row) if row.bytes.is_none()));
    }

    #[test]
    fn carriage_returns_alone_lose_nothing_unsaid() {
        let found = rows(&["url,size", "http://h/1,1\rhttp://h/2,2", "http://h/3,3\r"]);
        assert!(
            matches!(found.as_slice(), [Parsed::Bad(_), Parsed::Row(_)]),
            "{found:?}"
        );
        assert!(Csv::new("url,size\rhttp://h/1,1\rhttp://h/2,2").is_none());
    }

    #[test]
    fn a_header_without_url_is_none() {
        assert!(Csv::new("name,size").is_none());
        assert!(Csv::new("http://h/a.png").is_none());
    }
}
