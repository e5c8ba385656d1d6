//! The one place that knows which database is behind the traits.

use std::{error::Error, path::Path, sync::Arc};

use super::{
    shop::Store,
    sql::{postgres, sqlite},
};
use crate::domain::Currency;

/// Why a database was not opened: one sentence for the operator. The URL is not repeated, it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No kind of database that this program knows.
    #[error(
        "the database URL must have the form sqlite://path/to/file.db or postgres://user:password@host/database"
    )]
    UnknownScheme,
    /// A URL of a known kind that names nothing.
    #[error("{0}")]
    Url(String),
    /// The database cannot be used.
    #[error(transparent)]
    Database(Box<dyn Error + Send + Sync>),
}

/// What is wrong with the database that a URL names, a line each; nothing is written, and the shop may run meanwhile.
///
/// # Errors
/// As [`open`]; there is no database, or one of another version.
pub async fn check(url: &str) -> Result<Vec<String>, OpenError> {
    match url.split_once(':') {
        Some(("sqlite", _)) => sqlite::check(url).await.map_err(|error| OpenError::Database(error.into())),
        Some(("postgres" | "postgresql", _)) => {
            postgres::check(url).await.map_err(|error| OpenError::Database(error.into()))
        }
        _ => Err(OpenError::UnknownScheme),
    }
}

/// Opens the database that a URL names, creates it if there is none and brings it up to date. Prices are counted in
/// `currency`. Must be called within a Tokio runtime, which must outlive the store.
///
/// # Errors
/// The URL is of no known kind, or the database is not ours, of another version, or cannot be used.
pub async fn open(url: &str, currency: Currency) -> Result<Arc<dyn Store>, OpenError> {
    match url.split_once(':') {
        Some(("sqlite", _)) => match sqlite::open(url, currency).await {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) if error.is_url() => Err(OpenError::Url(error.to_string())),
            Err(error) => Err(OpenError::Database(error.into())),
        },
        Some(("postgres" | "postgresql", _)) => match postgres::open(url, currency).await {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) if error.is_url() => Err(OpenError::Url(error.to_string())),
            Err(error) => Err(OpenError::Database(error.into())),
        },
        _ => Err(OpenError::UnknownScheme),
    }
}

/// Copies a database while it is in use, for `shopbell backup`. `progress` is told bytes written and bytes to write.
///
/// # Errors
/// The URL is of no known kind, the database cannot be read, or the copy exists or cannot be written.
pub async fn backup(
    url: &str,
    to: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(), OpenError> {
    match url.split_once(':') {
        Some(("sqlite", _)) => {
            sqlite::backup(url, to, progress).await.map_err(|error| OpenError::Database(error.into()))
        }
        Some(("postgres" | "postgresql", _)) => Err(OpenError::Url(
            "a PostgreSQL database is backed up by its own tools, pg_dump or pg_basebackup".to_owned(),
        )),
        _ => Err(OpenError::UnknownScheme),
    }
}

impl OpenError {
    /// Whether the URL is to blame and not what it names.
    #[must_use]
    pub fn is_url(&self) -> bool {
        matches!(self, Self::UnknownScheme | Self::Url(_))
    }
}
