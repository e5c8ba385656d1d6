//! Carts: what someone means to buy.

use async_trait::async_trait;

use super::{
    SqlStore,
    conn::Conn,
    rows::{self, CartRow},
    statement,
    writer::Tx,
};
use crate::{
    domain::{CartLine, GoodsId, Line, Quantity, UserId, order::MAX_LINES},
    store::{CartStore, CatalogError, StoreError},
};

#[async_trait]
impl CartStore for SqlStore {
    async fn cart(&self, user: UserId) -> Result<Vec<CartLine>, StoreError> {
        let found = statement::query_as::<CartRow>(
            "select
                 goods.goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
                 created_at, updated_at,
                 carts.quantity
             from carts join goods using (goods_id)
             where user_id = $1
             order by line",
        )
        .bind(user.0)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        found.into_iter().map(|row| row.line(self.currency)).collect()
    }

    async fn put_in_cart(
        &self,
        user: UserId,
        goods: GoodsId,
        quantity: Quantity,
    ) -> Result<(), CatalogError> {
        self.writer.write_of(Some(user), move |tx| Box::pin(put(tx, user, goods, quantity, true))).await
    }

    async fn add_to_cart(
        &self,
        user: UserId,
        goods: GoodsId,
        quantity: Quantity,
    ) -> Result<(), CatalogError> {
        self.writer.write_of(Some(user), move |tx| Box::pin(put(tx, user, goods, quantity, false))).await
    }

    async fn remove_from_cart(&self, user: UserId, goods: GoodsId) -> Result<(), StoreError> {
        self.writer
            .write_of(Some(user), move |tx| {
                Box::pin(async move {
                    statement::query(
                        "delete from carts
                         where user_id = $1 and goods_id = $2",
                    )
                    .bind(user.0)
                    .bind(goods.0)
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

/// Puts goods in a cart, or changes how many if `replaces`.
async fn put(
    tx: &mut Tx,
    user: UserId,
    goods: GoodsId,
    quantity: Quantity,
    replaces: bool,
) -> Result<(), CatalogError> {
    let (sold, held, full) = statement::query_as::<(bool, bool, bool)>(
        "select
             exists (select 1 from goods where goods_id = $2 and listed),
             exists (select 1 from carts where user_id = $1 and goods_id = $2),
             (select count(*) from carts where user_id = $1) >= $3",
    )
    .bind(user.0)
    .bind(goods.0)
    .bind(i64::try_from(MAX_LINES).unwrap_or(i64::MAX))
    .fetch_one(&mut tx.conn)
    .await?;
    match (sold, held, full) {
        (false, ..) => return Err(CatalogError::NotFound),
        (_, true, _) if !replaces => return Err(CatalogError::AlreadyInCart),
        (_, false, true) => return Err(CatalogError::CartFull),
        _ => {}
    }
    statement::query(
        "insert into carts (user_id, goods_id, quantity)
         values ($1, $2, $3)
         on conflict (user_id, goods_id) do update set quantity = excluded.quantity",
    )
    .bind(user.0)
    .bind(goods.0)
    .bind(quantity.get())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// Reads a cart as an order takes it, in the order in which goods were put in.
pub(super) async fn lines(conn: &mut Conn, user: UserId) -> Result<Vec<Line>, StoreError> {
    let found = statement::query_as::<(i64, i64)>(
        "select goods_id, quantity
         from carts
         where user_id = $1
         order by line",
    )
    .bind(user.0)
    .fetch_all(conn)
    .await?;
    let line =
        |(goods_id, pieces)| Ok(Line { goods_id: GoodsId(goods_id), quantity: rows::quantity(pieces)? });
    found.into_iter().map(line).collect()
}

/// Empties a cart.
pub(super) async fn empty(conn: &mut Conn, user: UserId) -> Result<(), StoreError> {
    statement::query(
        "delete from carts
         where user_id = $1",
    )
    .bind(user.0)
    .execute(conn)
    .await?;
    Ok(())
}
