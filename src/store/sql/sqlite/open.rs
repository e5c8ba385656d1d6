//! Opening a database: which file is meant, whether it is ours, and bringing it up to date. Every refusal is one
//! sentence for the operator that names the file and no SQL.

use std::{
    cmp::Ordering,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    super::{conn::Conn, errors::primary_code, text},
    files,
};
use crate::domain::SessionSecret;

pub(in crate::store::sql) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// `SBEL`, which tells our files from others (<https://www.sqlite.org/pragma.html#pragma_application_id>).
pub(in crate::store::sql) const APPLICATION_ID: i64 = 0x5342_454C;

/// How long a connection waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Connections that only read. Each is a thread, and more than the cores of a small machine only take turns.
const READERS: u32 = 4;

/// How long a reader's turn may take to come, before the request is told that the database is busy.
const READER_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum OpenError {
    /// Not the URL of a file.
    #[error("the database URL must have the form sqlite://path/to/file.db")]
    Url,
    /// A database that vanishes with the process keeps no promise of this one.
    #[error("a database in memory would lose orders: the database URL must name a file")]
    Memory,
    /// Its folder is missing.
    #[error("the database {} cannot be created: there is no folder {}", .path.display(), .folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// Where it should be.
        folder: PathBuf,
    },
    /// A file of someone else's.
    #[error("{} is not a shopbell database", .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A file of another version of this program, most likely a newer one.
    #[error("the database {} was written by another version of shopbell", .path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
    },
    /// There is none, where one is to be looked at.
    #[error("there is no database {}", .path.display())]
    Missing {
        /// The file that should be it.
        path: PathBuf,
    },
    /// A file of an older version of this program.
    #[error("the database {} is of an older version: run shopbell migrate", .path.display())]
    OldVersion {
        /// The file.
        path: PathBuf,
    },
    /// Half a shop.
    #[error("a copy into the database {} was not finished: run shopbell copy again", .path.display())]
    Unfinished {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds its lock.
    #[error("the database {} is locked by another program", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file beside it that holds the key of the log-in tokens.
    #[error("the token key beside {} cannot be written: {source}", .path.display())]
    Key {
        /// The database.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Permissions, a folder of that name, a full or broken disk.
    #[error("the database {} cannot be opened for reading and writing", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite says, for the log.
        source: sqlx::Error,
    },
}

impl OpenError {
    /// Whether the URL is to blame and not what it names.
    pub(in crate::store) fn is_url(&self) -> bool {
        matches!(self, Self::Url | Self::Memory)
    }

    pub(super) fn of(path: &Path, source: sqlx::Error) -> Self {
        let path = path.to_owned();
        match source.as_database_error().and_then(primary_code) {
            // https://www.sqlite.org/rescode.html: SQLITE_NOTADB; SQLITE_BUSY and SQLITE_LOCKED.
            Some(26) => Self::NotOurs { path },
            Some(5 | 6) => Self::Locked { path },
            _ => Self::Unusable { path, source },
        }
    }
}

/// An open database: the writer's connection with the options to open it again, and the readers.
pub(super) struct Opened {
    pub(super) conn: Conn,
    pub(super) options: SqliteConnectOptions,
    pub(super) readers: SqlitePool,
}

/// Opens a database, creates it if need be and brings it up to date.
pub(super) async fn open(url: &str) -> Result<Opened, OpenError> {
    let base = options(url)?;
    let path = base.get_filename().to_owned();
    let failed = |error| OpenError::of(&path, error);
    files::prepare(&path);
    claim(&base, &path).await?;
    files::protect(&path);

    let options = base
        .clone()
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // What a burst made of the write-ahead log is given back: 64 MiB.
        .pragma("journal_size_limit", "67108864");
    let mut conn = options.connect().await.map_err(failed)?;
    migrate(&mut conn, &path).await?;
    hide_secrets(&mut conn, &path).await?;
    let mut conn = Conn::Sqlite(conn);
    for collision in text::apply_rules(&mut conn).await.map_err(failed)? {
        tracing::warn!("{collision}");
    }

    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(READER_TIMEOUT)
        // A connection to a file does not go stale, and a new one would have to prepare its statements again.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(base.create_if_missing(false).pragma("query_only", "on"))
        .await
        .map_err(failed)?;
    Ok(Opened { conn, options, readers })
}

/// What all connections have in common.
pub(super) fn options(url: &str) -> Result<SqliteConnectOptions, OpenError> {
    let (file, parameters) = url.split_once('?').unwrap_or((url, ""));
    let name = file.strip_prefix("sqlite:").ok_or(OpenError::Url)?.trim_start_matches("//");
    if name == ":memory:" || parameters.contains("memory") {
        return Err(OpenError::Memory);
    }
    // Those two are what other programs write for "read, write and create", which is what happens anyway.
    if name.is_empty() || !["", "mode=rw", "mode=rwc"].contains(&parameters) {
        return Err(OpenError::Url);
    }
    let options = SqliteConnectOptions::from_str(file).map_err(|_| OpenError::Url)?;
    let path = options.get_filename();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(OpenError::NoFolder { path: path.to_owned(), folder: folder.to_owned() });
    }
    Ok(options
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // Errors are logged once, by whoever answers for them.
        .disable_statement_logging())
}

/// Opens a database that is to be filled. One of another version is left as it is: it is somebody's.
pub(super) async fn empty(url: &str) -> Result<Opened, OpenError> {
    let options = options(url)?;
    let path = options.get_filename();
    if path.metadata().is_ok_and(|file| file.len() > 0) {
        match reading(&existing(url)?, path).await {
            Ok(conn) => conn.close().await.map_err(|error| OpenError::of(path, error))?,
            // One that was only begun is made whole.
            Err(OpenError::Unusable { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    open(url).await
}

/// The options to look at a database that exists.
pub(super) fn existing(url: &str) -> Result<SqliteConnectOptions, OpenError> {
    let options = options(url)?.create_if_missing(false).pragma("query_only", "on");
    let path = options.get_filename();
    if path.is_file() { Ok(options) } else { Err(OpenError::Missing { path: path.to_owned() }) }
}

/// Opens a database of this version to look at it.
pub(super) async fn reading(
    options: &SqliteConnectOptions,
    path: &Path,
) -> Result<SqliteConnection, OpenError> {
    let failed = |error| OpenError::of(path, error);
    let mut conn = options.connect().await.map_err(failed)?;
    let id: i64 = sqlx::query_scalar("pragma application_id").fetch_one(&mut conn).await.map_err(failed)?;
    if id != APPLICATION_ID {
        return Err(OpenError::NotOurs { path: path.to_owned() });
    }
    let kept: i64 = sqlx::query_scalar("select ifnull(max(version), 0) from _sqlx_migrations where success")
        .fetch_one(&mut conn)
        .await
        .map_err(failed)?;
    let ours = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    match kept.cmp(&ours) {
        Ordering::Equal => Ok(conn),
        Ordering::Less => Err(OpenError::OldVersion { path: path.to_owned() }),
        Ordering::Greater => Err(OpenError::OtherVersion { path: path.to_owned() }),
    }
}

/// Checks that the file is ours, and marks an empty one as ours before anything else is written: a crash in
/// between must not leave a file that is not empty and nobody's. Must come before the connection that turns a file's
/// journal into a write-ahead log, because that is a change already.
async fn claim(options: &SqliteConnectOptions, path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::of(path, error);
    let mut conn = options.connect().await.map_err(failed)?;
    let id: i64 = sqlx::query_scalar("pragma application_id").fetch_one(&mut conn).await.map_err(failed)?;
    if id != APPLICATION_ID {
        let filled: bool = sqlx::query_scalar("select exists (select 1 from sqlite_schema)")
            .fetch_one(&mut conn)
            .await
            .map_err(failed)?;
        if filled || id != 0 {
            return Err(OpenError::NotOurs { path: path.to_owned() });
        }
        let mark = sqlx::AssertSqlSafe(format!("pragma application_id = {APPLICATION_ID}"));
        sqlx::query(mark).execute(&mut conn).await.map_err(failed)?;
    }
    conn.close().await.map_err(failed)
}

/// What SQL cannot do of migration 0009: log-ins are known by the hash of their secret from now on, and the key of the
/// tokens leaves the database. A crash in between is no harm: the next start goes on.
async fn hide_secrets(conn: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::of(path, error);
    let plain: Vec<String> = sqlx::query_scalar(
        "select session_id
         from sessions
         where session_id >= 'plain:' and session_id < 'plain;'",
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(failed)?;
    let key: Option<String> = sqlx::query_scalar(
        "select value
         from settings
         where key = 'jwt-secret'",
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(failed)?;
    if plain.is_empty() && key.is_none() {
        return Ok(());
    }
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        files::keep_token_key(path, &key)
            .map_err(|source| OpenError::Key { path: path.to_owned(), source })?;
    }
    overwrite(conn, &plain).await.map_err(failed)
}

/// Replaces and deletes, and leaves nothing of it in free pages or in the write-ahead log.
async fn overwrite(conn: &mut SqliteConnection, plain: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query("pragma secure_delete = on").execute(&mut *conn).await?;
    let mut tx = conn.begin_with("begin immediate").await?;
    for text in plain {
        let Some(secret) = text.strip_prefix("plain:").and_then(SessionSecret::parse) else { continue };
        sqlx::query(
            "update sessions
             set session_id = $1
             where session_id = $2",
        )
        .bind(secret.id().to_string())
        .bind(text)
        .execute(&mut *tx)
        .await?;
    }
    // What is left was no log-in of ours.
    sqlx::query("delete from sessions where session_id >= 'plain:' and session_id < 'plain;'")
        .execute(&mut *tx)
        .await?;
    sqlx::query("delete from settings where key = 'jwt-secret'").execute(&mut *tx).await?;
    tx.commit().await?;
    sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut *conn).await?;
    sqlx::query("pragma secure_delete = off").execute(&mut *conn).await?;
    Ok(())
}

async fn migrate(conn: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    // What a migration replaces may be a secret.
    let failed = |error| OpenError::of(path, error);
    sqlx::query("pragma secure_delete = on").execute(&mut *conn).await.map_err(failed)?;
    run_migrations(conn, path).await?;
    sqlx::query("pragma secure_delete = off").execute(conn).await.map_err(failed)?;
    Ok(())
}

async fn run_migrations(conn: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    MIGRATIONS.run(conn).await.map_err(|error| match error {
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) | MigrateError::Dirty(_) => {
            OpenError::OtherVersion { path: path.to_owned() }
        }
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            OpenError::of(path, source)
        }
        other => OpenError::of(path, sqlx::Error::Migrate(Box::new(other))),
    })
}
