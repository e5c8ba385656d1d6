//! From the databases' errors to the store's. Which refusal a broken constraint means is said where the statement is.

use sqlx::{
    error::{DatabaseError, ErrorKind},
    postgres::PgDatabaseError,
    sqlite::SqliteError,
};

use crate::store::{
    AccountError, AlertError, CancelError, CatalogError, EndpointError, ListenKeyError, ModerationError,
    OrderError, PersonError, SourceError, StoreError,
};

/// Primary result codes (<https://www.sqlite.org/rescode.html>) of what passes by itself or by an operator's hand:
/// another process holds the lock (5), another connection holds the table (6), the file became read-only (8), it cannot
/// be written, for a quota or a disk that is gone (10), the disk is full (13), the file cannot be opened (14).
const PASSING_IN_SQLITE: [i32; 6] = [5, 6, 8, 10, 13, 14];

/// SQLSTATEs and classes of them (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) of what passes: no
/// connection (08), a server that became read-only, as after a fail-over (25006), or waited too long for us (25P03), that
/// undid a transaction for another one (40), has no disk, memory or place left (53), did not get a lock in time (55P03), or
/// is stopping or starting (57P).
const PASSING_IN_POSTGRES: [&str; 7] = ["08", "25006", "25P03", "40", "53", "55P03", "57P"];

/// Those of them after which the server hangs up.
const LOST: [&str; 3] = ["08", "25P03", "57P"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if passes(&error) { Self::Busy(error.to_string()) } else { Self::failed(error) }
    }
}

fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
            Some(error) => PASSING_IN_POSTGRES.iter().any(|code| error.code().starts_with(code)),
            None => primary_code(&**error).is_some_and(|code| PASSING_IN_SQLITE.contains(&code)),
        },
        // A connection that broke is made anew.
        error => is_lost(error),
    }
}

/// Whether the connection is of no use any more, which only PostgreSQL's are: what was committed on it is there, and nothing
/// else is.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        // What comes from a socket.
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|error| LOST.iter().any(|code| error.code().starts_with(code))),
        _ => false,
    }
}

/// SQLite's primary result code: the low byte of the extended code.
pub(super) fn primary_code(error: &dyn DatabaseError) -> Option<i32> {
    let error = error.try_downcast_ref::<SqliteError>()?;
    error.code()?.parse::<i32>().ok().map(|code| code & 0xff)
}

/// Whether a statement failed because another row has the same `table.column`.
pub(super) fn is_taken(error: &sqlx::Error, column: &str) -> bool {
    let error = error.as_database_error().filter(|error| error.is_unique_violation());
    error.is_some_and(|error| match error.try_downcast_ref::<PgDatabaseError>() {
        // The column is in the detail only, which servers say in their own language. So these constraints have names that
        // say it: `users_by_email_key`.
        Some(error) => error.constraint() == Some(&column.replace('.', "_by_")),
        // SQLite names columns in the message and nowhere else: "UNIQUE constraint failed: users.email_key".
        None => error.message().contains(column),
    })
}

/// Whether a statement failed because `table.column` would have been null.
pub(super) fn is_missing(error: &sqlx::Error, column: &str) -> bool {
    let error = error.as_database_error().filter(|error| error.kind() == ErrorKind::NotNullViolation);
    error.is_some_and(|error| match error.try_downcast_ref::<PgDatabaseError>() {
        Some(error) => column.split_once('.') == error.table().zip(error.column()),
        // As above: "NOT NULL constraint failed: orders.user_id".
        None => error.message().contains(column),
    })
}

/// Why a job of the writer was not done, which may be the store's own failure.
pub(super) trait Refusal: From<StoreError> {
    /// The failure, if it is one.
    fn failure(&self) -> Option<&StoreError>;
}

impl Refusal for StoreError {
    fn failure(&self) -> Option<&StoreError> {
        Some(self)
    }
}

macro_rules! through_store_error {
    ($($error:ident)*) => {$(
        impl From<sqlx::Error> for $error {
            fn from(error: sqlx::Error) -> Self {
                Self::Store(error.into())
            }
        }

        impl Refusal for $error {
            fn failure(&self) -> Option<&StoreError> {
                if let Self::Store(failure) = self { Some(failure) } else { None }
            }
        }
    )*};
}

through_store_error!(
    AccountError AlertError CatalogError EndpointError OrderError CancelError SourceError ListenKeyError ModerationError
    PersonError
);
