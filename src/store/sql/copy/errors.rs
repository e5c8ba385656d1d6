//! Why there is no copy.

use crate::store::StoreError;

/// Why there is no copy: one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum CopyError {
    /// The one or the other failed.
    #[error("{what} cannot be read: {source}")]
    Read {
        /// A table, or what else was read.
        what: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The target failed, or does not take a row.
    #[error("{what} cannot be written: {source}")]
    Write {
        /// A table, or what else was written.
        what: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The key of the log-in tokens cannot be read or written.
    #[error(transparent)]
    Key(#[from] StoreError),
    /// The schemas differ, which is a fault of this program.
    #[error("the databases do not have the same tables: {0}")]
    Schema(String),
    /// The source is half a shop.
    #[error("a copy into the source was not finished")]
    Half,
    /// Forms of texts that an older version of this program computed.
    #[error("the source is of an older version: run shopbell migrate")]
    OldRules,
    /// A shop, and none that was being copied.
    #[error("the target holds rows already ({0}): a copy needs an empty database")]
    Filled(String),
    /// Half of another shop, or of this one as it was.
    #[error(
        "the target holds a part of another copy, or the source was written since this one was begun: begin again with an \
         empty database"
    )]
    OtherCopy,
    /// Log-ins of the source would not hold.
    #[error("the target has a key of the log-ins that is not the source's: move it away first")]
    OtherKey,
    /// The shop went on.
    #[error(
        "the source was written meanwhile, and what came then is not in the copy: stop the shop and begin again with an \
         empty database"
    )]
    Moved,
    /// The copy is not what was copied: a line for each difference.
    #[error("the copy is not what was copied: {}", .0.join("; "))]
    Differs(Vec<String>),
}

/// What could not be read.
pub(super) fn not_read(what: &str) -> impl FnOnce(sqlx::Error) -> CopyError {
    move |source| CopyError::Read { what: what.to_owned(), source }
}

/// What could not be written.
pub(super) fn not_written(what: &str) -> impl FnOnce(sqlx::Error) -> CopyError {
    move |source| CopyError::Write { what: what.to_owned(), source }
}
