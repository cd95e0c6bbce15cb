//! Connections kept for the next request. The last one used is taken first, so that those too
//! many grow old and go; as many are kept as were busy at once, and fewer when there are to be fewer.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use url::{Position, Url};

use super::connection::Connection;
use super::place::Place;
use crate::backoff::lock;
use crate::error::Result;

/// Servers close what was idle for a minute or more; asking over it would cost a try.
const OLDEST: Duration = Duration::from_secs(55);

/// So many places are known before those that nobody uses are dropped: lists may have a host a line.
const PLACES: usize = 1_024;

/// The pool.
#[derive(Default)]
pub struct Pool {
    places: Mutex<Places>,
    state: Mutex<State>,
}

#[derive(Default)]
struct Places {
    known: HashMap<Box<str>, Arc<Place>>,
    /// How many are known before the next look at who is used.
    most: usize,
}

#[derive(Default)]
struct State {
    idle: VecDeque<Box<Connection>>,
    busy: usize,
    /// How many may be idle.
    most: usize,
}

impl Pool {
    /// The place of a URL, known or new.
    pub fn place(&self, url: &Url) -> Result<Arc<Place>> {
        let origin = &url[..Position::BeforePath];
        let mut places = lock(&self.places);
        if let Some(place) = places.known.get(origin) {
            return Ok(place.clone());
        }
        if places.known.len() >= places.most {
            places.known.retain(|_, place| Arc::strong_count(place) > 1);
            places.most = PLACES.max(2 * places.known.len());
        }
        let place = Arc::new(Place::of(url)?);
        places.known.insert(origin.into(), place.clone());
        Ok(place)
    }

    /// The right to one connection to `place`, with one that waits for a request if there is one.
    pub fn lease(self: &Arc<Self>, place: &Arc<Place>) -> Lease {
        Lease {
            connection: self.take(place),
            is_usable: false,
            pool: self.clone(),
        }
    }

    fn take(&self, place: &Arc<Place>) -> Option<Box<Connection>> {
        let mut state = lock(&self.state);
        state.busy += 1;
        state.most = state.most.max(state.busy);
        loop {
            let idle = state.idle.iter();
            let at = idle.rev().position(|one| Arc::ptr_eq(&one.place, place))?;
            let at = state.idle.len() - 1 - at;
            let mut connection = state.idle.remove(at)?;
            if connection.since.elapsed() < OLDEST && connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    fn give(&self, connection: Option<Box<Connection>>) {
        let mut state = lock(&self.state);
        state.busy = state.busy.saturating_sub(1);
        let Some(mut connection) = connection else {
            return;
        };
        connection.since = Instant::now();
        connection.rest();
        state.idle.push_back(connection);
        if state.idle.len() > state.most {
            state.idle.pop_front();
        }
    }

    /// There are to be at most `most` connections to any place from now on: closes the idle ones
    /// above that, those first that were idle longest. Returns how many are open.
    pub fn keep(&self, most: usize) -> usize {
        let mut state = lock(&self.state);
        state.most = most.max(state.busy);
        let mut at = 0;
        while let Some(idle) = state.idle.get(at) {
            // What is closed is no longer counted by its place.
            match idle.place.open.load(Ordering::Relaxed) > most {
                true => drop(state.idle.remove(at)),
                false => at += 1,
            }
        }
        state.idle.len() + state.busy
    }
}

/// A connection in use. It goes back to the pool if it was marked as usable.
pub struct Lease {
    /// The connection, once there is one.
    pub connection: Option<Box<Connection>>,
    /// True if an answer was read to its end and the server keeps the connection.
    pub is_usable: bool,
    pool: Arc<Pool>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let connection = self.connection.take();
        self.pool.give(connection.filter(|_| self.is_usable));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_a_line_does_not_grow_without_bound() {
        let pool = Pool::default();
        let url = |index: usize| Url::parse(&format!("http://{index}.example/a")).ok();
        let held = url(0).and_then(|url| pool.place(&url).ok());
        for url in (1..10 * PLACES).filter_map(url) {
            assert!(pool.place(&url).is_ok());
        }
        assert!(lock(&pool.places).known.len() <= PLACES);
        let again = url(0).and_then(|url| pool.place(&url).ok());
        assert!(held
            .zip(again)
            .is_some_and(|(one, other)| Arc::ptr_eq(&one, &other)));
    }
}
