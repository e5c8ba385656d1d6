//! A reader's connection to PostgreSQL. It waits for nothing as long as TCP would, which is a quarter of an hour where a server
//! is gone without a word, and goes back to the pool only if it is of use.

use std::time::Duration;

use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use tokio::{runtime::Handle, time::timeout};

use crate::store::sql::errors::is_lost;

/// How long a connection that is given back may take to say that it lives.
const STILL_THERE: Duration = Duration::from_secs(1);

/// A connection of the pool's.
pub(in crate::store::sql) struct Pooled {
    /// `None` only while it is dropped.
    conn: Option<PoolConnection<Postgres>>,
    /// Nothing is under way on it. An answer that nobody has read to its end would be taken for the next one's.
    is_whole: bool,
}

impl Pooled {
    pub(super) fn new(conn: PoolConnection<Postgres>) -> Self {
        Self { conn: Some(conn), is_whole: true }
    }

    pub(super) fn get(&mut self) -> &mut PgConnection {
        self.conn.as_mut().expect("it is taken when it is dropped, and not before")
    }

    pub(super) fn begin_statement(&mut self) {
        self.is_whole = false;
    }

    pub(super) fn end_statement(&mut self, error: Option<&sqlx::Error>) {
        self.is_whole = !error.is_some_and(is_lost);
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let Some(mut conn) = self.conn.take() else { return };
        match Handle::try_current() {
            // The pool asks it for a sign of life, and nobody has its place until that has come.
            Ok(runtime) if self.is_whole => {
                let back = conn.return_to_pool();
                runtime.spawn(async { drop(timeout(STILL_THERE, back).await) });
            }
            // Closed at once, without a word to a server that may not listen. Its place is free.
            _ => drop(conn.detach()),
        }
    }
}
