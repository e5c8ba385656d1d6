//! The limits that refuse a permit.

use std::time::Duration;

use super::budget::NoRoom;

/// The limit that refuses a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    /// Sessions of an account.
    #[error("the account has as many sessions as it may")]
    AccountSessions,
    /// Connections of an address.
    #[error("the address has as many connections as it may")]
    AddressConnections,
    /// Sessions of an address.
    #[error("the address has as many sessions as it may")]
    AddressSessions,
    /// Sessions that an address may begin within a moment.
    #[error("the address begins sessions too fast")]
    HandshakeRate,
    /// Bytes of everything partial or waiting.
    #[error("there is no room for more that is under way")]
    Bytes,
    /// Connections of the server.
    #[error("the server has as many connections as it may")]
    Connections,
}

impl From<NoRoom> for LimitExceeded {
    fn from(NoRoom: NoRoom) -> Self {
        Self::Bytes
    }
}

impl LimitExceeded {
    /// When to try again: the handshake rate refills by itself, and bytes come and go; the others when a session ends.
    #[must_use]
    pub fn retry_after(self) -> Duration {
        Duration::from_secs(if matches!(self, Self::HandshakeRate | Self::Bytes) { 1 } else { 10 })
    }
}
