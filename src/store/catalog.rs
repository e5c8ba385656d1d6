//! What a store does for goods.

use async_trait::async_trait;

use super::{Denied, StoreError};
use crate::domain::{
    Actor, Goods, GoodsId, GoodsPatch, GoodsSort, NewGoods, Sku, Stock, StockChange, StockChangeId,
    StockRecord, Timestamp,
};

/// Why the catalog or a cart was not changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// No such goods.
    #[error("there are no such goods")]
    NotFound,
    /// The chosen id belongs to other goods, or did; the number in other systems does.
    #[error("goods with this id or sku exist")]
    GoodsExist,
    /// New goods lack what all goods must have.
    #[error("there are no such goods, and they cannot be made of this")]
    Incomplete,
    /// Goods cannot be sold here whose price is in another currency.
    #[error("the price is not in the shop's currency")]
    ForeignPrice,
    /// They are not what the caller has seen.
    #[error("the goods have changed")]
    Changed,
    /// There are not so many pieces to take away.
    #[error("{name} is out of stock")]
    OutOfStock {
        /// Of these goods.
        goods_id: GoodsId,
        /// Their name.
        name: String,
        /// So many are left.
        left: i64,
    },
    /// The stock is not counted, or would be more than there can be: it cannot change by so many pieces.
    #[error("the stock cannot change so")]
    NoChange(Stock),
    /// The caller may not, or no longer.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The cart holds the goods already.
    #[error("the goods are in the cart already")]
    AlreadyInCart,
    /// The cart has as many lines as an order may have.
    #[error("the cart is full")]
    CartFull,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which goods of the catalog to list, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GoodsQuery {
    /// The order, and where in it the list begins.
    pub sort: GoodsSort,
    /// Only this category, whatever its case and form.
    pub category: Option<String>,
    /// Only names that contain every word of this text, without regard to case, accents and form.
    pub text: Option<String>,
    /// Only goods that cost so much or more, in minor units.
    pub min_price: Option<i64>,
    /// Only goods that cost so much or less, in minor units.
    pub max_price: Option<i64>,
    /// Only goods of which a piece can be had now, or only those of which none can.
    pub in_stock: Option<bool>,
    /// Also goods that are not sold here.
    pub unlisted: bool,
    /// At most so many.
    pub limit: u32,
}

/// Whether goods, as they are in the transaction that changes them, are what the caller has seen.
pub type Precondition = Box<dyn FnOnce(&Goods) -> bool + Send>;

/// Goods. Who changes them must still be an administrator when it is done; `None` is the program itself.
#[async_trait]
pub trait CatalogStore: Send + Sync + 'static {
    /// Lists goods that are sold here.
    async fn goods_list(&self, query: GoodsQuery) -> Result<Vec<Goods>, StoreError>;
    /// Finds goods.
    async fn goods(&self, id: GoodsId) -> Result<Option<Goods>, StoreError>;
    /// Lists the categories that goods sold here have by their names, with the number of goods in each.
    async fn categories(&self) -> Result<Vec<(String, i64)>, StoreError>;
    /// Puts goods on sale. An id that goods ever had is not given again.
    async fn create_goods(
        &self,
        goods: NewGoods,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Goods, CatalogError>;
    /// Changes goods, if they are what the caller has seen.
    async fn change_goods(
        &self,
        id: GoodsId,
        patch: GoodsPatch,
        only_if: Option<Precondition>,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Goods, CatalogError>;
    /// Makes the goods that other systems know by this number, or changes them. Returns them, and whether they are new.
    async fn put_goods(
        &self,
        sku: Sku,
        patch: GoodsPatch,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(Goods, bool), CatalogError>;
    /// Changes a counted stock by so many pieces, whatever was sold meanwhile.
    async fn change_stock(
        &self,
        id: GoodsId,
        change: StockChange,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Goods, CatalogError>;
    /// The changes of a stock below an id, newest first. It outlives the goods.
    async fn stock_history(
        &self,
        id: GoodsId,
        before: Option<StockChangeId>,
        limit: u32,
    ) -> Result<Vec<StockRecord>, StoreError>;
    /// Takes goods off sale and out of all carts, if they are what the caller has seen. Orders keep their name and
    /// price.
    async fn delete_goods(
        &self,
        id: GoodsId,
        only_if: Option<Precondition>,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), CatalogError>;
}
