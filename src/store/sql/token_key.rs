//! Where the key of the log-in tokens is kept.

use std::path::{Path, PathBuf};

use super::sqlite::files;
use crate::store::StoreError;

/// The row of the settings that holds it, where no file does.
pub(super) const ROW: &str = "token-key";

/// A place for the key.
pub(super) enum TokenKey {
    /// A file beside the database.
    Beside(PathBuf),
    /// The database, which is all that nodes have in common. Where copies of it must not open accounts, the operator gives
    /// the nodes a key (`--jwt-secret-file`).
    Within,
}

/// The key from the file beside a database; `fresh` if there is none.
pub(super) fn of_file(database: &Path, fresh: &str) -> Result<String, StoreError> {
    files::token_key(database, fresh).map_err(|error| {
        StoreError::Busy(format!("the token key beside {} cannot be kept: {error}", database.display()))
    })
}
