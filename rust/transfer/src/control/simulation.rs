//! A simulated network under virtual time: a host with a latency and a capacity, a link with a
//! bandwidth and a limit for each flow, refusals, and neighbours that come and go.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::pace::Pace;
use super::steer::Steer;
use super::window::Sample;

/// Time in microseconds, so that events have an order.
type Micros = u64;

/// The network and the files.
#[derive(Clone)]
pub struct World {
    pub latency: f64,
    /// Requests a second that server and client manage, at a time.
    pub capacity: fn(f64) -> f64,
    /// Bytes a second of the link, and of one flow.
    pub link: f64,
    pub flow: f64,
    /// Requests a second past which the host answers 429.
    pub most_rps: f64,
    /// Requests at once past which it answers 503.
    pub most_flows: usize,
    /// Heads wait on the link for the bodies before them, as they do where nothing is fair.
    pub is_fifo: bool,
    pub sizes: &'static [u64],
}

impl Default for World {
    fn default() -> Self {
        Self {
            latency: 0.04,
            capacity: |_| 11_000.0,
            link: f64::INFINITY,
            flow: 70e6,
            most_rps: f64::INFINITY,
            most_flows: usize::MAX,
            is_fifo: false,
            sizes: &[20_000],
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A permit sends its request.
    Send(usize),
    /// The head of its answer comes; false for a refusal.
    Head(usize, bool),
    /// A grain of its body comes.
    Grain(usize),
    Tick,
}

struct Permit {
    sent: f64,
    left: u64,
    size: u64,
    parked: bool,
    connected: bool,
    wait: f64,
}

pub struct Run {
    world: World,
    now: f64,
    events: BinaryHeap<Reverse<(Micros, u64, Event)>>,
    serial: u64,
    permits: Vec<Permit>,
    steer: Option<Steer>,
    allowed: usize,
    pace: Pace,
    paid: f64,
    server_free: f64,
    link_free: f64,
    tokens: (f64, f64),
    flows: usize,
    sample: Sample,
    /// Amount fetched at each tick, and the permits then.
    pub path: Vec<(f64, f64, usize)>,
    /// When the host refused something.
    pub refusals: Vec<f64>,
    done: f64,
    random: fastrand::Rng,
}

const TICK: f64 = 0.025;
const SMALL: u64 = 1 << 20;
const GRAIN: u64 = 262_144;

impl Run {
    /// A run with a fixed number, or steered.
    pub fn new(world: World, fixed: Option<usize>) -> Self {
        let steer = fixed.is_none().then(|| Steer::new(35, 1024));
        let mut run = Self {
            world,
            now: 0.0,
            events: BinaryHeap::new(),
            serial: 0,
            permits: Vec::new(),
            allowed: fixed.unwrap_or(35),
            steer,
            pace: Pace::default(),
            paid: 0.0,
            server_free: 0.0,
            link_free: 0.0,
            tokens: (0.0, 0.0),
            flows: 0,
            sample: Sample::default(),
            path: Vec::new(),
            refusals: Vec::new(),
            done: 0.0,
            random: fastrand::Rng::with_seed(7),
        };
        run.at(TICK, Event::Tick);
        run.allow();
        run
    }

    fn at(&mut self, delay: f64, event: Event) {
        self.serial += 1;
        let time = ((self.now + delay) * 1e6) as Micros;
        self.events.push(Reverse((time, self.serial, event)));
    }

    /// Starts permits that are allowed and not at work.
    fn allow(&mut self) {
        for index in 0..self.allowed {
            if index == self.permits.len() {
                self.permits.push(Permit {
                    sent: 0.0,
                    left: 0,
                    size: 0,
                    parked: true,
                    connected: false,
                    wait: 0.1,
                });
            }
            if self.permits[index].parked {
                self.permits[index].parked = false;
                self.next(index);
            }
        }
    }

    fn next(&mut self, index: usize) {
        if index >= self.allowed {
            self.permits[index].parked = true;
            return;
        }
        let size = self.world.sizes[self.random.usize(..self.world.sizes.len())];
        let permit = &mut self.permits[index];
        (permit.size, permit.left) = (size, size);
        let connecting = if permit.connected {
            0.0
        } else {
            self.world.latency
        };
        permit.connected = true;
        self.request(index, connecting);
    }

    fn request(&mut self, index: usize, delay: f64) {
        // The gate's pace, where refusals have taught one.
        let mut at = self.now + delay;
        if let (Some(rate), true) = (self.pace.rate(self.now), self.steer.is_some()) {
            self.paid = self.paid.max(self.now) + 1.0 / rate;
            self.sample.paced |= self.paid > at;
            at = at.max(self.paid);
        }
        let delay = at - self.now;
        self.at(delay, Event::Send(index));
    }

    fn send(&mut self, index: usize) {
        self.permits[index].sent = self.now;
        let half = self.world.latency / 2.0;
        self.tokens.0 = (self.tokens.0 + (self.now - self.tokens.1) * self.world.most_rps)
            .min(self.world.most_rps * 0.5);
        self.tokens.1 = self.now;
        let refused = self.tokens.0 < 1.0 || self.flows >= self.world.most_flows;
        if refused {
            self.at(2.0 * half, Event::Head(index, false));
            return;
        }
        if self.world.most_rps.is_finite() {
            self.tokens.0 -= 1.0;
        } else {
            self.tokens.0 = 1.0;
        }
        self.flows += 1;
        let noise = 0.7 + 0.6 * self.random.f64();
        let service = noise / (self.world.capacity)(self.now);
        self.server_free = self.server_free.max(self.now + half) + service;
        let mut delay = self.server_free - self.now + half;
        if self.world.is_fifo {
            delay = delay.max(self.link_free - self.now);
        }
        self.at(delay, Event::Head(index, true));
    }

    fn head(&mut self, index: usize, good: bool) {
        if !good {
            self.sample.throttles += 1;
            self.refusals.push(self.now);
            self.pace.refusal(self.now);
            let most = (self.permits[index].wait * 3.0).min(15.0);
            let wait = 0.1 + self.random.f64() * (most - 0.1).max(0.0);
            self.permits[index].wait = wait;
            self.request(index, wait);
            return;
        }
        self.permits[index].wait = 0.1;
        self.pace.answer(self.now);
        self.sample.answers += 1;
        self.sample.latency += self.now - self.permits[index].sent;
        self.transfer(index);
    }

    fn transfer(&mut self, index: usize) {
        let amount = self.permits[index].left.min(GRAIN) as f64;
        self.link_free = self.link_free.max(self.now) + amount / self.world.link;
        let by_flow = self.now + amount / self.world.flow;
        let delay = self.link_free.max(by_flow) - self.now;
        self.at(delay, Event::Grain(index));
    }

    fn grain(&mut self, index: usize) {
        let amount = self.permits[index].left.min(GRAIN);
        self.permits[index].left -= amount;
        self.sample.bytes += amount;
        self.done += amount as f64;
        if self.permits[index].left > 0 {
            self.transfer(index);
            return;
        }
        self.flows -= 1;
        self.sample.files += 1;
        if self.permits[index].size <= SMALL {
            self.sample.small += 1;
            self.sample.lasted += self.now - self.permits[index].sent;
        }
        self.done += 65_536.0;
        self.next(index);
    }

    fn tick(&mut self) {
        self.at(TICK, Event::Tick);
        let sample = Sample {
            seconds: TICK,
            busy: 1.0,
            ..std::mem::take(&mut self.sample)
        };
        if let Some(steer) = &mut self.steer {
            self.allowed = steer.sample(&sample);
            self.allow();
        }
        self.path.push((self.now, self.done, self.allowed));
    }

    /// Goes on until a moment.
    pub fn until(mut self, end: f64) -> Self {
        while let Some(Reverse((time, _, event))) = self.events.pop() {
            self.now = time as f64 / 1e6;
            if self.now > end {
                break;
            }
            match event {
                Event::Send(index) => self.send(index),
                Event::Head(index, good) => self.head(index, good),
                Event::Grain(index) => self.grain(index),
                Event::Tick => self.tick(),
            }
        }
        self
    }

    /// What came a second between two moments.
    pub fn goodput(&self, from: f64, to: f64) -> f64 {
        let at = |moment: f64| {
            let found = self.path.iter().find(|(now, ..)| *now >= moment);
            found.or(self.path.last()).map_or(0.0, |(_, done, _)| *done)
        };
        (at(to) - at(from)) / (to - from)
    }

    /// How often the number changed between two moments.
    pub fn changes(&self, from: f64, to: f64) -> usize {
        let part = self
            .path
            .iter()
            .filter(|(now, ..)| (from..to).contains(now));
        let numbers: Vec<usize> = part.map(|(.., permits)| *permits).collect();
        numbers.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    /// The most permits there were.
    pub fn most(&self) -> usize {
        self.path
            .iter()
            .map(|(.., permits)| *permits)
            .max()
            .unwrap_or(0)
    }

    /// The number at a moment.
    pub fn permits_at(&self, moment: f64) -> usize {
        let found = self.path.iter().find(|(now, ..)| *now >= moment);
        found
            .or(self.path.last())
            .map_or(0, |(.., permits)| *permits)
    }
}
