//! Lists of goods. What they are sorted, filtered and searched by is in `goods_search`, one short row for each goods, most of
//! which triggers keep (migration 0014).
//!
//! Each order has a statement that reads in it and ends with the page: from an index that holds all that filters look at,
//! or from the table itself, newest first. `cross join` and `indexed by` keep the planner from another way, of which no
//! list of many goods would be fast.

use super::{
    conn::Conn,
    rows::GoodsRow,
    statement::{self, Query, Whole, either},
};
use crate::{
    domain::{Currency, Goods, GoodsId, GoodsName, GoodsSort, text},
    store::{GoodsQuery, StoreError},
};

/// Lists goods.
pub(super) async fn list(
    conn: &mut Conn,
    currency: Currency,
    query: GoodsQuery,
) -> Result<Vec<Goods>, StoreError> {
    let rows = match query.sort.clone() {
        GoodsSort::Newest(place) if is_plain(&query) => plain(conn, place, &query).await?,
        GoodsSort::Newest(place) => newest(conn, place, &Filter::of(&query)).await?,
        GoodsSort::PriceAsc(place) => cheapest(conn, place, &Filter::of(&query)).await?,
        GoodsSort::PriceDesc(place) => dearest(conn, place, &Filter::of(&query)).await?,
        GoodsSort::Name(place) => by_name(conn, place, &Filter::of(&query)).await?,
    };
    rows.into_iter().map(|row| row.goods(currency)).collect()
}

/// Keeps what is read of a name: lists of goods read the newest, searches for orders all that there were.
pub(super) async fn keep_name(conn: &mut Conn, id: GoodsId, name: &GoodsName) -> Result<(), sqlx::Error> {
    statement::query(
        "update goods_search
         set form = $2, name_key = $3
         where goods_id = $1;

         insert into goods_names (goods_id, form)
         values ($1, $2)
         on conflict (goods_id, form) do nothing",
    )
    .bind(id.0)
    .bind(name.search_form().into_bytes())
    .bind(name.sort_key())
    .execute(conn)
    .await?;
    Ok(())
}

/// What leaves goods out of a list, as the statements take it. Where nothing is asked for, the value is one that lets all
/// pass: `instr` finds no bytes everywhere.
struct Filter {
    category: Option<String>,
    words: [Vec<u8>; 3],
    more_words: String,
    prices: (i64, i64),
    in_stock: Option<bool>,
    unlisted: bool,
    limit: u32,
}

impl Filter {
    fn of(query: &GoodsQuery) -> Self {
        let words = query.text.as_deref().map(text::search_words).unwrap_or_default();
        let word = |index: usize| words.get(index).map_or(Vec::new(), |word| word.clone().into_bytes());
        Self {
            category: query.category.as_deref().map(text::fold),
            words: [word(0), word(1), word(2)],
            more_words: serde_json::json!(words.get(3..).unwrap_or_default()).to_string(),
            prices: (query.min_price.unwrap_or(0), query.max_price.unwrap_or(i64::MAX)),
            in_stock: query.in_stock,
            unlisted: query.unlisted,
            limit: query.limit,
        }
    }
}

/// A statement that reads goods.
type Listed = Query<Whole<GoodsRow>>;

/// Binds what all lists are filtered by, as their first ten values. Where a list goes on comes behind them.
fn filtered(query: Listed, filter: &Filter) -> Listed {
    let [first, second, third] = &filter.words;
    query
        .bind(filter.prices.0)
        .bind(filter.prices.1)
        .bind(filter.unlisted)
        .bind(filter.in_stock)
        .bind(&filter.category)
        .bind(first)
        .bind(second)
        .bind(third)
        .bind(&filter.more_words)
        .bind(filter.limit)
}

/// Whether the catalog's own indexes are all that is needed.
fn is_plain(query: &GoodsQuery) -> bool {
    let searches = query.text.as_deref().is_some_and(|text| !text::search_words(text).is_empty());
    let filters = query.min_price.is_some() || query.max_price.is_some() || query.in_stock.is_some();
    !searches && !filters && (query.category.is_none() || !query.unlisted)
}

/// The newest goods, of one category or of all: what nearly every list is.
async fn plain(
    conn: &mut Conn,
    place: Option<GoodsId>,
    query: &GoodsQuery,
) -> Result<Vec<GoodsRow>, sqlx::Error> {
    let key = query.category.as_deref().map(text::fold);
    // A statement for each, because one that also takes "any category" could not use the category's index.
    let list = if key.is_some() {
        statement::query_as::<GoodsRow>(either(
            "select
                 goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
                 created_at, updated_at
             from goods
             where
                 category = (select name from categories where key = $3) and listed = 1 and goods_id < $1
             order by goods_id desc
             limit $2",
            "select
                 goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
                 created_at, updated_at
             from goods
             where
                 category = (select name from categories where key = $3) and listed and goods_id < $1
             order by goods_id desc
             limit $2",
        ))
    } else {
        statement::query_as::<GoodsRow>(
            "select
                 goods_id, sku, name, description, thumbnail_url, url, category, price, currency, stock, announce, listed,
                 created_at, updated_at
             from goods
             where goods_id < $1 and (listed or $4)
             order by goods_id desc
             limit $2",
        )
    };
    let list = list.bind(place.map_or(i64::MAX, |id| id.0)).bind(query.limit);
    list.bind(key).bind(query.unlisted).fetch_all(conn).await
}

/// The newest goods first.
async fn newest(
    conn: &mut Conn,
    place: Option<GoodsId>,
    filter: &Filter,
) -> Result<Vec<GoodsRow>, sqlx::Error> {
    let listed = statement::query_as::<GoodsRow>(
        "select
             goods.goods_id, sku, name, description, thumbnail_url, url, goods.category, goods.price, currency, stock,
             announce, goods.listed, created_at, updated_at
         from goods_search as found not indexed cross join goods
         where
             goods.goods_id = found.goods_id and found.goods_id < $11
             and (found.listed or $3)
             and found.price between $1 and $2
             and (found.in_stock = $4 or $4 is null)
             and (found.category = (select name from categories where key = $5) or $5 is null)
             and instr(form, $6) > 0 and instr(form, $7) > 0 and instr(form, $8) > 0
             and ($9 = '[]' or not exists (select 1 from json_each($9) where instr(form, atom) = 0))
         order by found.goods_id desc
         limit $10",
    );
    filtered(listed, filter).bind(place.map_or(i64::MAX, |id| id.0)).fetch_all(conn).await
}

/// The cheapest goods first.
async fn cheapest(
    conn: &mut Conn,
    place: Option<(i64, GoodsId)>,
    filter: &Filter,
) -> Result<Vec<GoodsRow>, sqlx::Error> {
    // The beginning is behind the place, or at the lowest price: one bound, so that the index is entered there.
    let lowest = (filter.prices.0, GoodsId(0));
    let (price, id) = place.map_or(lowest, |place| place.max(lowest));
    let listed = statement::query_as::<GoodsRow>(
        "select
             goods.goods_id, sku, name, description, thumbnail_url, url, goods.category, goods.price, currency, stock,
             announce, goods.listed, created_at, updated_at
         from goods_search as found indexed by goods_by_price
             cross join goods
         where
             goods.goods_id = found.goods_id and (found.price, found.goods_id) > ($11, $12)
             and found.price <= $2
             and (found.listed or $3)
             and (found.in_stock = $4 or $4 is null)
             and (found.category = (select name from categories where key = $5) or $5 is null)
             and instr(form, $6) > 0 and instr(form, $7) > 0 and instr(form, $8) > 0
             and ($9 = '[]' or not exists (select 1 from json_each($9) where instr(form, atom) = 0))
         order by found.price, found.goods_id
         limit $10",
    );
    filtered(listed, filter).bind(price).bind(id.0).fetch_all(conn).await
}

/// The dearest goods first.
async fn dearest(
    conn: &mut Conn,
    place: Option<(i64, GoodsId)>,
    filter: &Filter,
) -> Result<Vec<GoodsRow>, sqlx::Error> {
    let highest = (filter.prices.1, GoodsId(i64::MAX));
    let (price, id) = place.map_or(highest, |place| place.min(highest));
    let listed = statement::query_as::<GoodsRow>(
        "select
             goods.goods_id, sku, name, description, thumbnail_url, url, goods.category, goods.price, currency, stock,
             announce, goods.listed, created_at, updated_at
         from goods_search as found indexed by goods_by_price
             cross join goods
         where
             goods.goods_id = found.goods_id and (found.price, found.goods_id) < ($11, $12)
             and found.price >= $1
             and (found.listed or $3)
             and (found.in_stock = $4 or $4 is null)
             and (found.category = (select name from categories where key = $5) or $5 is null)
             and instr(form, $6) > 0 and instr(form, $7) > 0 and instr(form, $8) > 0
             and ($9 = '[]' or not exists (select 1 from json_each($9) where instr(form, atom) = 0))
         order by found.price desc, found.goods_id desc
         limit $10",
    );
    filtered(listed, filter).bind(price).bind(id.0).fetch_all(conn).await
}

/// By name.
async fn by_name(
    conn: &mut Conn,
    place: Option<(String, GoodsId)>,
    filter: &Filter,
) -> Result<Vec<GoodsRow>, sqlx::Error> {
    let (key, id) = place.unwrap_or((String::new(), GoodsId(0)));
    let listed = statement::query_as::<GoodsRow>(
        "select
             goods.goods_id, sku, name, description, thumbnail_url, url, goods.category, goods.price, currency, stock,
             announce, goods.listed, created_at, updated_at
         from goods_search as found indexed by goods_by_name
             cross join goods
         where
             goods.goods_id = found.goods_id and (found.name_key, found.goods_id) > ($11, $12)
             and found.price between $1 and $2
             and (found.listed or $3)
             and (found.in_stock = $4 or $4 is null)
             and (found.category = (select name from categories where key = $5) or $5 is null)
             and instr(form, $6) > 0 and instr(form, $7) > 0 and instr(form, $8) > 0
             and ($9 = '[]' or not exists (select 1 from json_each($9) where instr(form, atom) = 0))
         order by found.name_key, found.goods_id
         limit $10",
    );
    filtered(listed, filter).bind(key).bind(id.0).fetch_all(conn).await
}
