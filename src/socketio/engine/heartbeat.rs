//! What is done for sessions while nobody asks: pings, and the end of those whose time is up.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use super::{Engine, Service, Session};
use crate::{
    outbox::{Beat, Wire},
    protocol::engineio::Packet,
};

/// How long an upgrade may take, as in the reference server.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// For how long a poll that crossed the client's own good-bye is still answered.
const FAREWELL: Duration = Duration::from_secs(1);
/// Time between good-bye and dropping a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

impl<S: Service> Engine<S> {
    /// How finely pings and timeouts are kept: finer than they can be told from the outside.
    #[must_use]
    pub fn sweep_every(&self) -> Duration {
        let finest = self.limits.ping_interval.min(self.limits.ping_timeout) / 32;
        finest.clamp(Duration::from_millis(2), Duration::from_secs(1))
    }

    /// A session, unless its time is up.
    pub(super) fn find(&self, sid: &str) -> Option<Rc<Session<S>>> {
        let session = self.sessions.borrow().get(sid).cloned()?;
        // A session whose time is up does not live until the next round, unless it was this thread that was late.
        let now = Instant::now();
        if now.saturating_duration_since(self.swept.get()) < self.limits.ping_timeout {
            self.beat(&session, now);
        }
        (!session.ended.get()).then_some(session)
    }

    /// Looks after all sessions.
    pub fn sweep(&self, now: Instant) {
        let since_last = now.saturating_duration_since(self.swept.replace(now));
        if since_last > self.sweep_every() * 4 && !self.skipped.replace(true) {
            // This thread was held up, and answers to pings may lie unread: they come first.
            return;
        }
        self.skipped.set(false);
        self.departed.borrow_mut().retain(|_, at| now.duration_since(*at) < FAREWELL);
        self.leaving.borrow_mut().retain(|outbox| {
            if outbox.closing_since().is_some_and(|since| now.duration_since(since) >= CLOSE_TIMEOUT) {
                outbox.abort();
            }
            !outbox.is_aborted()
        });
        let sessions: Vec<_> = self.sessions.borrow().values().cloned().collect();
        for session in sessions {
            self.look_after(&session, now);
        }
    }

    fn look_after(&self, session: &Rc<Session<S>>, now: Instant) {
        let since =
            |moment: Option<Instant>| moment.map(|moment| now.duration_since(moment)).unwrap_or_default();
        if session.outbox.is_aborted() || since(session.outbox.closing_since()) >= CLOSE_TIMEOUT {
            session.outbox.abort();
            return self.end(session);
        }
        let probing = session.probe().map(|probe| probe.since);
        if since(probing) >= UPGRADE_TIMEOUT
            && let Some(probe) = session.probe.take()
        {
            session.outbox.pulse.hear(now);
            probe.outbox.abort();
        }
        let age = now.duration_since(session.opened);
        if !session.used.get() && self.limits.connect_timeout.is_some_and(|limit| age >= limit) {
            return self.close(session);
        }
        if self.limits.stall_timeout.is_some_and(|limit| since(session.outbox.stalled_since()) >= limit) {
            return self.close(session);
        }
        self.beat(session, now);
    }

    fn beat(&self, session: &Rc<Session<S>>, now: Instant) {
        if session.is_upgrading() || session.outbox.is_closing() {
            return;
        }
        let reachable = session.outbox.wire() != Wire::Polling || session.outbox.is_polled();
        match session.outbox.pulse.beat(now, self.limits.ping_interval, self.limits.ping_timeout, reachable) {
            Beat::Quiet => {}
            Beat::Ask => session.send(&[Packet::Ping("")]),
            Beat::Dead => self.close(session),
        }
    }
}
