//! What outboxes are granted.

use std::time::Duration;

/// The bounds of every session of a thread.
#[derive(Clone, Copy, Debug)]
pub struct OutboxLimits {
    /// Bytes of broadcasts that may wait in an outbox.
    pub bytes: usize,
    /// Silence after which a client is pinged.
    pub ping_interval: Duration,
    /// Time for the answer.
    pub ping_timeout: Duration,
    /// How long a client may take nothing of what waits for it.
    pub stall_timeout: Duration,
}
