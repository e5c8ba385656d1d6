//! The catalog: what is sold, listed for everyone, changed by administrators.

use std::sync::Arc;

use super::{Page, ServiceError};
use crate::{
    domain::{
        Actor, Category, Currency, Fields, Goods, GoodsId, GoodsName, GoodsPatch, Invalid, NewGoods, Offset,
        Stock, StockChange, StockChangeId, StockReason, StockRecord, ThumbnailUrl, Timestamp,
        goods::{parse_chosen_id, parse_price, parse_stock, parse_stock_change},
    },
    store::{CatalogStore, GoodsQuery, Precondition, Store, StoreError},
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
    let no_goods = store.goods_list(GoodsQuery { limit: 1, ..GoodsQuery::default() }).await?.is_empty();
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

    /// Lists goods, newest id first, `query.limit` of them.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&self, query: GoodsQuery) -> Result<Page<Goods, GoodsId>, StoreError> {
        let limit = query.limit;
        let found = self.store.goods_list(GoodsQuery { limit: limit.saturating_add(1), ..query }).await?;
        Ok(Page::cut(found, limit, |goods| goods.goods_id))
    }

    /// Puts goods on sale: `name, thumbnailUrl, category, price, stock?, goodsId?`.
    ///
    /// # Errors
    /// Fields that are not valid or not known, an id that is or was taken, someone who is no administrator any more.
    pub async fn create(&self, by: Actor, fields: Fields, now: Timestamp) -> Result<Goods, ServiceError> {
        let currency = self.currency;
        let known = fields.only(&["name", "thumbnailUrl", "category", "price", "stock", "goodsId"]);
        let name = fields.required("name", GoodsName::parse);
        let thumbnail_url = fields.required("thumbnailUrl", ThumbnailUrl::parse_url);
        let category = fields.required("category", Category::parse);
        let price = fields.required("price", |text| parse_price(text, currency));
        let stock = fields.optional("stock", stock_or_none).map(Option::flatten);
        let goods_id = fields.optional("goodsId", parse_chosen_id);
        let (name, thumbnail_url, category, price, stock, goods_id, ()) =
            fields.finish((name, thumbnail_url, category, price, stock, goods_id, known))?;
        let goods = NewGoods { goods_id, name, thumbnail_url, category, price, stock };
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
        let currency = self.currency;
        let known = fields.only(&["name", "thumbnailUrl", "category", "price", "stock"]);
        let name = fields.optional("name", GoodsName::parse);
        let thumbnail_url = fields.optional("thumbnailUrl", ThumbnailUrl::parse_url);
        let category = fields.optional("category", Category::parse);
        let price = fields.optional("price", |text| parse_price(text, currency));
        let stock =
            if fields.is_null("stock") { Ok(Some(None)) } else { fields.optional("stock", stock_or_none) };
        let (name, thumbnail_url, category, price, stock, ()) =
            fields.finish((name, thumbnail_url, category, price, stock, known))?;
        let patch = GoodsPatch { name, thumbnail_url, category, price, stock };
        Ok(self.store.change_goods(id, patch, only_if, Some(by), now).await?)
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

/// As [`stock_or_none`].
fn reason_or_none(text: &str) -> Result<Option<StockReason>, Invalid> {
    if text.is_empty() { Ok(None) } else { StockReason::parse(text).map(Some) }
}

/// A form has no `null`: an empty field is one.
fn stock_or_none(text: &str) -> Result<Stock, Invalid> {
    if text.is_empty() { Ok(None) } else { parse_stock(text).map(Some) }
}
