//! Whether the bus is there, told once for each change: in the log, in the metrics, to `/readyz`, and to subscribers, who may
//! have missed something while it was away.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use async_nats::{ClientError, Event};
use tokio::sync::watch;

use crate::telemetry::{self, NotHeard};

/// How the bus is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusState {
    /// There is none: the shop has one node.
    None,
    /// It carries messages.
    Up,
    /// It cannot be reached, or is not reached yet.
    Away,
}

impl BusState {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Up => "up",
            Self::Away => "away",
        }
    }
}

/// How it is, and how it was told.
#[derive(Debug)]
pub(super) struct Status {
    /// `None` until the first attempt has ended.
    is_up: Mutex<Option<bool>>,
    up_since: Mutex<Option<Instant>>,
    /// Counts the times that messages may have been lost.
    missed: watch::Sender<u64>,
}

impl Status {
    pub(super) fn new() -> Self {
        telemetry::bus_connected(false);
        Self { is_up: Mutex::new(None), up_since: Mutex::default(), missed: watch::Sender::new(0) }
    }

    pub(super) fn is_up(&self) -> bool {
        *self.is_up.lock().unwrap_or_else(PoisonError::into_inner) == Some(true)
    }

    /// Since when it is there, if it is.
    pub(super) fn since(&self) -> Option<Instant> {
        *self.up_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes whenever messages may have been lost.
    pub(super) fn missed(&self) -> watch::Receiver<u64> {
        self.missed.subscribe()
    }

    /// The client tells what happened.
    pub(super) fn tell(&self, event: &Event) {
        match event {
            Event::Connected => {
                let before = self.change(true);
                if before != Some(true) {
                    tracing::info!("the bus is connected");
                }
                // Who is there from the start has missed nothing.
                if before.is_some() {
                    self.miss();
                }
            }
            Event::Disconnected | Event::Closed => {
                if self.change(false) != Some(false) {
                    tracing::warn!(
                        "the bus is away; until it is back, what it would tell is read from the log"
                    );
                }
            }
            // One for each attempt.
            Event::ClientError(ClientError::Other(reason)) => {
                if self.change(false) != Some(false) {
                    tracing::warn!(%reason, "the bus is not there; until it is, what it would tell is read from the log");
                }
            }
            Event::SlowConsumer(_) => {
                telemetry::bus_not_heard(NotHeard::Full);
                self.miss();
            }
            other => tracing::debug!(event = %other, "the bus"),
        }
    }

    fn miss(&self) {
        self.missed.send_modify(|count| *count += 1);
    }

    /// What it was before.
    fn change(&self, is_up: bool) -> Option<bool> {
        *self.up_since.lock().unwrap_or_else(PoisonError::into_inner) = is_up.then(Instant::now);
        telemetry::bus_connected(is_up);
        self.is_up.lock().unwrap_or_else(PoisonError::into_inner).replace(is_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_learns_that_the_bus_was_away() {
        let status = Status::new();
        let mut missed = status.missed();
        assert!(!status.is_up());
        status.tell(&Event::ClientError(ClientError::Other("IO error".into())));
        assert!(!status.is_up() && !missed.has_changed().unwrap());
        for (event, is_up) in
            [(Event::Connected, true), (Event::Disconnected, false), (Event::Connected, true)]
        {
            missed.mark_unchanged();
            status.tell(&event);
            assert_eq!((status.is_up(), missed.has_changed().unwrap()), (is_up, is_up), "{event}");
        }
        missed.mark_unchanged();
        let fresh = Status::new();
        let missed_nothing = fresh.missed();
        fresh.tell(&Event::Connected);
        assert!(fresh.is_up() && !missed_nothing.has_changed().unwrap());
        status.tell(&Event::SlowConsumer(1));
        assert!(missed.has_changed().unwrap());
    }
}
