//! Bytes from URLs to disk.
