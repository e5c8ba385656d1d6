//! Deliveries and their attempts, looked at and asked for. What becomes of them is written in `attempts`.

use async_trait::async_trait;
use serde_json::json;

use super::{
    SqlStore, attempts, audit, authority,
    endpoints::by_number,
    news,
    news_rows::{AttemptRow, DeliveryRow},
    statement,
    writer::{STEP, Tx},
};
use crate::{
    domain::{
        Actor, Attempt, AttemptRecord, Delivery, DeliveryId, DeliveryStatus, EndpointId, Timestamp, Told,
    },
    store::{DeliveryStore, DueDelivery, EndpointError, StoreError, Waiting},
};

/// Attempts of one delivery that are shown.
const ATTEMPTS_SHOWN: u32 = 100;

#[async_trait]
impl DeliveryStore for SqlStore {
    async fn resend(
        &self,
        id: EndpointId,
        delivery: DeliveryId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Delivery, EndpointError> {
        self.writer.write(move |tx| Box::pin(resend(tx, id, delivery, by, now))).await
    }

    async fn test_endpoint(
        &self,
        id: EndpointId,
        message: String,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Delivery, EndpointError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    authority::admin::<EndpointError>(tx, by, now).await?;
                    wake(tx, id).await?;
                    let row = statement::query_as::<DeliveryRow>(
                        "insert into deliveries (
                             endpoint_id, message, kind, event_at, status, tries, next_at, updated_at
                         )
                         values ($1, $2, $3, $4, 'waiting', 0, $4, $4)
                         returning
                             delivery_id, endpoint_id, order_event, goods_event, message, kind, event_at,
                             status, tries, next_at, updated_at",
                    )
                    .bind(id.0)
                    .bind(message)
                    .bind(TEST)
                    .bind(now.as_millis())
                    .fetch_one(&mut tx.conn)
                    .await?;
                    audit::record(tx, by, now, by_number("endpoint.test", id)).await?;
                    Ok(row.delivery()?)
                })
            })
            .await
    }

    async fn deliveries(
        &self,
        id: EndpointId,
        status: Option<DeliveryStatus>,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let found = statement::query_as::<DeliveryRow>(
            "select
                 delivery_id, endpoint_id, order_event, goods_event, message, kind, event_at, status, tries,
                 next_at, updated_at
             from deliveries indexed by deliveries_of_endpoint
             where endpoint_id = $1 and delivery_id < $2 and (status = $3 or $3 is null)
             order by delivery_id desc
             limit $4",
        )
        .bind(id.0)
        .bind(before.map_or(i64::MAX, |id| id.0))
        .bind(status.map(DeliveryStatus::name))
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        found.into_iter().map(DeliveryRow::delivery).collect()
    }

    async fn delivery(
        &self,
        id: EndpointId,
        delivery: DeliveryId,
    ) -> Result<Option<(Delivery, Vec<Attempt>)>, StoreError> {
        let mut reader = self.reader().await?;
        let found = statement::query_as::<DeliveryRow>(
            "select
                 delivery_id, endpoint_id, order_event, goods_event, message, kind, event_at, status, tries,
                 next_at, updated_at
             from deliveries
             where delivery_id = $1 and endpoint_id = $2",
        )
        .bind(delivery.0)
        .bind(id.0)
        .fetch_optional(&mut reader)
        .await?;
        let Some(found) = found else { return Ok(None) };
        let attempts = statement::query_as::<AttemptRow>(
            "select at, status, error, millis, answer
             from attempts
             where delivery_id = $1
             order by attempt_id desc
             limit $2",
        )
        .bind(delivery.0)
        .bind(ATTEMPTS_SHOWN)
        .fetch_all(&mut reader)
        .await?;
        let attempts = attempts.into_iter().rev().map(AttemptRow::attempt).collect();
        Ok(Some((found.delivery()?, attempts)))
    }

    async fn due_delivery(&self, id: EndpointId, now: Timestamp) -> Result<Option<DueDelivery>, StoreError> {
        let mut reader = self.reader().await?;
        let found = statement::query_as::<DeliveryRow>(
            "select
                 delivery_id, endpoint_id, order_event, goods_event, message, kind, event_at, status, tries,
                 next_at, updated_at
             from deliveries
             where endpoint_id = $1 and next_at <= $2
             order by next_at, delivery_id
             limit 1",
        )
        .bind(id.0)
        .bind(now.as_millis())
        .fetch_optional(&mut reader)
        .await?;
        let Some(found) = found else { return Ok(None) };
        let delivery = found.delivery()?;
        let item = news::find(&mut reader, self.currency, delivery.told).await?;
        Ok(Some(DueDelivery { delivery, item }))
    }

    async fn waiting(&self, id: EndpointId) -> Result<Waiting, StoreError> {
        let (deliveries, next_at) = statement::query_as::<(i64, Option<i64>)>(
            "select count(*), min(next_at)
             from deliveries
             where endpoint_id = $1 and next_at is not null",
        )
        .bind(id.0)
        .fetch_one(&mut *self.reader().await?)
        .await?;
        Ok(Waiting {
            deliveries: u32::try_from(deliveries).unwrap_or(u32::MAX),
            next_at: next_at.map(Timestamp::from_millis),
        })
    }

    async fn record_attempts(&self, records: Vec<AttemptRecord>) -> Result<(), StoreError> {
        self.writer.write(move |tx| Box::pin(attempts::record(tx, records))).await
    }

    async fn give_up(&self, delivery: DeliveryId, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    statement::query(
                        "update deliveries
                         set status = 'failed', next_at = null, updated_at = $2
                         where delivery_id = $1",
                    )
                    .bind(delivery.0)
                    .bind(now.as_millis())
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn forget_attempts(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    // Both tables grow with time, so that the oldest rows are the first.
                    let attempts = statement::query(
                        "delete from attempts
                         where attempt_id in (
                             select attempt_id
                             from (select attempt_id, at from attempts order by attempt_id limit $2) as oldest
                             where at < $1
                         )",
                    )
                    .bind(before.as_millis())
                    .bind(STEP)
                    .execute(&mut tx.conn)
                    .await?;
                    let deliveries = statement::query(
                        "delete from deliveries
                         where delivery_id in (
                             select delivery_id
                             from deliveries
                             where
                                 updated_at < $1
                                 and next_at is null
                                 and not exists (
                                     select 1
                                     from attempts
                                     where attempts.delivery_id = deliveries.delivery_id
                                 )
                             order by delivery_id
                             limit $2
                         )",
                    )
                    .bind(before.as_millis())
                    .bind(STEP)
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(attempts.rows_affected() + deliveries.rows_affected())
                })
            })
            .await
    }
}

/// The `type` of a test.
const TEST: &str = "endpoint.test";

/// That something is to be sent to an endpoint now: it is enabled, and whoever works for it looks anew.
async fn wake(tx: &mut Tx, id: EndpointId) -> Result<(), EndpointError> {
    let enabled = statement::query_scalar::<bool>(
        "update endpoints
         set revision = revision + 1
         where endpoint_id = $1
         returning disabled_at is null",
    )
    .bind(id.0)
    .fetch_optional(&mut tx.conn)
    .await?;
    match enabled {
        None => Err(EndpointError::NotFound),
        Some(false) => Err(EndpointError::Disabled),
        Some(true) => Ok(()),
    }
}

async fn resend(
    tx: &mut Tx,
    id: EndpointId,
    delivery: DeliveryId,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Delivery, EndpointError> {
    authority::admin::<EndpointError>(tx, by, now).await?;
    wake(tx, id).await?;
    let row = statement::query_as::<DeliveryRow>(
        "update deliveries
         set status = 'waiting', tries = 0, next_at = $3, updated_at = $3
         where delivery_id = $1 and endpoint_id = $2
         returning
             delivery_id, endpoint_id, order_event, goods_event, message, kind, event_at, status, tries,
             next_at, updated_at",
    )
    .bind(delivery.0)
    .bind(id.0)
    .bind(now.as_millis())
    .fetch_optional(&mut tx.conn)
    .await?;
    let delivery = row.ok_or(EndpointError::NotFound)?.delivery()?;
    let item = news::find(&mut tx.conn, tx.currency, delivery.told).await?;
    if item.is_none() && delivery.told != Told::Test {
        return Err(EndpointError::Pruned);
    }
    let mut deed = by_number("endpoint.resend", id);
    deed.details["deliveryId"] = json!(delivery.delivery_id);
    audit::record(tx, by, now, deed).await?;
    Ok(delivery)
}
