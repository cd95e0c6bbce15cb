//! Where the pieces of several files meet, to be hashed side by side.
//!
//! Each thread has a queue. Whoever makes it full hashes as long as the lanes are full, and what is left of the
//! longer pieces waits for the next ones. A task that each queue has while something is in it steps aside as long
//! as others come, who have bytes of theirs to bring, and then hashes all. So the lanes are full when the
//! processor is what the run waits for, and nothing waits for company when it is not.

use std::ops::Range;
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
    /// Its whole blocks that are not hashed yet.
    left: Range<usize>,
    done: oneshot::Sender<Hash>,
}

#[derive(Default)]
struct Jobs {
    waiting: Vec<Job>,
    /// Pieces that came so far.
    came: u64,
    /// A task sees to what waits.
    is_led: bool,
}

type Queue = Mutex<Jobs>;

thread_local! {
    static QUEUE: Arc<Queue> = Arc::default();
}

/// A piece that somebody is to hash; taken back when it is dropped before.
struct Waiting {
    queue: Arc<Queue>,
    done: oneshot::Receiver<Hash>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.done.is_terminated() {
            return;
        }
        self.done.close();
        let mut jobs = lock(&self.queue);
        jobs.waiting.retain(|job| !job.done.is_closed());
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
        let mut hash = self.clone();
        let left = hash.edges(&piece);
        let (is_full, is_led) = {
            let mut jobs = lock(&queue);
            jobs.came += 1;
            jobs.waiting.push(Job {
                hash,
                piece,
                left,
                done,
            });
            let is_led = std::mem::replace(&mut jobs.is_led, true);
            (jobs.waiting.len() >= width, is_led)
        };
        if is_full {
            run(&queue, lanes::compress_while_full);
        }
        if !is_led {
            tokio::spawn(lead(queue.clone()));
        }
        let mut own = Waiting {
            queue,
            done: receiver,
        };
        // Whoever hashes tells it; a hash of nothing, which is no file's, stands for one that broke off.
        *self = (&mut own.done).await.unwrap_or_default();
    }
}

/// Until all who have bytes have brought them; then hashes what is left.
async fn lead(queue: Arc<Queue>) {
    let mut before = 0;
    loop {
        {
            let mut jobs = lock(&queue);
            if jobs.came == before || jobs.waiting.is_empty() {
                jobs.is_led = false;
                break;
            }
            before = jobs.came;
        }
        tokio::task::yield_now().await;
    }
    run(&queue, lanes::compress);
}

/// Hashes what is there, or as much of it as `compress` takes in.
fn run(queue: &Queue, compress: impl FnOnce(&mut [lanes::Lane])) {
    let room = Vec::with_capacity(lanes::width());
    let mut jobs = std::mem::replace(&mut lock(queue).waiting, room);
    let lanes = jobs
        .iter_mut()
        .map(|job| job.hash.blocks(&job.piece[job.left.clone()]));
    let mut lanes: Vec<_> = lanes.collect();
    compress(&mut lanes);
    let left: Vec<usize> = lanes
        .iter()
        .map(|lane| lane.blocks.as_flattened().len())
        .collect();
    for (mut job, left) in jobs.into_iter().zip(left) {
        job.left.start = job.left.end - left;
        match left {
            0 => drop(job.done.send(job.hash)),
            _ => lock(queue).waiting.push(job),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{pin, Pin};
    use std::task::{Context, Poll, Waker};

    use sha2::{Digest, Sha256};
    use tokio::task::JoinHandle;

    use super::*;

    fn piece(bytes: &[u8]) -> Piece {
        Piece::new(bytes.to_vec(), 0..bytes.len())
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn waiting() -> usize {
        QUEUE.with(|queue| lock(queue).waiting.len())
    }

    /// What a permit does with a piece of `length` bytes of `byte`, after `before`.
    fn take(before: &'static [u8], byte: u8, length: usize) -> JoinHandle<Hash> {
        tokio::spawn(async move {
            let mut hash = Hash::new();
            hash.update(before);
            hash.take(piece(&vec![byte; length])).await;
            hash
        })
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

    #[tokio::test]
    async fn who_comes_alone_waits_for_nobody() {
        let hash = take(b"", 1, WORTH).await.unwrap();
        assert_eq!(hash.finish()[..], Sha256::digest([1; WORTH])[..]);
        assert_eq!(waiting(), 0);
    }

    #[tokio::test]
    async fn a_full_queue_is_hashed_until_its_lanes_are_not_and_the_rest_is_not_forgotten() {
        if lanes::width() <= 2 {
            return;
        }
        let lengths: Vec<usize> = (1..=lanes::width()).map(|n| n * WORTH).collect();
        let all: Vec<_> = lengths
            .iter()
            .map(|length| take(b"x", 3, *length))
            .collect();
        // Each has had its turn once: the last made the queue full, and the longer ones have bytes left.
        tokio::task::yield_now().await;
        assert!((1..lanes::width()).contains(&waiting()), "{}", waiting());
        for (task, length) in all.into_iter().zip(lengths) {
            let whole = [b"x".to_vec(), vec![3; length]].concat();
            assert_eq!(task.await.unwrap().finish()[..], Sha256::digest(whole)[..]);
        }
        assert_eq!(waiting(), 0);
    }

    #[tokio::test]
    async fn who_leaves_takes_its_piece_along_and_holds_up_nobody() {
        if lanes::width() <= 2 {
            return;
        }
        let (mut a, mut b) = (Hash::new(), Hash::new());
        a.update(b"before");
        {
            let mut leaves = Box::pin(a.take(piece(&[4; WORTH])));
            let mut stays = pin!(b.take(piece(&[5; WORTH])));
            assert!(poll(leaves.as_mut()).is_pending() && poll(stays.as_mut()).is_pending());
            assert_eq!(waiting(), 2);
            drop(leaves);
            assert_eq!(waiting(), 1);
            stays.await;
        }
        assert_eq!(a.finish()[..], Sha256::digest(b"before")[..]);
        assert_eq!(b.finish()[..], Sha256::digest([5; WORTH])[..]);
    }
}
