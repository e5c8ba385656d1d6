//! The one place that knows which database is behind the traits.

use std::{error::Error, path::Path, sync::Arc};

use super::{
    shop::Store,
    sql::{
        copy::{self, Progress, Side},
        postgres,
        sqlite::{self, BackupError},
    },
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
        Some(("sqlite", _)) => sqlite::check(url).await.map_err(of_sqlite),
        Some(("postgres" | "postgresql", _)) => postgres::check(url).await.map_err(of_postgres),
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
        Some(("sqlite", _)) => Ok(Arc::new(sqlite::open(url, currency).await.map_err(of_sqlite)?)),
        Some(("postgres" | "postgresql", _)) => {
            Ok(Arc::new(postgres::open(url, currency).await.map_err(of_postgres)?))
        }
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
        Some(("sqlite", _)) => sqlite::backup(url, to, progress).await.map_err(|error| match error {
            BackupError::Open(error) => of_sqlite(error),
            error => OpenError::Database(error.into()),
        }),
        Some(("postgres" | "postgresql", _)) => Err(OpenError::Url(
            "a PostgreSQL database is backed up by its own tools, pg_dump or pg_basebackup".to_owned(),
        )),
        _ => Err(OpenError::UnknownScheme),
    }
}

/// Why a shop was not copied: one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database to copy cannot be used.
    #[error("--from: {0}")]
    Source(OpenError),
    /// The database to fill cannot be used.
    #[error("--to: {0}")]
    Target(OpenError),
    /// The copy is not what was copied: a line for each difference.
    #[error("{} differences were found", .0.len())]
    Differs(Vec<String>),
    /// The copy was refused or failed.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

impl CopyError {
    /// Whether a URL is to blame and not what it names.
    #[must_use]
    pub fn is_url(&self) -> bool {
        matches!(self, Self::Source(error) | Self::Target(error) if error.is_url())
    }
}

/// Brings a shop from one database into another, empty one, for `shopbell copy`, or goes on where that was broken off. The
/// shop must be closed. Returns the number of rows; `progress` is told what is done, and how many of how many rows.
///
/// # Errors
/// A URL is of no known kind, the one cannot be read or the other not be written, the other is not empty, or what was written
/// is not what was read. Then the other is no shop, and is not opened as one.
pub async fn copy(from: &str, to: &str, progress: &mut Progress<'_>) -> Result<u64, CopyError> {
    let source = source(from).await.map_err(CopyError::Source)?;
    let target = target(to).await.map_err(CopyError::Target)?;
    copy::copy(source, target, progress).await.map_err(|error| match error {
        copy::CopyError::Differs(lines) => CopyError::Differs(lines),
        error => CopyError::Failed(error.into()),
    })
}

async fn source(url: &str) -> Result<Side, OpenError> {
    match url.split_once(':') {
        Some(("sqlite", _)) => sqlite::source(url).await.map_err(of_sqlite),
        Some(("postgres" | "postgresql", _)) => postgres::source(url).await.map_err(of_postgres),
        _ => Err(OpenError::UnknownScheme),
    }
}

async fn target(url: &str) -> Result<Side, OpenError> {
    match url.split_once(':') {
        Some(("sqlite", _)) => sqlite::target(url).await.map_err(of_sqlite),
        Some(("postgres" | "postgresql", _)) => postgres::target(url).await.map_err(of_postgres),
        _ => Err(OpenError::UnknownScheme),
    }
}

fn of_sqlite(error: sqlite::OpenError) -> OpenError {
    if error.is_url() { OpenError::Url(error.to_string()) } else { OpenError::Database(error.into()) }
}

fn of_postgres(error: postgres::OpenError) -> OpenError {
    if error.is_url() { OpenError::Url(error.to_string()) } else { OpenError::Database(error.into()) }
}

impl OpenError {
    /// Whether the URL is to blame and not what it names.
    #[must_use]
    pub fn is_url(&self) -> bool {
        matches!(self, Self::UnknownScheme | Self::Url(_))
    }
}
