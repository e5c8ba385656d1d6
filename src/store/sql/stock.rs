//! How many pieces of goods are left: what orders take and cancellations return, which is kept with the lines of the
//! order, and changes by hand, which are kept in `stock_changes`.

use super::{
    conn::Conn,
    news,
    rows::{GoodsRow, StockRow},
    statement, telling,
    writer::Tx,
};
use crate::{
    domain::{
        Actor, Goods, GoodsId, OrderId, Stock, StockChange, StockChangeId, StockRecord, Timestamp,
        goods::MAX_STOCK,
    },
    store::{CatalogError, StoreError},
};

/// Takes pieces out of the counted stock of goods that were just read in this transaction and found to have them.
pub(super) async fn take(tx: &mut Tx, pieces: &[(GoodsId, i64)], now: Timestamp) -> Result<(), StoreError> {
    let changed = statement::query_as::<GoodsRow>(
        "update goods
         set stock = stock - wanted.pieces, updated_at = $2
         from (
             select cast(value ->> 0 as bigint) as id, cast(value ->> 1 as bigint) as pieces
             from json_each($1)
         ) as wanted
         where goods_id = wanted.id and stock >= wanted.pieces
         returning
             goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
             created_at, updated_at",
    )
    .bind(serde_json::json!(pieces).to_string())
    .bind(now.as_millis())
    .fetch_all(&mut tx.conn)
    .await?;
    // The condition repeats what the caller has seen: a mistake there must not oversell.
    if changed.len() != pieces.len() {
        return Err(StoreError::Corrupt("stock changed within a transaction".to_owned()));
    }
    for row in changed {
        let goods = row.goods(tx.currency)?;
        let taken = pieces.iter().find(|(id, _)| *id == goods.goods_id).map_or(0, |(_, pieces)| *pieces);
        news::stock_fell(tx, goods.stock.map(|left| left + taken), &goods, now).await?;
        telling::tell(tx, goods.about.listed, goods);
    }
    Ok(())
}

/// Puts back exactly what an order took, into the stock of those goods that still exist and are still counted, and
/// keeps with each line what went back.
pub(super) async fn put_back(tx: &mut Tx, order: OrderId, now: Timestamp) -> Result<(), StoreError> {
    let changed = statement::query_as::<GoodsRow>(
        "update order_items
         set returned = taken
         where
             order_id = $1
             and exists (
                 select 1
                 from goods
                 where goods.goods_id = order_items.goods_id and stock is not null
             );

         update goods
         set stock = stock + lines.returned, updated_at = $2
         from order_items as lines
         where lines.order_id = $1 and lines.goods_id = goods.goods_id and lines.returned > 0
         returning
             goods.goods_id, sku, goods.name, description, thumbnail_url, url, category, goods.price, currency, stock,
             announce, listed, created_at, updated_at",
    )
    .bind(order.0)
    .bind(now.as_millis())
    .fetch_all(&mut tx.conn)
    .await?;
    announce_all(tx, changed)
}

/// Changes a counted stock by so many pieces.
pub(super) async fn change(
    tx: &mut Tx,
    goods: Goods,
    change: StockChange,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Goods, CatalogError> {
    let left = goods.stock.ok_or(CatalogError::NoChange(None))?;
    let stock = left + change.pieces;
    if stock < 0 {
        let name = goods.name.as_str().to_owned();
        return Err(CatalogError::OutOfStock { goods_id: goods.goods_id, name, left });
    }
    if stock > MAX_STOCK && change.pieces > 0 {
        return Err(CatalogError::NoChange(Some(left)));
    }
    statement::query(
        "update goods
         set stock = $2, updated_at = $3
         where goods_id = $1",
    )
    .bind(goods.goods_id.0)
    .bind(stock)
    .bind(now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    let after = Goods { stock: Some(stock), updated_at: now, ..goods };
    news::stock_fell(tx, Some(left), &after, now).await?;
    record(tx, &after, Record { kind: "change", change, by }).await?;
    Ok(after)
}

/// Records that a stock was counted anew, if it was.
pub(super) async fn record_set(
    tx: &mut Tx,
    goods: &Goods,
    before: Stock,
    by: Option<Actor>,
) -> Result<(), StoreError> {
    if goods.stock == before {
        return Ok(());
    }
    news::stock_fell(tx, before, goods, goods.updated_at).await?;
    let pieces = goods.stock.unwrap_or_default() - before.unwrap_or_default();
    record(tx, goods, Record { kind: "set", change: StockChange { pieces, reason: None }, by }).await
}

/// A line of the history of a stock.
struct Record {
    kind: &'static str,
    change: StockChange,
    by: Option<Actor>,
}

async fn record(tx: &mut Tx, goods: &Goods, record: Record) -> Result<(), StoreError> {
    statement::query(
        "insert into stock_changes (goods_id, user_id, kind, change, reason, stock, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(goods.goods_id.0)
    .bind(record.by.map(|by| by.user_id.0))
    .bind(record.kind)
    .bind(record.change.pieces)
    .bind(record.change.reason.map(|reason| reason.as_str().to_owned()))
    .bind(goods.stock)
    .bind(goods.updated_at.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// The changes of a stock below an id, newest first.
pub(super) async fn history(
    conn: &mut Conn,
    id: GoodsId,
    before: Option<StockChangeId>,
    limit: u32,
) -> Result<Vec<StockRecord>, StoreError> {
    let found = statement::query_as::<StockRow>(
        "select change_id, goods_id, kind, change, stock, reason, user_id, nickname, stock_changes.created_at
         from stock_changes left join users using (user_id)
         where goods_id = $1 and change_id < $2
         order by change_id desc
         limit $3",
    )
    .bind(id.0)
    .bind(before.map_or(i64::MAX, |id| id.0))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    found.into_iter().map(StockRow::record).collect()
}

fn announce_all(tx: &mut Tx, changed: Vec<GoodsRow>) -> Result<(), StoreError> {
    for row in changed {
        let goods = row.goods(tx.currency)?;
        telling::tell(tx, goods.about.listed, goods);
    }
    Ok(())
}
