//! What is ready for use while the run goes on: files under their final names, and whole renders.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_channel::Sender;

use crate::backoff::lock;

/// A file under its final name, or a render of which every selected file is.
#[derive(Debug, Clone)]
pub enum Finished {
    /// One file.
    File(FinishedFile),
    /// All selected files of a render, in the order in which they ended; each was sent before.
    ///
    /// A list whose files of one render are not next to each other tells it once for each group.
    Render {
        /// The render's id.
        id: u64,
        /// Its files.
        files: Vec<FinishedFile>,
    },
}

/// A file under its final name.
#[derive(Debug, Clone)]
pub struct FinishedFile {
    /// Its name in the list.
    pub name: Arc<str>,
    /// Where it is; in runs with shards where it was staged, perhaps no more.
    pub path: PathBuf,
    /// Size in bytes, if it was known or counted.
    pub bytes: Option<u64>,
    /// The render it belongs to; none for job-wide files.
    pub render: Option<u64>,
    /// True if it was there before this run.
    pub is_old: bool,
}

/// Gathers files into renders. Holds the renders under way, no more.
pub struct Renders {
    sender: Sender<Finished>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The render whose files are being planned.
    planned: Option<u64>,
    open: HashMap<u64, Open>,
}

#[derive(Default)]
struct Open {
    under_way: usize,
    has_failed: bool,
    files: Vec<FinishedFile>,
}

impl Renders {
    /// Tells `sender`; when nobody receives any more, nothing is told.
    pub fn new(sender: Sender<Finished>) -> Self {
        Self {
            sender,
            state: Mutex::default(),
        }
    }

    /// The next file in the list is of this render; that ends another one before it.
    pub async fn expect(&self, render: Option<u64>) {
        let whole = {
            let mut state = lock(&self.state);
            let before = std::mem::replace(&mut state.planned, render);
            if let Some(id) = render {
                state.open.entry(id).or_default().under_way += 1;
            }
            before
                .filter(|id| Some(*id) != render)
                .and_then(|id| state.whole(id))
        };
        self.send(whole).await;
    }

    /// A file of a render has ended: here it is, or it failed.
    pub async fn ended(&self, render: Option<u64>, file: Option<FinishedFile>) {
        if let Some(file) = &file {
            self.send(Some(Finished::File(file.clone()))).await;
        }
        let Some(id) = render else { return };
        let whole = {
            let mut state = lock(&self.state);
            let is_planned = state.planned != render;
            if let Some(open) = state.open.get_mut(&id) {
                open.under_way = open.under_way.saturating_sub(1);
                open.has_failed |= file.is_none();
                open.files.extend(file);
            }
            if is_planned {
                state.whole(id)
            } else {
                None
            }
        };
        self.send(whole).await;
    }

    async fn send(&self, finished: Option<Finished>) {
        if let Some(finished) = finished {
            let _ = self.sender.send(finished).await;
        }
    }
}

impl State {
    /// Takes a render out once nothing of it is under way; one with failures is not told.
    fn whole(&mut self, id: u64) -> Option<Finished> {
        if self.open.get(&id)?.under_way > 0 {
            return None;
        }
        let open = self.open.remove(&id)?;
        (!open.has_failed).then_some(Finished::Render {
            id,
            files: open.files,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, render: Option<u64>) -> Option<FinishedFile> {
        Some(FinishedFile {
            name: name.into(),
            path: name.into(),
            bytes: Some(1),
            render,
            is_old: false,
        })
    }

    #[tokio::test]
    async fn a_render_is_told_when_its_last_file_is_there_and_no_more_will_come() {
        let (sender, receiver) = async_channel::unbounded();
        let renders = Renders::new(sender);
        let told = || {
            let mut ids = vec![];
            while let Ok(finished) = receiver.try_recv() {
                if let Finished::Render { id, files } = finished {
                    ids.push((id, files.len()));
                }
            }
            ids
        };
        for render in [None, Some(1), Some(1), Some(2), Some(2), Some(3)] {
            renders.expect(render).await;
        }
        renders.ended(Some(1), file("a", Some(1))).await;
        assert_eq!(told(), []);
        renders.ended(Some(1), file("b", Some(1))).await;
        assert_eq!(told(), [(1, 2)]);
        renders.ended(Some(3), file("e", Some(3))).await;
        assert_eq!(told(), [], "a further file may come");
        renders.ended(Some(2), None).await;
        renders.ended(Some(2), file("d", Some(2))).await;
        renders.expect(None).await;
        assert_eq!(told(), [(3, 1)]);
        renders.ended(None, file("job", None)).await;
        assert_eq!(told(), []);
        assert!(lock(&renders.state).open.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_channel_holds_up_and_a_closed_one_does_not() {
        let (sender, receiver) = async_channel::bounded(1);
        let renders = Renders::new(sender);
        renders.ended(None, file("a", None)).await;
        let held = tokio::time::timeout(
            std::time::Duration::from_secs(60),
            renders.ended(None, file("b", None)),
        );
        assert!(held.await.is_err());
        drop(receiver);
        renders.ended(None, file("b", None)).await;
    }
}
