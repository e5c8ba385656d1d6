//! Where everything is kept, in the words of the shop: a trait for each aggregate, one method is one transaction is one
//! sentence. Callers never see SQL; [`open`] is the one place that knows which database is behind the traits.
//!
//! What commits announce to the running program (new notifications, changed goods, ended log-ins) goes out through the
//! [`Feed`].

use std::{error::Error, sync::Arc};

use async_trait::async_trait;

use crate::domain::Currency;

mod accounts;
mod carts;
mod catalog;
#[cfg(test)]
mod contract_tests;
mod errors;
pub mod feed;
mod log;
mod orders;
mod sqlite;

pub use accounts::{AccountError, AccountStore};
pub use carts::CartStore;
pub use catalog::{CatalogError, CatalogStore, GoodsQuery};
pub use errors::StoreError;
pub use feed::Feed;
pub use log::{LogStore, OrderEvent, OrderEventKind, Reach, Sequence};
pub use orders::{CancelError, OrderError, OrderStore, PlacedOrder};

/// Why a database was not opened: one sentence for the operator. The URL is not repeated, it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No kind of database that this program knows.
    #[error("the database URL must have the form sqlite://path/to/file.db")]
    UnknownScheme,
    /// The database cannot be used.
    #[error(transparent)]
    Database(Box<dyn Error + Send + Sync>),
}

/// Opens the database that a URL names, creates it if there is none and brings it up to date. Prices are counted in
/// `currency`. Must be called within a Tokio runtime, which must outlive the store.
///
/// # Errors
/// The URL is of no known kind, or the database is not ours, of another version, or cannot be used.
pub async fn open(url: &str, currency: Currency) -> Result<Arc<dyn Store>, OpenError> {
    match url.split_once(':') {
        Some(("sqlite", _)) => match sqlite::SqliteStore::open(url, currency).await {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(OpenError::Database(error.into())),
        },
        _ => Err(OpenError::UnknownScheme),
    }
}

/// The data of a shop. Use cases take the trait of the aggregate that they are about; this one is for who needs several,
/// and for the life of the store itself.
#[async_trait]
pub trait Store: AccountStore + CatalogStore + CartStore + OrderStore + LogStore {
    /// Fails when the database cannot be read or its writer does not run.
    async fn ping(&self) -> Result<(), StoreError>;
    /// Commits what is queued, then closes all connections; later calls fail.
    async fn close(&self);

    /// Whether there are no accounts and no goods: what `--demo` may fill.
    async fn is_empty(&self) -> Result<bool, StoreError>;
    /// Reads a setting that outlives restarts, set to `default` if it has no value yet.
    async fn setting(&self, key: &'static str, default: &str) -> Result<String, StoreError>;
    /// Changes a setting that outlives restarts.
    async fn change_setting(&self, key: &'static str, value: &str) -> Result<(), StoreError>;
}
