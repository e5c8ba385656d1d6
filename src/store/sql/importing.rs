//! Goods that an import brings: made, changed, or as they are already, which writes nothing.

use async_trait::async_trait;

use super::{
    SqlStore, audit::By, authority, catalog, conn::Conn, goods_deeds, rows::GoodsRow, statement, writer::Tx,
};
use crate::{
    domain::{Actor, Currency, Goods, GoodsId, GoodsKey, GoodsPatch, NewGoods, Price, Timestamp},
    store::{CatalogError, ImportStore, Imported, StoreError},
};

#[async_trait]
impl ImportStore for SqlStore {
    async fn import_goods(
        &self,
        key: GoodsKey,
        patch: GoodsPatch,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Imported, CatalogError> {
        self.writer.write(move |tx| Box::pin(import(tx, key, patch, by, now))).await
    }

    async fn foresee_import(
        &self,
        key: GoodsKey,
        patch: GoodsPatch,
        now: Timestamp,
    ) -> Result<Imported, CatalogError> {
        foresee(&mut *self.reader().await?, self.currency, key, patch, now).await
    }

    async fn goods_after(&self, after: GoodsId, limit: u32) -> Result<Vec<Goods>, StoreError> {
        let found = statement::query_as::<GoodsRow>(
            "select
                 goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
                 created_at, updated_at
             from goods
             where goods_id > $1
             order by goods_id
             limit $2",
        )
        .bind(after.0)
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        found.into_iter().map(|row| row.goods(self.currency)).collect()
    }
}

/// Does what a line says.
async fn import(
    tx: &mut Tx,
    key: GoodsKey,
    patch: GoodsPatch,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Imported, CatalogError> {
    authority::admin::<CatalogError>(tx, by, now).await?;
    let Some(before) = find(&mut tx.conn, tx.currency, &key).await? else {
        let goods = new(key, patch).ok_or(CatalogError::Incomplete)?;
        if goods.about.listed && goods.price.currency != tx.currency {
            return Err(CatalogError::ForeignPrice);
        }
        let goods = catalog::create(tx, goods, by, now).await?;
        goods_deeds::created(tx, By { actor: by, now }, &goods).await?;
        return Ok(Imported::Created);
    };
    if before.with(&patch) == before {
        return Ok(Imported::Unchanged(before.name));
    }
    // The same category in another spelling would be written anew where these are its only goods.
    let category = patch.category.filter(|category| category.key() != before.category.key());
    let patch = GoodsPatch { category, ..patch };
    let after = catalog::change(tx, before.clone(), patch, by, now).await?;
    goods_deeds::changed(tx, By { actor: by, now }, &before, &after).await?;
    Ok(Imported::Updated(Box::new((before, after))))
}

/// What [`import`] would do, and why it would not.
async fn foresee(
    conn: &mut Conn,
    currency: Currency,
    key: GoodsKey,
    patch: GoodsPatch,
    now: Timestamp,
) -> Result<Imported, CatalogError> {
    let sold_for = |listed: bool, price: Price| !listed || price.currency == currency;
    let Some(before) = find(conn, currency, &key).await? else {
        let is_gone = is_gone(conn, &key).await?;
        let goods = new(key, patch).ok_or(CatalogError::Incomplete)?;
        if !sold_for(goods.about.listed, goods.price) {
            return Err(CatalogError::ForeignPrice);
        }
        return if is_gone { Err(CatalogError::GoodsExist) } else { Ok(Imported::Created) };
    };
    let after = before.with(&patch);
    if after == before {
        return Ok(Imported::Unchanged(before.name));
    }
    if !sold_for(after.about.listed, after.price) {
        return Err(CatalogError::ForeignPrice);
    }
    Ok(Imported::Updated(Box::new((before, Goods { updated_at: now, ..after }))))
}

fn new(key: GoodsKey, patch: GoodsPatch) -> Option<NewGoods> {
    match key {
        GoodsKey::Sku(sku) => GoodsPatch { sku: Some(Some(sku)), ..patch }.complete(None),
        GoodsKey::Id(id) => patch.complete(Some(id)),
    }
}

async fn find(conn: &mut Conn, currency: Currency, key: &GoodsKey) -> Result<Option<Goods>, StoreError> {
    match key {
        GoodsKey::Sku(sku) => catalog::find_sku(conn, currency, sku).await,
        GoodsKey::Id(id) => Ok(catalog::find_all(conn, currency, &[*id]).await?.pop()),
    }
}

/// Whether a number belonged to goods that there are no more.
async fn is_gone(conn: &mut Conn, key: &GoodsKey) -> Result<bool, StoreError> {
    let GoodsKey::Id(id) = key else { return Ok(false) };
    Ok(statement::query_scalar("select exists (select 1 from gone_goods where goods_id = $1)")
        .bind(id.0)
        .fetch_one(conn)
        .await?)
}
