//! Goods: what is sold. How many pieces are left is in `stock`.

use async_trait::async_trait;

use super::{
    SqlStore,
    audit::By,
    authority,
    conn::Conn,
    errors::is_taken,
    goods_deeds, listing, news,
    rows::GoodsRow,
    statement::{self, either},
    stock, telling,
    writer::Tx,
};
use crate::{
    domain::{
        Actor, Category, Currency, Goods, GoodsAction, GoodsEvent, GoodsId, GoodsPatch, NewGoods, PageUrl,
        Price, Sku, StockChange, StockChangeId, StockRecord, Timestamp,
    },
    store::{CatalogError, CatalogStore, GoodsQuery, Precondition, StoreError},
};

#[async_trait]
impl CatalogStore for SqlStore {
    async fn goods_list(&self, query: GoodsQuery) -> Result<Vec<Goods>, StoreError> {
        listing::list(&mut *self.reader().await?, self.currency, query).await
    }

    async fn goods(&self, id: GoodsId) -> Result<Option<Goods>, StoreError> {
        let row = statement::query_as::<GoodsRow>(
            "select
                 goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
                 created_at, updated_at
             from goods
             where goods_id = $1",
        )
        .bind(id.0)
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        row.map(|row| row.goods(self.currency)).transpose()
    }

    async fn categories(&self) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(statement::query_as::<(String, i64)>(either(
            "select category, count(*)
             from goods
             where listed = 1
             group by category
             order by category",
            "select category, count(*)
             from goods
             where listed
             group by category
             order by category",
        ))
        .fetch_all(&mut *self.reader().await?)
        .await?)
    }

    async fn create_goods(
        &self,
        goods: NewGoods,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Goods, CatalogError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    let goods = create(tx, goods, by, now).await?;
                    goods_deeds::created(tx, By { actor: by, now }, &goods).await?;
                    Ok(goods)
                })
            })
            .await
    }

    async fn change_goods(
        &self,
        id: GoodsId,
        patch: GoodsPatch,
        only_if: Option<Precondition>,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Goods, CatalogError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    let before = found(tx, id, only_if, by, now).await?;
                    let after = change(tx, before.clone(), patch, by, now).await?;
                    goods_deeds::changed(tx, By { actor: by, now }, &before, &after).await?;
                    Ok(after)
                })
            })
            .await
    }

    async fn change_stock(
        &self,
        id: GoodsId,
        change: StockChange,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Goods, CatalogError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    let before = found(tx, id, None, by, now).await?;
                    let after = stock::change(tx, before.clone(), change, by, now).await?;
                    goods_deeds::stocked(tx, By { actor: by, now }, &before, &after).await?;
                    news::goods_updated(tx, GoodsAction::Update, &after, now).await?;
                    telling::tell(tx, after.about.listed, after.clone());
                    Ok(after)
                })
            })
            .await
    }

    async fn stock_history(
        &self,
        id: GoodsId,
        before: Option<StockChangeId>,
        limit: u32,
    ) -> Result<Vec<StockRecord>, StoreError> {
        stock::history(&mut *self.reader().await?, id, before, limit).await
    }

    async fn put_goods(
        &self,
        sku: Sku,
        patch: GoodsPatch,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(Goods, bool), CatalogError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    authority::admin::<CatalogError>(tx, by, now).await?;
                    let Some(before) = find_sku(&mut tx.conn, tx.currency, &sku).await? else {
                        let patch = GoodsPatch { sku: Some(Some(sku)), ..patch };
                        let goods = patch.complete(None).ok_or(CatalogError::Incomplete)?;
                        let goods = create(tx, goods, by, now).await?;
                        goods_deeds::created(tx, By { actor: by, now }, &goods).await?;
                        return Ok((goods, true));
                    };
                    let after = change(tx, before.clone(), patch, by, now).await?;
                    goods_deeds::changed(tx, By { actor: by, now }, &before, &after).await?;
                    Ok((after, false))
                })
            })
            .await
    }

    async fn delete_goods(
        &self,
        id: GoodsId,
        only_if: Option<Precondition>,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), CatalogError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    let goods = found(tx, id, only_if, by, now).await?;
                    delete(tx, id).await?;
                    goods_deeds::deleted(tx, By { actor: by, now }, &goods).await?;
                    news::goods_updated(tx, GoodsAction::Delete, &goods, now).await?;
                    if goods.about.listed {
                        tx.news.goods.push(GoodsEvent { action: GoodsAction::Delete, goods });
                    }
                    Ok(())
                })
            })
            .await
    }
}

/// Finds goods that someone is about to change, if they may and the goods are what they have seen.
async fn found(
    tx: &mut Tx,
    id: GoodsId,
    only_if: Option<Precondition>,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Goods, CatalogError> {
    authority::admin::<CatalogError>(tx, by, now).await?;
    let goods = find_all(&mut tx.conn, tx.currency, &[id]).await?.pop().ok_or(CatalogError::NotFound)?;
    let holds = only_if.is_none_or(|holds| holds(&goods));
    holds.then_some(goods).ok_or(CatalogError::Changed)
}

pub(super) async fn create(
    tx: &mut Tx,
    goods: NewGoods,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Goods, CatalogError> {
    authority::admin::<CatalogError>(tx, by, now).await?;
    let category = spelling(tx, &goods.category, None).await?;
    let row = statement::query_as::<GoodsRow>(
        "insert into goods (
             goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
             created_at, updated_at
         )
         select $1, $8, $2, $9, $3, $10, $4, $5, $11, $6, $12, $13, $7, $7
         where not exists (select 1 from gone_goods where goods_id = $1)
         returning
             goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
             created_at, updated_at",
    )
    .bind(goods.goods_id.map(|id| id.0))
    .bind(goods.name.as_str())
    .bind(goods.thumbnail_url.as_str())
    .bind(category)
    .bind(goods.price.minor)
    .bind(goods.stock)
    .bind(now.as_millis())
    .bind(goods.about.sku.as_ref().map(Sku::as_str))
    .bind(goods.about.description.as_str())
    .bind(goods.about.url.as_ref().map(PageUrl::as_str))
    .bind(foreign(goods.price, tx.currency))
    .bind(goods.about.announce)
    .bind(goods.about.listed)
    .fetch_optional(&mut tx.conn)
    .await
    .map_err(taken)?;
    let created = row.ok_or(CatalogError::GoodsExist)?.goods(tx.currency)?;
    listing::keep_name(&mut tx.conn, created.goods_id, &goods.name).await?;
    let goods = created;
    stock::record_set(tx, &goods, None, by).await?;
    news::goods_updated(tx, GoodsAction::Create, &goods, now).await?;
    telling::tell(tx, false, goods.clone());
    Ok(goods)
}

/// The code of a currency that is not the shop's.
fn foreign(price: Price, shop: Currency) -> Option<String> {
    (price.currency != shop).then(|| price.currency.code().to_owned())
}

/// Which refusal a broken constraint means.
fn taken(error: sqlx::Error) -> CatalogError {
    if is_taken(&error, "goods.goods_id") || is_taken(&error, "goods.sku") {
        CatalogError::GoodsExist
    } else {
        error.into()
    }
}

/// Finds goods by the number that other systems know them by.
pub(super) async fn find_sku(
    conn: &mut Conn,
    currency: Currency,
    sku: &Sku,
) -> Result<Option<Goods>, StoreError> {
    let id: Option<i64> = statement::query_scalar("select goods_id from goods where sku = $1")
        .bind(sku.as_str())
        .fetch_optional(&mut *conn)
        .await?;
    let Some(id) = id else { return Ok(None) };
    Ok(find_all(conn, currency, &[GoodsId(id)]).await?.pop())
}

/// Deletes goods, and tells nobody. Their number is not given again.
pub(super) async fn delete(tx: &mut Tx, id: GoodsId) -> Result<(), StoreError> {
    tx.news.catalog = true;
    // The foreign key of `carts` takes them out of all carts.
    statement::query(
        "insert into gone_goods (goods_id)
         values ($1);

         delete from goods
         where goods_id = $1",
    )
    .bind(id.0)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// Changes goods that were just read, and tells of it.
pub(super) async fn change(
    tx: &mut Tx,
    before: Goods,
    patch: GoodsPatch,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Goods, CatalogError> {
    let after = update(tx, before.goods_id, patch, now).await?;
    if after.about.listed && after.price.currency != tx.currency {
        return Err(CatalogError::ForeignPrice);
    }
    if !after.about.listed && before.about.listed {
        // What is not sold cannot be bought from a cart either.
        statement::query("delete from carts where goods_id = $1")
            .bind(after.goods_id.0)
            .execute(&mut tx.conn)
            .await?;
    }
    stock::record_set(tx, &after, before.stock, by).await?;
    news::goods_updated(tx, GoodsAction::Update, &after, now).await?;
    telling::tell(tx, before.about.listed, after.clone());
    Ok(after)
}

async fn update(tx: &mut Tx, id: GoodsId, patch: GoodsPatch, now: Timestamp) -> Result<Goods, CatalogError> {
    let category = match &patch.category {
        Some(category) => Some(spelling(tx, category, Some(id)).await?),
        None => None,
    };
    if let Some(name) = &patch.name {
        listing::keep_name(&mut tx.conn, id, name).await?;
    }
    // Stock, number and page can become null, so that null cannot mean "as it is" there.
    let row = statement::query_as::<GoodsRow>(
        "update goods
         set
             name = coalesce($1, name),
             thumbnail_url = coalesce($2, thumbnail_url),
             category = coalesce($3, category),
             price = coalesce($4, price),
             currency = case when $4 is null then currency else $9 end,
             stock = case when $5 then $6 else stock end,
             sku = case when $10 then $11 else sku end,
             description = coalesce($12, description),
             url = case when $13 then $14 else url end,
             announce = coalesce($15, announce),
             listed = coalesce($16, listed),
             updated_at = $7
         where goods_id = $8
         returning
             goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
             created_at, updated_at",
    )
    .bind(patch.name.as_ref().map(|name| name.as_str().to_owned()))
    .bind(patch.thumbnail_url.as_ref().map(|url| url.as_str().to_owned()))
    .bind(category)
    .bind(patch.price.map(|price| price.minor))
    .bind(patch.stock.is_some())
    .bind(patch.stock.flatten())
    .bind(now.as_millis())
    .bind(id.0)
    .bind(patch.price.and_then(|price| foreign(price, tx.currency)))
    .bind(patch.sku.is_some())
    .bind(patch.sku.flatten().map(|sku| sku.as_str().to_owned()))
    .bind(patch.description.map(|text| text.as_str().to_owned()))
    .bind(patch.url.is_some())
    .bind(patch.url.flatten().map(|url| url.as_str().to_owned()))
    .bind(patch.announce)
    .bind(patch.listed)
    .fetch_one(&mut tx.conn)
    .await
    .map_err(taken)?;
    Ok(row.goods(tx.currency)?)
}

/// How the category is written: as it was first, as long as other goods are in it.
async fn spelling(tx: &mut Tx, category: &Category, of: Option<GoodsId>) -> Result<String, StoreError> {
    statement::query(
        "insert into categories (key, name)
         values ($1, $2)
         on conflict (key) do update set name = excluded.name
         where not exists (select 1 from goods where category = categories.name and goods_id is distinct from $3)",
    )
    .bind(category.key())
    .bind(category.as_str())
    .bind(of.map(|id| id.0))
    .execute(&mut tx.conn)
    .await?;
    Ok(statement::query_scalar("select name from categories where key = $1")
        .bind(category.key())
        .fetch_one(&mut tx.conn)
        .await?)
}

/// Finds goods by their ids, in no order. Those that don't exist are left out.
pub(super) async fn find_all(
    conn: &mut Conn,
    currency: Currency,
    ids: &[GoodsId],
) -> Result<Vec<Goods>, StoreError> {
    // A JSON array is one argument, so that one prepared statement serves any number of ids.
    let found = statement::query_as::<GoodsRow>(
        "select
             goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
             created_at, updated_at
         from goods
         where goods_id in (select cast(value as bigint) from json_each($1))",
    )
    .bind(serde_json::json!(ids).to_string())
    .fetch_all(conn)
    .await?;
    found.into_iter().map(|row| row.goods(currency)).collect()
}
