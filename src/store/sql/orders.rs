//! Orders: reading and canceling them. Placing one is in `placing`.

use async_trait::async_trait;
use serde_json::json;

use super::{
    SqlStore, audit, authority,
    order_rows::OrderRow,
    placing,
    reading::{find, items_of},
    statement, stock,
    writer::{STEP, Tx},
};
use crate::{
    domain::{
        Actor, GoodsId, NewOrder, Notification, Offset, Order, OrderId, OrderStatus, OwnOrder, Publication,
        Role, Timestamp, UserId,
    },
    store::{CancelError, Deed, OrderError, OrderStore, PlacedOrder, StoreError},
};

#[async_trait]
impl OrderStore for SqlStore {
    async fn record_order(&self, order: NewOrder) -> Result<PlacedOrder, OrderError> {
        self.writer.write_of(Some(order.user_id), |tx| Box::pin(placing::place(tx, order))).await
    }

    async fn cancel_order(
        &self,
        id: OrderId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Order, CancelError> {
        self.writer.write(move |tx| Box::pin(cancel(tx, id, by, now))).await
    }

    async fn orders_of(
        &self,
        user: UserId,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<Order>, StoreError> {
        let mut reader = self.reader().await?;
        let found = statement::query_as::<OrderRow>(
            "select order_id, user_id, status, total, created_at, source_id, currency, ordered_at, buyer
             from orders
             where user_id = $1 and order_id < $2
             order by order_id desc
             limit $3",
        )
        .bind(user.0)
        .bind(before.map_or(i64::MAX, |id| id.0))
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        let ids: Vec<_> = found.iter().map(|row| row.order_id).collect();
        let mut items = items_of(&mut reader, self.currency, &ids).await?;
        let with_items = |row: OrderRow| {
            let items = items.remove(&row.order_id).unwrap_or_default();
            row.order(items, self.currency)
        };
        found.into_iter().map(with_items).collect()
    }

    async fn count_orders_of(&self, goods: GoodsId, since: Timestamp, most: u32) -> Result<u32, StoreError> {
        // The newest orders of the goods, so that neither their past nor a busy hour is read whole.
        let count = statement::query_scalar::<i64>(
            "with recent as (
                 select distinct order_id
                 from order_items indexed by order_items_of_goods
                 where goods_id = $1
                 order by order_id desc
                 limit $3
             )
             select count(*)
             from recent
                 cross join order_events as placed
             where
                 placed.order_id = recent.order_id and placed.kind = 'placed'
                 and placed.created_at >= $2
                 and placed.announced_as is not null
                 and not exists (
                     select 1
                     from order_events as canceled
                     where canceled.order_id = recent.order_id and canceled.kind = 'canceled'
                 )",
        )
        .bind(goods.0)
        .bind(since.as_millis())
        .bind(most)
        .fetch_one(&mut *self.reader().await?)
        .await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    async fn order(&self, id: OrderId, owner: UserId) -> Result<Option<Order>, StoreError> {
        find(&mut *self.reader().await?, self.currency, id, Some(owner)).await
    }

    async fn forget_keys(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    let forgotten = statement::query(
                        "delete from idempotency_keys
                         where (user_id, key) in (
                             select user_id, key
                             from idempotency_keys
                             where created_at < $1
                             order by created_at
                             limit $2
                         )",
                    )
                    .bind(before.as_millis())
                    .bind(STEP)
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(forgotten.rows_affected())
                })
            })
            .await
    }
}

/// Cancels an order: status, stock and event.
async fn cancel(tx: &mut Tx, id: OrderId, by: Option<Actor>, now: Timestamp) -> Result<Order, CancelError> {
    let role = match by {
        Some(by) => authority::role::<CancelError>(tx, by, now).await?,
        None => Role::Admin,
    };
    let owner = by.filter(|_| role == Role::Member).map(|by| by.user_id);
    let order = find(&mut tx.conn, tx.currency, id, owner).await?;
    let mut order = order.ok_or(CancelError::NotFound)?;
    if order.status == OrderStatus::Canceled {
        return Err(CancelError::AlreadyCanceled);
    }
    stock::put_back(tx, id, now).await?;
    let announced_as = write_cancellation(tx, id, now).await?;
    let own = order.user_id.map(|user_id| OwnOrder {
        user_id,
        order_id: id,
        announced_as,
        status: OrderStatus::Canceled,
    });
    tx.news.own.extend(own);
    order.status = OrderStatus::Canceled;
    if role == Role::Admin {
        let details = json!({ "orderId": id });
        let deed = Deed { action: "order.cancel", subject: format!("order {id}"), details };
        audit::record(tx, by, now, deed).await?;
    }
    Ok(order)
}

/// Writes what a cancellation changes of the order and its event, which withdraws the alert if there is one. Its numbers
/// are one more than the newest of the log, because nobody else writes meanwhile. Returns what tells the audience, if
/// anything does.
pub(super) async fn write_cancellation(
    tx: &mut Tx,
    id: OrderId,
    now: Timestamp,
) -> Result<Option<Offset>, StoreError> {
    let (announced_as, withdraws, goods_id) = statement::query_as::<(Option<i64>, Option<i64>, i64)>(
        "update orders
         set status = 'canceled', canceled_at = $2
         where order_id = $1;

         update source_orders
         set state = 'withdrawn', updated_at = $2
         where order_id = $1;

         insert into order_events (sequence, announced_as, kind, order_id, goods_id, withdraws, created_at)
         select
             reach.sequence + 1, case when alert.announced_as is not null then latest + 1 end, 'canceled',
             $1,
             coalesce(
                 alert.goods_id, (select goods_id from order_items where order_items.order_id = $1 and line = 0)
             ),
             alert.announced_as, $2
         from order_log_reach as reach
             left join order_events as alert on alert.order_id = $1 and alert.kind = 'placed'
         returning announced_as, withdraws, goods_id",
    )
    .bind(id.0)
    .bind(now.as_millis())
    .fetch_one(&mut tx.conn)
    .await?;
    let withdrawal = announced_as.zip(withdraws).map(|(id, canceled)| Publication {
        id: Offset(id),
        date: now,
        notification: Notification::Cancellation { goods_id: GoodsId(goods_id), canceled: Offset(canceled) },
    });
    tx.news.publications.extend(withdrawal);
    Ok(announced_as.map(Offset))
}
