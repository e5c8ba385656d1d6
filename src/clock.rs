//! The server's clock, read at the edges; everything inside takes the moment as an argument.

use crate::domain::Timestamp;

/// Now.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_millis(chrono::Utc::now().timestamp_millis())
}
