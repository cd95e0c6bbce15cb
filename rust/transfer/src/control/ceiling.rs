//! How many permits the process and the machine can bear.

use crate::disk;

/// More than this has never brought anything: a client is out of breath before.
const MOST: usize = 1_024;

/// What a permit may take of memory, and what the rest of a run does.
const PERMIT: u64 = 300 << 10;
const REST: u64 = 64 << 20;

/// A connection and a file for each permit, and some for the rest of the process.
pub fn by_descriptors() -> usize {
    disk::raise_file_limit().map_or(usize::MAX, |limit| {
        usize::try_from(limit.saturating_sub(64) / 2)
            .unwrap_or(usize::MAX)
            .max(1)
    })
}

/// The most permits that are worth trying here.
pub fn of_this_machine() -> usize {
    let by_memory = available_memory().map_or(usize::MAX, |bytes| {
        usize::try_from((bytes / 2).saturating_sub(REST) / PERMIT).unwrap_or(usize::MAX)
    });
    MOST.min(by_descriptors()).min(by_memory.max(8))
}

/// Bytes of memory that may still be used, where the system tells.
fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let free = line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10;
    // A container may allow less than its machine has.
    let limit = |name: &str| -> Option<u64> {
        let path = format!("/sys/fs/cgroup/{name}");
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    let used = limit("memory.current").unwrap_or(0);
    let allowed = limit("memory.max").map(|most| most.saturating_sub(used));
    Some(allowed.map_or(free, |allowed| allowed.min(free)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_bears_some_permits_and_not_any_number() {
        assert!((1..=MOST).contains(&of_this_machine()));
    }
}
