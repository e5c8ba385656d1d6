//! Connections to whichever database there is: one's own, or a pool's for a while.

mod pooled;

use std::{
    future::Future,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool, Sqlite, SqliteConnection, SqlitePool,
    pool::PoolConnection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};
use tokio::time::timeout;

use self::pooled::Pooled;
use crate::domain::Timestamp;

/// How long a server may take to let us in, and to take leave. One that is gone without a word says nothing for much longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it may take for what is asked of it: many times what the largest takes.
pub(super) const STATEMENT: Duration = Duration::from_secs(10);

/// How to connect.
pub(super) enum Options {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>, Renewed),
}

/// When the writer last had to connect anew. The address may lead to another server since, and connections of before to one
/// that is no longer the primary: it answers, and knows nothing of what is written now.
#[derive(Clone)]
pub(super) struct Renewed(Arc<Mutex<Instant>>);

impl Renewed {
    /// Not yet.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn is_now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether a connection of this age is younger.
    pub(super) fn is_before(&self, age: Duration) -> bool {
        age <= self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Options {
    /// Opens a connection of one's own.
    pub(super) async fn connect(&self) -> Result<Conn, sqlx::Error> {
        match self {
            Self::Sqlite(options) => Ok(Conn::Sqlite(options.connect().await?)),
            Self::Postgres(options, renewed) => {
                let conn = in_time(PATIENCE, to_primary(options)).await?;
                renewed.is_now();
                Ok(Conn::Postgres(conn))
            }
        }
    }
}

async fn to_primary(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut conn = options.connect().await?;
    refuse_standby(&mut conn).await?;
    Ok(conn)
}

/// A server that follows another one takes no writes, and what it answers may be old. It can become the primary, which no
/// primary ceases to be while it has connections.
async fn refuse_standby(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    match is_standby(conn).await? {
        true => Err(sqlx::Error::Io(io::Error::new(io::ErrorKind::NotConnected, "the server is a standby"))),
        false => Ok(()),
    }
}

/// Whether a server follows another one.
pub(super) async fn is_standby(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select pg_is_in_recovery()").fetch_one(conn).await
}

/// A connection.
pub(super) enum Conn {
    Sqlite(SqliteConnection),
    SqlitePooled(PoolConnection<Sqlite>),
    Postgres(PgConnection),
    PostgresPooled(Pooled),
}

/// A connection by its database.
pub(super) enum Connected<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Conn {
    /// By its database.
    pub(super) fn connected(&mut self) -> Connected<'_> {
        match self {
            Self::Sqlite(conn) => Connected::Sqlite(conn),
            Self::SqlitePooled(conn) => Connected::Sqlite(conn),
            Self::Postgres(conn) => Connected::Postgres(conn),
            Self::PostgresPooled(conn) => Connected::Postgres(conn.get()),
        }
    }

    /// Whether other nodes write to the database, too.
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_) | Self::PostgresPooled(_))
    }

    /// A statement begins, and may take so long. The writer has a time for all that it does in a transaction, and who copies or
    /// checks a shop has as much as it takes. Without [`end_statement`](Self::end_statement) it was broken off.
    pub(super) fn begin_statement(&mut self) -> Option<Duration> {
        let Self::PostgresPooled(conn) = self else { return None };
        conn.begin_statement();
        Some(STATEMENT)
    }

    /// A statement has ended.
    pub(super) fn end_statement<T>(&mut self, done: &Result<T, sqlx::Error>) {
        if let Self::PostgresPooled(conn) = self {
            conn.end_statement(done.as_ref().err());
        }
    }

    /// Now, by the clock that all have in common who use the database: that of its server, or `here`, this machine's.
    pub(super) async fn now(&mut self, here: Timestamp) -> Result<Timestamp, sqlx::Error> {
        let now = "select (extract(epoch from clock_timestamp()) * 1000)::bigint";
        let patience = self.begin_statement();
        let millis = match self.connected() {
            Connected::Sqlite(_) => return Ok(here),
            Connected::Postgres(conn) => in_time(patience, sqlx::query_scalar(now).fetch_one(conn)).await,
        };
        self.end_statement(&millis);
        Ok(Timestamp::from_millis(millis?))
    }

    /// Runs a script without values in one trip.
    pub(super) async fn script(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        match self.connected() {
            Connected::Sqlite(conn) => sqlx::query(sql).execute(conn).await.map(|_| ()),
            Connected::Postgres(conn) => Box::pin(sqlx::raw_sql(sql).execute(conn)).await.map(|_| ()),
        }
    }

    /// Begins a transaction in which nobody else writes, also on no other node, and a savepoint in it: what is read in it
    /// holds until its end.
    ///
    /// PostgreSQL's lock is free only when all can see what was committed. So numbers that are one more than the newest
    /// have no holes, and no reader passes one by. Its name is that of SQLite's `application_id`, "SBEL".
    pub(super) async fn begin_writing(&mut self) -> Result<(), sqlx::Error> {
        match self.connected() {
            // Immediate: a deferred one that finds the file changed when it first writes fails at once, whatever the
            // timeout.
            Connected::Sqlite(_) => self.script("begin immediate; savepoint job").await,
            Connected::Postgres(_) => {
                self.script("begin; select pg_advisory_xact_lock(1396852044); savepoint job").await
            }
        }
    }

    /// Begins a transaction that sees one moment.
    pub(super) async fn begin_reading(&mut self) -> Result<(), sqlx::Error> {
        match self.connected() {
            Connected::Sqlite(_) => self.script("begin").await,
            Connected::Postgres(_) => self.script("begin isolation level repeatable read read only").await,
        }
    }

    /// Says goodbye, where the connection is one's own.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(conn) => conn.close().await,
            Self::Postgres(conn) => in_time(PATIENCE, conn.close()).await,
            // The pool has it back.
            Self::SqlitePooled(_) | Self::PostgresPooled(_) => Ok(()),
        }
    }
}

/// What a server does within so long.
pub(super) fn in_time<T>(
    patience: impl Into<Option<Duration>>,
    done: impl Future<Output = Result<T, sqlx::Error>>,
) -> impl Future<Output = Result<T, sqlx::Error>> {
    let late = |_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
    match patience.into() {
        Some(patience) => timeout(patience, done).map(move |done| done.unwrap_or_else(late)).left_future(),
        None => done.right_future(),
    }
}

/// Connections that only read.
pub(super) enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Readers {
    /// Waits for one.
    pub(super) async fn acquire(&self) -> Result<Conn, sqlx::Error> {
        match self {
            Self::Sqlite(pool) => Ok(Conn::SqlitePooled(pool.acquire().await?)),
            Self::Postgres(pool) => Box::pin(from_server(pool)).await.map(Conn::PostgresPooled),
        }
    }

    /// Closes them, once they are given back.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

async fn from_server(pool: &PgPool) -> Result<Pooled, sqlx::Error> {
    let mut conn = pool.acquire().await?;
    // What has nothing prepared is new, and has this prepared then.
    if conn.cached_statements_size() == 0
        && let Err(refused) = in_time(PATIENCE, refuse_standby(&mut conn)).await
    {
        conn.close_on_drop();
        return Err(refused);
    }
    Ok(Pooled::new(conn))
}
