//! The memory of arrays.

use memmap2::MmapMut;
use zerocopy::IntoBytes;

use crate::error::{Error, Kind, Result};
use crate::read::input::grow;

/// From here on an array has pages of its own, as large as the system gives them: one fault for
/// 2 MiB where it has such pages, instead of 512. A new array of 64 MiB is mostly faults.
const LARGE: usize = 2 << 20;

/// Bytes, all 0 at first, that stand where any sample may.
pub struct Memory {
    bytes: usize,
    place: Place,
}

enum Place {
    Small(Vec<u64>),
    Large(MmapMut),
}

impl Memory {
    /// So many of them, or an error where there is no memory.
    pub fn zeros(bytes: usize) -> Result<Self> {
        let place = if bytes < LARGE {
            let mut all = Vec::new();
            grow(&mut all, bytes.div_ceil(8))?;
            Place::Small(all)
        } else {
            let pages = MmapMut::map_anon(bytes).map_err(|_| {
                Error::new(
                    Kind::TooLarge,
                    format!("not enough memory for {bytes} bytes"),
                )
            })?;
            // A wish: without it all is the same, but slower.
            #[cfg(target_os = "linux")]
            let _ = pages.advise(memmap2::Advice::HugePage);
            Place::Large(pages)
        };
        Ok(Self { bytes, place })
    }

    /// All of them.
    pub fn bytes(&mut self) -> &mut [u8] {
        match &mut self.place {
            Place::Small(all) => &mut all.as_mut_bytes()[..self.bytes],
            Place::Large(pages) => pages,
        }
    }
}
