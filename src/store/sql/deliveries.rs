//! Deliveries and their attempts. What is recorded of many attempts is one statement for each table, so that recording
//! costs less than sending.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;

use super::{
    SqlStore, audit, authority,
    endpoints::by_number,
    news,
    news_rows::{AttemptRow, DeliveryRow},
    statement,
    writer::{STEP, Tx},
};
use crate::{
    domain::{
        Actor, Attempt, AttemptRecord, Delivery, DeliveryId, DeliveryStatus, DisabledBy, EndpointId, Place,
        Timestamp, Told,
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
             where endpoint_id = $1 and delivery_id < $2 and ($3 is null or status = $3)
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
        self.writer.write(move |tx| Box::pin(record(tx, records))).await
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
                             from (select attempt_id, at from attempts order by attempt_id limit $2)
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

async fn record(tx: &mut Tx, records: Vec<AttemptRecord>) -> Result<(), StoreError> {
    let endpoints = serde_json::Value::from_iter(endpoints_after(&records)).to_string();
    // Of an endpoint that was removed meanwhile nothing is kept.
    statement::query(
        "insert into deliveries (
             endpoint_id, order_event, goods_event, message, kind, event_at, status, tries, next_at, updated_at
         )
         select
             value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
             value ->> 7, value ->> 8, value ->> 9
         from json_each($1)
         where value ->> 0 in (select endpoint_id from endpoints)
         on conflict (endpoint_id, message) do update set
             status = excluded.status, tries = excluded.tries, next_at = excluded.next_at,
             updated_at = excluded.updated_at;

         insert into attempts (delivery_id, at, status, error, millis, answer)
         select delivery_id, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13
         from json_each($1) as attempt
             cross join deliveries on
                 deliveries.endpoint_id = attempt.value ->> 0 and deliveries.message = attempt.value ->> 3
         order by attempt.key;

         update endpoints
         set
             place_orders = coalesce(value ->> 2, place_orders),
             place_goods = coalesce(value ->> 3, place_goods),
             failing_since = value ->> 4,
             disabled_at = coalesce(disabled_at, value ->> 5),
             disabled_by = coalesce(disabled_by, value ->> 6)
         from json_each($2)
         where endpoint_id = value ->> 0 and generation = value ->> 1",
    )
    .bind(serde_json::Value::from_iter(records.iter().map(row)).to_string())
    .bind(endpoints)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

fn row(record: &AttemptRecord) -> serde_json::Value {
    let (order, goods) = match record.told {
        Told::Order(event) => (Some(event), None),
        Told::Goods(event) => (None, Some(event)),
        Told::Test => (None, None),
    };
    let Attempt { at, status, error, millis, answer } = &record.attempt;
    json!([
        record.endpoint_id,
        order,
        goods,
        record.message,
        record.kind,
        record.event_at.as_millis(),
        record.status.name(),
        record.tries,
        record.next_at.map(Timestamp::as_millis),
        at.as_millis(),
        status,
        error,
        millis,
        answer,
    ])
}

/// What the records of an endpoint come to.
#[derive(Default)]
struct After {
    place: Option<Place>,
    failing_since: Option<Timestamp>,
    disabled: Option<(Timestamp, DisabledBy)>,
}

/// What the records come to, for each endpoint and state of it: `[id, generation, place of orders, place of goods, failing
/// since, disabled at, disabled by]`.
fn endpoints_after(records: &[AttemptRecord]) -> Vec<serde_json::Value> {
    let mut after = BTreeMap::<_, After>::new();
    for record in records {
        let after = after.entry((record.endpoint_id, record.generation)).or_default();
        after.place = record.place.or(after.place);
        after.failing_since = record.failing_since;
        after.disabled = after.disabled.or(record.disables.map(|reason| (record.attempt.at, reason)));
    }
    let told = |((id, generation), after): ((EndpointId, i64), After)| {
        json!([
            id,
            generation,
            after.place.map(|place| place.orders),
            after.place.map(|place| place.goods),
            after.failing_since.map(Timestamp::as_millis),
            after.disabled.map(|(at, _)| at.as_millis()),
            after.disabled.map(|(_, reason)| reason.name()),
        ])
    };
    after.into_iter().map(told).collect()
}
