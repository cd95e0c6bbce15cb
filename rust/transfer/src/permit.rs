//! One permit: one request under way at a time, until there is no more work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::board::{Board, Unit, Work};
use crate::control::Control;
use crate::counters::{add, take};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::fates::Fate;
use crate::fetch::Context;
use crate::folder::{digest, part_id};
use crate::large;
use crate::small;

/// Before a file that was put off is tried again.
const PUT_OFF: Duration = Duration::from_secs(1);

/// How many pauses of its host a file may be put off for.
const PAUSES: u32 = 8;

/// What the permits of a run have in common.
#[derive(Clone)]
pub struct Crew {
    /// What they work with.
    pub context: Arc<Context>,
    /// What they work on.
    pub board: Arc<Board>,
    /// Files in a row that failed because nobody answered.
    pub outages: Arc<AtomicUsize>,
}

/// Takes work until there is none. Number `index` works while so many permits are allowed.
pub async fn permit(crew: Crew, index: usize) -> Result<()> {
    let Crew { context, board, .. } = &crew;
    while context.control.lanes.turn(index).await {
        let Some(work) = board.next().await else {
            break;
        };
        add(&context.counters.in_flight, 1);
        match work {
            Work::Help(large, range) => large::help(context, board, &large, range).await,
            Work::File(unit, pass) => one_file(&crew, unit, pass).await?,
        }
        take(&context.counters.in_flight, 1);
        if let Some(error) = context.control.stopped() {
            return Err(error);
        }
    }
    context.control.lanes.close();
    Ok(())
}

/// Sees to a file; an error ends the run.
async fn one_file(crew: &Crew, unit: Unit, pass: u32) -> Result<()> {
    let Crew {
        context,
        board,
        outages,
    } = crew;
    let control = &context.control;
    let url = unit.entry.url.as_deref();
    if let Some(due) = context.gate.opens(url) {
        if board.wait(unit.clone(), pass, due) {
            return Ok(());
        }
    }
    let files = || context.counters.files_new.load(Ordering::Relaxed);
    let before = files();
    let outcome = see_to(context, board, unit.clone()).await;
    let most = 2 * control.lanes.allowed().max(8);
    let error = match outcome {
        Ok(fate) => {
            board.done(&unit);
            outages.store(0, Ordering::Relaxed);
            context.gate.count(url, None, most);
            context.fates.tell(context, &unit.entry, fate).await;
            return refused(control, &unit, Ok(()));
        }
        Err(error) => error,
    };
    if unit.doubtful {
        context.journal.keep_doubt();
    }
    if error.is_crowded() {
        control.crowd();
        if board.put_off(unit.clone(), pass, Instant::now() + PUT_OFF) {
            return Ok(());
        }
    }
    if error.is_fatal() {
        return Err(error);
    }
    let is_outage = error.is_outage();
    if is_outage {
        // Its host wants a pause: it is alive, and there is other work until then.
        let due = context.gate.opens(url).filter(|_| pass < PAUSES);
        if due.is_some_and(|due| board.wait(unit.clone(), pass + 1, due)) {
            add(&context.counters.retries, 1);
            context.fates.again(&unit.entry.name);
            return Ok(());
        }
        // A line with a URL of its own may be of any host; the files of a manifest are all of one.
        context.gate.count(url, Some(&error), most);
    }
    // Others arrived meanwhile, so the trouble is this file's: it need not hold up a permit.
    let is_alone = files() > before;
    let may_wait = error.kind != "tls" && !context.gate.is_closed(url);
    if is_outage && may_wait && is_alone {
        let due = Instant::now() + PUT_OFF.mul_f64(f64::from(pass + 1) * (0.5 + fastrand::f64()));
        if board.put_off(unit.clone(), pass, due) {
            return Ok(());
        }
    }
    board.done(&unit);
    let fate = Fate::Failed(&error);
    context.fates.tell(context, &unit.entry, fate).await;
    refused(control, &unit, Err(&error))?;
    // Every permit in vain, twice over, and nothing else: nobody is there.
    if is_outage && url.is_none() && outages.fetch_add(1, Ordering::Relaxed) + 1 >= most {
        return Err(error);
    }
    Ok(())
}

/// A manifest names what its server has, so refusals say that something is wrong with the whole; a
/// list from elsewhere may be old, and each line is told by itself.
fn refused(control: &Control, unit: &Unit, outcome: std::result::Result<(), &Error>) -> Result<()> {
    match unit.entry.line {
        0 => control.refusals.count(outcome),
        _ => Ok(()),
    }
}

async fn see_to(context: &Arc<Context>, board: &Board, unit: Unit) -> Result<Fate<'static>> {
    let Unit {
        entry,
        check,
        replace,
        doubtful,
    } = unit;
    if check && is_right(context, &entry, doubtful).await? {
        add(&context.counters.files_present, 1);
        add(&context.counters.bytes_present, entry.bytes.unwrap_or(0));
        return Ok(Fate::Present);
    }
    if check && !replace {
        let text = format!("{}: its bytes are not those of the list", entry.name);
        return Err(Error::new("mismatch", text).hint("--update fetches it again"));
    }
    if check && doubtful {
        // Known to be wrong, and by our own doing: it may not keep its name while we fetch it.
        let path = context.folder.target(&entry.name);
        std::fs::remove_file(&path).map_err(|error| Error::io("remove", &path, &error))?;
    }
    match entry.bytes {
        Some(bytes) if bytes <= small::LARGEST => {
            // Its former, larger self may be half done.
            if !context.journal.is_empty() {
                context.journal.gone(&part_id(&entry.name))?;
            }
            small::fetch(context, board, entry, replace).await?;
        }
        _ => large::fetch(context, board, entry, replace).await?,
    }
    Ok(Fate::New)
}

/// Hashes a file that is there, off the permits' threads. A power loss may leave unreadable ones.
async fn is_right(context: &Arc<Context>, entry: &Entry, doubtful: bool) -> Result<bool> {
    let path = context.folder.target(&entry.name);
    match tokio::task::spawn_blocking(move || digest(&path)).await {
        Ok(Ok(found)) => Ok(entry.sha256.is_none_or(|known| found == known)),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Ok(Err(_)) if doubtful => Ok(false),
        Ok(Err(error)) => {
            let text = format!("{}: it cannot be read: {error}", entry.name);
            Err(Error::new("mismatch", text))
        }
        Err(_) => Err(Error::new("internal", "hashing broke off")),
    }
}
