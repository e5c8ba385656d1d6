//! When a client is pinged, and when it is given up.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// The last sign of life of a client.
#[derive(Debug)]
pub struct Heartbeat {
    /// The last sign of life; since a ping, when that was sent.
    at: Cell<Instant>,
    /// Since when the client was told nothing, in milliseconds of its [`Sweeper`](super::Sweeper)'s clock.
    quiet_since: Cell<u32>,
    state: Cell<State>,
    /// Whether the last round found its time over.
    overdue: Cell<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Quiet,
    /// A ping was sent and not answered yet.
    Pinged,
    /// "heartbeats pause while an upgrade is under way".
    Paused,
}

/// What is to be done for a client now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// A ping is due.
    Ping,
    /// No answer came in time.
    Dead,
}

impl Heartbeat {
    /// A client that has just come.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            at: Cell::new(now),
            quiet_since: Cell::new(0),
            state: Cell::new(State::Quiet),
            overdue: Cell::new(false),
        }
    }

    /// Notes a sign of life. Ends a pause.
    pub fn hear(&self, now: Instant) {
        self.at.set(now);
        self.state.set(State::Quiet);
    }

    /// The last moment at which the client is known to have been there, when it is pinged after so much silence.
    #[must_use]
    pub fn last_sign(&self, interval: Duration) -> Instant {
        match self.state.get() {
            State::Pinged => self.at.get().checked_sub(interval).unwrap_or(self.at.get()),
            State::Quiet | State::Paused => self.at.get(),
        }
    }

    /// Whether a ping was sent and not answered yet.
    pub(super) fn is_unanswered(&self) -> bool {
        self.state.get() == State::Pinged
    }

    /// Notes that the client was told something before `now` (milliseconds, may wrap).
    pub(super) fn told(&self, now: u32) {
        self.quiet_since.set(now);
    }

    /// Whether the client was told nothing for so many milliseconds.
    pub(super) fn is_quiet(&self, now: u32, millis: u32) -> bool {
        now.wrapping_sub(self.quiet_since.get()) >= millis
    }

    /// Asks for nothing until the next sign of life.
    pub fn pause(&self) {
        self.state.set(State::Paused);
    }

    /// What a round is to do. Counts a ping as sent when it is.
    ///
    /// A client is dead in the second round that finds its time over: what lay in its socket while this thread was held up
    /// has been read between the two.
    ///
    /// `reachable`: a ping leaves at once, and the time for the answer counts from then, however late this server is. A
    /// client that polls is not reachable between two polls: its time counts from when the ping was due.
    pub fn due(&self, now: Instant, interval: Duration, timeout: Duration, reachable: bool) -> Due {
        let over = self.is_over(now, interval, timeout, reachable);
        if self.overdue.replace(over) && over {
            return Due::Dead;
        }
        let due = self.at.get() + interval;
        if over || self.state.get() != State::Quiet || now < due {
            return Due::Nothing;
        }
        self.at.set(if reachable { now } else { due });
        self.state.set(State::Pinged);
        Due::Ping
    }

    /// Whether the time of a client to answer is over. `reachable` as for [`Heartbeat::due`].
    pub fn is_over(&self, now: Instant, interval: Duration, timeout: Duration, reachable: bool) -> bool {
        match self.state.get() {
            State::Paused => false,
            State::Pinged => now >= self.at.get() + timeout,
            State::Quiet => !reachable && now >= self.at.get() + interval + timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(300);
    const TIMEOUT: Duration = Duration::from_millis(200);

    #[test]
    fn a_client_is_pinged_once_and_given_time_for_the_answer() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let heartbeat = Heartbeat::new(start);
        let due = |millis| heartbeat.due(at(millis), INTERVAL, TIMEOUT, true);
        assert_eq!(
            [due(299), due(310), due(320), due(509)],
            [Due::Nothing, Due::Ping, Due::Nothing, Due::Nothing]
        );
        assert_eq!([due(510), due(511)], [Due::Nothing, Due::Dead]);
        heartbeat.hear(at(400));
        assert_eq!(
            [due(699), due(700), due(900), due(901)],
            [Due::Nothing, Due::Ping, Due::Nothing, Due::Dead]
        );
        heartbeat.pause();
        assert_eq!(due(5000), Due::Nothing);
    }

    #[test]
    fn a_late_server_is_forgiven_and_an_absent_client_is_not() {
        let start = Instant::now();
        let due = |heartbeat: &Heartbeat, millis, reachable| {
            heartbeat.due(start + Duration::from_millis(millis), INTERVAL, TIMEOUT, reachable)
        };
        let late = Heartbeat::new(start);
        assert_eq!([due(&late, 600, true), due(&late, 799, true)], [Due::Ping, Due::Nothing]);
        assert_eq!([due(&late, 800, true), due(&late, 806, true)], [Due::Nothing, Due::Dead]);
        let absent = Heartbeat::new(start);
        assert_eq!([due(&absent, 310, false), due(&absent, 500, false)], [Due::Ping, Due::Nothing]);
        assert_eq!(due(&absent, 506, false), Due::Dead);
        let unread = Heartbeat::new(start);
        assert_eq!(due(&unread, 5000, false), Due::Nothing);
        unread.hear(start + Duration::from_millis(5000));
        assert_eq!(due(&unread, 5006, false), Due::Nothing);
    }
}
