//! Which staged files make the next shard: renders next to each other in the list, in its order.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use async_channel::Sender;

use super::shelf::Shelf;
use super::{is_job_wide, key};
use crate::backoff::lock;
use crate::entry::Entry;
use crate::error::{Error, Result};

/// How often the thread is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Shards that may wait to be written before files wait too.
const WAITING: usize = 2;

/// Puts staged files into shards, on a thread of its own.
pub struct Packer {
    renders: u64,
    stop: Arc<AtomicBool>,
    state: Mutex<State>,
    jobs: Mutex<Option<Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<Result<()>>>>,
}

enum Job {
    Shard(Vec<Arc<str>>),
    Beside(Arc<str>),
}

#[derive(Default)]
struct State {
    /// Renders in the list's order; the first one has this number.
    open: VecDeque<Group>,
    first: u64,
    /// The render of each file under way, by number.
    groups: HashMap<Arc<str>, u64>,
    /// Whole renders that wait for the rest of their shard.
    ready: Vec<Arc<str>>,
    ready_renders: u64,
    is_planned: bool,
}

#[derive(Default)]
struct Group {
    key: String,
    names: Vec<(Arc<str>, Option<bool>)>,
    has_failed: bool,
}

impl Packer {
    /// Writes to `shelf`.
    pub fn new(renders: u64, mut shelf: Shelf) -> Result<Self> {
        let (jobs, received) = async_channel::bounded(WAITING);
        let stop = shelf.stop.clone();
        let work = move || {
            while let Ok(job) = received.recv_blocking() {
                match job {
                    Job::Shard(names) => shelf.pack(&names)?,
                    Job::Beside(name) => shelf.put_beside(&name)?,
                }
            }
            shelf.tidy();
            Ok(())
        };
        let thread = std::thread::Builder::new()
            .name("tar".to_owned())
            .spawn(work);
        let thread = thread
            .map_err(|error| Error::new("internal", format!("cannot start a thread: {error}")))?;
        Ok(Self {
            renders: renders.max(1),
            stop,
            state: Mutex::default(),
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The next file of the list.
    pub fn expect(&self, entry: &Entry) {
        if is_job_wide(entry) {
            return;
        }
        let mut state = lock(&self.state);
        let key = key(&entry.name, entry.render);
        if state.open.back().is_none_or(|last| last.key != key) {
            state.open.push_back(Group {
                key,
                ..Group::default()
            });
        }
        let number = state.first + state.open.len() as u64 - 1;
        if let Some(group) = state.open.back_mut() {
            group.names.push((entry.name.clone(), None));
        }
        state.groups.insert(entry.name.clone(), number);
    }

    /// A file has ended: `staged` tells that it waits for its shard, none that it failed. What a
    /// shard has already is not staged.
    pub async fn ended(&self, entry: &Entry, staged: Option<bool>) {
        let job = if is_job_wide(entry) {
            (staged == Some(true)).then(|| Job::Beside(entry.name.clone()))
        } else {
            let mut state = lock(&self.state);
            state.end(&entry.name, staged);
            state.settle(self.renders).map(Job::Shard)
        };
        self.send(job).await;
    }

    /// The list has ended.
    pub async fn planned(&self) {
        let job = {
            let mut state = lock(&self.state);
            state.is_planned = true;
            state.settle(self.renders).map(Job::Shard)
        };
        self.send(job).await;
    }

    async fn send(&self, mut job: Option<Job>) {
        while let Some(one) = job {
            let jobs = lock(&self.jobs).clone();
            if let Some(jobs) = jobs {
                // A thread that failed says so when it is waited for.
                let _ = jobs.send(one).await;
            }
            job = lock(&self.state).settle(self.renders).map(Job::Shard);
        }
    }

    /// Returns the error that ends the thread before its time, if one does.
    pub async fn failed(&self) -> Error {
        loop {
            tokio::time::sleep(LOOK).await;
            let is_over = lock(&self.thread)
                .as_ref()
                .is_some_and(JoinHandle::is_finished);
            if is_over {
                return self.close().err().unwrap_or_else(broken);
            }
        }
    }

    /// The last shard, of fewer whole renders than the others have.
    pub async fn finish(&self) {
        let rest = std::mem::take(&mut lock(&self.state).ready);
        if !rest.is_empty() {
            self.send(Some(Job::Shard(rest))).await;
        }
    }

    /// Ends the thread soon; what it has begun stays staged.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.close();
    }

    /// Waits until every shard is written.
    pub fn close(&self) -> Result<()> {
        lock(&self.jobs).take();
        match lock(&self.thread).take() {
            Some(thread) => thread.join().unwrap_or_else(|_| Err(broken())),
            None => Ok(()),
        }
    }
}

impl Drop for Packer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn broken() -> Error {
    Error::new("internal", "writing shards broke off")
}

impl State {
    fn end(&mut self, name: &Arc<str>, staged: Option<bool>) {
        let Some(number) = self.groups.remove(name) else {
            return;
        };
        let at = number
            .checked_sub(self.first)
            .and_then(|at| usize::try_from(at).ok());
        let Some(group) = at.and_then(|at| self.open.get_mut(at)) else {
            return;
        };
        group.has_failed |= staged.is_none();
        if let Some(file) = group
            .names
            .iter_mut()
            .find(|(other, end)| other == name && end.is_none())
        {
            file.1 = Some(staged == Some(true));
        }
    }

    /// Takes renders that have ended from the front; the names of a shard once it is full.
    fn settle(&mut self, renders: u64) -> Option<Vec<Arc<str>>> {
        while self.ready_renders < renders {
            let may_grow = self.open.len() == 1 && !self.is_planned;
            let front = self.open.front()?;
            if may_grow || front.names.iter().any(|(_, end)| end.is_none()) {
                return None;
            }
            let group = self.open.pop_front()?;
            self.first += 1;
            let staged = group
                .names
                .into_iter()
                .filter(|(_, end)| *end == Some(true));
            let before = self.ready.len();
            if !group.has_failed {
                self.ready.extend(staged.map(|(name, _)| name));
            }
            self.ready_renders += u64::from(self.ready.len() > before);
        }
        self.ready_renders = 0;
        Some(std::mem::take(&mut self.ready))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_full_renders_in_order() {
        let mut state = State::default();
        for render in 0..5 {
            let names = (0..2).map(|file| (Arc::from(format!("{render}.{file}")), None));
            let names: Vec<(Arc<str>, Option<bool>)> = names.collect();
            for (name, _) in &names {
                state.groups.insert(name.clone(), render);
            }
            state.open.push_back(Group {
                key: render.to_string(),
                names,
                has_failed: false,
            });
        }
        let end = |state: &mut State, name: &str, staged| {
            state.end(&name.into(), staged);
            let shard = state.settle(2)?;
            Some(shard.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(end(&mut state, "1.0", Some(true)), None);
        assert_eq!(end(&mut state, "1.1", Some(true)), None);
        assert_eq!(end(&mut state, "0.1", Some(true)), None);
        let first = end(&mut state, "0.0", Some(true));
        assert_eq!(
            first,
            Some(["0.0", "0.1", "1.0", "1.1"].map(str::to_owned).to_vec())
        );
        // A failed render is left out, one that a shard has already does not count.
        for (name, staged) in [
            ("2.0", None),
            ("2.1", Some(true)),
            ("3.0", Some(false)),
            ("3.1", Some(false)),
        ] {
            assert_eq!(end(&mut state, name, staged), None);
        }
        assert_eq!(end(&mut state, "4.0", Some(true)), None);
        assert_eq!(end(&mut state, "4.1", Some(true)), None);
        assert!(
            state.ready.is_empty(),
            "a further file of the last render may come"
        );
        state.is_planned = true;
        assert_eq!(state.settle(2), None);
        assert_eq!(state.ready.len(), 2);
        assert!(state.open.is_empty() && state.groups.is_empty());
    }
}
