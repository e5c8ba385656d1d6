//! Connecting to a server, and bringing its database up to date. Every refusal is one sentence for the operator without
//! the URL, which may hold a password.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection as _,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::super::{
    conn::{Conn, Options, Readers, Renewed, in_time, is_standby},
    statement, text,
};

/// The migrations that this program knows. A newer one may have made others.
fn migrations() -> Migrator {
    let mut known = sqlx::migrate!("migrations/postgres");
    known.set_ignore_missing(true);
    known
}

/// The setting of a database that says which migration a program must know to use it. Without it every one may, also where
/// newer ones have changed the tables: nodes of two versions run side by side while they are upgraded, so a migration only
/// adds (expand). One that takes away (contract) comes a version later and sets this.
pub(in crate::store::sql) const USABLE_FROM: &str = "usable-from";

/// Connections that only read, unless the URL says `pool=N`. Beside them the writer has one.
const READERS: u32 = 8;

/// How long a reader's turn may take to come, before the request is told that the database is busy.
const READER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a server may take to say that it is there, before a reader asks another connection.
const STILL_THERE: Duration = Duration::from_secs(1);

/// How long the writer waits for other nodes before its batch is answered that the database is busy, in milliseconds: as
/// long as for another process at a file of SQLite.
const LOCK_TIMEOUT: &str = "2000";

/// How long a node that stopped in the middle of a transaction may keep the others waiting, in milliseconds.
const IDLE_TIMEOUT: &str = "5000";

/// Statements that a connection keeps prepared: about all that there are.
const PREPARED: usize = 400;

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum OpenError {
    /// Not the URL of a database.
    #[error("the database URL must have the form postgres://user:password@host:port/database")]
    Url,
    /// Tables of another version of this program, most likely a newer one.
    #[error("the database was written by another version of shopbell")]
    OtherVersion,
    /// Text in it would not be all text that there is.
    #[error("the database has the encoding {0}; shopbell needs UTF8")]
    Encoding(String),
    /// Tables of an older version of this program, or none.
    #[error("the database is of an older version: run shopbell migrate")]
    OldVersion,
    /// A server that takes no writes.
    #[error("the database is that of a standby: the URL must lead to the primary")]
    Standby,
    /// Half a shop.
    #[error("a copy into this database was not finished: run shopbell copy again")]
    Unfinished,
    /// No server, no database of that name, a wrong password, no rights.
    #[error("the database cannot be used: {0}")]
    Unusable(#[from] sqlx::Error),
}

impl OpenError {
    /// Whether the URL is to blame and not what it names.
    pub(in crate::store) fn is_url(&self) -> bool {
        matches!(self, Self::Url)
    }
}

/// What all connections have in common, and how many of them read.
fn options(url: &str) -> Result<(PgConnectOptions, u32), OpenError> {
    let (url, readers) = pool_size(url)?;
    let options = PgConnectOptions::from_str(&url).map_err(|_| OpenError::Url)?;
    let options = options
        .application_name("shopbell")
        .statement_cache_capacity(PREPARED)
        // These are the server's: it notices a node that is gone without a word, and lets go of what that holds.
        .options([
            ("tcp_keepalives_idle", "10"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
        ])
        // Errors are logged once, by whoever answers for them.
        .disable_statement_logging();
    Ok((options, readers))
}

/// Takes `pool=N` out of a URL, which the driver does not know.
fn pool_size(url: &str) -> Result<(String, u32), OpenError> {
    let mut url = url::Url::parse(url).map_err(|_| OpenError::Url)?;
    let mut readers = READERS;
    let mut rest = Vec::new();
    for (name, value) in url.query_pairs() {
        match &*name {
            "pool" => {
                readers = value.parse().ok().filter(|size| (1..=1000).contains(size)).ok_or(OpenError::Url)?
            }
            _ => rest.push((name.into_owned(), value.into_owned())),
        }
    }
    url.set_query(None);
    if !rest.is_empty() {
        url.query_pairs_mut().extend_pairs(rest);
    }
    Ok((url.into(), readers))
}

/// Connects, makes the tables if need be and brings them up to date.
pub(super) async fn open(url: &str) -> Result<(Conn, Options, Readers), OpenError> {
    let (base, size) = options(url)?;
    let writing = base.clone().options([
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
        // Whatever the server's default is: what was answered is on the disk.
        ("synchronous_commit", "on"),
    ]);
    // Without the timeouts: another node may be at it, and is waited for.
    let mut conn = base.connect().await?;
    if is_standby(&mut conn).await? {
        return Err(OpenError::Standby);
    }
    let mut migrating = Conn::Postgres(conn);
    check_usable(&mut migrating).await?;
    let Conn::Postgres(mut conn) = migrating else { return Err(OpenError::Url) };
    migrations().run(&mut conn).await.map_err(refused)?;
    let mut migrating = Conn::Postgres(conn);
    for collision in text::apply_rules(&mut migrating).await? {
        tracing::warn!("{collision}");
    }
    migrating.close().await?;
    let conn = Conn::Postgres(writing.connect().await?);
    let renewed = Renewed::new();
    let readers = readers(size, renewed.clone())
        .connect_with(base.options([("default_transaction_read_only", "on")]))
        .await?;
    Ok((conn, Options::Postgres(Box::new(writing), renewed), Readers::Postgres(readers)))
}

/// So many connections, none of which is older than the writer's.
fn readers(size: u32, renewed: Renewed) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(READER_TIMEOUT)
        // Instead of the pool's own test, which waits for as long as it takes.
        .test_before_acquire(false)
        .before_acquire(move |conn, meta| {
            let is_young = renewed.is_before(meta.age);
            Box::pin(async move { Ok(is_young && in_time(STILL_THERE, conn.ping()).await.is_ok()) })
        })
}

/// Connects to a database that is to be filled. One of another version is left as it is: it is somebody's.
pub(super) async fn empty(url: &str) -> Result<(Conn, Options, Readers), OpenError> {
    let mut conn = Conn::Postgres(options(url)?.0.connect().await?);
    let kept = version(&mut conn).await;
    drop(conn.close().await);
    if kept?.is_some_and(|kept| kept < newest_migration()) {
        return Err(OpenError::OldVersion);
    }
    open(url).await
}

/// Connects to a database of this version to look at it.
pub(super) async fn existing(url: &str) -> Result<Conn, OpenError> {
    let mut conn = Conn::Postgres(options(url)?.0.connect().await?);
    if version(&mut conn).await?.unwrap_or_default() < newest_migration() {
        return Err(OpenError::OldVersion);
    }
    check_usable(&mut conn).await?;
    Ok(conn)
}

/// The newest migration that was made, if any was.
async fn version(conn: &mut Conn) -> Result<Option<i64>, sqlx::Error> {
    let is_there: bool = statement::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(&mut *conn)
        .await?;
    match is_there {
        true => {
            statement::query_scalar("select max(version) from _sqlx_migrations where success")
                .fetch_one(conn)
                .await
        }
        false => Ok(None),
    }
}

fn newest_migration() -> i64 {
    migrations().iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// Whether a program of this version may use a database, which may be empty.
async fn check_usable(conn: &mut Conn) -> Result<(), OpenError> {
    let (encoding, has_settings) = statement::query_as::<(String, bool)>(
        "select current_setting('server_encoding'), to_regclass('settings') is not null",
    )
    .fetch_one(conn)
    .await?;
    if encoding != "UTF8" {
        return Err(OpenError::Encoding(encoding));
    }
    if !has_settings {
        return Ok(());
    }
    let needed: Option<String> = statement::query_scalar(
        "select value
         from settings
         where key = $1",
    )
    .bind(USABLE_FROM)
    .fetch_optional(conn)
    .await?;
    let knows = |needed: String| needed.parse::<i64>().is_ok_and(|needed| needed <= newest_migration());
    needed.is_none_or(knows).then_some(()).ok_or(OpenError::OtherVersion)
}

fn refused(error: MigrateError) -> OpenError {
    match error {
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) | MigrateError::Dirty(_) => {
            OpenError::OtherVersion
        }
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => {
            OpenError::Unusable(source)
        }
        other => OpenError::Unusable(sqlx::Error::Migrate(Box::new(other))),
    }
}
