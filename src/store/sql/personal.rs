//! What is kept about one account, and its erasure.

use async_trait::async_trait;

use super::{
    SqlStore,
    authority::{self, end_sessions},
    rows::{KeptLogInRow, StockRow},
    statement,
    writer::Tx,
};
use crate::{
    domain::{Actor, Offset, OrderId, SessionId, StockChangeId, StockRecord, Timestamp, UserId},
    store::{AccountError, KeptKey, KeptLogIn, KeptOrder, OrderStore as _, PersonalStore, StoreError},
};

#[async_trait]
impl PersonalStore for SqlStore {
    async fn kept_log_ins(
        &self,
        user: UserId,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<KeptLogIn>, StoreError> {
        let found = statement::query_as::<KeptLogInRow>(
            "select session_id, created_at, expires_at, revoked_at
             from sessions
             where user_id = $1 and session_id > $2
             order by session_id
             limit $3",
        )
        .bind(user.0)
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        found.into_iter().map(KeptLogInRow::log_in).collect()
    }

    async fn kept_orders(
        &self,
        user: UserId,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<KeptOrder>, StoreError> {
        let orders = self.orders_of(user, before, limit).await?;
        let ids: Vec<_> = orders.iter().map(|order| order.order_id).collect();
        let told = statement::query_as::<(i64, Option<i64>, Option<String>)>(
            "select order_id, announced_as, nickname
             from order_events
             where kind = 'placed' and order_id in (select cast(value as bigint) from json_each($1))",
        )
        .bind(serde_json::json!(ids).to_string())
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let mut told: std::collections::HashMap<_, _> =
            told.into_iter().map(|(order, offset, name)| (OrderId(order), (offset, name))).collect();
        let kept = orders.into_iter().map(|order| {
            let (announced_as, named) = told.remove(&order.order_id).unwrap_or_default();
            KeptOrder { order, announced_as: announced_as.map(Offset), named }
        });
        Ok(kept.collect())
    }

    async fn kept_keys(
        &self,
        user: UserId,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<KeptKey>, StoreError> {
        let found = statement::query_as::<(String, i64, i64)>(
            "select key, order_id, created_at
             from idempotency_keys
             where user_id = $1 and key > $2
             order by key
             limit $3",
        )
        .bind(user.0)
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let kept = found.into_iter().map(|(key, order, at)| KeptKey {
            key,
            order_id: OrderId(order),
            created_at: Timestamp::from_millis(at),
        });
        Ok(kept.collect())
    }

    async fn kept_stock_changes(
        &self,
        user: UserId,
        before: Option<StockChangeId>,
        limit: u32,
    ) -> Result<Vec<StockRecord>, StoreError> {
        let found = statement::query_as::<StockRow>(
            "select change_id, goods_id, kind, change, stock, reason, user_id, nickname, stock_changes.created_at
             from stock_changes join users using (user_id)
             where user_id = $1 and change_id < $2
             order by change_id desc
             limit $3",
        )
        .bind(user.0)
        .bind(before.map_or(i64::MAX, |id| id.0))
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        found.into_iter().map(StockRow::record).collect()
    }

    async fn erase_user(&self, by: Actor, now: Timestamp) -> Result<(), AccountError> {
        self.writer.write(move |tx| Box::pin(erase(tx, by, now))).await
    }
}

async fn erase(tx: &mut Tx, by: Actor, now: Timestamp) -> Result<(), AccountError> {
    let user = by.user_id;
    authority::holds::<AccountError>(tx, by, now).await?;
    end_sessions(tx, user, None, now).await?;
    unname(tx, user).await?;
    // A colon is in no address and in no nickname. What is banned begins no log-in that was being verified meanwhile.
    statement::query(
        "delete from carts
         where user_id = $1;

         delete from idempotency_keys
         where user_id = $1;

         update stock_changes
         set user_id = null
         where user_id = $1;

         delete from mutes
         where user_id = $1;

         delete from reports
         where user_id = $1;

         update reports
         set reported_by = null
         where reported_by = $1;

         update audit
         set user_id = null
         where user_id = $1;

         update users
         set
             email = '', email_key = 'erased:' || user_id,
             nickname = '', nickname_key = 'erased:' || user_id, nickname_look = null, named_at = null,
             password_hash = '', role = 'member', hide_purchases = true, banned_at = $2, erased_at = $2
         where user_id = $1 and erased_at is null",
    )
    .bind(user.0)
    .bind(now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// Takes the name of an account off all alerts that there were.
pub(super) async fn unname(tx: &mut Tx, user: UserId) -> Result<(), StoreError> {
    let unnamed = statement::query_scalar(
        "update order_events
         set nickname = null
         where nickname is not null and order_id in (select order_id from orders where user_id = $1)
         returning announced_as",
    )
    .bind(user.0)
    .fetch_all(&mut tx.conn)
    .await?;
    tx.news.unnamed.extend(unnamed.into_iter().map(Offset));
    Ok(())
}
