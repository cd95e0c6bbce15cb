//! Room to receive into: a few buffers a thread, the last one used first. A connection holds one
//! only while bytes are in it, so that hundreds of connections share what stays in the cache.

use std::cell::RefCell;
use std::ops::{Deref, Range};

/// As much as a second-level cache keeps hot between socket, hash and file.
pub const SIZE: usize = 256 << 10;

/// As many as are hashed side by side.
const KEPT: usize = 16;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of [`SIZE`] bytes.
pub fn take() -> Vec<u8> {
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop()).ok();
    spare.flatten().unwrap_or_else(|| vec![0; SIZE])
}

/// Keeps a buffer for the next one.
pub fn give(buffer: Vec<u8>) {
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if buffer.len() == SIZE && spare.len() < KEPT {
            spare.push(buffer);
        }
    });
}

/// Received bytes, in the buffer that they came in.
pub struct Piece {
    buffer: Vec<u8>,
    range: Range<usize>,
}

impl Piece {
    /// These bytes of a buffer.
    pub fn new(buffer: Vec<u8>, range: Range<usize>) -> Self {
        Self { buffer, range }
    }

    /// Keeps the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.range.end = self.range.end.min(self.range.start + length);
    }
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[self.range.clone()]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.buffer));
    }
}
