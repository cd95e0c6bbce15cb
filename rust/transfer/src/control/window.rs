//! What one number of permits brings: samples added up until they say enough.

/// A request costs about as much as this many bytes, so that many small files and few large ones
/// are measured by one number.
const REQUEST: f64 = 65_536.0;

/// Answers of more bytes than this need many round trips to come up to speed.
const LONG: f64 = 262_144.0;

/// What happened in a short time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Its length.
    pub seconds: f64,
    /// Files and ranges that were finished.
    pub files: u64,
    /// Bytes of bodies that came.
    pub bytes: u64,
    /// Good answers whose head came.
    pub answers: u64,
    /// From request to head, added up over these answers, in seconds.
    pub latency: f64,
    /// Small files, and seconds from request to end, added up over them.
    pub small: u64,
    pub lasted: f64,
    /// Answers 429 and 503.
    pub throttles: u64,
    /// Connections that broke or went silent.
    pub faults: u64,
    /// The share of permits that had work.
    pub busy: f64,
    /// The host's gate is shut.
    pub paused: bool,
    /// Requests wait for the pace that the host has taught, or that the user wants.
    pub paced: bool,
}

impl Sample {
    /// What came: bytes, and for each file as much as a request costs.
    pub fn amount(&self) -> f64 {
        self.bytes as f64 + REQUEST * self.files as f64
    }
}

/// Samples of one number of permits.
#[derive(Debug, Default)]
pub struct Window {
    permits: usize,
    /// Seconds until what comes is due to this number of permits.
    settle: f64,
    sum: Sample,
    /// Permits with work, added up over the time.
    busy: f64,
    /// The usual time to an answer, and its usual length.
    latency: f64,
    length: f64,
}

impl Window {
    /// An empty window for `permits`.
    pub fn new(permits: usize) -> Self {
        let mut window = Self::default();
        window.restart(permits);
        window
    }

    /// The number has changed: settle first.
    pub fn restart(&mut self, permits: usize) {
        self.permits = permits;
        self.settle = self.settling();
        self.again();
    }

    /// Another window of the same number.
    pub fn again(&mut self) {
        self.sum = Sample::default();
        self.busy = 0.0;
    }

    /// Seconds until a change shows: connecting and one answer; a long body speeds up slowly.
    pub fn settling(&self) -> f64 {
        let trips = if self.length > LONG { 8.0 } else { 2.0 };
        (trips * self.latency).clamp(0.05, 3.0)
    }

    /// Adds a sample; while settling only its refusals count.
    pub fn add(&mut self, sample: &Sample) {
        self.sum.throttles += sample.throttles;
        self.sum.faults += sample.faults;
        self.sum.answers += sample.answers;
        if sample.answers > 0 {
            let answers = sample.answers as f64;
            let (latency, length) = (sample.latency / answers, sample.bytes as f64 / answers);
            let blend = |old: f64, new: f64| {
                if old == 0.0 {
                    new
                } else {
                    old * 0.7 + new * 0.3
                }
            };
            self.latency = blend(self.latency, latency);
            self.length = blend(self.length, length);
        } else if self.latency == 0.0 {
            // Nothing has been answered yet: there is nothing to measure.
            return;
        }
        if self.settle > 0.0 {
            self.settle -= sample.seconds;
            if self.settle <= 0.0 {
                let (throttles, faults, answers) =
                    (self.sum.throttles, self.sum.faults, self.sum.answers);
                self.again();
                // A storm that began meanwhile is still one.
                (self.sum.throttles, self.sum.faults) = (throttles, faults);
                self.sum.answers = if throttles + faults > 0 { answers } else { 0 };
            }
            return;
        }
        self.sum.seconds += sample.seconds;
        self.sum.files += sample.files;
        self.sum.bytes += sample.bytes;
        self.busy += sample.busy * sample.seconds;
        self.sum.paced |= sample.paced;
    }

    /// True when it says enough: several answers a permit, or long enough without.
    pub fn is_full(&self, careful: bool) -> bool {
        if self.settle > 0.0 {
            return false;
        }
        let (least, most, answers): (f64, f64, usize) = if careful {
            (0.5, 2.0, 8 * self.permits)
        } else {
            (0.075, 1.0, 2 * self.permits)
        };
        let least = least.max(2.0 * self.latency.min(0.5));
        let long = if self.length > LONG { 0.5 } else { 0.0 };
        self.sum.seconds >= least.max(long)
            && (self.sum.files >= answers as u64 || self.sum.seconds >= most.max(2.0 * least))
    }

    /// What came a second.
    pub fn goodput(&self) -> f64 {
        self.sum.amount() / self.sum.seconds.max(1e-9)
    }

    /// True if it says what permits bring: nearly all had work, and nothing else slowed them.
    pub fn is_telling(&self) -> bool {
        self.busy >= 0.85 * self.sum.seconds && !self.sum.paced
    }

    /// True if the host refuses too much, or too many connections break.
    pub fn is_storm(&self) -> bool {
        let Sample {
            throttles,
            faults,
            answers,
            ..
        } = self.sum;
        throttles * 50 > answers || (faults >= 3 && faults * 10 > answers)
    }
}
