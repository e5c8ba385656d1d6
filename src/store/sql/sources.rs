//! Sources: who may say that something was bought elsewhere. What they say is kept in `ingesting` and `receipts`.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    SqlStore,
    audit::{self, By},
    authority, ingesting, receipts,
    rows::{SecretRow, SourceRow},
    statement,
    writer::{Owner, Tx},
};
use crate::{
    domain::{Actor, SourceId, SourceRecord, SourceSettings, Timestamp},
    hooks::{Secret, SourceKind},
    store::{
        Became, Deed, Heard, KeptBody, Receipt, ReceiptId, ReceiptQuery, Source, SourceError, SourceStore,
        StoreError,
    },
};

#[async_trait]
impl SourceStore for SqlStore {
    async fn sources(&self) -> Result<Vec<Source>, StoreError> {
        let mut reader = self.reader().await?;
        let found = statement::query_as::<SourceRow>(
            "select
                 source_id, kind, name, buyer, goods_name, announce_within, rate, currency,
                 poll_url, poll_key, poll_cursor, created_at
             from sources
             where removed_at is null
             order by created_at, source_id",
        )
        .fetch_all(&mut reader)
        .await?;
        let secrets = statement::query_as::<SecretRow>(
            "select source_id, secret, created_at, ends_at
             from source_secrets
             order by ends_at is not null, created_at desc",
        )
        .fetch_all(&mut reader)
        .await?;
        let mut kept = HashMap::<String, Vec<SecretRow>>::new();
        for row in secrets {
            kept.entry(row.source_id.clone()).or_default().push(row);
        }
        let with_secrets = |row: SourceRow| {
            let secrets = kept.remove(&row.source_id).unwrap_or_default();
            row.source(secrets)
        };
        found.into_iter().map(with_secrets).collect()
    }

    async fn create_source(
        &self,
        source: SourceRecord,
        kind: SourceKind,
        secret: Option<Secret>,
        by: Option<Actor>,
    ) -> Result<(), SourceError> {
        self.writer.write(move |tx| Box::pin(create(tx, source, kind, secret, by))).await
    }

    async fn change_source(
        &self,
        id: SourceId,
        settings: SourceSettings,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), SourceError> {
        self.writer.write(move |tx| Box::pin(change(tx, id, settings, by, now))).await
    }

    async fn add_secret(
        &self,
        id: SourceId,
        secret: Secret,
        others_end: Timestamp,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), SourceError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    end_secrets(tx, &id, others_end, by, now).await?;
                    insert_secret(tx, &id, &secret, now).await?;
                    let details = json!({ "sourceId": id.as_str() });
                    record(tx, By { actor: by, now }, "source.rotate", &id, details).await
                })
            })
            .await
    }

    async fn drop_old_secrets(
        &self,
        id: SourceId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), SourceError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    held(tx, &id, by, now).await?;
                    statement::query(
                        "delete from source_secrets where source_id = $1 and ends_at is not null",
                    )
                    .bind(id.as_str())
                    .execute(&mut tx.conn)
                    .await?;
                    let details = json!({ "sourceId": id.as_str(), "dropOld": true });
                    record(tx, By { actor: by, now }, "source.rotate", &id, details).await
                })
            })
            .await
    }

    async fn remove_source(
        &self,
        id: SourceId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), SourceError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    held(tx, &id, by, now).await?;
                    statement::query(
                        "update sources
                         set removed_at = $2, poll_url = null, poll_key = null, poll_cursor = null
                         where source_id = $1;

                         delete from source_secrets
                         where source_id = $1;

                         delete from receipts
                         where source_id = $1",
                    )
                    .bind(id.as_str())
                    .bind(now.as_millis())
                    .execute(&mut tx.conn)
                    .await?;
                    let details = json!({ "sourceId": id.as_str() });
                    record(tx, By { actor: by, now }, "source.remove", &id, details).await
                })
            })
            .await
    }

    async fn keep_poll_cursor(&self, id: SourceId, cursor: String) -> Result<(), SourceError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    statement::query(
                        "update sources
                         set poll_cursor = $2
                         where source_id = $1 and removed_at is null",
                    )
                    .bind(id.as_str())
                    .bind(cursor)
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn keep_heard(&self, heard: Heard) -> Result<Became, SourceError> {
        let owner = Owner::source(&heard.source.record.id);
        self.writer.write_of(owner, move |tx| Box::pin(ingesting::keep(tx, heard))).await
    }

    async fn receipts(&self, id: &SourceId, query: ReceiptQuery) -> Result<Vec<Receipt>, StoreError> {
        receipts::list(&mut *self.reader().await?, id, query).await
    }

    async fn receipt_body(&self, id: &SourceId, receipt: ReceiptId) -> Result<Option<KeptBody>, SourceError> {
        receipts::body(&mut *self.reader().await?, id, receipt).await
    }

    async fn forget_receipts(&self, bodies_before: Timestamp, keep: u64) -> Result<u64, StoreError> {
        self.writer.write(move |tx| Box::pin(receipts::forget(tx, bodies_before, keep))).await
    }
}

async fn create(
    tx: &mut Tx,
    source: SourceRecord,
    kind: SourceKind,
    secret: Option<Secret>,
    by: Option<Actor>,
) -> Result<(), SourceError> {
    let SourceRecord { id, settings, created_at, .. } = source;
    authority::admin::<SourceError>(tx, by, created_at).await?;
    statement::query(
        "insert into sources (
             source_id, kind, name, buyer, goods_name, announce_within, rate, poll_url, poll_key, created_at
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(id.as_str())
    .bind(kind.as_str())
    .bind(settings.name.as_str())
    .bind(settings.buyer.name())
    .bind(settings.goods_name.as_ref().map(|name| name.as_str().to_owned()))
    .bind(millis(&settings))
    .bind(settings.rate)
    .bind(settings.poll.as_ref().map(|poll| poll.url.clone()))
    .bind(settings.poll.as_ref().map(|poll| poll.key.clone()))
    .bind(created_at.as_millis())
    .execute(&mut tx.conn)
    .await?;
    if let Some(secret) = secret {
        insert_secret(tx, &id, &secret, created_at).await?;
    }
    let details = json!({ "sourceId": id.as_str(), "kind": kind.as_str(), "settings": shown(&settings) });
    record(tx, By { actor: by, now: created_at }, "source.create", &id, details).await
}

/// Records what was done to a source, under its name.
async fn record(
    tx: &mut Tx,
    by: By,
    action: &'static str,
    id: &SourceId,
    details: Value,
) -> Result<(), SourceError> {
    let subject = statement::query_scalar("select name from sources where source_id = $1")
        .bind(id.as_str())
        .fetch_one(&mut tx.conn)
        .await?;
    Ok(audit::record(tx, by.actor, by.now, Deed { action, subject, details }).await?)
}

/// What is set about a source, as far as the record says it: not with which key it is read.
fn shown(settings: &SourceSettings) -> Value {
    json!({
        "name": settings.name.as_str(),
        "buyer": settings.buyer.name(),
        "goodsName": settings.goods_name.as_ref().map(|name| name.as_str()),
        "announceWithinSeconds": settings.announce_within.as_secs(),
        "rate": settings.rate,
        "polled": settings.poll.is_some(),
    })
}

async fn change(
    tx: &mut Tx,
    id: SourceId,
    settings: SourceSettings,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<(), SourceError> {
    held(tx, &id, by, now).await?;
    statement::query(
        "update sources
         set
             name = $2, buyer = $3, goods_name = $4, announce_within = $5, rate = $6,
             poll_cursor = case when poll_url is not distinct from $7 then poll_cursor end,
             poll_url = $7, poll_key = $8
         where source_id = $1",
    )
    .bind(id.as_str())
    .bind(settings.name.as_str())
    .bind(settings.buyer.name())
    .bind(settings.goods_name.as_ref().map(|name| name.as_str().to_owned()))
    .bind(millis(&settings))
    .bind(settings.rate)
    .bind(settings.poll.as_ref().map(|poll| poll.url.clone()))
    .bind(settings.poll.as_ref().map(|poll| poll.key.clone()))
    .execute(&mut tx.conn)
    .await?;
    let details = json!({ "sourceId": id.as_str(), "settings": shown(&settings) });
    record(tx, By { actor: by, now }, "source.update", &id, details).await
}

fn millis(settings: &SourceSettings) -> i64 {
    i64::try_from(settings.announce_within.as_millis()).unwrap_or(i64::MAX)
}

/// Whether there is such a source, and who acts may change it.
async fn held(tx: &mut Tx, id: &SourceId, by: Option<Actor>, now: Timestamp) -> Result<(), SourceError> {
    authority::admin::<SourceError>(tx, by, now).await?;
    let held: bool = statement::query_scalar(
        "select exists (select 1 from sources where source_id = $1 and removed_at is null)",
    )
    .bind(id.as_str())
    .fetch_one(&mut tx.conn)
    .await?;
    held.then_some(()).ok_or(SourceError::NotFound)
}

async fn end_secrets(
    tx: &mut Tx,
    id: &SourceId,
    end: Timestamp,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<(), SourceError> {
    held(tx, id, by, now).await?;
    statement::query(
        "delete from source_secrets
         where source_id = $1 and ends_at <= $2;

         update source_secrets
         set ends_at = $3
         where source_id = $1 and ends_at is null",
    )
    .bind(id.as_str())
    .bind(now.as_millis())
    .bind(end.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

async fn insert_secret(
    tx: &mut Tx,
    id: &SourceId,
    secret: &Secret,
    now: Timestamp,
) -> Result<(), SourceError> {
    // One that was on its way out stays.
    statement::query(
        "insert into source_secrets (source_id, secret, created_at)
         values ($1, $2, $3)
         on conflict (source_id, secret) do update set created_at = excluded.created_at, ends_at = null",
    )
    .bind(id.as_str())
    .bind(secret.expose())
    .bind(now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}
