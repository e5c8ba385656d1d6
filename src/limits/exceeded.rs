//! The limits that refuse a permit.

use std::time::Duration;

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
    /// Connections of the server.
    #[error("the server has as many connections as it may")]
    Connections,
}

impl LimitExceeded {
    /// When to try again: the handshake rate refills by itself, the others when a session ends.
    #[must_use]
    pub fn retry_after(self) -> Duration {
        Duration::from_secs(if self == Self::HandshakeRate { 1 } else { 10 })
    }
}
