//! Connections to whichever database there is: one's own, or a pool's for a while.

use std::{future::Future, io, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection,
    SqlitePool, pool::PoolConnection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};

/// How long a server may take to let us in, and to take leave. One that is gone without a word says nothing for much longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How to connect.
pub(super) enum Options {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

impl Options {
    /// Opens a connection of one's own.
    pub(super) async fn connect(&self) -> Result<Conn, sqlx::Error> {
        match self {
            Self::Sqlite(options) => Ok(Conn::Sqlite(options.connect().await?)),
            Self::Postgres(options) => Ok(Conn::Postgres(in_time(options.connect()).await?)),
        }
    }
}

/// A connection.
pub(super) enum Conn {
    Sqlite(SqliteConnection),
    SqlitePooled(PoolConnection<Sqlite>),
    Postgres(PgConnection),
    PostgresPooled(PoolConnection<Postgres>),
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
            Self::PostgresPooled(conn) => Connected::Postgres(conn),
        }
    }

    /// Whether other nodes write to the database, too.
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_) | Self::PostgresPooled(_))
    }

    /// Runs a script without values in one trip.
    pub(super) async fn script(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        match self.connected() {
            Connected::Sqlite(conn) => sqlx::query(sql).execute(conn).await.map(|_| ()),
            Connected::Postgres(conn) => sqlx::raw_sql(sql).execute(conn).await.map(|_| ()),
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
            Self::Postgres(conn) => in_time(conn.close()).await,
            // The pool has it back.
            Self::SqlitePooled(_) | Self::PostgresPooled(_) => Ok(()),
        }
    }
}

async fn in_time<T>(done: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let late = |_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(PATIENCE, done).await.unwrap_or_else(late)
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
            Self::Postgres(pool) => Ok(Conn::PostgresPooled(pool.acquire().await?)),
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
