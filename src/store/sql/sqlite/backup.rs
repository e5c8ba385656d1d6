//! A consistent copy of a database while it is in use: `vacuum into` reads one snapshot, which a copy of the file (without
//! its write-ahead log, or with another moment's) is not.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    files,
    open::{APPLICATION_ID, OpenError, options},
};
use crate::domain::Epoch;

/// Between two looks at how far it has come.
const LOOK: Duration = Duration::from_millis(200);

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum BackupError {
    /// The database cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no database, or one that is not ours.
    #[error("{} is not a shopbell database", .0.display())]
    NotOurs(PathBuf),
    /// Nothing is overwritten.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The copy cannot be written.
    #[error("{} cannot be written: {source}", .path.display())]
    Write {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database failed meanwhile.
    #[error("the database cannot be copied: {0}")]
    Copy(#[from] sqlx::Error),
}

/// Copies the database that a URL names. `progress` is told bytes written and bytes to write, some times a second.
///
/// The copy has a log of its own from here on, and says so with an epoch of its own: whoever has an offset beyond its end
/// must not take it for one of this log.
pub(in crate::store) async fn backup(
    url: &str,
    to: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(), BackupError> {
    let options = options(url)?.create_if_missing(false);
    let path = options.get_filename().to_owned();
    if !path.is_file() {
        return Err(BackupError::NotOurs(path));
    }
    let mut conn = options.connect().await.map_err(|error| OpenError::of(&path, error))?;
    let id: i64 = sqlx::query_scalar("pragma application_id")
        .fetch_one(&mut conn)
        .await
        .map_err(|error| OpenError::of(&path, error))?;
    if id != APPLICATION_ID {
        return Err(BackupError::NotOurs(path));
    }
    // Empty, and its owner's alone: SQLite fills it and keeps the mode.
    drop(files::create_private(to).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => BackupError::Write { path: to.to_owned(), source },
    })?);
    let copied = copy(&mut conn, to, progress).await;
    if copied.is_err() {
        drop(fs::remove_file(to));
    }
    copied
}

async fn copy(
    conn: &mut SqliteConnection,
    to: &Path,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(), BackupError> {
    let pages: i64 = sqlx::query_scalar("pragma page_count").fetch_one(&mut *conn).await?;
    let size: i64 = sqlx::query_scalar("pragma page_size").fetch_one(&mut *conn).await?;
    let total = u64::try_from(pages * size).unwrap_or_default();
    let name = to.to_str().ok_or_else(|| BackupError::Write {
        path: to.to_owned(),
        source: std::io::ErrorKind::InvalidFilename.into(),
    })?;
    {
        let copying = sqlx::query("vacuum into $1").bind(name).execute(&mut *conn);
        tokio::pin!(copying);
        loop {
            tokio::select! {
                done = &mut copying => {
                    done?;
                    break;
                }
                () = tokio::time::sleep(LOOK) => {
                    progress(fs::metadata(to).map_or(0, |file| file.len()).min(total), total);
                }
            }
        }
    }
    progress(total, total);
    renew_epoch(to).await?;
    let synced = fs::File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|source| BackupError::Write { path: to.to_owned(), source })
}

async fn renew_epoch(copy: &Path) -> Result<(), sqlx::Error> {
    let options =
        SqliteConnectOptions::new().filename(copy).create_if_missing(false).disable_statement_logging();
    let mut conn = options.connect().await?;
    // A database of before the log had an epoch gets its own when it is migrated.
    let has_log: bool =
        sqlx::query_scalar("select exists (select 1 from sqlite_schema where name = 'order_log')")
            .fetch_one(&mut conn)
            .await?;
    if has_log {
        sqlx::query("update order_log set epoch = $1")
            .bind(Epoch::from_random(rand::random()).to_string())
            .execute(&mut conn)
            .await?;
    }
    conn.close().await
}
