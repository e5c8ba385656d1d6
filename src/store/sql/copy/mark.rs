//! The mark of a database that a shop is being copied into (half a shop must not be served), among the rows of the settings
//! that are no shop's.

use super::super::{conn::Conn, statement};

/// The row of the settings.
pub(super) const MARK: &str = "unfinished-copy";

/// Whether a copy into this database was not finished.
pub(in crate::store::sql) async fn is_there(conn: &mut Conn) -> Result<bool, sqlx::Error> {
    found(conn).await.map(|mark| mark.is_some())
}

/// What it says: of which source, and of which moment of that.
pub(super) async fn found(conn: &mut Conn) -> Result<Option<String>, sqlx::Error> {
    statement::query_scalar("select value from settings where key = $1").bind(MARK).fetch_optional(conn).await
}

/// Marks a database that has no rows but those that it was made with, which give way to the source's.
pub(super) async fn set(conn: &mut Conn, moment: &str) -> Result<(), sqlx::Error> {
    conn.begin_writing().await?;
    statement::query("insert into settings (key, value) values ($1, $2)")
        .bind(MARK)
        .bind(moment)
        .execute(conn)
        .await?;
    statement::query("delete from order_log").execute(conn).await?;
    conn.script("commit").await
}

/// All is there.
pub(super) async fn remove(conn: &mut Conn) -> Result<(), sqlx::Error> {
    statement::query("delete from settings where key = $1").bind(MARK).execute(conn).await.map(drop)
}
