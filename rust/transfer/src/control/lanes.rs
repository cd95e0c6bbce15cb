//! Which permits may work: those whose number is under the one that the controller allows.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The number of permits that may work now.
#[derive(Debug)]
pub struct Lanes {
    allowed: AtomicUsize,
    closed: AtomicBool,
    changed: Notify,
}

impl Lanes {
    /// The first `allowed` permits may work.
    pub fn new(allowed: usize) -> Self {
        Self {
            allowed: AtomicUsize::new(allowed),
            closed: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    /// How many may work.
    pub fn allowed(&self) -> usize {
        self.allowed.load(Ordering::Relaxed)
    }

    /// Allows another number. Permits over it park once they are done with what they are doing.
    pub fn allow(&self, permits: usize) {
        if self.allowed.swap(permits, Ordering::AcqRel) < permits {
            self.changed.notify_waiters();
        }
    }

    /// All work is done: parked permits may go.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Waits until permit `index` may work; false when there is nothing left to do.
    pub async fn turn(&self, index: usize) -> bool {
        loop {
            let changed = self.changed.notified();
            if self.closed.load(Ordering::Acquire) {
                return false;
            }
            if index < self.allowed() {
                return true;
            }
            changed.await;
        }
    }
}
