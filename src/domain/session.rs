//! Log-in sessions: what a token names, and what ends when someone logs out.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::{Timestamp, User, UserId};

/// What a token says to open its log-in: 128 random bits, as text in hexadecimal its `sid`. Only its hash, the
/// [`SessionId`], is kept and passed around, so that who reads the database cannot use the log-ins in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionSecret([u8; 16]);

impl SessionSecret {
    /// From 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads its text; `None` when it is not one's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let secret = Self(u128::from_str_radix(text, 16).ok()?.to_be_bytes());
        // There is one way to write it.
        (secret.reveal() == text).then_some(secret)
    }

    /// Its text, for the token.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// The log-in that it opens.
    #[must_use]
    pub fn id(&self) -> SessionId {
        SessionId(Sha256::digest(self.reveal()).into())
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// The name of a log-in: the SHA-256 of its secret, as text in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// That of the secret of 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        SessionSecret::from_random(bytes).id()
    }

    /// Reads its text; `None` when it is not one's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (high, low) = text.split_at_checked(32)?;
        let mut id = [0; 32];
        id[..16].copy_from_slice(&u128::from_str_radix(high, 16).ok()?.to_be_bytes());
        id[16..].copy_from_slice(&u128::from_str_radix(low, 16).ok()?.to_be_bytes());
        let id = Self(id);
        // There is one way to write it.
        (id.to_string() == text).then_some(id)
    }
}

impl SessionId {
    /// Its first eight bytes, for who has no room for the whole: two of them are the same by chance alone.
    #[must_use]
    pub fn mark(&self) -> u64 {
        u64::from_be_bytes(*self.0.first_chunk().unwrap_or(&[0; 8]))
    }

    /// The least id that has a mark: in order, those that have it follow.
    #[must_use]
    pub fn least_with(mark: u64) -> Self {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&mark.to_be_bytes());
        Self(id)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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
    fn a_secret_is_read_as_it_is_written_and_shown_to_nobody() {
        let secret = SessionSecret::from_random([0, 0x1F, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xFF]);
        assert_eq!(secret.reveal(), "001f02030405060708090a0b0c0d0eff");
        assert_eq!(SessionSecret::parse(&secret.reveal()), Some(secret));
        assert_eq!(format!("{secret:?}"), "(hidden)");
        for other in ["", "1f", "001F02030405060708090a0b0c0d0eff", "+01f02030405060708090a0b0c0d0eff"] {
            assert_eq!(SessionSecret::parse(other), None);
        }
    }

    #[test]
    fn ids_with_a_mark_follow_the_least_of_them() {
        let id = SessionId::from_random([7; 16]);
        let least = SessionId::least_with(id.mark());
        assert!(least <= id && least.mark() == id.mark());
        assert!(SessionId::least_with(id.mark() + 1) > id);
    }

    #[test]
    fn a_log_in_is_named_by_the_hash_of_its_secret() {
        let id = SessionSecret::parse(&"0".repeat(32)).unwrap().id();
        // `printf 00000000000000000000000000000000 | sha256sum`
        assert_eq!(id.to_string(), "84e0c0eafaa95a34c293f278ac52e45ce537bab5e752a00e6959a13ae103b65a");
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
        for other in ["", &"0".repeat(32), &"0".repeat(65), &id.to_string().to_uppercase()] {
            assert_eq!(SessionId::parse(other), None);
        }
    }
}
