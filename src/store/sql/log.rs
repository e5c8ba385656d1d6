//! The log of order events. They are written with their orders, in `placing` and `orders`; here they are read and
//! pruned.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    SqlStore,
    order_rows::EventRow,
    rows::{NotificationRow, listen_key_id, session_ids},
    statement,
    writer::STEP,
};
use crate::{
    domain::{Epoch, Nickname, Offset, Publication, SessionId, Timestamp, UserId},
    store::{Feed, LogStore, OrderEvent, Reach, Sequence, StoreError},
};

#[async_trait]
impl LogStore for SqlStore {
    fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    async fn revoked_since(&self, moment: Timestamp) -> Result<Vec<SessionId>, StoreError> {
        let mut reader = self.reader().await?;
        let ended = statement::query_scalar(
            "select session_id
             from sessions
             where revoked_at >= $1",
        )
        .bind(moment.as_millis())
        .fetch_all(&mut reader)
        .await?;
        let keys: Vec<String> = statement::query_scalar(
            "select key
             from listen_keys
             where revoked_at >= $1",
        )
        .bind(moment.as_millis())
        .fetch_all(&mut reader)
        .await?;
        let mut all = session_ids(&ended)?;
        for key in keys {
            all.push(listen_key_id(&key)?.session());
        }
        Ok(all)
    }

    async fn named_since(&self, moment: Timestamp) -> Result<Vec<(UserId, Nickname)>, StoreError> {
        let named = statement::query_as::<(i64, String)>(
            "select user_id, nickname
             from users
             where named_at >= $1",
        )
        .bind(moment.as_millis())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        Ok(named.into_iter().map(|(id, nickname)| (UserId(id), Nickname::trusted(nickname))).collect())
    }

    async fn log_after(&self, after: Offset, limit: u32) -> Result<Vec<Publication>, StoreError> {
        let found = statement::query_as::<NotificationRow>(
            "select
                 id, goods_id, nickname, first_goods_name, other_goods, quantity, withdraws, created_at,
                 goods_url, thumbnail_url, ordered_at
             from notifications
             where id > $1
             order by id
             limit $2",
        )
        .bind(after.0)
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        found.into_iter().map(NotificationRow::publication).collect()
    }

    async fn order_events_after(&self, after: Sequence, limit: u32) -> Result<Vec<OrderEvent>, StoreError> {
        let found = statement::query_as::<EventRow>(
            "select sequence, order_id, kind, created_at, announced_as
             from order_events
             where sequence > $1
             order by sequence
             limit $2",
        )
        .bind(after.0)
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        found.into_iter().map(EventRow::event).collect()
    }

    async fn reach(&self) -> Result<Reach, StoreError> {
        let (epoch, oldest, latest) = statement::query_as::<(String, i64, i64)>(
            "select epoch, oldest, latest
             from order_log_reach",
        )
        .fetch_one(&mut *self.reader().await?)
        .await?;
        let epoch = Epoch::parse(&epoch)
            .ok_or_else(|| StoreError::Corrupt(format!("the epoch of the log is {epoch:?}")))?;
        Ok(Reach { epoch, oldest: Offset(oldest), latest: Offset(latest) })
    }

    async fn new_epoch(&self, epoch: Epoch) -> Result<(), StoreError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    statement::query(
                        "update order_log
                         set epoch = $1",
                    )
                    .bind(epoch.to_string())
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn prune_log(&self, before: Timestamp, keep: u64, unsent: Timestamp) -> Result<u64, StoreError> {
        let keep = i64::try_from(keep).unwrap_or(i64::MAX);
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    // Always a beginning of the log, up to the first event that is kept: a clock that was set back
                    // makes no hole.
                    let (events, sequence, offset) = statement::query_as::<(i64, Option<i64>, Option<i64>)>(
                        "with oldest as (
                             select sequence, announced_as, created_at
                             from order_events
                             order by sequence
                             limit $1
                         ),
                         first_kept as (
                             select min(sequence) as sequence
                             from oldest
                             where
                                 (
                                     created_at >= $2
                                     and sequence > (select sequence from order_log_reach) - $3
                                 )
                                 or (
                                     created_at >= $4
                                     and sequence > (
                                         select min(place)
                                         from (
                                             select place_orders as place
                                             from endpoints
                                             union all
                                             select order_event - 1
                                             from deliveries
                                             where next_at is not null and order_event is not null
                                         ) as places
                                     )
                                 )
                         )
                         select count(*), max(oldest.sequence), max(announced_as)
                         from oldest cross join first_kept
                         where first_kept.sequence is null or oldest.sequence < first_kept.sequence",
                    )
                    .bind(STEP)
                    .bind(before.as_millis())
                    .bind(keep)
                    .bind(unsent.as_millis())
                    .fetch_one(&mut tx.conn)
                    .await?;
                    let Some(sequence) = sequence else { return Ok(0) };
                    statement::query(
                        "update order_log
                         set pruned_sequence = $1, pruned_offset = coalesce($2, pruned_offset);

                         delete from order_events
                         where sequence <= $1",
                    )
                    .bind(sequence)
                    .bind(offset)
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(u64::try_from(events).unwrap_or_default())
                })
            })
            .await
    }
}
