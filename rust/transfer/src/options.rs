//! What to download and how, and what came of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use http::header::HeaderMap;

use crate::control::Bound;
use crate::counters::{Counters, Failure, Snapshot};
use crate::finished::Finished;
use crate::folder::Aside;
use crate::ids::Ids;
use crate::list::List;
use crate::plan::Order;
use crate::tar::Tar;

/// Missing render ids that are named; further ones are only counted.
const MOST_MISSING: usize = 1_000;

/// How many requests may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// This many all the time, as far as the process may open files.
    Fixed(usize),
    /// As many as bring something, found out on the way and again whenever things change.
    Auto,
}

/// What to download and how.
#[derive(Debug)]
pub struct Options {
    /// The files.
    pub list: List,
    /// Headers of every request; the secret ones stay at the list's origin.
    pub headers: HeaderMap,
    /// The output folder; made if it does not exist.
    pub directory: PathBuf,
    /// Requests at one time.
    pub concurrency: Concurrency,
    /// Bytes of bodies a second, at most.
    pub limit_rate: Option<u64>,
    /// Requests a second, at most.
    pub max_rps: Option<f64>,
    /// A JSON file in which is kept what was learnt of each host; `None` to remember nothing.
    pub memory: Option<PathBuf>,
    /// Fetch files again that differ from the server's.
    pub update: bool,
    /// Look at the hash of files that are there.
    pub verify: bool,
    /// Files that are only wanted for what is made from them; they go to `.synthesis/aside`.
    pub aside: Option<Aside>,
    /// Inclusive ranges of render ids; `None` for all.
    pub render_ids: Option<Vec<(u64, u64)>>,
    /// Which of them come first.
    pub order: Order,
    /// Part `i` (from 0) of `n` disjoint parts that are the whole together: by render id, or by
    /// a hash of the name for files without one.
    pub shard: Option<(u64, u64)>,
    /// Only count: nothing is fetched, written or locked.
    pub dry_run: bool,
    /// Begin even if the disk seems too small.
    pub force: bool,
    /// A file that gets a line of JSON for each file as it ends.
    pub report: Option<PathBuf>,
    /// Shards in place of single files.
    pub tar: Option<Tar>,
    /// Gets what is finished as it is; a full channel holds up further files.
    pub finished: Option<async_channel::Sender<Finished>>,
}

impl Options {
    /// `list` to `directory`, and nothing out of the ordinary.
    pub fn new(list: List, directory: PathBuf, concurrency: Concurrency) -> Self {
        Self {
            list,
            headers: HeaderMap::new(),
            directory,
            concurrency,
            limit_rate: None,
            max_rps: None,
            memory: None,
            update: false,
            verify: false,
            aside: None,
            render_ids: None,
            order: Order::Manifest,
            shard: None,
            dry_run: false,
            force: false,
            report: None,
            tar: None,
            finished: None,
        }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The last counters.
    pub counters: Snapshot,
    /// The first failures, by name.
    pub failures: Vec<Failure>,
    /// How many files failed for each kind of reason.
    pub failed_by_kind: BTreeMap<String, u64>,
    /// How many asked render ids have no file.
    pub missing: u64,
    /// The first of them.
    pub missing_render_ids: Vec<u64>,
    /// False if the job still makes files.
    pub complete: bool,
    /// What kept the run from being faster.
    pub bound: Bound,
    /// Files that a check found there and did not read: the list has no sha256 of them.
    pub unread: u64,
    /// Words about the run as a whole: little room, lines that repeat others.
    pub warnings: Vec<String>,
    /// What the selected files are, by the list's own words for it, sorted; at most 200.
    pub listed: Vec<String>,
    /// Files by kind; counted in dry runs only.
    pub assets: BTreeMap<String, AssetCount>,
    /// Bytes that are free where the folder is; told by dry runs only.
    pub free: Option<u64>,
    /// Bytes still to fetch, as far as sizes are known; told by dry runs only.
    pub needed: u64,
}

impl Outcome {
    /// What the counters say at the end; of the `asked` render ids those are missing that were not
    /// `seen`. A whole job, bound by nothing, of which nothing was planned.
    pub(crate) fn of(counters: &Counters, asked: Option<&Ids>, seen: &Ids) -> Self {
        let (missing, missing_render_ids) = asked
            .map(|asked| asked.missing_from(seen, MOST_MISSING))
            .unwrap_or_default();
        Self {
            counters: counters.snapshot(),
            failures: counters.failures(),
            failed_by_kind: counters.failed_by_kind(),
            missing,
            missing_render_ids,
            complete: true,
            bound: Bound::default(),
            unread: counters.unread.load(Ordering::Relaxed),
            warnings: counters.warnings(),
            listed: Vec::new(),
            assets: BTreeMap::new(),
            free: None,
            needed: 0,
        }
    }
}

/// Files of one kind, in a dry run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssetCount {
    /// Files selected.
    pub files: u64,
    /// Their bytes, as far as the list tells.
    pub bytes: u64,
    /// Files that are there already, with the right size.
    pub present_files: u64,
    /// Their bytes.
    pub present_bytes: u64,
    /// Files selected whose size the list does not tell.
    pub unknown_sizes: u64,
}
