//! Heartbeats: when to ask for a sign of life, and when to wait no longer.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Signs of life: asked for after some silence, awaited for some time.
#[derive(Debug)]
pub struct Pulse {
    /// The last sign of life; when it was asked for one since then, that.
    at: Cell<Instant>,
    is_asked: Cell<bool>,
}

/// What a pulse wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Nothing yet.
    Quiet,
    /// A ping is due.
    Ask,
    /// No answer came in time.
    Dead,
}

impl Pulse {
    /// Begins with a sign of life.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { at: Cell::new(now), is_asked: Cell::new(false) }
    }

    /// Notes a sign of life.
    pub fn hear(&self, now: Instant) {
        self.at.set(now);
        self.is_asked.set(false);
    }

    /// What is due now. `reachable`: a ping can leave at once, and the time for the answer counts from then, however
    /// late this server is. A client that is not there for its ping, a poller between polls, has until it would have
    /// timed out.
    pub fn beat(&self, now: Instant, interval: Duration, timeout: Duration, reachable: bool) -> Beat {
        if self.is_asked.get() {
            return if now >= self.at.get() + timeout { Beat::Dead } else { Beat::Quiet };
        }
        let due = self.at.get() + interval;
        if now < due {
            return Beat::Quiet;
        }
        if !reachable && now >= due + timeout {
            return Beat::Dead;
        }
        self.at.set(if reachable { now } else { due });
        self.is_asked.set(true);
        Beat::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_asks_once_and_waits_for_the_answer() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let (interval, timeout) = (Duration::from_millis(300), Duration::from_millis(200));
        let pulse = Pulse::new(start);
        let beat = |millis| pulse.beat(at(millis), interval, timeout, true);
        assert_eq!(
            [beat(299), beat(310), beat(320), beat(509)],
            [Beat::Quiet, Beat::Ask, Beat::Quiet, Beat::Quiet]
        );
        assert_eq!(beat(510), Beat::Dead);
        pulse.hear(at(400));
        assert_eq!(
            [beat(699), beat(700), beat(899), beat(900)],
            [Beat::Quiet, Beat::Ask, Beat::Quiet, Beat::Dead]
        );
    }

    #[test]
    fn a_pulse_forgives_its_own_server_but_no_absent_client() {
        let start = Instant::now();
        let beat = |pulse: &Pulse, millis, reachable| {
            let (interval, timeout) = (Duration::from_millis(300), Duration::from_millis(200));
            pulse.beat(start + Duration::from_millis(millis), interval, timeout, reachable)
        };
        let late = Pulse::new(start);
        assert_eq!([beat(&late, 600, true), beat(&late, 799, true)], [Beat::Ask, Beat::Quiet]);
        assert_eq!(beat(&late, 800, true), Beat::Dead);
        let absent = Pulse::new(start);
        assert_eq!([beat(&absent, 310, false), beat(&absent, 500, false)], [Beat::Ask, Beat::Dead]);
        assert_eq!(beat(&Pulse::new(start), 500, false), Beat::Dead);
    }
}
