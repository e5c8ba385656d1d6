//! Reads the log of notifications, for clients that were away.

use std::sync::Arc;

use super::ServiceError;
use crate::{
    domain::{Offset, Publication},
    store::{LogStore, Reach},
};

/// Notifications that follow one another in the log.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// Oldest first.
    pub publications: Vec<Publication>,
    /// The newest id of the whole log; 0 when it never held one.
    pub latest: Offset,
}

/// The use cases of the log.
pub struct History {
    store: Arc<dyn LogStore>,
}

impl History {
    /// Over a store.
    #[must_use]
    pub fn new(store: Arc<dyn LogStore>) -> Self {
        Self { store }
    }

    /// The notifications after an offset, the oldest `limit` of them.
    ///
    /// # Errors
    /// [`ServiceError::TooOld`] when some of them are no longer kept, or the offset is beyond the end: then it is one of
    /// another log.
    pub async fn after(&self, after: Offset, limit: u32) -> Result<LogPage, ServiceError> {
        let reach = self.store.reach().await?;
        if after > reach.latest {
            return Err(ServiceError::TooOld { oldest: reach.oldest });
        }
        let page = self.read(reach, after, limit).await?;
        // Decided by what was read: more may have been pruned since the reach was read.
        let oldest = page.publications.first().map_or(reach.latest.0 + 1, |publication| publication.id.0);
        if after.0.saturating_add(1) < oldest {
            return Err(ServiceError::TooOld { oldest: Offset(oldest) });
        }
        Ok(page)
    }

    /// The refusal of an offset of another log.
    ///
    /// # Errors
    /// The store failed.
    pub async fn of_another_log(&self) -> Result<ServiceError, ServiceError> {
        Ok(ServiceError::TooOld { oldest: self.store.reach().await?.oldest })
    }

    /// The newest `limit`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn newest(&self, limit: u32) -> Result<LogPage, ServiceError> {
        let reach = self.store.reach().await?;
        let after = reach.latest.0.saturating_sub(i64::from(limit)).max(reach.oldest.0 - 1).max(0);
        self.read(reach, Offset(after), limit).await
    }

    async fn read(&self, reach: Reach, after: Offset, limit: u32) -> Result<LogPage, ServiceError> {
        let publications = self.store.log_after(after, limit).await?;
        // More may have been committed since the reach was read.
        let last = publications.last().map_or(Offset::START, |publication| publication.id);
        Ok(LogPage { publications, latest: reach.latest.max(last) })
    }
}
