//! `--report FILE`: a line of JSON for each file as it ends.
//!
//! ```text
//! {"name":"0.rgb.png","status":"new","attempts":1,"bytes":20480,"sha256":"ab12..."}
//! {"name":"1.rgb.png","status":"failed","attempts":1,"bytes":null,"kind":"not-found","message":"...","http":404}
//! {"end":true,"new":1,"present":0,"failed":1,"bytes":20480}
//! ```
//!
//! Only the last line says `end`, so a report of a run that was killed can be read and does not
//! look complete. Written under its own name from the start, by a thread of its own.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{sync_channel, SyncSender};
use std::sync::Mutex;
use std::thread::JoinHandle;

use serde::Serialize;

use crate::backoff::lock;
use crate::error::{Error, Result};
use crate::fates::Fate;
use crate::manifest::hex;

/// Lines are handed over in blocks of this many bytes; a block is what a kill may lose.
const BLOCK: usize = 32 << 10;

/// Blocks that may wait for the disk before permits wait too.
const WAITING: usize = 16;

/// What is written of one file.
pub struct Record<'a> {
    /// Its name, or `line 7` for a line that names none.
    pub name: &'a str,
    /// Its line in a list, from 1; 0 if there is none.
    pub line: u64,
    /// How it ended.
    pub fate: Fate<'a>,
    /// Requests and retries of requests, at least.
    pub attempts: u32,
    /// Its size, if known.
    pub bytes: Option<u64>,
    /// Its hash: as the list gave it and it was right, or of what this run wrote.
    pub sha256: Option<[u8; 32]>,
    /// Scheme, host and port of its own URL.
    pub host: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    line: u64,
    status: &'static str,
    attempts: u32,
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<u16>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Serialize)]
struct End<'a> {
    end: bool,
    new: u64,
    present: u64,
    failed: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

/// A report being written.
pub struct Report {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    block: Vec<u8>,
    writer: Option<Writer>,
    new: u64,
    present: u64,
    failed: u64,
    bytes: u64,
}

struct Writer {
    blocks: SyncSender<Vec<u8>>,
    thread: JoinHandle<std::io::Result<()>>,
}

impl Report {
    /// Begins a report; one of an earlier run is replaced.
    pub fn open(path: PathBuf) -> Result<Self> {
        let mut file = File::create(&path).map_err(|error| failed(&path, &error))?;
        let (blocks, received) = sync_channel::<Vec<u8>>(WAITING);
        let write = move || {
            received
                .iter()
                .try_for_each(|block| file.write_all(&block))?;
            file.sync_all()
        };
        let thread = std::thread::Builder::new()
            .name("report".to_owned())
            .spawn(write);
        let thread = thread.map_err(|error| failed(&path, &error))?;
        let state = State {
            block: Vec::with_capacity(2 * BLOCK),
            writer: Some(Writer { blocks, thread }),
            ..State::default()
        };
        Ok(Self {
            path,
            state: Mutex::new(state),
        })
    }

    /// Adds a line. Does not wait, unless the disk is far behind.
    pub fn add(&self, record: &Record<'_>) {
        let mut state = lock(&self.state);
        let (status, error) = match record.fate {
            Fate::New => ("new", None),
            Fate::Present => ("present", None),
            Fate::Failed(error) => ("failed", Some(error)),
        };
        match record.fate {
            Fate::New => state.new += 1,
            Fate::Present => state.present += 1,
            Fate::Failed(_) => state.failed += 1,
        }
        if error.is_none() {
            state.bytes += record.bytes.unwrap_or(0);
        }
        state.push(&Line {
            name: record.name,
            line: record.line,
            status,
            attempts: record.attempts,
            bytes: record.bytes,
            sha256: record.sha256.as_ref().map(|digest| hex(digest)),
            host: record.host.clone(),
            kind: error.map(|error| error.kind.as_ref()),
            message: error.map(|error| error.message.as_str()),
            http: error.and_then(|error| error.status),
        });
        if state.block.len() >= BLOCK {
            state.hand_over();
        }
    }

    /// Adds the last line and waits until all is on disk.
    pub fn close(&self, error: Option<&Error>) -> Result<()> {
        let mut state = lock(&self.state);
        if state.writer.is_none() {
            return Ok(());
        }
        let (new, present, failed_files, bytes) =
            (state.new, state.present, state.failed, state.bytes);
        state.push(&End {
            end: true,
            new,
            present,
            failed: failed_files,
            bytes,
            stopped: error.map(|error| error.kind.as_ref()),
            message: error.map(|error| error.message.as_str()),
        });
        state.hand_over();
        let Some(Writer { blocks, thread }) = state.writer.take() else {
            return Ok(());
        };
        drop(blocks);
        match thread.join() {
            Ok(outcome) => outcome.map_err(|error| failed(&self.path, &error)),
            Err(_) => Err(Error::new("internal", "the report's thread broke off")),
        }
    }
}

impl State {
    fn push(&mut self, line: &impl Serialize) {
        if serde_json::to_writer(&mut self.block, line).is_ok() {
            self.block.push(b'\n');
        }
    }

    fn hand_over(&mut self) {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(2 * BLOCK));
        if let Some(writer) = &self.writer {
            // A writer that failed says so in the end.
            let _ = writer.blocks.send(block);
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::io("write the report", path, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_a_line_a_file_and_ends_once() {
        let path = std::env::temp_dir().join(format!("report-{}.jsonl", std::process::id()));
        let report = Report::open(path.clone());
        assert!(report.is_ok());
        let Ok(report) = report else { return };
        let error = Error::new("not-found", "h answered 404").status(404);
        for at in 0..2_000 {
            let fate = if at % 2 == 0 {
                Fate::New
            } else {
                Fate::Failed(&error)
            };
            report.add(&Record {
                name: "a\"\u{1b}.png",
                line: 7,
                fate,
                attempts: 1,
                bytes: Some(3),
                sha256: Some([0xab; 32]),
                host: None,
            });
        }
        assert_eq!(report.close(None), Ok(()));
        assert_eq!(report.close(None), Ok(()));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(&path);
        let lines: Vec<serde_json::Value> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        assert_eq!(lines.len(), 2_001);
        assert_eq!(lines[0]["name"], "a\"\u{1b}.png");
        assert!(!text.contains('\u{1b}'));
        assert_eq!(lines[1]["http"], 404);
        assert_eq!(lines[2_000]["end"], true);
        assert_eq!(lines[2_000]["bytes"], 3_000);
    }
}
