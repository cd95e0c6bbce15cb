//! Room to receive into: a few buffers a thread, the last one used first. A connection holds one
//! only while bytes are in it, so that hundreds of connections share what stays in the cache.

use std::cell::RefCell;

/// As much as a second-level cache keeps hot between socket, hash and file.
pub const SIZE: usize = 256 << 10;

/// More than these at one time are bodies that wait for a disk: then room is not what counts.
const KEPT: usize = 4;

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
