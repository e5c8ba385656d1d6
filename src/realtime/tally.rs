//! What happens to the sessions of all threads, in numbers that cost the same however many there are: each is counted when
//! it changes, and nobody walks over the sessions.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{
    outbox::{PerWire, Wire},
    telemetry::Meter,
};

/// Upper bounds of the classes of [`Deliveries::counts`], in milliseconds.
pub const BOUNDS_MS: [f64; 16] = [
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0,
];
/// What took longer than the last bound is a class of its own.
const CLASSES: usize = BOUNDS_MS.len() + 1;

/// Sessions of one transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionCount {
    /// With a log-in.
    pub members: u64,
    /// Without.
    pub guests: u64,
}

/// Alerts that were written to sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliveries {
    /// All of them, those that were read from the log or told in digests as well.
    pub total: u64,
    /// Those of the last whole second.
    pub per_second: u64,
    /// Those that were broadcast, by how long after their COMMIT the last session of the thread had them.
    pub counts: [u64; CLASSES],
}

#[derive(Debug, Default)]
struct Counted {
    members: AtomicU64,
    guests: AtomicU64,
}

impl Counted {
    fn of(&self, is_member: bool) -> &AtomicU64 {
        if is_member { &self.members } else { &self.guests }
    }
}

#[derive(Debug, Default)]
struct Delivered {
    meter: Meter,
    counts: [u64; CLASSES],
}

/// The numbers of all threads.
#[derive(Debug, Default)]
pub struct Tally {
    sessions: PerWire<Counted>,
    lagging: AtomicU64,
    delivered: Mutex<Delivered>,
    /// Sessions that watch the figures.
    watching: watch::Sender<usize>,
}

impl Tally {
    /// The sessions of a transport.
    #[must_use]
    pub fn sessions(&self, wire: Wire) -> SessionCount {
        let Counted { members, guests } = self.sessions.get(wire);
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        SessionCount { members: count(members), guests: count(guests) }
    }

    /// A session came.
    pub(super) fn came(&self, wire: Wire, is_member: bool) {
        self.sessions.get(wire).of(is_member).fetch_add(1, Ordering::Relaxed);
    }

    /// A session went.
    pub(super) fn went(&self, wire: Wire, is_member: bool) {
        self.sessions.get(wire).of(is_member).fetch_sub(1, Ordering::Relaxed);
    }

    /// Sessions that read on from the log.
    #[must_use]
    pub fn lagging(&self) -> u64 {
        self.lagging.load(Ordering::Relaxed)
    }

    /// A session reads on from the log.
    pub(super) fn fell_behind(&self) {
        self.lagging.fetch_add(1, Ordering::Relaxed);
    }

    /// It has caught up, or ended.
    pub(super) fn caught_up(&self) {
        self.lagging.fetch_sub(1, Ordering::Relaxed);
    }

    /// Alerts that were written to sessions.
    pub fn deliveries(&self, now: Instant) -> Deliveries {
        let mut delivered = self.delivered();
        Deliveries {
            per_second: delivered.meter.per_second(now),
            total: delivered.meter.total(),
            counts: delivered.counts,
        }
    }

    /// So many alerts were broadcast, so long after their COMMIT.
    pub(super) fn broadcast(&self, alerts: usize, since_commit: Duration, now: Instant) {
        if alerts == 0 {
            return;
        }
        let alerts = u64::try_from(alerts).unwrap_or(u64::MAX);
        let millis = since_commit.as_secs_f64() * 1000.0;
        let class = BOUNDS_MS.partition_point(|bound| *bound < millis);
        let mut delivered = self.delivered();
        delivered.meter.add(alerts, now);
        delivered.counts[class] += alerts;
    }

    /// So many alerts were read from the log for a session, or told as digests.
    pub(super) fn told_late(&self, alerts: usize, now: Instant) {
        self.delivered().meter.add(u64::try_from(alerts).unwrap_or(u64::MAX), now);
    }

    /// Counts a session that watches the figures in or out.
    pub(super) fn watching(&self, by: isize) {
        self.watching.send_modify(|count| *count = count.saturating_add_signed(by));
    }

    /// Waits until somebody watches the figures.
    pub async fn watched(&self) {
        // The sender is this tally's own, so that it is there.
        drop(self.watching.subscribe().wait_for(|count| *count > 0).await);
    }

    fn delivered(&self) -> MutexGuard<'_, Delivered> {
        // Every change under the lock is complete in itself, so that a panic elsewhere poisons nothing.
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_counted_by_how_long_they_took() {
        let (tally, now) = (Tally::default(), Instant::now());
        for micros in [50, 100, 101, 3_000, 60_000_000] {
            tally.broadcast(2, Duration::from_micros(micros), now);
        }
        tally.broadcast(0, Duration::ZERO, now);
        tally.told_late(5, now);
        let told = tally.deliveries(now);
        assert_eq!((told.total, told.counts.iter().sum::<u64>()), (15, 10));
        assert_eq!([told.counts[0], told.counts[1], told.counts[5], told.counts[16]], [4, 2, 2, 2]);
    }
}
