//! The record of what administrators did, written by the job that does it: neither is there without the other.

use serde_json::Value;

use super::writer::Tx;
use crate::{
    domain::{Actor, Timestamp},
    store::StoreError,
};

/// Something that an administrator did.
pub(super) struct Deed {
    /// `user.ban`.
    pub(super) action: &'static str,
    /// What it was done to, in a few words.
    pub(super) subject: String,
    /// What changed: an object, with no secret in it.
    pub(super) details: Value,
}

/// Records what was done in this transaction. `by` is `None` for the command line.
pub(super) async fn record(
    tx: &mut Tx,
    by: Option<Actor>,
    now: Timestamp,
    deed: Deed,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into audit (at, user_id, action, subject, details)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(now.as_millis())
    .bind(by.map(|by| by.user_id.0))
    .bind(deed.action)
    .bind(deed.subject)
    .bind(deed.details.to_string())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}
