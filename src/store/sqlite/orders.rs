//! Orders that were placed: reading them and taking them back. Placing one is next door in `placing`.

use std::collections::HashMap;

use sqlx::{Row, SqliteConnection};

use super::{catalog, log, rows, writer::Tx};
use crate::{
    domain::{Currency, GoodsId, Order, OrderId, OrderItem, OrderStatus, Timestamp, UserId},
    store::{CancelError, StoreError},
};

/// Finds an order, if it is `owner`'s or whosever for `None`.
pub(super) async fn find(
    conn: &mut SqliteConnection,
    currency: Currency,
    id: OrderId,
    owner: Option<UserId>,
) -> Result<Option<Order>, StoreError> {
    let row = sqlx::query(
        "select *
         from orders
         where order_id = $1 and ($2 is null or user_id = $2)",
    )
    .bind(id.0)
    .bind(owner.map(|user| user.0))
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let items = items_of(conn, currency, &[id]).await?.remove(&id).unwrap_or_default();
    rows::order(&row, items, currency).map(Some)
}

/// Lists someone's orders below an id, newest first.
pub(super) async fn list(
    conn: &mut SqliteConnection,
    currency: Currency,
    user: UserId,
    before: Option<OrderId>,
    limit: u32,
) -> Result<Vec<Order>, StoreError> {
    let found = sqlx::query(
        "select *
         from orders
         where user_id = ? and order_id < ?
         order by order_id desc
         limit ?",
    )
    .bind(user.0)
    .bind(before.map_or(i64::MAX, |id| id.0))
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    let ids = found.iter().map(|row| row.try_get("order_id").map(OrderId));
    let ids: Vec<OrderId> = ids.collect::<Result<_, _>>()?;
    let mut items = items_of(conn, currency, &ids).await?;
    let with_items = |(row, id)| rows::order(row, items.remove(id).unwrap_or_default(), currency);
    found.iter().zip(&ids).map(with_items).collect()
}

/// The items of several orders, in one query.
async fn items_of(
    conn: &mut SqliteConnection,
    currency: Currency,
    ids: &[OrderId],
) -> Result<HashMap<OrderId, Vec<OrderItem>>, StoreError> {
    // A JSON array is one argument, so that one prepared statement serves any number of orders.
    let found = sqlx::query(
        "select *
         from order_items
         where order_id in (select value from json_each(?))
         order by order_id, line",
    )
    .bind(serde_json::json!(ids).to_string())
    .fetch_all(conn)
    .await?;
    let mut items: HashMap<OrderId, Vec<OrderItem>> = HashMap::with_capacity(ids.len());
    for row in &found {
        let order_id = OrderId(row.try_get("order_id")?);
        items.entry(order_id).or_default().push(rows::item(row, currency)?);
    }
    Ok(items)
}

/// Cancels an order: status, stock and alert.
pub(super) async fn cancel(
    tx: &mut Tx,
    id: OrderId,
    owner: Option<UserId>,
    now: Timestamp,
) -> Result<Order, CancelError> {
    let order = find(&mut tx.conn, tx.currency, id, owner).await?;
    let mut order = order.ok_or(CancelError::NotFound)?;
    if order.status == OrderStatus::Canceled {
        return Err(CancelError::AlreadyCanceled);
    }
    sqlx::query(
        "update orders
         set status = 'canceled'
         where order_id = ?",
    )
    .bind(id.0)
    .execute(&mut tx.conn)
    .await?;
    let pieces: Vec<(GoodsId, i64)> =
        order.items.iter().map(|item| (item.goods_id, item.quantity.get())).collect();
    catalog::put_back(tx, &pieces, now).await?;
    log::withdraw(tx, id, now).await?;
    order.status = OrderStatus::Canceled;
    Ok(order)
}
