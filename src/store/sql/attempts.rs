//! What became of attempts to tell endpoints. Of many attempts it is one statement for each table, so that recording
//! costs less than sending.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    statement::{self, either},
    writer::Tx,
};
use crate::{
    domain::{Attempt, AttemptRecord, DisabledBy, EndpointId, Place, Timestamp, Told},
    store::StoreError,
};

/// Writes what became of attempts, and what that makes of their endpoints.
pub(super) async fn record(tx: &mut Tx, records: Vec<AttemptRecord>) -> Result<(), StoreError> {
    let endpoints = serde_json::Value::from_iter(endpoints_after(&records)).to_string();
    // Of an endpoint that was removed meanwhile nothing is kept. Of a message that was tried twice the last attempt counts,
    // which PostgreSQL must be told: it writes no row twice in one statement. A node that could not say in time what it did
    // moves no place back: another has taken over.
    statement::query(either(
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
         where
             endpoint_id = value ->> 0 and generation = value ->> 1
             and coalesce(value ->> 2, place_orders) >= place_orders
             and coalesce(value ->> 3, place_goods) >= place_goods",
        "insert into deliveries (
             endpoint_id, order_event, goods_event, message, kind, event_at, status, tries, next_at, updated_at
         )
         select
             cast(value ->> 0 as bigint), cast(value ->> 1 as bigint), cast(value ->> 2 as bigint), value ->> 3,
             value ->> 4, cast(value ->> 5 as bigint), value ->> 6, cast(value ->> 7 as bigint),
             cast(value ->> 8 as bigint), cast(value ->> 9 as bigint)
         from (
             select distinct on (value ->> 0, value ->> 3) key, value
             from json_each($1)
             order by value ->> 0, value ->> 3, key desc
         ) as newest
         where cast(value ->> 0 as bigint) in (select endpoint_id from endpoints)
         order by key
         on conflict (endpoint_id, message) do update set
             status = excluded.status, tries = excluded.tries, next_at = excluded.next_at,
             updated_at = excluded.updated_at;

         insert into attempts (delivery_id, at, status, error, millis, answer)
         select
             delivery_id, cast(value ->> 9 as bigint), cast(value ->> 10 as bigint), value ->> 11,
             cast(value ->> 12 as bigint), value ->> 13
         from json_each($1) as attempt
             join deliveries on
                 deliveries.endpoint_id = cast(attempt.value ->> 0 as bigint)
                 and deliveries.message = attempt.value ->> 3
         order by attempt.key;

         update endpoints
         set
             place_orders = coalesce(cast(value ->> 2 as bigint), place_orders),
             place_goods = coalesce(cast(value ->> 3 as bigint), place_goods),
             failing_since = cast(value ->> 4 as bigint),
             disabled_at = coalesce(disabled_at, cast(value ->> 5 as bigint)),
             disabled_by = coalesce(disabled_by, value ->> 6)
         from json_each($2)
         where
             endpoint_id = cast(value ->> 0 as bigint) and generation = cast(value ->> 1 as bigint)
             and coalesce(cast(value ->> 2 as bigint), place_orders) >= place_orders
             and coalesce(cast(value ->> 3 as bigint), place_goods) >= place_goods",
    ))
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
