//! What a store does for listen keys.

use async_trait::async_trait;

use super::{Denied, StoreError};
use crate::domain::{Actor, ListenKey, ListenKeyId, Timestamp};

/// Why a listen key was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum ListenKeyError {
    /// There are as many as there may be.
    #[error("there are too many listen keys")]
    TooMany,
    /// No such key.
    #[error("there is no such listen key")]
    NotFound,
    /// The caller may not, or no longer.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Listen keys. Who changes them must still be an administrator when it is done; `None` is the program itself.
#[async_trait]
pub trait ListenKeyStore: Send + Sync + 'static {
    /// Lists the keys that hold and those that were revoked not long ago, the newest first.
    async fn listen_keys(&self) -> Result<Vec<ListenKey>, StoreError>;
    /// Keeps a new key, while there are fewer than `most` that hold. Forgets those that were revoked before
    /// `forget_before`.
    async fn create_listen_key(
        &self,
        key: ListenKey,
        most: u32,
        forget_before: Timestamp,
        by: Option<Actor>,
    ) -> Result<(), ListenKeyError>;
    /// Revokes a key; the feed announces it, so that its sessions close. One that was revoked before stays as it is.
    async fn revoke_listen_key(
        &self,
        id: ListenKeyId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), ListenKeyError>;
}
