//! Goods: what is sold. How many pieces are left is in `stock`.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{SqliteStore, authority, errors::is_taken, rows::GoodsRow, stock, writer::Tx};
use crate::{
    domain::{
        Actor, Category, Currency, Goods, GoodsAction, GoodsEvent, GoodsId, GoodsName, GoodsPatch, NewGoods,
        StockChange, StockChangeId, StockRecord, Timestamp, text,
    },
    store::{CatalogError, CatalogStore, GoodsQuery, Precondition, StoreError},
};

#[async_trait]
impl CatalogStore for SqliteStore {
    async fn goods_list(&self, query: GoodsQuery) -> Result<Vec<Goods>, StoreError> {
        let key = query.category.as_deref().map(text::fold);
        let words = query.text.as_deref().map(text::search_words).unwrap_or_default();
        // A statement for each, because one that also takes "any category" could not use the category's index.
        let statement = if !words.is_empty() {
            // The search forms of all goods, newest first, until enough have every word: `cross join` keeps that order.
            sqlx::query_as::<_, GoodsRow>(
                "select goods.goods_id, name, thumbnail_url, category, price, stock, created_at, updated_at
                 from goods_search cross join goods on goods.goods_id = goods_search.goods_id
                 where
                     goods_search.goods_id < $1
                     and instr(form, $4) > 0 and instr(form, $5) > 0 and instr(form, $6) > 0
                     and ($7 = '[]' or not exists (select 1 from json_each($7) where instr(form, value) = 0))
                     and ($3 is null or category = (select name from categories where key = $3))
                 order by goods_search.goods_id desc
                 limit $2",
            )
        } else if key.is_some() {
            sqlx::query_as::<_, GoodsRow>(
                "select goods_id, name, thumbnail_url, category, price, stock, created_at, updated_at
                 from goods
                 where category = (select name from categories where key = $3) and goods_id < $1
                 order by goods_id desc
                 limit $2",
            )
        } else {
            sqlx::query_as::<_, GoodsRow>(
                "select goods_id, name, thumbnail_url, category, price, stock, created_at, updated_at
                 from goods
                 where goods_id < $1
                 order by goods_id desc
                 limit $2",
            )
        };
        // Words that are not there are in every name.
        let word = |index: usize| words.get(index).map_or(Vec::new(), |word| word.clone().into_bytes());
        let found = statement
            .bind(query.before.map_or(i64::MAX, |id| id.0))
            .bind(query.limit)
            .bind(key)
            .bind(word(0))
            .bind(word(1))
            .bind(word(2))
            .bind(serde_json::json!(words.get(3..).unwrap_or_default()).to_string())
            .fetch_all(&mut *self.reader().await?)
            .await?;
        Ok(found.into_iter().map(|row| row.goods(self.currency)).collect())
    }

    async fn goods(&self, id: GoodsId) -> Result<Option<Goods>, StoreError> {
        let row = sqlx::query_as::<_, GoodsRow>(
            "select goods_id, name, thumbnail_url, category, price, stock, created_at, updated_at
             from goods
             where goods_id = $1",
        )
        .bind(id.0)
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        Ok(row.map(|row| row.goods(self.currency)))
    }

    async fn categories(&self) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(sqlx::query_as::<_, (String, i64)>(
            "select category, count(*)
             from goods
             group by category
             order by category",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?)
    }

    async fn create_goods(
        &self,
        goods: NewGoods,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Goods, CatalogError> {
        self.writer.write(move |tx| Box::pin(create(tx, goods, by, now))).await
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
                    let after = update(tx, id, patch, now).await?;
                    stock::record_set(tx, &after, before.stock, by).await?;
                    announce(tx, GoodsAction::Update, after.clone());
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
                    let after = stock::change(tx, before, change, by, now).await?;
                    announce(tx, GoodsAction::Update, after.clone());
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
                    // The foreign key of `carts` takes them out of all carts.
                    sqlx::query(
                        "insert into gone_goods (goods_id)
                         values ($1);

                         delete from goods
                         where goods_id = $1",
                    )
                    .bind(id.0)
                    .execute(&mut tx.conn)
                    .await?;
                    announce(tx, GoodsAction::Delete, goods);
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

async fn create(
    tx: &mut Tx,
    goods: NewGoods,
    by: Option<Actor>,
    now: Timestamp,
) -> Result<Goods, CatalogError> {
    authority::admin::<CatalogError>(tx, by, now).await?;
    let category = spelling(tx, &goods.category, None).await?;
    let row = sqlx::query_as::<_, GoodsRow>(
        "insert into goods (goods_id, name, thumbnail_url, category, price, stock, created_at, updated_at)
         select $1, $2, $3, $4, $5, $6, $7, $7
         where not exists (select 1 from gone_goods where goods_id = $1)
         returning goods_id, name, thumbnail_url, category, price, stock, created_at, updated_at",
    )
    .bind(goods.goods_id.map(|id| id.0))
    .bind(goods.name.as_str())
    .bind(goods.thumbnail_url.as_str())
    .bind(category)
    .bind(goods.price.minor)
    .bind(goods.stock)
    .bind(now.as_millis())
    .fetch_optional(&mut tx.conn)
    .await
    .map_err(|error| match is_taken(&error, "goods.goods_id") {
        true => CatalogError::GoodsExist,
        false => error.into(),
    })?;
    let created = row.ok_or(CatalogError::GoodsExist)?.goods(tx.currency);
    make_findable(tx, created.goods_id, &goods.name).await?;
    let goods = created;
    stock::record_set(tx, &goods, None, by).await?;
    announce(tx, GoodsAction::Create, goods.clone());
    Ok(goods)
}

async fn update(tx: &mut Tx, id: GoodsId, patch: GoodsPatch, now: Timestamp) -> Result<Goods, CatalogError> {
    let category = match &patch.category {
        Some(category) => Some(spelling(tx, category, Some(id)).await?),
        None => None,
    };
    if let Some(name) = &patch.name {
        make_findable(tx, id, name).await?;
    }
    // The stock alone can become null, so that null cannot mean "as it is" there.
    let row = sqlx::query_as::<_, GoodsRow>(
        "update goods
         set
             name = coalesce($1, name),
             thumbnail_url = coalesce($2, thumbnail_url),
             category = coalesce($3, category),
             price = coalesce($4, price),
             stock = case when $5 then $6 else stock end,
             updated_at = $7
         where goods_id = $8
         returning goods_id, name, thumbnail_url, category, price, stock, created_at, updated_at",
    )
    .bind(patch.name.as_ref().map(|name| name.as_str().to_owned()))
    .bind(patch.thumbnail_url.as_ref().map(|url| url.as_str().to_owned()))
    .bind(category)
    .bind(patch.price.map(|price| price.minor))
    .bind(patch.stock.is_some())
    .bind(patch.stock.flatten())
    .bind(now.as_millis())
    .bind(id.0)
    .fetch_one(&mut tx.conn)
    .await?;
    Ok(row.goods(tx.currency))
}

/// How the category is written: as it was first, as long as other goods are in it.
async fn spelling(tx: &mut Tx, category: &Category, of: Option<GoodsId>) -> Result<String, StoreError> {
    sqlx::query(
        "insert into categories (key, name)
         values ($1, $2)
         on conflict (key) do update set name = excluded.name
         where not exists (select 1 from goods where category = categories.name and goods_id is not $3)",
    )
    .bind(category.key())
    .bind(category.as_str())
    .bind(of.map(|id| id.0))
    .execute(&mut tx.conn)
    .await?;
    Ok(sqlx::query_scalar("select name from categories where key = $1")
        .bind(category.key())
        .fetch_one(&mut tx.conn)
        .await?)
}

/// Keeps what a search reads of a name.
async fn make_findable(tx: &mut Tx, id: GoodsId, name: &GoodsName) -> Result<(), StoreError> {
    sqlx::query(
        "insert into goods_search (goods_id, form)
         values ($1, $2)
         on conflict (goods_id) do update set form = excluded.form",
    )
    .bind(id.0)
    .bind(name.search_form().into_bytes())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// Finds goods by their ids, in no order. Those that don't exist are left out.
pub(super) async fn find_all(
    conn: &mut SqliteConnection,
    currency: Currency,
    ids: &[GoodsId],
) -> Result<Vec<Goods>, StoreError> {
    // A JSON array is one argument, so that one prepared statement serves any number of ids.
    let found = sqlx::query_as::<_, GoodsRow>(
        "select goods_id, name, thumbnail_url, category, price, stock, created_at, updated_at
         from goods
         where goods_id in (select value from json_each($1))",
    )
    .bind(serde_json::json!(ids).to_string())
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().map(|row| row.goods(currency)).collect())
}

/// Tells what happened to goods when this is committed.
fn announce(tx: &mut Tx, action: GoodsAction, goods: Goods) {
    tx.news.goods.push(GoodsEvent { action, goods });
}
