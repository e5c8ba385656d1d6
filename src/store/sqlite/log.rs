//! The log of notifications (purchases are added where orders are placed), and the forgetting of what is only kept for a while.

use sqlx::{Row, SqliteConnection};

use super::{rows, writer::Tx};
use crate::{
    domain::{Offset, OrderId, Publication, Timestamp},
    store::{Reach, StoreError},
};

/// How many rows of a kind one call forgets. It holds up the orders that commit with it.
const STEP: u32 = 250;

/// Withdraws the alert of an order, if there was one.
pub(super) async fn withdraw(tx: &mut Tx, order: OrderId, now: Timestamp) -> Result<(), StoreError> {
    let row = sqlx::query(
        "insert into notifications (kind, order_id, goods_id, canceled, created_at)
         select 'cancellation', order_id, goods_id, id, ?
         from notifications
         where order_id = ? and kind = 'purchase'
         returning *",
    )
    .bind(now.as_millis())
    .bind(order.0)
    .fetch_optional(&mut tx.conn)
    .await?;
    if let Some(row) = row {
        tx.news.publications.push(rows::publication(&row)?);
    }
    Ok(())
}

/// The offset of an order's alert, if there was one.
pub(super) async fn alert_of(
    conn: &mut SqliteConnection,
    order: OrderId,
) -> Result<Option<Offset>, StoreError> {
    let id = sqlx::query_scalar(
        "select id
         from notifications
         where order_id = ? and kind = 'purchase'",
    )
    .bind(order.0)
    .fetch_optional(conn)
    .await?;
    Ok(id.map(Offset))
}

/// How far the log reaches.
pub(super) async fn reach(conn: &mut SqliteConnection) -> Result<Reach, StoreError> {
    // The sequence knows the newest id even when its row is gone. Two scalar queries, because `min` and `max` in
    // one would read the whole table.
    let row = sqlx::query(
        "select
             (select min(id) from notifications) as oldest,
             (select seq from sqlite_sequence where name = 'notifications') as latest",
    )
    .fetch_one(conn)
    .await?;
    let latest = row.try_get::<Option<i64>, _>("latest")?.unwrap_or_default();
    let oldest = row.try_get::<Option<i64>, _>("oldest")?.unwrap_or(latest + 1);
    Ok(Reach { oldest: Offset(oldest), latest: Offset(latest) })
}

/// Reads the log after an offset, oldest first.
pub(super) async fn after(
    conn: &mut SqliteConnection,
    after: Offset,
    limit: u32,
) -> Result<Vec<Publication>, StoreError> {
    let found = sqlx::query(
        "select *
         from notifications
         where id > ?
         order by id
         limit ?",
    )
    .bind(after.0)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    found.iter().map(rows::publication).collect()
}

/// Prunes the oldest of the log, always a beginning of it: a clock that was set back makes no hole.
pub(super) async fn prune(tx: &mut Tx, before: Timestamp, keep: u64) -> Result<u64, StoreError> {
    let latest = reach(&mut tx.conn).await?.latest;
    let enough = latest.0.saturating_sub(i64::try_from(keep).unwrap_or(i64::MAX));
    let pruned = sqlx::query(
        "with oldest as (
             select id, created_at
             from notifications
             order by id
             limit $1
         )
         delete from notifications
         where id in (select id from oldest)
             and id < ifnull(
                 (select min(id) from oldest where created_at >= $2 and id > $3),
                 9223372036854775807
             )",
    )
    .bind(STEP)
    .bind(before.as_millis())
    .bind(enough)
    .execute(&mut tx.conn)
    .await?;
    Ok(pruned.rows_affected())
}

/// Forgets idempotency keys made, and log-ins ended, before a moment. Answers how many rows that were.
pub(super) async fn forget(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    let keys = sqlx::query(
        "delete from idempotency_keys
         where (user_id, key) in (
             select user_id, key
             from idempotency_keys
             where created_at < ?
             order by created_at
             limit ?
         )",
    );
    // The expression is that of the index `sessions_by_end`.
    let sessions = sqlx::query(
        "delete from sessions
         where session_id in (
             select session_id
             from sessions
             where min(expires_at, ifnull(revoked_at, expires_at)) < ?
             order by min(expires_at, ifnull(revoked_at, expires_at))
             limit ?
         )",
    );
    let mut forgotten = 0;
    for step in [keys, sessions] {
        let done = step.bind(before.as_millis()).bind(STEP).execute(&mut tx.conn).await?;
        forgotten += done.rows_affected();
    }
    Ok(forgotten)
}
