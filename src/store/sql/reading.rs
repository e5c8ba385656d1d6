//! Reads orders with their items.

use std::collections::HashMap;

use super::{
    conn::Conn,
    order_rows::{ItemRow, OrderRow},
    statement,
};
use crate::{
    domain::{Currency, Order, OrderId, OrderItem, UserId},
    store::StoreError,
};

/// Finds an order, if it is `owner`'s or whosever for `None`.
pub(super) async fn find(
    conn: &mut Conn,
    currency: Currency,
    id: OrderId,
    owner: Option<UserId>,
) -> Result<Option<Order>, StoreError> {
    let row = statement::query_as::<OrderRow>(
        "select order_id, user_id, status, total, created_at, source_id, currency, ordered_at, buyer
         from orders
         where order_id = $1 and (user_id = $2 or $2 is null)",
    )
    .bind(id.0)
    .bind(owner.map(|user| user.0))
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let items = items_of(conn, currency, &[id.0]).await?.remove(&id.0).unwrap_or_default();
    row.order(items, currency).map(Some)
}

/// Finds several orders, whosever they are, by their numbers.
pub(super) async fn find_all(
    conn: &mut Conn,
    currency: Currency,
    ids: &[i64],
) -> Result<HashMap<i64, Order>, StoreError> {
    let found = statement::query_as::<OrderRow>(
        "select order_id, user_id, status, total, created_at, source_id, currency, ordered_at, buyer
         from orders
         where order_id in (select cast(value as bigint) from json_each($1))",
    )
    .bind(serde_json::json!(ids).to_string())
    .fetch_all(&mut *conn)
    .await?;
    let mut items = items_of(conn, currency, ids).await?;
    let with_items = |row: OrderRow| {
        let (id, items) = (row.order_id, items.remove(&row.order_id).unwrap_or_default());
        Ok((id, row.order(items, currency)?))
    };
    found.into_iter().map(with_items).collect()
}

/// Finds the items of several orders, in one query.
pub(super) async fn items_of(
    conn: &mut Conn,
    currency: Currency,
    ids: &[i64],
) -> Result<HashMap<i64, Vec<OrderItem>>, StoreError> {
    // A JSON array is one argument, so that one prepared statement serves any number of orders.
    let found = statement::query_as::<ItemRow>(
        "select order_id, goods_id, name, price, quantity
         from order_items
         where order_id in (select cast(value as bigint) from json_each($1))
         order by order_id, line",
    )
    .bind(serde_json::json!(ids).to_string())
    .fetch_all(conn)
    .await?;
    let mut items: HashMap<_, Vec<_>> = HashMap::with_capacity(ids.len());
    for row in found {
        items.entry(row.order_id).or_default().push(row.item(currency)?);
    }
    Ok(items)
}
