//! Goods of other shops: found by their SKU or by what the source calls them, made when nobody knows them, and kept as the
//! source says. What is sold here is the shop's own and changed by its administrators alone.

use std::collections::HashMap;

use serde_json::json;

use super::{catalog, news, statement, writer::Tx};
use crate::{
    domain::{
        About, Category, Currency, Goods, GoodsAction, GoodsId, GoodsName, GoodsPatch, NewGoods, PageUrl,
        Price, Sku, ThumbnailUrl, Timestamp,
    },
    hooks::{ForeignId, ToldGoods, ToldLine},
    store::{CatalogError, Source, StoreError},
};

/// The picture of goods of which none is known.
const NO_PICTURE: &str = "/images/placeholder.svg";

/// The goods of a line of an order.
#[derive(Clone, Debug)]
pub(super) struct Bought {
    pub(super) goods_id: GoodsId,
    pub(super) name: String,
    pub(super) url: Option<String>,
    pub(super) thumbnail_url: Option<String>,
    pub(super) announce: bool,
    pub(super) category: Category,
}

/// Goods that are known, as far as an order needs them.
#[derive(Clone, Debug)]
struct Known {
    goods_id: GoodsId,
    url: Option<String>,
    thumbnail_url: String,
    announce: bool,
    listed: bool,
    category: String,
}

impl Known {
    fn of(goods: &Goods) -> Self {
        Self {
            goods_id: goods.goods_id,
            url: goods.about.url.as_ref().map(|url| url.as_str().to_owned()),
            thumbnail_url: goods.thumbnail_url.as_str().to_owned(),
            announce: goods.about.announce,
            listed: goods.about.listed,
            category: goods.category.as_str().to_owned(),
        }
    }

    fn bought_as(&self, name: &GoodsName) -> Bought {
        Bought {
            goods_id: self.goods_id,
            name: name.as_str().to_owned(),
            url: self.url.clone(),
            thumbnail_url: Some(self.thumbnail_url.clone()).filter(|url| url != NO_PICTURE),
            announce: self.announce,
            category: Category::trusted(self.category.clone()),
        }
    }
}

/// What a line is called: as the source says, else as it is set, else by the name of the source.
fn name_of(line: &ToldLine, source: &Source) -> GoodsName {
    let settings = &source.record.settings;
    let set = || settings.goods_name.clone();
    let other = || GoodsName::trusted(settings.name.as_str().to_owned());
    line.name.clone().or_else(set).unwrap_or_else(other)
}

/// What a source calls goods, in our table.
fn named(id: Option<&ForeignId>, name: &GoodsName) -> String {
    match id {
        Some(id) => format!("id:{id}"),
        None => format!("name:{}", name.as_str()),
    }
}

/// Finds the goods of all lines, in their order, and makes those that nobody knows.
pub(super) async fn of_lines(
    tx: &mut Tx,
    source: &Source,
    lines: &[ToldLine],
    at: Timestamp,
) -> Result<Vec<Bought>, StoreError> {
    let names: Vec<_> = lines.iter().map(|line| name_of(line, source)).collect();
    let keys: Vec<_> =
        lines.iter().zip(&names).map(|(line, name)| named(line.foreign_id.as_ref(), name)).collect();
    let wanted: Vec<_> = lines.iter().zip(&keys).map(|(line, key)| json!([line.sku, key])).collect();
    let mut known = find(tx, source, &wanted).await?;
    let mut made = HashMap::<&str, usize>::new();
    let mut bought = Vec::with_capacity(lines.len());
    for (index, ((line, name), key)) in lines.iter().zip(&names).zip(&keys).enumerate() {
        let same = made.get(key.as_str()).copied().unwrap_or(index);
        let these = match known.get(&same) {
            Some(these) => improved(tx, source, these.clone(), line, at).await?,
            None => {
                made.insert(key, index);
                Known::of(&make(tx, source, &described(line, name), key, at).await?)
            }
        };
        bought.push(these.bought_as(name));
        known.insert(same, these);
    }
    Ok(bought)
}

/// The goods that are meant, by the index of `[sku, named]`.
async fn find(
    tx: &mut Tx,
    source: &Source,
    wanted: &[serde_json::Value],
) -> Result<HashMap<usize, Known>, StoreError> {
    let found = statement::query_as::<(i64, i64, Option<String>, String, bool, bool, String)>(
        "select key, goods_id, url, thumbnail_url, announce, listed, category
         from json_each($1) as wanted
             join goods on goods.goods_id = coalesce(
                 (select goods_id from goods where sku = wanted.value ->> 0),
                 (select goods_id from source_goods where source_id = $2 and named = wanted.value ->> 1)
             )",
    )
    .bind(serde_json::Value::from(wanted).to_string())
    .bind(source.record.id.as_str())
    .fetch_all(&mut tx.conn)
    .await?;
    let known =
        |(index, goods_id, url, thumbnail_url, announce, listed, category): (i64, _, _, _, _, _, _)| {
            let known = Known { goods_id: GoodsId(goods_id), url, thumbnail_url, announce, listed, category };
            Some((usize::try_from(index).ok()?, known))
        };
    Ok(found.into_iter().filter_map(known).collect())
}

/// A line as its goods.
fn described(line: &ToldLine, name: &GoodsName) -> ToldGoods {
    ToldGoods {
        foreign_id: line.foreign_id.clone(),
        sku: line.sku.clone(),
        name: Some(name.clone()),
        price: line.price,
        url: line.url.clone(),
        thumbnail: line.thumbnail.clone(),
    }
}

/// Adds what an order says and nobody knew. Prices and names of orders are those of one variant, on one day.
async fn improved(
    tx: &mut Tx,
    source: &Source,
    known: Known,
    line: &ToldLine,
    at: Timestamp,
) -> Result<Known, StoreError> {
    let url = line.url.as_ref().filter(|_| known.url.is_none());
    let thumbnail = line.thumbnail.as_ref().filter(|_| known.thumbnail_url == NO_PICTURE);
    if known.listed || (url.is_none() && thumbnail.is_none()) || !is_of(tx, source, known.goods_id).await? {
        return Ok(known);
    }
    let found = catalog::find_all(&mut tx.conn, tx.currency, &[known.goods_id]).await?.pop();
    let Some(goods) = found else { return Ok(known) };
    let patch = GoodsPatch {
        url: url.map(|url| PageUrl::parse(url.as_str()).ok()),
        thumbnail_url: thumbnail.cloned(),
        ..GoodsPatch::default()
    };
    Ok(Known::of(&change(tx, goods, patch, at).await?))
}

/// Whether goods are known from this source.
async fn is_of(tx: &mut Tx, source: &Source, goods_id: GoodsId) -> Result<bool, StoreError> {
    Ok(statement::query_scalar(
        "select exists (select 1 from source_goods where goods_id = $1 and source_id = $2)",
    )
    .bind(goods_id.0)
    .bind(source.record.id.as_str())
    .fetch_one(&mut tx.conn)
    .await?)
}

async fn change(tx: &mut Tx, goods: Goods, patch: GoodsPatch, at: Timestamp) -> Result<Goods, StoreError> {
    catalog::change(tx, goods, patch, None, at).await.map_err(failed)
}

/// What the catalog refuses of goods that were just read and are not sold here is a mistake of ours.
fn failed(error: CatalogError) -> StoreError {
    match error {
        CatalogError::Store(error) => error,
        other => StoreError::Corrupt(format!("goods of another shop: {other}")),
    }
}

async fn make(
    tx: &mut Tx,
    source: &Source,
    told: &ToldGoods,
    named: &str,
    at: Timestamp,
) -> Result<Goods, StoreError> {
    let goods = catalog::create(tx, new(source, told, tx.currency), None, at).await.map_err(failed)?;
    statement::query(
        "insert into source_goods (source_id, named, goods_id)
         values ($1, $2, $3)
         on conflict (source_id, named) do update set goods_id = excluded.goods_id",
    )
    .bind(source.record.id.as_str())
    .bind(named)
    .bind(goods.goods_id.0)
    .execute(&mut tx.conn)
    .await?;
    Ok(goods)
}

fn new(source: &Source, told: &ToldGoods, shop: Currency) -> NewGoods {
    let name = source.record.settings.name.as_str().to_owned();
    NewGoods {
        goods_id: None,
        name: told.name.clone().unwrap_or_else(|| GoodsName::trusted(name.clone())),
        thumbnail_url: told.thumbnail.clone().unwrap_or_else(|| ThumbnailUrl::trusted(NO_PICTURE.to_owned())),
        category: Category::trusted(name),
        price: told.price.unwrap_or(Price { minor: 0, currency: source.record.currency.unwrap_or(shop) }),
        stock: None,
        about: About {
            sku: told.sku.as_deref().and_then(|sku| Sku::parse(sku).ok()),
            url: told.url.as_ref().and_then(|url| PageUrl::parse(url.as_str()).ok()),
            listed: false,
            ..About::default()
        },
    }
}

/// Finds the goods that are told of.
async fn told_of(
    tx: &mut Tx,
    source: &Source,
    sku: Option<&str>,
    id: Option<&ForeignId>,
) -> Result<Option<Goods>, StoreError> {
    let key = id.map(|id| format!("id:{id}"));
    let found = find(tx, source, &[json!([sku, key])]).await?;
    let Some(known) = found.get(&0) else { return Ok(None) };
    Ok(catalog::find_all(&mut tx.conn, tx.currency, &[known.goods_id]).await?.pop())
}

/// Makes goods or keeps them as the source says. Says what was done.
pub(super) async fn keep(
    tx: &mut Tx,
    source: &Source,
    told: &ToldGoods,
    at: Timestamp,
) -> Result<&'static str, StoreError> {
    let known = told_of(tx, source, told.sku.as_deref(), told.foreign_id.as_ref()).await?;
    let Some(goods) = known else {
        let fallback = GoodsName::trusted(told.sku.clone().unwrap_or_default());
        let key = named(told.foreign_id.as_ref(), told.name.as_ref().unwrap_or(&fallback));
        make(tx, source, told, &key, at).await?;
        return Ok("the goods are known now");
    };
    if goods.about.listed || !is_of(tx, source, goods.goods_id).await? {
        return Ok("the goods are the shop's own and stay as they are");
    }
    let patch = GoodsPatch {
        name: told.name.clone(),
        price: told.price,
        thumbnail_url: told.thumbnail.clone(),
        url: told.url.as_ref().map(|url| PageUrl::parse(url.as_str()).ok()),
        ..GoodsPatch::default()
    };
    if is_so(&goods, &patch) {
        return Ok("the goods were so already");
    }
    change(tx, goods, patch, at).await?;
    Ok("the goods are as the source says")
}

/// Whether a change would change nothing.
fn is_so(goods: &Goods, patch: &GoodsPatch) -> bool {
    fn same<T: PartialEq>(wanted: Option<&T>, is: &T) -> bool {
        wanted.is_none_or(|wanted| wanted == is)
    }
    same(patch.name.as_ref(), &goods.name)
        && same(patch.price.as_ref(), &goods.price)
        && same(patch.thumbnail_url.as_ref(), &goods.thumbnail_url)
        && same(patch.url.as_ref(), &goods.about.url)
}

/// Forgets goods that are no longer sold there; orders keep their names. Says what was done.
pub(super) async fn forget(
    tx: &mut Tx,
    source: &Source,
    sku: Option<&str>,
    id: Option<&ForeignId>,
    now: Timestamp,
) -> Result<&'static str, StoreError> {
    let Some(goods) = told_of(tx, source, sku, id).await? else { return Ok("nobody knew the goods") };
    if goods.about.listed || !is_of(tx, source, goods.goods_id).await? {
        return Ok("the goods are the shop's own and stay");
    }
    catalog::delete(tx, goods.goods_id).await?;
    news::goods_updated(tx, GoodsAction::Delete, &goods, now).await?;
    Ok("the goods are forgotten")
}
