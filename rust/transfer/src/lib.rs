//! Bytes from URLs to disk.
//!
//! A download is a line of small stations, each its own module:
//!
//! ```text
//! manifest  ->  plan  ->  board  ->  fetch  ->  folder
//! (stream)     (skip)    (permits)  (small | large)  (rename when exact)
//! ```
//!
//! `manifest` streams the list of files, `plan` drops what the folder already holds, `board`
//! shares the rest among the permits, `fetch` moves bytes, and `folder` gives a file its final
//! name only when its size and sha256 are right. `journal` lets a killed run go on inside big
//! files. `http` is the one HTTP stack, used by single requests too. Nothing here knows Python.

mod backoff;
mod board;
mod borrowed;
mod checkpoint;
mod control;
mod counters;
mod disk;
mod download;
mod draft;
mod dry_run;
mod entry;
mod error;
mod expiry;
mod fates;
mod fetch;
mod finished;
mod folder;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod gauge;
mod hash;
mod hex;
mod http;
mod ids;
mod journal;
mod judge;
mod key;
mod large;
mod lines;
mod links;
mod list;
mod manifest;
mod names;
mod options;
mod patience;
mod permit;
mod plan;
mod ranges;
mod report;
mod room;
mod selection;
mod small;
mod tar;
mod tls;
mod untold;

pub use ::http::{header, Method};
pub use async_channel;
pub use control::{Bound, Cause};
pub use counters::{Counters, Failure, Snapshot};
pub use download::download;
pub use error::{Error, Result, KINDS};
pub use finished::{Finished, FinishedFile};
pub use folder::Aside;
pub use http::{Answer, Http, Limits, Request};
pub use list::{Input, List};
pub use options::{AssetCount, Concurrency, Options, Outcome};
pub use plan::Order;
pub use tar::Tar;
pub use tokio_util::sync::CancellationToken;
pub use url::Url;
