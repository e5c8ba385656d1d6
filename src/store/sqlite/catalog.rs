//! Goods: what is sold.

use sqlx::SqliteConnection;

use super::{rows, writer::Tx};
use crate::{
    domain::{Currency, Goods, GoodsAction, GoodsEvent, GoodsId, GoodsPatch, NewGoods, Timestamp},
    store::{CatalogError, GoodsQuery, StoreError, errors::is_taken},
};

/// Whether there are no accounts and no goods.
pub(super) async fn is_empty(conn: &mut SqliteConnection) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("select not exists (select 1 from users) and not exists (select 1 from goods)")
        .fetch_one(conn)
        .await?)
}

/// Lists goods, newest id first.
pub(super) async fn list(
    conn: &mut SqliteConnection,
    currency: Currency,
    query: GoodsQuery,
) -> Result<Vec<Goods>, StoreError> {
    // Two statements because one that also takes "any category" could not use the category's index.
    let sql = if query.category.is_some() {
        "select *
         from goods
         where category = $4 and goods_id < $1 and ($2 is null or name like $2 escape '\\')
         order by goods_id desc
         limit $3"
    } else {
        "select *
         from goods
         where goods_id < $1 and ($2 is null or name like $2 escape '\\')
         order by goods_id desc
         limit $3"
    };
    let found = sqlx::query(sql)
        .bind(query.before.map_or(i64::MAX, |id| id.0))
        .bind(query.text.as_deref().map(containing))
        .bind(query.limit)
        .bind(query.category)
        .fetch_all(conn)
        .await?;
    found.iter().map(|row| rows::goods(row, currency)).collect()
}

/// The pattern of `like` for what contains a text, whatever characters that has.
fn containing(text: &str) -> String {
    let literal = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    format!("%{literal}%")
}

/// Finds goods.
pub(super) async fn find(
    conn: &mut SqliteConnection,
    currency: Currency,
    id: GoodsId,
) -> Result<Option<Goods>, StoreError> {
    let row = sqlx::query(
        "select *
         from goods
         where goods_id = ?",
    )
    .bind(id.0)
    .fetch_optional(conn)
    .await?;
    row.map(|row| rows::goods(&row, currency)).transpose()
}

/// Finds goods by their ids, in no order. Those that don't exist are left out.
pub(super) async fn find_all(
    conn: &mut SqliteConnection,
    currency: Currency,
    ids: &[GoodsId],
) -> Result<Vec<Goods>, StoreError> {
    // A JSON array is one argument, so that one prepared statement serves any number of ids.
    let found = sqlx::query(
        "select *
         from goods
         where goods_id in (select value from json_each(?))",
    )
    .bind(serde_json::json!(ids).to_string())
    .fetch_all(conn)
    .await?;
    found.iter().map(|row| rows::goods(row, currency)).collect()
}

/// Puts goods on sale.
pub(super) async fn create(tx: &mut Tx, goods: NewGoods, now: Timestamp) -> Result<Goods, CatalogError> {
    let row = sqlx::query(
        "insert into goods (goods_id, name, thumbnail_url, category, price, stock, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)
         returning *",
    )
    .bind(goods.goods_id.map(|id| id.0))
    .bind(goods.name.as_str())
    .bind(goods.thumbnail_url.as_str())
    .bind(goods.category.as_str())
    .bind(goods.price.minor)
    .bind(goods.stock)
    .bind(now.as_millis())
    .fetch_one(&mut tx.conn)
    .await
    .map_err(|error| match is_taken(&error, "goods.goods_id") {
        true => CatalogError::GoodsExist,
        false => error.into(),
    })?;
    Ok(tell(tx, GoodsAction::Create, rows::goods(&row, tx.currency)?))
}

/// Changes goods.
pub(super) async fn change(
    tx: &mut Tx,
    id: GoodsId,
    patch: GoodsPatch,
    now: Timestamp,
) -> Result<Goods, CatalogError> {
    // The stock alone can become null, so that null cannot mean "as it is" there.
    let row = sqlx::query(
        "update goods
         set
             name = ifnull($1, name),
             thumbnail_url = ifnull($2, thumbnail_url),
             category = ifnull($3, category),
             price = ifnull($4, price),
             stock = case when $5 then $6 else stock end,
             updated_at = $7
         where goods_id = $8
         returning *",
    )
    .bind(patch.name.as_ref().map(|name| name.as_str().to_owned()))
    .bind(patch.thumbnail_url.as_ref().map(|url| url.as_str().to_owned()))
    .bind(patch.category.as_ref().map(|category| category.as_str().to_owned()))
    .bind(patch.price.map(|price| price.minor))
    .bind(patch.stock.is_some())
    .bind(patch.stock.flatten())
    .bind(now.as_millis())
    .bind(id.0)
    .fetch_optional(&mut tx.conn)
    .await?
    .ok_or(CatalogError::NotFound)?;
    Ok(tell(tx, GoodsAction::Update, rows::goods(&row, tx.currency)?))
}

/// Takes goods off sale. The foreign key of `carts` takes them out of all carts.
pub(super) async fn delete(tx: &mut Tx, id: GoodsId) -> Result<(), CatalogError> {
    let row = sqlx::query(
        "delete from goods
         where goods_id = ?
         returning *",
    )
    .bind(id.0)
    .fetch_optional(&mut tx.conn)
    .await?
    .ok_or(CatalogError::NotFound)?;
    tell(tx, GoodsAction::Delete, rows::goods(&row, tx.currency)?);
    Ok(())
}

/// Takes pieces out of the counted stock of goods that were just read in this transaction and found to have them.
pub(super) async fn take(tx: &mut Tx, pieces: &[(GoodsId, i64)], now: Timestamp) -> Result<(), StoreError> {
    let changed = sqlx::query(
        "update goods
         set stock = stock - wanted.pieces, updated_at = $2
         from (select value ->> 0 as goods_id, value ->> 1 as pieces from json_each($1)) as wanted
         where goods.goods_id = wanted.goods_id and stock >= wanted.pieces
         returning *",
    )
    .bind(serde_json::json!(pieces).to_string())
    .bind(now.as_millis())
    .fetch_all(&mut tx.conn)
    .await?;
    // The condition repeats what the caller has seen: a mistake there must not oversell.
    if changed.len() != pieces.len() {
        return Err(StoreError::Corrupt("stock changed within a transaction".to_owned()));
    }
    tell_all(tx, &changed)
}

/// Puts pieces back into the counted stock of those goods that still exist.
pub(super) async fn put_back(
    tx: &mut Tx,
    pieces: &[(GoodsId, i64)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = sqlx::query(
        "update goods
         set stock = stock + returned.pieces, updated_at = $2
         from (select value ->> 0 as goods_id, value ->> 1 as pieces from json_each($1)) as returned
         where goods.goods_id = returned.goods_id and stock is not null
         returning *",
    )
    .bind(serde_json::json!(pieces).to_string())
    .bind(now.as_millis())
    .fetch_all(&mut tx.conn)
    .await?;
    tell_all(tx, &changed)
}

fn tell_all(tx: &mut Tx, changed: &[sqlx::sqlite::SqliteRow]) -> Result<(), StoreError> {
    for row in changed {
        let goods = rows::goods(row, tx.currency)?;
        tell(tx, GoodsAction::Update, goods);
    }
    Ok(())
}

fn tell(tx: &mut Tx, action: GoodsAction, goods: Goods) -> Goods {
    tx.news.goods.push(GoodsEvent { action, goods: goods.clone() });
    goods
}
