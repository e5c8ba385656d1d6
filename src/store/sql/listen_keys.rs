//! Listen keys.

use async_trait::async_trait;
use serde_json::json;

use super::{SqlStore, audit, authority, rows::ListenKeyRow, statement, writer::Tx};
use crate::{
    domain::{Actor, ListenKey, ListenKeyId, Timestamp},
    store::{Deed, ListenKeyError, ListenKeyStore, StoreError},
};

#[async_trait]
impl ListenKeyStore for SqlStore {
    async fn listen_keys(&self) -> Result<Vec<ListenKey>, StoreError> {
        let found = statement::query_as::<ListenKeyRow>(
            "select key, name, display, origins, created_at, revoked_at
             from listen_keys
             order by created_at desc, key",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?;
        found.into_iter().map(ListenKeyRow::key).collect()
    }

    async fn create_listen_key(
        &self,
        key: ListenKey,
        most: u32,
        forget_before: Timestamp,
        by: Option<Actor>,
    ) -> Result<(), ListenKeyError> {
        self.writer.write(move |tx| Box::pin(create(tx, key, most, forget_before, by))).await
    }

    async fn revoke_listen_key(
        &self,
        id: ListenKeyId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), ListenKeyError> {
        self.writer.write(move |tx| Box::pin(revoke(tx, id, by, now))).await
    }
}

async fn create(
    tx: &mut Tx,
    key: ListenKey,
    most: u32,
    forget_before: Timestamp,
    by: Option<Actor>,
) -> Result<(), ListenKeyError> {
    authority::admin::<ListenKeyError>(tx, by, key.created_at).await?;
    statement::query(
        "delete from listen_keys
         where revoked_at < $1",
    )
    .bind(forget_before.as_millis())
    .execute(&mut tx.conn)
    .await?;
    let origins: Vec<&str> = key.origins.iter().map(|origin| origin.as_str()).collect();
    let created = statement::query(
        "insert into listen_keys (key, name, display, origins, created_at)
         select $1, $2, $3, $4, $5
         where (select count(*) from listen_keys where revoked_at is null) < $6",
    )
    .bind(key.id.to_string())
    .bind(key.name.as_ref().map(|name| name.as_str()))
    .bind(key.display.name())
    .bind(origins.join(" "))
    .bind(key.created_at.as_millis())
    .bind(most)
    .execute(&mut tx.conn)
    .await?;
    if created.rows_affected() == 0 {
        return Err(ListenKeyError::TooMany);
    }
    // A key is no secret: it stands in their pages.
    let details = json!({ "key": key.id.to_string(), "origins": origins, "display": key.display.name() });
    let subject = key.name.as_ref().map_or_else(|| key.id.to_string(), |name| name.as_str().to_owned());
    Ok(audit::record(tx, by, key.created_at, Deed { action: "listen-key.create", subject, details }).await?)
}

async fn revoke(
    tx: &mut Tx,
    id: ListenKeyId,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<(), ListenKeyError> {
    authority::admin::<ListenKeyError>(tx, by, now).await?;
    let revoked_at = statement::query_scalar(
        "update listen_keys
         set revoked_at = coalesce(revoked_at, $2)
         where key = $1
         returning revoked_at",
    )
    .bind(id.to_string())
    .bind(now.as_millis())
    .fetch_optional(&mut tx.conn)
    .await?;
    let revoked_at: i64 = revoked_at.ok_or(ListenKeyError::NotFound)?;
    tx.news.revoked.extend((revoked_at == now.as_millis()).then(|| id.session()));
    let (subject, details) = (id.to_string(), json!({ "key": id.to_string() }));
    Ok(audit::record(tx, by, now, Deed { action: "listen-key.revoke", subject, details }).await?)
}
