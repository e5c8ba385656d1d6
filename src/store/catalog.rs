//! What a store does for goods.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{Goods, GoodsId, GoodsPatch, NewGoods, Timestamp};

/// Why the catalog or a cart was not changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// No such goods.
    #[error("there are no such goods")]
    NotFound,
    /// The chosen id belongs to other goods.
    #[error("goods with this id exist")]
    GoodsExist,
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

/// Which goods of the catalog to list, newest id first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GoodsQuery {
    /// Only this category, whatever its case and form.
    pub category: Option<String>,
    /// Only names that contain every word of this text, without regard to case, accents and form.
    pub text: Option<String>,
    /// Only ids below this one.
    pub before: Option<GoodsId>,
    /// At most so many.
    pub limit: u32,
}

/// Goods.
#[async_trait]
pub trait CatalogStore: Send + Sync + 'static {
    /// Lists goods, newest id first.
    async fn goods_list(&self, query: GoodsQuery) -> Result<Vec<Goods>, StoreError>;
    /// Finds goods.
    async fn goods(&self, id: GoodsId) -> Result<Option<Goods>, StoreError>;
    /// Puts goods on sale.
    async fn create_goods(&self, goods: NewGoods, now: Timestamp) -> Result<Goods, CatalogError>;
    /// Changes goods.
    async fn change_goods(
        &self,
        id: GoodsId,
        patch: GoodsPatch,
        now: Timestamp,
    ) -> Result<Goods, CatalogError>;
    /// Takes goods off sale and out of all carts. Orders keep their name and price.
    async fn delete_goods(&self, id: GoodsId) -> Result<(), CatalogError>;
}
