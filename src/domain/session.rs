//! Log-in sessions: what a token names, and what ends when someone logs out.

use super::{Timestamp, User};

/// The name of a log-in: 128 random bits in hexadecimal, the `sid` of its token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(String);

impl SessionId {
    /// From 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// From the claim of a verified token.
    #[must_use]
    pub fn from_claim(text: String) -> Self {
        Self(text)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A log-in that holds: whose it is and until when.
#[derive(Clone, Debug)]
pub struct LoginSession {
    /// Its name.
    pub id: SessionId,
    /// Whose.
    pub user: User,
    /// It and all sockets opened with it end then.
    pub expires_at: Timestamp,
}
