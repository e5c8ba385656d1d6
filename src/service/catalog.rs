//! The catalog: what is sold, listed for everyone, changed by administrators.

use std::sync::Arc;

use super::{Page, ServiceError};
use crate::{
    domain::{
        Actor, Category, Currency, Description, Field, FieldError, Fields, Goods, GoodsId, GoodsName,
        GoodsPatch, GoodsSort, Invalid, Offset, PageUrl, Sku, StockChange, StockChangeId, StockReason,
        StockRecord, ThumbnailUrl, Timestamp,
        fields::{ReadFields as _, flag},
        goods::{parse_chosen_id, parse_price, parse_stock, parse_stock_change},
    },
    store::{CatalogError, CatalogStore, GoodsQuery, Precondition, Store, StoreError},
};

/// The name under which the store keeps the currency of its prices.
const CURRENCY: &str = "currency";

/// Why a database cannot be used with the settings' currency.
#[derive(Debug, thiserror::Error)]
pub enum CurrencyError {
    /// Its prices are in another one.
    #[error(
        "--currency {asked} does not fit: the prices in the database are in {kept}; start with --currency {kept}, \
         or use another --database-url"
    )]
    Differs {
        /// The currency of the database.
        kept: String,
        /// The currency of the settings.
        asked: Currency,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Holds a database to the currency of its first goods: a price of 620 cents is not one of 620 won.
///
/// # Errors
/// Goods have prices in another currency; the store failed.
pub async fn check_currency(store: &dyn Store, currency: Currency) -> Result<(), CurrencyError> {
    let kept = store.setting(CURRENCY, currency.code()).await?;
    if kept == currency.code() {
        return Ok(());
    }
    let no_goods =
        store.goods_list(GoodsQuery { limit: 1, unlisted: true, ..GoodsQuery::default() }).await?.is_empty();
    // Orders outlive their goods and have prices too.
    let no_orders = store.reach().await?.latest == Offset::START;
    if no_goods && no_orders {
        store.change_setting(CURRENCY, currency.code()).await?;
        return Ok(());
    }
    Err(CurrencyError::Differs { kept, asked: currency })
}

/// The use cases of the catalog.
pub struct Catalog {
    store: Arc<dyn CatalogStore>,
    currency: Currency,
}

impl Catalog {
    /// Over a store, with prices in `currency`; `feed` knows the version of its catalog.
    #[must_use]
    pub fn new(store: Arc<dyn CatalogStore>, currency: Currency) -> Self {
        Self { store, currency }
    }

    /// Lists goods in the order of `query.sort`, `query.limit` of them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&self, query: GoodsQuery) -> Result<Page<Goods, GoodsSort>, StoreError> {
        let (limit, sort) = (query.limit, query.sort.clone());
        let found = self.store.goods_list(GoodsQuery { limit: limit.saturating_add(1), ..query }).await?;
        Ok(Page::cut(found, limit, |goods| sort.behind(goods)))
    }

    /// Puts goods on sale: `name, thumbnailUrl, category, price, stock?, goodsId?, sku?, description?, url?, announce?,
    /// listed?`.
    ///
    /// # Errors
    /// Fields that are not valid or not known, an id that is or was taken, someone who is no administrator any more.
    pub async fn create(&self, by: Actor, fields: Fields, now: Timestamp) -> Result<Goods, ServiceError> {
        let patch = read(&fields, self.currency, true);
        let known = fields.only(&[&FIELDS[..], &["goodsId"]].concat());
        let goods_id = fields.optional("goodsId", parse_chosen_id);
        let (patch, goods_id, ()) = fields.finish((patch, goods_id, known))?;
        let goods = patch.complete(goods_id).ok_or(CatalogError::Incomplete)?;
        Ok(self.store.create_goods(goods, Some(by), now).await?)
    }

    /// Changes goods, if they are what the caller has seen. `stock: null`, or an empty one in a form, stops counting.
    ///
    /// # Errors
    /// Fields that are not valid or not known, [`ServiceError::NotFound`], [`ServiceError::PreconditionFailed`], someone
    /// who is no administrator any more.
    pub async fn change(
        &self,
        by: Actor,
        id: GoodsId,
        fields: Fields,
        only_if: Option<Precondition>,
        now: Timestamp,
    ) -> Result<Goods, ServiceError> {
        let known = fields.only(&FIELDS);
        let patch = read(&fields, self.currency, false);
        let (patch, ()) = fields.finish((patch, known))?;
        Ok(self.store.change_goods(id, patch, only_if, Some(by), now).await?)
    }

    /// Makes the goods that other systems know by a number, or changes them. Returns them, and whether they are new.
    ///
    /// # Errors
    /// Fields that are not valid or not known, fields that new goods lack, another `sku` that is taken, someone who is no
    /// administrator any more.
    pub async fn put(
        &self,
        by: Actor,
        sku: Sku,
        fields: Fields,
        now: Timestamp,
    ) -> Result<(Goods, bool), ServiceError> {
        let known = fields.only(&FIELDS);
        let patch = read(&fields, self.currency, false);
        // What new goods would lack, should there be none.
        let lacking = read(&fields, self.currency, true).err();
        let (patch, ()) = fields.finish((patch, known))?;
        match (self.store.put_goods(sku, patch, Some(by), now).await, lacking) {
            (Err(CatalogError::Incomplete), Some(lacking)) => Err(lacking.into()),
            (put, _) => Ok(put?),
        }
    }

    /// Changes a counted stock by so many pieces, whatever was sold meanwhile: `change, reason?`.
    ///
    /// # Errors
    /// Fields that are not valid or not known, a stock that is not counted, [`ServiceError::NotFound`],
    /// [`ServiceError::OutOfStock`] below zero, someone who is no administrator any more.
    pub async fn change_stock(
        &self,
        by: Actor,
        id: GoodsId,
        fields: Fields,
        now: Timestamp,
    ) -> Result<Goods, ServiceError> {
        let known = fields.only(&["change", "reason"]);
        let pieces = fields.required("change", parse_stock_change);
        let reason = fields.optional("reason", reason_or_none).map(Option::flatten);
        let (pieces, reason, ()) = fields.finish((pieces, reason, known))?;
        Ok(self.store.change_stock(id, StockChange { pieces, reason }, Some(by), now).await?)
    }

    /// Lists the changes of a stock below an id, newest first, also of goods that are no longer sold.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for goods that there never were, or that left no history; the store failed.
    pub async fn stock_history(
        &self,
        id: GoodsId,
        before: Option<StockChangeId>,
        limit: u32,
    ) -> Result<Page<StockRecord, StockChangeId>, ServiceError> {
        let found = self.store.stock_history(id, before, limit.saturating_add(1)).await?;
        if found.is_empty() && self.store.goods(id).await?.is_none() {
            return Err(ServiceError::NotFound);
        }
        Ok(Page::cut(found, limit, |record| record.change_id))
    }

    /// Takes goods off sale, if they are what the caller has seen.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::PreconditionFailed`], someone who is no administrator any more.
    pub async fn delete(
        &self,
        by: Actor,
        id: GoodsId,
        only_if: Option<Precondition>,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        Ok(self.store.delete_goods(id, only_if, Some(by), now).await?)
    }
}

/// The fields of goods that can be changed.
const FIELDS: [&str; 10] =
    ["name", "thumbnailUrl", "category", "price", "stock", "sku", "description", "url", "announce", "listed"];

/// Reads the fields of goods; `whole` demands those that all goods must have.
pub(super) fn read(fields: &Fields, currency: Currency, whole: bool) -> Result<GoodsPatch, Vec<FieldError>> {
    let shown = (
        needed(fields, "name", GoodsName::parse, whole),
        needed(fields, "thumbnailUrl", ThumbnailUrl::parse_url, whole),
        needed(fields, "category", Category::parse, whole),
        needed(fields, "price", |text| parse_price(text, currency), whole),
        nullable(fields, "stock", parse_stock),
    );
    let about = (
        nullable(fields, "sku", Sku::parse),
        fields.optional("description", Description::parse),
        nullable(fields, "url", PageUrl::parse),
        fields.optional("announce", flag),
        fields.optional("listed", flag),
    );
    let (shown, about) = (shown.gather(), about.gather()).gather()?;
    let (name, thumbnail_url, category, price, stock) = shown;
    let (sku, description, url, announce, listed) = about;
    Ok(GoodsPatch { name, thumbnail_url, category, price, stock, sku, description, url, announce, listed })
}

fn needed<T>(
    fields: &Fields,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
    whole: bool,
) -> Field<Option<T>> {
    if whole { fields.required(name, parse).map(Some) } else { fields.optional(name, parse) }
}

/// A field that can be taken away with `null`. A form has none: an empty field is one.
fn nullable<T>(
    fields: &Fields,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Field<Option<Option<T>>> {
    if fields.is_null(name) {
        return Ok(Some(None));
    }
    fields.optional(name, |text| if text.is_empty() { Ok(None) } else { parse(text).map(Some) })
}

/// A form has no `null`: an empty field is one.
fn reason_or_none(text: &str) -> Result<Option<StockReason>, Invalid> {
    if text.is_empty() { Ok(None) } else { StockReason::parse(text).map(Some) }
}
