//! From the list to work: what is not wanted and what the folder holds is skipped, and the rest
//! goes to the board. One pass, in constant memory.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use async_channel::Sender;
use tokio::task::JoinHandle;

use crate::board::{Board, Unit};
use crate::counters::{add, take};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fates::Fate;
use crate::fetch::Context;
use crate::ids::Ids;
use crate::judge::{judge, Policy, Scan, Verdict};
use crate::list::seen::{Before, Noted, Seen as Lines};
use crate::list::Listing;
use crate::manifest::{Head, Line};
use crate::names;
use crate::room;
use crate::selection::Selection;

/// How often it is told how far the list was read.
const TOLD: u64 = 64;

/// How often a name is kept from which renewed links are asked for.
const MARKED: u64 = 256;

/// A list that names more kinds of files than any job has is not noted further.
const MOST_LISTED: usize = 200;

/// Lines that wait to be told from those before them: one reading of what was noted serves them all.
const WAITING: usize = 8_192;

/// In which order files are fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As it goes fastest; near the list's order.
    #[default]
    Manifest,
    /// Render by render, in the list's order, which for a job is job-wide files first and then
    /// all selected files of one render after those of another.
    Renders,
}

/// What is to be planned, and how.
pub struct Wishes {
    /// What is done about files that are there.
    pub policy: Policy,
    /// Which files are wanted.
    pub selection: Selection,
    /// Begin even if the disk seems too small.
    pub force: bool,
}

/// What the list turned out to hold.
#[derive(Debug, Default)]
pub struct Seen {
    /// Render ids that have files.
    pub ids: Ids,
    /// What the selected files are, as far as the list names it; at most [`MOST_LISTED`].
    pub listed: BTreeSet<Arc<str>>,
    /// False while the job still makes files.
    pub complete: bool,
    /// Lines that were the same as an earlier one.
    pub repeated: u64,
}

impl Seen {
    fn note(&mut self, entry: &Entry) {
        if let Some(id) = entry.render {
            self.ids.insert(id);
        }
        if let Some(asset) = &entry.asset {
            if self.listed.len() < MOST_LISTED && !self.listed.contains(asset.as_ref()) {
                self.listed.insert(asset.clone());
            }
        }
    }
}

/// One planning of one list.
pub struct Planner<'a> {
    context: &'a Arc<Context>,
    board: &'a Board,
    queue: Sender<Unit>,
    wishes: Wishes,
    found: Scan,
    seen: Seen,
    is_counted: Option<bool>,
    /// For lists, whose names may clash and whose lines may repeat.
    lines: Option<Lines>,
    /// Lines whose names may have come before.
    waiting: Vec<(Entry, Noted)>,
    planned: u64,
}

/// Reads the list to its end. The folder is scanned while the list is being asked for.
pub async fn plan(
    context: &Arc<Context>,
    board: &Board,
    queue: Sender<Unit>,
    scan: JoinHandle<Result<Scan>>,
    wishes: Wishes,
) -> Result<Seen> {
    let links = &context.links;
    let mut listing = Listing::new(&context.http, &context.gate, &context.source, links);
    let mut next = first(context, &mut listing).await;
    let found = scan
        .await
        .map_err(|_| Error::new("internal", "the folder's scan broke off"))??;
    let mut planner = Planner {
        context,
        board,
        queue,
        wishes,
        found,
        seen: Seen {
            complete: true,
            ..Seen::default()
        },
        is_counted: None,
        lines: None,
        waiting: Vec::new(),
        planned: 0,
    };
    let (mut renewals, mut is_read) = (0, matches!(next, Ok(None)));
    while let Some(line) = next? {
        if planner.lines.is_none() && !listing.is_manifest() {
            planner.lines = Some(Lines::new(context.folder.work()));
        }
        if !planner.line(line).await? {
            break;
        }
        // The rest of this body has old links: a fresh one is read on from here.
        if std::mem::replace(&mut renewals, links.renewals()) != renewals {
            listing.restart();
        }
        if planner.planned % TOLD == 1 {
            context.counters.read_to(listing.position());
        }
        next = listing.next().await;
        is_read = matches!(next, Ok(None));
    }
    if is_read {
        planner.settle().await?;
        context.counters.whole();
    }
    context.fates.planned().await;
    Ok(planner.seen)
}

/// The first line of a list. Its files often are where the list is, so a connection for the first of
/// them is opened meanwhile, after the list's own: one, which a server that serves them by turns bears.
async fn first(context: &Context, listing: &mut Listing<'_>) -> Result<Option<Line>> {
    let mut line = std::pin::pin!(listing.next());
    if let Some(url) = context.source.list.url() {
        tokio::select! {
            biased;
            line = &mut line => return line,
            () = context.http.open_ahead(url) => {}
        }
    }
    line.await
}

impl Planner<'_> {
    /// Sees to one line; false if nobody wants more.
    async fn line(&mut self, line: Line) -> Result<bool> {
        let counters = &self.context.counters;
        let entry = match line {
            Line::Head(head) => {
                self.head(&head)?;
                return Ok(true);
            }
            Line::Bad(name, why) => {
                let kind = bad_line(self.lines.is_some());
                let error = Error::new(kind, format!("{}: {why}", names::shown(&name)));
                if self.lines.is_some() {
                    add(&counters.files_total, 1);
                }
                self.context.fates.fail(self.context, &name, &error).await;
                return Ok(true);
            }
            Line::File(entry) => entry,
        };
        self.planned += 1;
        if self.planned % MARKED == 1 {
            self.context
                .links
                .planned(&entry.name, self.lines.is_none());
        }
        if !self.wishes.selection.has(&entry) {
            // The server was asked for more, and has counted these too.
            if self.is_counted == Some(true) {
                take(&counters.files_total, 1);
                take(&counters.bytes_total, entry.bytes.unwrap_or(0));
            }
            return Ok(true);
        }
        self.seen.note(&entry);
        if let Some(url) = &entry.url {
            self.context.gate.planned(url);
        }
        if let Some(lines) = &mut self.lines {
            let (is_new, noted) =
                lines.note(&entry.name, entry.url.as_deref().unwrap_or_default())?;
            if !is_new {
                self.waiting.push((entry, noted));
                return match self.waiting.len() {
                    WAITING => self.settle().await,
                    _ => Ok(true),
                };
            }
        }
        self.file(entry, false).await
    }

    /// Sees to the lines whose names may have come before: the same line again is fetched once.
    async fn settle(&mut self) -> Result<bool> {
        let (entries, noted): (Vec<Entry>, Vec<Noted>) = self.waiting.drain(..).unzip();
        let before = match &mut self.lines {
            Some(lines) if !noted.is_empty() => lines.look(&noted)?,
            _ => return Ok(true),
        };
        for (entry, before) in entries.into_iter().zip(before) {
            if before == Before::Repeated {
                self.seen.repeated += 1;
            } else if !self.file(entry, before == Before::Clash).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sees to one file, whose name may be that of another; false if nobody wants more.
    async fn file(&mut self, entry: Entry, is_clash: bool) -> Result<bool> {
        let counters = &self.context.counters;
        if self.is_counted != Some(true) {
            add(&counters.files_total, 1);
            add(&counters.bytes_total, entry.bytes.unwrap_or(0));
        }
        self.context.fates.expect(&entry).await;
        let verdict = match is_clash {
            true => Err(twice(&entry)),
            false => judge(self.context, &mut self.found, &entry, self.wishes.policy),
        };
        let error = match verdict {
            Ok(Verdict::There) => {
                self.context
                    .fates
                    .tell(self.context, &entry, Fate::Present)
                    .await;
                return Ok(true);
            }
            Ok(Verdict::Fetch {
                check,
                replace,
                doubtful,
            }) if self.board.reserve(&entry.name) => {
                if entry.bytes.is_none() {
                    counters.has_unsized.store(true, Ordering::Relaxed);
                }
                let unit = Unit {
                    entry,
                    check,
                    replace,
                    doubtful,
                };
                return Ok(self.queue.send(unit).await.is_ok());
            }
            Ok(Verdict::Fetch { .. }) => twice(&entry),
            Err(error) => error,
        };
        self.context
            .fates
            .tell(self.context, &entry, Fate::Failed(&error))
            .await;
        Ok(true)
    }

    fn head(&mut self, head: &Head) -> Result<()> {
        let context = self.context;
        context.links.learn(head, &context.source)?;
        self.seen.complete = head.complete.unwrap_or(true);
        if self.is_counted.is_some() {
            return Ok(());
        }
        let counts = head.count.zip(head.bytes);
        self.is_counted = Some(counts.is_some());
        let (count, bytes) = counts.unwrap_or_default();
        add(&context.counters.files_total, count);
        add(&context.counters.bytes_total, bytes);
        if self.wishes.selection.shard.is_some() {
            return Ok(());
        }
        if counts.is_some() {
            context.counters.whole();
        }
        let needed = bytes
            .saturating_sub(self.found.folder.bytes + self.found.aside.bytes)
            .saturating_sub(context.journal.bytes());
        let warning = room::check(context.folder.path(), needed, self.wishes.force)?;
        warning
            .into_iter()
            .for_each(|text| context.counters.warn(text));
        Ok(())
    }
}

fn twice(entry: &Entry) -> Error {
    let text = if entry.line == 0 {
        format!("{}: the manifest lists it twice", entry.name)
    } else {
        format!(
            "{}: line {} has the name of an earlier line",
            entry.name, entry.line
        )
    };
    Error::new(bad_line(entry.line > 0), text).hint("give each line a name of its own")
}

/// The kind of a line that makes no sense: in a list it is the user's to correct.
pub fn bad_line(is_list: bool) -> &'static str {
    match is_list {
        true => "invalid-list",
        false => "bad-answer",
    }
}
