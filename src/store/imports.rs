//! What a store does for goods that come in bulk and go out.

use async_trait::async_trait;

use super::{CatalogError, StoreError};
use crate::domain::{Actor, Goods, GoodsId, GoodsKey, GoodsName, GoodsPatch, Timestamp};

/// What an import made of a line, or would.
#[derive(Clone, Debug)]
pub enum Imported {
    /// Goods that there were not.
    Created,
    /// Goods before and after.
    Updated(Box<(Goods, Goods)>),
    /// Nothing: goods of this name are as the line says.
    Unchanged(GoodsName),
}

/// Goods in bulk.
#[async_trait]
pub trait ImportStore: Send + Sync + 'static {
    /// Makes or changes the goods that a line of an import is about; what changes nothing writes nothing.
    async fn import_goods(
        &self,
        key: GoodsKey,
        patch: GoodsPatch,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Imported, CatalogError>;
    /// What [`import_goods`](Self::import_goods) would do now.
    async fn foresee_import(
        &self,
        key: GoodsKey,
        patch: GoodsPatch,
        now: Timestamp,
    ) -> Result<Imported, CatalogError>;
    /// All goods behind an id, the lowest first, also those that are not sold here.
    async fn goods_after(&self, after: GoodsId, limit: u32) -> Result<Vec<Goods>, StoreError>;
}
