//! The log as sessions and the relay read it: from memory while that reaches back, else from the store.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{
    domain::{Naming, Nickname, Offset, Publication, SessionId, Timestamp, UserId},
    store::{Feed, LogStore, StoreError},
};

/// Reads the log.
#[derive(Clone)]
pub struct Log {
    store: Arc<dyn LogStore>,
    naming: watch::Receiver<Naming>,
}

impl Log {
    /// Over a store; `naming` is what buyers are called.
    #[must_use]
    pub fn new(store: Arc<dyn LogStore>, naming: impl Into<Naming>) -> Self {
        // A receiver keeps the last value when its sender has gone.
        Self::following(store, watch::Sender::new(naming.into()).subscribe())
    }

    /// As [`new`](Self::new), where that may change.
    #[must_use]
    pub fn following(store: Arc<dyn LogStore>, naming: watch::Receiver<Naming>) -> Self {
        Self { store, naming }
    }

    /// What buyers are called from now on.
    #[must_use]
    pub fn naming(&self) -> Naming {
        self.naming.borrow().clone()
    }

    /// What commits announce.
    #[must_use]
    pub fn feed(&self) -> &Arc<Feed> {
        self.store.feed()
    }

    /// The publications after an offset, at most `limit`, from memory if that has any.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn after(&self, after: Offset, limit: usize) -> Result<Vec<Arc<Publication>>, StoreError> {
        match self.feed().recent_after(after, limit) {
            Some(recent) if !recent.is_empty() => Ok(recent),
            // What another process wrote is in the store, and memory knows nothing of it.
            _ => self.stored_after(after, limit).await,
        }
    }

    /// The publications after an offset, at most `limit`, from the store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn stored_after(
        &self,
        after: Offset,
        limit: usize,
    ) -> Result<Vec<Arc<Publication>>, StoreError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        Ok(self.store.log_after(after, limit).await?.into_iter().map(Arc::new).collect())
    }

    /// The log-ins that were ended at or after a moment, by whichever process.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn revoked_since(&self, moment: Timestamp) -> Result<Vec<SessionId>, StoreError> {
        self.store.revoked_since(moment).await
    }

    /// The accounts that took a nickname at or after a moment, by whichever process.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn named_since(&self, moment: Timestamp) -> Result<Vec<(UserId, Nickname)>, StoreError> {
        self.store.named_since(moment).await
    }
}
