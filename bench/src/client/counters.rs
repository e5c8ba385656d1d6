//! What the sessions of a fleet count together.

use std::time::Instant;

use crate::stats::Latencies;

/// Counters over all sessions of a fleet.
#[derive(Debug, Default)]
pub struct Counters {
    /// Sessions that were let in.
    pub ready: usize,
    /// Sessions that the server ended, when [`super::Fleet::tolerant`].
    pub lost: usize,
    /// Sessions of Socket.IO that were recovered.
    pub recovered: usize,
    /// Alerts.
    pub alerts: u64,
    /// Answers to orders.
    pub acks: u64,
    /// The number of the session of each answer, since this was last emptied.
    pub answered: Vec<usize>,
    /// Those answers that were not `ok`.
    pub refused: u64,
    /// Bytes received.
    pub bytes: u64,
    /// When each order of this round was sent. The n-th alert of a session is that of the n-th order.
    pub sent: Vec<Instant>,
    /// From an order to its alert, for each alert.
    pub latencies: Latencies,
    /// From the first byte of a session that came back to the last of the alerts that it had missed.
    pub replays: Latencies,
}

impl Counters {
    /// Forgets everything but who is let in: the next order is the first.
    pub(super) fn clear(&mut self) {
        (self.alerts, self.acks, self.refused, self.bytes) = (0, 0, 0, 0);
        self.sent.clear();
        self.answered.clear();
        self.latencies.clear();
        self.replays.clear();
    }
}
