//! How much at once: the number of permits, the pauses that hosts ask for, the limits that the
//! user asks for, and what bound the run.

mod bound;
mod bucket;
mod throttle;

pub use bound::{Bound, Cause};
pub use throttle::Throttle;
