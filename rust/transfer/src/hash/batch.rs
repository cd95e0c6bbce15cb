//! Where the pieces of several files meet, to be hashed side by side.
//!
//! Each thread has a queue. Whoever begins it steps aside for as long as others come, who have bytes of
//! theirs to bring, and then hashes them all; so does whoever makes it full. So there are many when the
//! processor is what the run waits for, and nothing waits for company when it is not.

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::{lanes, Hash};
use crate::backoff::lock;
use crate::http::Piece;

/// Shorter pieces are hashed in less time than it takes to meet.
const WORTH: usize = 2 << 10;

struct Job {
    hash: Hash,
    piece: Piece,
    done: oneshot::Sender<Hash>,
}

type Queue = Mutex<Vec<Job>>;

thread_local! {
    static QUEUE: Arc<Queue> = Arc::default();
}

/// A piece that somebody is to hash; taken back when it is dropped before.
struct Waiting {
    queue: Arc<Queue>,
    done: oneshot::Receiver<Hash>,
    /// True for the one who sees to it that the queue is hashed.
    is_first: bool,
}

impl Waiting {
    /// Until all who have bytes have brought them, or somebody has hashed them.
    async fn for_others(&mut self) {
        let mut before = 0;
        while self.done.is_empty() {
            let now = lock(&self.queue).len();
            if now == before {
                return run(&self.queue);
            }
            before = now;
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.done.is_terminated() {
            return;
        }
        self.done.close();
        lock(&self.queue).retain(|job| !job.done.is_closed());
        if self.is_first {
            run(&self.queue);
        }
    }
}

impl Hash {
    /// Takes a piece in, together with those of other files. Dropped before its end, it has done nothing.
    pub async fn take(&mut self, piece: Piece) {
        let width = lanes::width();
        if width == 1 || piece.len() < WORTH {
            return self.update(&piece);
        }
        let (done, receiver) = oneshot::channel();
        let queue = QUEUE.with(Arc::clone);
        let hash = self.clone();
        let waiting = {
            let mut jobs = lock(&queue);
            jobs.push(Job { hash, piece, done });
            jobs.len()
        };
        let mut own = Waiting {
            queue,
            done: receiver,
            is_first: waiting == 1,
        };
        if waiting >= width {
            run(&own.queue);
        } else if own.is_first {
            own.for_others().await;
        }
        // Whoever hashes tells it; a hash of nothing, which is no file's, stands for one that broke off.
        *self = (&mut own.done).await.unwrap_or_default();
    }
}

/// Hashes all that is there.
fn run(queue: &Queue) {
    let room = Vec::with_capacity(lanes::width());
    let mut jobs = std::mem::replace(&mut *lock(queue), room);
    let mut lanes: Vec<_> = jobs
        .iter_mut()
        .map(|job| job.hash.lane(&job.piece))
        .collect();
    lanes::compress(&mut lanes);
    for job in jobs {
        let _ = job.done.send(job.hash);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{pin, Pin};
    use std::task::{Context, Poll, Waker};

    use sha2::{Digest, Sha256};

    use super::*;

    fn piece(bytes: &[u8]) -> Piece {
        Piece::new(bytes.to_vec(), 0..bytes.len())
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn waiting() -> usize {
        QUEUE.with(|queue| lock(queue).len())
    }

    /// A file in pieces, some short and some long; its bytes depend on `seed`.
    async fn one_file(seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut hash, mut all) = (Hash::new(), Sha256::new());
        for _ in 0..random.usize(..6) {
            let length = random.usize(..4 * WORTH);
            let bytes: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
            all.update(&bytes);
            hash.take(piece(&bytes)).await;
        }
        assert_eq!(hash.finish()[..], all.finalize()[..]);
    }

    async fn many_files() {
        let mut tasks = tokio::task::JoinSet::new();
        (0..200).for_each(|seed| drop(tasks.spawn(one_file(seed))));
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn on_one_thread_without_a_wait() {
        let begun = tokio::time::Instant::now();
        many_files().await;
        assert_eq!((begun.elapsed().as_nanos(), waiting()), (0, 0));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn on_several_threads() {
        many_files().await;
    }

    #[test]
    fn who_began_hashes_all_once_nobody_comes() {
        if lanes::width() <= 2 {
            return;
        }
        let (mut a, mut b) = (Hash::new(), Hash::new());
        {
            let mut first = pin!(a.take(piece(&[1; WORTH])));
            let mut second = pin!(b.take(piece(&[2; WORTH])));
            assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
            assert!(poll(first.as_mut()).is_pending() && poll(second.as_mut()).is_pending());
            assert_eq!(waiting(), 2);
            assert!(poll(first).is_ready() && waiting() == 0 && poll(second).is_ready());
        }
        assert_eq!(a.finish()[..], Sha256::digest([1; WORTH])[..]);
        assert_eq!(b.finish()[..], Sha256::digest([2; WORTH])[..]);
    }

    #[test]
    fn a_full_queue_is_hashed_at_once() {
        let mut hashes = vec![Hash::new(); lanes::width()];
        let futures = hashes
            .iter_mut()
            .map(|hash| Box::pin(hash.take(piece(&[3; WORTH]))));
        let mut futures: Vec<_> = futures.collect();
        let last = futures.iter_mut().map(|one| poll(one.as_mut())).last();
        assert!(last.is_some_and(|last| last.is_ready()) && waiting() == 0);
    }

    #[test]
    fn who_leaves_takes_its_piece_along_and_holds_up_nobody() {
        if lanes::width() <= 2 {
            return;
        }
        let (mut a, mut b, mut c) = (Hash::new(), Hash::new(), Hash::new());
        a.update(b"before");
        {
            let mut first = Box::pin(a.take(piece(&[4; WORTH])));
            let mut stays = pin!(b.take(piece(&[5; WORTH])));
            let mut leaves = Box::pin(c.take(piece(&[6; WORTH])));
            assert!(poll(first.as_mut()).is_pending() && poll(leaves.as_mut()).is_pending());
            assert!(poll(stays.as_mut()).is_pending());
            drop(leaves);
            assert_eq!(waiting(), 2);
            drop(first);
            assert_eq!(waiting(), 0);
            assert!(poll(stays).is_ready());
        }
        assert_eq!(a.finish()[..], Sha256::digest(b"before")[..]);
        assert_eq!(b.finish()[..], Sha256::digest([5; WORTH])[..]);
        assert_eq!(c.finish()[..], Sha256::digest(b"")[..]);
    }
}
