//! What a host's refusals teach: the requests a second that it bears. Pure arithmetic on seconds.
//!
//! After a refusal the rate is a little under what the host had answered just before. From there it
//! comes back slowly, stays near that mark for a while, and then leaves it ever faster (the curve of
//! TCP CUBIC), so that a limit that is still there is met seldom and one that is gone soon forgotten.

/// The span over which answers are counted, in slots.
const SLOTS: usize = 10;
const SLOT: f64 = 0.1;

/// Fewer answers in that span teach nothing, nor do those of a shorter time.
const TELLING: u64 = 20;
const YOUNG: f64 = 0.2;

/// How far under the mark it begins.
const BACK_OFF: f64 = 0.1;

/// Seconds to come back to the mark; doubles while the mark stays.
const RETURN: (f64, f64) = (8.0, 64.0);

/// The pace of one host.
#[derive(Debug, Default)]
pub struct Pace {
    slots: [u64; SLOTS],
    slot: u64,
    /// When the first answer came.
    begun: Option<f64>,
    learnt: Option<Learnt>,
}

#[derive(Debug, Clone, Copy)]
struct Learnt {
    mark: f64,
    at: f64,
    back: f64,
}

impl Pace {
    /// A good answer came at `now`.
    pub fn answer(&mut self, now: f64) {
        self.turn(now);
        self.begun.get_or_insert(now);
        self.slots[(self.slot % SLOTS as u64) as usize] += 1;
    }

    /// A refusal came at `now`.
    pub fn refusal(&mut self, now: f64) {
        self.turn(now);
        if self.learnt.is_some_and(|learnt| now - learnt.at < 1.0) {
            return;
        }
        let answers: u64 = self.slots.iter().sum();
        // In its first moments a run has not shown yet what the host bears.
        let age = self.begun.map_or(0.0, |first| now - first);
        if answers < TELLING || age < YOUNG {
            return;
        }
        // The present slot is not over yet. During a climb the last slots say more than all.
        let begun = now / SLOT - (now / SLOT).floor();
        let last = |slots: u64| {
            let counted = (0..slots).map(|back| self.slots[self.place(back)]);
            let span = ((slots as f64 - 1.0 + begun) * SLOT).min(age);
            counted.sum::<u64>() as f64 / span.max(SLOT / 2.0)
        };
        let mark = last(SLOTS as u64).max(last(4));
        let back = match self.learnt {
            Some(old) if (0.75..1.33).contains(&(mark / old.mark)) => {
                (old.back * 2.0).min(RETURN.1)
            }
            _ => RETURN.0,
        };
        self.learnt = Some(Learnt {
            mark,
            at: now,
            back,
        });
    }

    /// The requests a second that the host bears, if it has taught any.
    pub fn rate(&self, now: f64) -> Option<f64> {
        let Learnt { mark, at, back } = self.learnt?;
        let x = (now - at - back) / back;
        let rate = mark * (1.0 + BACK_OFF * x * x * x);
        // Past three times the mark nothing is left of it.
        (rate < 3.0 * mark).then_some(rate)
    }

    /// Where the slot is that was `back` slots ago.
    fn place(&self, back: u64) -> usize {
        ((self.slot + SLOTS as u64 - back) % SLOTS as u64) as usize
    }

    fn turn(&mut self, now: f64) {
        let slot = (now / SLOT) as u64;
        let gone = slot.saturating_sub(self.slot).min(SLOTS as u64);
        for step in 1..=gone {
            self.slots[((self.slot + step) % SLOTS as u64) as usize] = 0;
        }
        if gone == SLOTS as u64 {
            self.slots = [0; SLOTS];
        }
        self.slot = self.slot.max(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taught(rate: f64) -> Pace {
        let mut pace = Pace::default();
        for index in 0..(2.0 * rate) as u64 {
            pace.answer(index as f64 / rate);
        }
        pace.refusal(2.0);
        pace
    }

    #[test]
    fn a_refusal_teaches_the_rate_before_it() {
        let rate = taught(500.0).rate(2.0).unwrap_or_default();
        assert!((425.0..475.0).contains(&rate), "{rate}");
    }

    #[test]
    fn the_rate_comes_back_and_is_forgotten() {
        let pace = taught(500.0);
        let at = |seconds: f64| pace.rate(2.0 + seconds);
        assert!((490.0..510.0).contains(&at(8.0).unwrap_or_default()));
        assert!(at(12.0).unwrap_or_default() < 520.0);
        assert_eq!(at(60.0), None);
    }

    #[test]
    fn refusals_without_answers_teach_nothing() {
        let mut pace = Pace::default();
        for index in 0..1_000 {
            pace.refusal(f64::from(index) * 0.01);
        }
        assert_eq!(pace.rate(10.0), None);
    }
}
