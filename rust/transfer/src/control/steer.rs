//! How many permits: a state machine from samples to a number. It reads no clock and does no I/O,
//! so a simulation can drive it through hours in a second.
//!
//! It climbs with every file that comes as soon as the first ones did (`climb`), and by doubling while
//! goodput grows with it, then trims while fewer permits bring as much, then holds and looks now and
//! then, up and down, whether that is still so. A storm of refusals halves it. After the climb every
//! change is measured: first a time to settle, then a window, then a verdict.

use super::climb::{Climb, Step};
use super::window::{Sample, Window};

/// Where a run begins that knows nothing of its host.
pub const FIRST: usize = 35;

/// Fewer would not be kinder to anybody, and one dead permit would cost too much.
pub const FEWEST: usize = 8;

/// Doubling has to bring this much, where the most it can bring is 2.
const RAMP_GAIN: f64 = 1.25;

/// Where doubling brought this much nothing queues anywhere yet: two doublings in one are safe.
const FREE_GAIN: f64 = 1.75;

/// One notch: 1.41 times as many permits, or as few.
const NOTCH: f64 = std::f64::consts::SQRT_2;

/// A notch up has to bring this much, a notch down may cost that much. The gap keeps it from
/// swinging between two notches.
const NOTCH_GAIN: f64 = 1.06;
const NOTCH_LOSS: f64 = 0.96;

/// Seconds between looks up and looks down, which grow as long as they bring nothing.
const LOOK_UP: (f64, f64) = (3.0, 20.0);
const LOOK_DOWN: (f64, f64) = (1.5, 45.0);

/// Goodput that changes by so much, twice in a row, is another world: look around at once.
const OTHER_WORLD: f64 = 1.3;

/// Seconds for which a number that brought refusals is not tried again; doubles each time.
const SHUN: (f64, f64) = (15.0, 240.0);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// The first climb.
    Climb,
    /// Doubling, once or twice at a time, from a number and what it brought if that was measured.
    Ramp(Option<(usize, f64)>),
    /// Trying a notch from `from`, which brought `goodput`; `seen` windows spoke for it so far.
    Look {
        up: bool,
        from: usize,
        goodput: f64,
        seen: u32,
    },
    /// Back towards what went well before a storm.
    Recover,
    /// Staying.
    Hold,
}

/// The number that refusals were met at, and how long it is shunned.
#[derive(Debug, Clone, Copy)]
struct Shunned {
    permits: usize,
    left: f64,
    again: f64,
}

/// The controller.
#[derive(Debug)]
pub struct Steer {
    permits: usize,
    most: usize,
    phase: Phase,
    climb: Climb,
    window: Window,
    /// What the last windows at this number brought.
    usual: Option<f64>,
    odd: u32,
    look_up: (f64, f64),
    look_down: (f64, f64),
    shunned: Option<Shunned>,
    /// Seconds in which no further storm counts: its requests were on their way before the cut.
    deaf: f64,
}

impl Steer {
    /// Begins with `first` permits and never has more than `most`.
    pub fn new(first: usize, most: usize) -> Self {
        let most = most.max(1);
        let permits = first.clamp(FEWEST.min(most), most);
        Self {
            permits,
            most,
            phase: Phase::Climb,
            climb: Climb::default(),
            window: Window::new(permits),
            usual: None,
            odd: 0,
            look_up: (LOOK_UP.0, LOOK_UP.0),
            look_down: (LOOK_DOWN.0, LOOK_DOWN.0),
            shunned: None,
            deaf: 0.0,
        }
    }

    /// How many permits there may be.
    pub fn permits(&self) -> usize {
        self.permits
    }

    /// True once it holds a number.
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Hold)
    }

    /// The process or the machine can bear no more than it has now: shrink, and stay below.
    pub fn shrink(&mut self) {
        if self.deaf <= 0.0 {
            self.deaf = 1.0;
            self.most = (self.permits * 3 / 4).max(1);
            self.go(self.most, Phase::Hold);
        }
    }

    /// Takes what happened since the last sample; returns how many permits there may be from now on.
    pub fn sample(&mut self, sample: &Sample) -> usize {
        self.age(sample.seconds);
        let mut sample = *sample;
        if self.deaf > 0.0 {
            (sample.throttles, sample.faults) = (0, 0);
        }
        self.window.add(&sample);
        if self.window.is_storm() {
            self.cut();
        } else if sample.paused {
            // The gate is shut: nothing can be learnt until it is open and all is moving again.
            self.window.restart(self.permits);
        } else if self.phase == Phase::Climb {
            self.climb(&sample);
        } else if self.window.is_full(self.is_careful()) {
            let (goodput, is_telling) = (self.window.goodput(), self.window.is_telling());
            self.judge(goodput, is_telling);
            self.window.again();
        }
        self.permits
    }

    /// Looks take longer windows than the climb: there is time, and less to tell apart.
    fn is_careful(&self) -> bool {
        !matches!(self.phase, Phase::Climb | Phase::Ramp(_) | Phase::Recover)
    }

    fn age(&mut self, seconds: f64) {
        self.deaf -= seconds;
        if matches!(self.phase, Phase::Hold) {
            self.look_up.0 -= seconds;
            self.look_down.0 -= seconds;
        }
        if let Some(shunned) = &mut self.shunned {
            shunned.left -= seconds;
        }
    }

    fn go(&mut self, permits: usize, phase: Phase) {
        let permits = permits.clamp(1, self.most);
        self.phase = phase;
        if permits != self.permits {
            self.permits = permits;
            self.window.restart(permits);
            self.usual = None;
            self.odd = 0;
        }
    }

    /// The most that may be tried now.
    fn ceiling(&self) -> usize {
        match self.shunned {
            Some(Shunned { permits, left, .. }) if left > 0.0 => {
                (permits * 19 / 20).clamp(1, self.most)
            }
            _ => self.most,
        }
    }

    fn judge(&mut self, goodput: f64, is_telling: bool) {
        match self.phase {
            Phase::Climb => {}
            Phase::Recover => self.recover(),
            // Permits without work tell nothing of what more of them would bring.
            Phase::Look { from, .. } if !is_telling => self.go(from, Phase::Hold),
            _ if !is_telling => self.usual = None,
            Phase::Ramp(before) => self.ramp(before, goodput),
            Phase::Look {
                up,
                from,
                goodput: before,
                seen,
            } => self.look(up, from, before, seen, goodput),
            Phase::Hold => self.hold(goodput),
        }
    }

    fn climb(&mut self, sample: &Sample) {
        // Permits without work, or that wait for a pace, tell nothing.
        let is_telling = sample.busy >= 0.5 && !sample.paced;
        match self.climb.sample(sample, self.permits) {
            Step::Go(permits) if permits < self.most => {
                if is_telling {
                    self.permits = permits;
                }
            }
            Step::Queued(permits) => {
                // Whether that is so is looked at soon, a notch up.
                self.look_up.0 = 0.0;
                self.leave(permits, Phase::Hold);
            }
            Step::Go(permits) | Step::Slow(permits) => self.leave(permits, Phase::Ramp(None)),
        }
    }

    fn leave(&mut self, permits: usize, phase: Phase) {
        self.go(permits.max(FEWEST), phase);
        self.window.restart(self.permits);
    }

    fn ramp(&mut self, before: Option<(usize, f64)>, goodput: f64) {
        let mut doublings = 1;
        if let Some((from, before)) = before {
            let made = (self.permits as f64 / from as f64).log2().max(1.0);
            let gain = (goodput / before).powf(1.0 / made);
            if gain < RAMP_GAIN {
                // The first of two may have been worth it: looks up will tell.
                self.go(from, Phase::Hold);
                return;
            }
            doublings += i32::from(gain >= FREE_GAIN);
        }
        let next = (self.permits << doublings).min(self.ceiling());
        if next < self.permits * 5 / 4 {
            self.go(self.permits, Phase::Hold);
        } else {
            self.go(next, Phase::Ramp(Some((self.permits, goodput))));
        }
    }

    fn recover(&mut self) {
        let ceiling = self.ceiling();
        let next = notch_up(self.permits).min(ceiling);
        if next <= self.permits || self.shunned.is_none() {
            self.go(self.permits, Phase::Hold);
        } else {
            self.go(next, Phase::Recover);
        }
    }

    fn look(&mut self, up: bool, from: usize, before: f64, seen: u32, goodput: f64) {
        let is_good = if up {
            goodput >= before * NOTCH_GAIN
        } else {
            goodput >= before * NOTCH_LOSS
        };
        if !is_good {
            self.wait_longer(up);
            // What a notch up brought is measured against, so that notches down cannot add up.
            self.go(from, Phase::Hold);
            self.usual = Some(before.max(if up { goodput } else { 0.0 }));
            return;
        }
        if seen == 0 && up {
            self.phase = Phase::Look {
                up,
                from,
                goodput: before,
                seen: 1,
            };
            return;
        }
        if up {
            // Where one notch helped so much, doubling may.
            self.look_up = (LOOK_UP.0, LOOK_UP.0);
            self.look_down = (LOOK_DOWN.1, LOOK_DOWN.1);
            self.go(self.permits, Phase::Ramp(None));
            self.ramp(None, goodput);
        } else {
            self.go(self.permits, Phase::Hold);
            // Losses within the tolerance must not add up over several notches.
            self.usual = Some(goodput.max(before));
            self.look_down = (0.0, LOOK_DOWN.0);
            self.look_up.0 = self.look_up.0.max(LOOK_UP.0);
        }
    }

    fn wait_longer(&mut self, up: bool) {
        let (look, bounds) = if up {
            (&mut self.look_up, LOOK_UP)
        } else {
            (&mut self.look_down, LOOK_DOWN)
        };
        look.1 = (look.1 * 4.0).min(bounds.1);
        look.0 = look.1;
    }

    fn hold(&mut self, goodput: f64) {
        let usual = self.usual.unwrap_or(goodput);
        let is_odd = goodput > usual * OTHER_WORLD || goodput < usual / OTHER_WORLD;
        self.odd = if is_odd { self.odd + 1 } else { 0 };
        if self.odd >= 2 {
            self.odd = 0;
            self.usual = Some(goodput);
            self.look_up = (0.0, LOOK_UP.0);
            self.look_down = (LOOK_DOWN.0, LOOK_DOWN.0);
        } else if !is_odd {
            self.usual = Some(usual * 0.7 + goodput * 0.3);
        }
        if self.odd > 0 {
            return;
        }
        let reference = self.usual.unwrap_or(goodput);
        let up = notch_up(self.permits).min(self.ceiling());
        let down = notch_down(self.permits).max(FEWEST.min(self.most));
        let from = self.permits;
        let look = |up| Phase::Look {
            up,
            from,
            goodput: reference,
            seen: 0,
        };
        if self.look_up.0 <= 0.0 && up * 10 > from * 11 {
            self.go(up, look(true));
        } else if self.look_down.0 <= 0.0 && down < from {
            self.go(down, look(false));
        }
    }

    /// A storm of refusals or broken connections.
    fn cut(&mut self) {
        let again = match self.shunned {
            // Near the same number as last time: it is no accident.
            Some(old) if self.permits * 3 > old.permits * 2 => (old.again * 2.0).min(SHUN.1),
            _ => SHUN.0,
        };
        // Of two doublings in one the first may have been too much already; a climb has gone on
        // while the refusals were on their way.
        let permits = match self.phase {
            Phase::Climb => notch_down(self.permits).max(1),
            Phase::Ramp(Some((from, _))) => self.permits.min(from * 2),
            _ => self.permits,
        };
        self.shunned = Some(Shunned {
            permits,
            left: again,
            again,
        });
        // Fewer than a few would only make many pauses of one.
        let half = (self.permits / 2).max(FEWEST).min(self.permits);
        let back = match self.phase {
            Phase::Look { up: true, from, .. } => from.max(half),
            Phase::Climb => (self.permits / 4).max(FIRST).min(half),
            // All that the step added may be too much.
            Phase::Ramp(Some((from, _))) => from.min(half),
            _ => half,
        };
        self.deaf = self.window.settling().max(0.25);
        self.go(back, Phase::Recover);
    }
}

fn notch_up(permits: usize) -> usize {
    ((permits as f64 * NOTCH).round() as usize).max(permits + 1)
}

fn notch_down(permits: usize) -> usize {
    (permits as f64 / NOTCH).round() as usize
}
