//! What only SQLite has: its file, who may read that, copies of it, and settings of its connections.

use super::{
    Opened, SqlStore, check,
    conn::{Conn, Options, Readers},
    copy::{Side, mark},
    leasing::Leases,
    token_key::TokenKey,
};
use crate::domain::Currency;

mod backup;
pub(super) mod files;
pub(super) mod lease;
pub(super) mod open;

pub(in crate::store) use self::{
    backup::{BackupError, backup},
    open::OpenError,
};

/// Opens `sqlite://path/to/file.db` (relative; `sqlite:///` for an absolute path).
pub(in crate::store) async fn open(url: &str, currency: Currency) -> Result<SqlStore, OpenError> {
    let open::Opened { mut conn, options, readers } = open::open(url).await?;
    let path = options.get_filename().to_owned();
    if mark::is_there(&mut conn).await.map_err(|error| OpenError::of(&path, error))? {
        return Err(OpenError::Unfinished { path });
    }
    let (leases, key) = (Leases::Beside(lease::FileLease::of(&path)), TokenKey::Beside(path));
    let (options, readers) = (Options::Sqlite(Box::new(options)), Readers::Sqlite(readers));
    Ok(SqlStore::over(Opened { conn, options, readers, key, leases }, currency))
}

/// Opens a database of this version to copy it.
pub(in crate::store) async fn source(url: &str) -> Result<Side, OpenError> {
    let options = open::existing(url)?;
    let path = options.get_filename().to_owned();
    let conn = open::reading(&options, &path).await?;
    Ok(Side::new(Conn::Sqlite(conn), TokenKey::Beside(path)))
}

/// Opens a database to fill it, and creates it if need be.
pub(in crate::store) async fn target(url: &str) -> Result<Side, OpenError> {
    let open::Opened { conn, options, readers } = open::empty(url).await?;
    readers.close().await;
    Ok(Side::new(conn, TokenKey::Beside(options.get_filename().to_owned())))
}

/// What is wrong with a database, a line each; of one kind no more than a hundred.
pub(in crate::store) async fn check(url: &str) -> Result<Vec<String>, OpenError> {
    let options = open::existing(url)?;
    let path = options.get_filename().to_owned();
    let mut conn = Conn::Sqlite(open::reading(&options, &path).await?);
    let found = check::contradictions(&mut conn).await;
    // Nothing was written that could be lost.
    drop(conn.close().await);
    found.map_err(|error| OpenError::of(&path, error))
}
