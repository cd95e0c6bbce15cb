//! What kept a run from being faster, in one word and the numbers that advice needs.

/// The one thing that bound a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cause {
    /// Nothing much: the run was too short to tell.
    #[default]
    Nothing,
    /// Round trips: every permit was busy waiting, and more permits would have brought more.
    Latency,
    /// The server: it asked for pauses or fewer requests.
    Throttling,
    /// The limit that the user set: bytes or requests a second.
    Limit,
    /// Writing and syncing.
    Disk,
    /// The processor.
    Cpu,
    /// What the server or the link can carry: more permits brought no more.
    Network,
    /// The list of files came more slowly than the files.
    Manifest,
}

impl Cause {
    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Latency => "latency",
            Self::Throttling => "throttling",
            Self::Limit => "limit",
            Self::Disk => "disk",
            Self::Cpu => "cpu",
            Self::Network => "network",
            Self::Manifest => "manifest",
        }
    }
}

/// What bound a run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bound {
    /// The one thing.
    pub what: Cause,
    /// Its share of the run, 0 to 1.
    pub share: f64,
    /// Permits in use at the end.
    pub permits: u64,
    /// The median time from a request to its answer's head, in seconds; 0 if there was none.
    pub latency: f64,
    /// A number of permits worth trying, 0 if none is better than what was used.
    pub try_permits: u64,
}
