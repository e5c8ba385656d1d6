//! From SQLite's errors to the store's. Which refusal a broken constraint means is said where the statement is.

use sqlx::{error::DatabaseError, sqlite::SqliteError};

use crate::store::{
    AccountError, AlertError, CancelError, CatalogError, EndpointError, ListenKeyError, ModerationError,
    OrderError, PersonError, SourceError, StoreError,
};

/// Primary result codes (<https://www.sqlite.org/rescode.html>) of what passes by itself or by an operator's hand:
/// another process holds the lock (5), another connection holds the table (6), the file became read-only (8), it cannot
/// be written, for a quota or a disk that is gone (10), the disk is full (13), the file cannot be opened (14).
const PASSING: [i32; 6] = [5, 6, 8, 10, 13, 14];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let passes = matches!(error, sqlx::Error::PoolTimedOut)
            || primary_code(&error).is_some_and(|code| PASSING.contains(&code));
        if passes { Self::Busy(error.to_string()) } else { Self::failed(error) }
    }
}

/// The primary result code behind an error: the low byte of the extended code.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let error = error.as_database_error()?.try_downcast_ref::<SqliteError>()?;
    error.code()?.parse::<i32>().ok().map(|code| code & 0xff)
}

/// Whether a statement failed because another row has the same `table.column`.
pub(super) fn is_taken(error: &sqlx::Error, column: &str) -> bool {
    // SQLite names columns in the message and nowhere else: "UNIQUE constraint failed: users.email_key".
    error.as_database_error().is_some_and(|e| e.is_unique_violation() && e.message().contains(column))
}

/// Whether a statement failed because `table.column` would have been null.
pub(super) fn is_missing(error: &sqlx::Error, column: &str) -> bool {
    // As above: "NOT NULL constraint failed: orders.user_id".
    error
        .as_database_error()
        .is_some_and(|e| e.kind() == sqlx::error::ErrorKind::NotNullViolation && e.message().contains(column))
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
