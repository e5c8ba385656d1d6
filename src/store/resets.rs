//! What a store does for accounts whose password was forgotten.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{PasswordHash, SessionId, Timestamp, UserId};

/// Links to a new password, by the hash of their secret.
#[async_trait]
pub trait ResetStore: Send + Sync + 'static {
    /// Keeps a link until its end.
    async fn keep_reset(
        &self,
        id: SessionId,
        user: UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError>;
    /// Whether a link holds.
    async fn has_reset(&self, id: SessionId, now: Timestamp) -> Result<bool, StoreError>;
    /// Gives the account of a link a new password, which ends its log-ins and all of its links. Returns whose it is; `None`
    /// when the link does not hold, or no longer.
    async fn reset_password(
        &self,
        id: SessionId,
        password: PasswordHash,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError>;
}
