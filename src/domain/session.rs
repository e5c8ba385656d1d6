//! Log-in sessions: what a token names, and what ends when someone logs out.

use std::fmt;

use super::{Timestamp, User, UserId};

/// The name of a log-in: 128 random bits, as text in hexadecimal, the `sid` of its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// From 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads its text; `None` when it is not one's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(u128::from_str_radix(text, 16).ok()?.to_be_bytes());
        // There is one way to write it.
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
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

/// Who does something: an account, and the log-in by which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub user_id: UserId,
    /// Its log-in, which must hold when the deed is done; `None` where something else vouches for the account.
    pub session: Option<SessionId>,
}

impl From<&LoginSession> for Actor {
    fn from(login: &LoginSession) -> Self {
        Self { user_id: login.user.user_id, session: Some(login.id) }
    }
}

impl From<UserId> for Actor {
    fn from(user_id: UserId) -> Self {
        Self { user_id, session: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_is_read_as_it_is_written() {
        let id = SessionId::from_random([0, 0x1F, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xFF]);
        assert_eq!(id.to_string(), "001f02030405060708090a0b0c0d0eff");
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
        for other in ["", "1f", "001F02030405060708090a0b0c0d0eff", "+01f02030405060708090a0b0c0d0eff"] {
            assert_eq!(SessionId::parse(other), None);
        }
    }
}
