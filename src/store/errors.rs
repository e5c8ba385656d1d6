//! The store's own failure. What a store refuses (goods that are gone, an address that is taken) is beside the trait
//! whose methods refuse it.

use std::{error::Error, sync::Arc};

/// The store did not do it. What was to be written is not written.
///
/// It can be cloned because writes that commit together fail together.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// More writes wait than the queue takes, the database is locked by another process or the disk is full: it
    /// will pass.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The database cannot be read or written (file gone, permission, broken disk, store closed).
    #[error("the database failed: {0}")]
    Failed(#[source] Arc<dyn Error + Send + Sync>),
    /// What is stored is not what this version writes.
    #[error("the database holds something unexpected: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// A failure with its cause.
    pub(super) fn failed(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(Arc::from(cause.into()))
    }
}
