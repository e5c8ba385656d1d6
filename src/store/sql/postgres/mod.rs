//! What only PostgreSQL has: servers that go away and come back, a lock instead of a file's, and a dialect.

use super::{
    Opened, SqlStore, check,
    copy::{Side, mark},
    leasing::Leases,
    token_key::TokenKey,
};
use crate::domain::Currency;

pub(super) mod dialect;
pub(super) mod leases;
pub(super) mod open;

pub(in crate::store) use self::open::OpenError;

/// Opens `postgres://user:password@host:port/database`.
pub(in crate::store) async fn open(url: &str, currency: Currency) -> Result<SqlStore, OpenError> {
    let (mut conn, options, readers) = open::open(url).await?;
    if mark::is_there(&mut conn).await? {
        return Err(OpenError::Unfinished);
    }
    Ok(SqlStore::over(
        Opened { conn, options, readers, key: TokenKey::Within, leases: Leases::Within },
        currency,
    ))
}

/// Connects to a database of this version to copy it.
pub(in crate::store) async fn source(url: &str) -> Result<Side, OpenError> {
    Ok(Side::new(open::existing(url).await?, TokenKey::Within))
}

/// Connects to a database to fill it, and makes its tables if need be.
pub(in crate::store) async fn target(url: &str) -> Result<Side, OpenError> {
    let (conn, _, readers) = open::empty(url).await?;
    readers.close().await;
    Ok(Side::new(conn, TokenKey::Within))
}

/// What is wrong with a database, a line each; of one kind no more than a hundred.
pub(in crate::store) async fn check(url: &str) -> Result<Vec<String>, OpenError> {
    let mut conn = open::existing(url).await?;
    let found = check::contradictions(&mut conn).await;
    drop(conn.close().await);
    Ok(found?)
}
