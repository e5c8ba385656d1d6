//! Carts: what someone means to buy.

use sqlx::{Row, SqliteConnection};

use super::{rows, writer::Tx};
use crate::{
    domain::{CartLine, Currency, GoodsId, Line, Quantity, UserId, order::MAX_LINES},
    store::{CatalogError, StoreError},
};

/// Lists a cart with its goods, in the order in which they were put in.
pub(super) async fn list(
    conn: &mut SqliteConnection,
    currency: Currency,
    user: UserId,
) -> Result<Vec<CartLine>, StoreError> {
    let found = sqlx::query(
        "select goods.*, carts.quantity
         from carts join goods using (goods_id)
         where user_id = ?
         order by line",
    )
    .bind(user.0)
    .fetch_all(conn)
    .await?;
    let line = |row| Ok(CartLine { quantity: rows::quantity(row)?, goods: rows::goods(row, currency)? });
    found.iter().map(line).collect()
}

/// A cart as an order takes it, in the order in which goods were put in.
pub(super) async fn lines(conn: &mut SqliteConnection, user: UserId) -> Result<Vec<Line>, StoreError> {
    let found = sqlx::query(
        "select goods_id, quantity
         from carts
         where user_id = ?
         order by line",
    )
    .bind(user.0)
    .fetch_all(conn)
    .await?;
    found
        .iter()
        .map(|row| Ok(Line { goods_id: GoodsId(row.try_get("goods_id")?), quantity: rows::quantity(row)? }))
        .collect()
}

/// Empties a cart.
pub(super) async fn empty(conn: &mut SqliteConnection, user: UserId) -> Result<(), StoreError> {
    sqlx::query(
        "delete from carts
         where user_id = ?",
    )
    .bind(user.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts goods in a cart, or changes how many.
pub(super) async fn put(
    tx: &mut Tx,
    user: UserId,
    goods: GoodsId,
    quantity: Quantity,
) -> Result<(), CatalogError> {
    let place = place(&mut tx.conn, user, goods).await?;
    if !place.held && place.full {
        return Err(CatalogError::CartFull);
    }
    Ok(write(&mut tx.conn, user, goods, quantity).await?)
}

/// Puts goods in a cart that does not hold them yet.
pub(super) async fn add(
    tx: &mut Tx,
    user: UserId,
    goods: GoodsId,
    quantity: Quantity,
) -> Result<(), CatalogError> {
    let place = place(&mut tx.conn, user, goods).await?;
    if place.held {
        return Err(CatalogError::AlreadyInCart);
    }
    if place.full {
        return Err(CatalogError::CartFull);
    }
    Ok(write(&mut tx.conn, user, goods, quantity).await?)
}

/// What a cart has to do with some goods.
struct Place {
    held: bool,
    full: bool,
}

async fn place(conn: &mut SqliteConnection, user: UserId, goods: GoodsId) -> Result<Place, CatalogError> {
    let row = sqlx::query(
        "select
             exists (select 1 from goods where goods_id = $2) as sold,
             exists (select 1 from carts where user_id = $1 and goods_id = $2) as held,
             (select count(*) from carts where user_id = $1) >= $3 as filled",
    )
    .bind(user.0)
    .bind(goods.0)
    .bind(i64::try_from(MAX_LINES).unwrap_or(i64::MAX))
    .fetch_one(conn)
    .await?;
    if !row.try_get::<bool, _>("sold")? {
        return Err(CatalogError::NotFound);
    }
    Ok(Place { held: row.try_get("held")?, full: row.try_get("filled")? })
}

async fn write(
    conn: &mut SqliteConnection,
    user: UserId,
    goods: GoodsId,
    quantity: Quantity,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into carts (user_id, goods_id, quantity)
         values (?, ?, ?)
         on conflict (user_id, goods_id) do update set quantity = excluded.quantity",
    )
    .bind(user.0)
    .bind(goods.0)
    .bind(quantity.get())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes goods out of a cart, if they are in it.
pub(super) async fn remove(tx: &mut Tx, user: UserId, goods: GoodsId) -> Result<(), StoreError> {
    sqlx::query(
        "delete from carts
         where user_id = ? and goods_id = ?",
    )
    .bind(user.0)
    .bind(goods.0)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}
