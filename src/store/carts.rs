//! What a store does for carts.

use async_trait::async_trait;

use super::{CatalogError, StoreError};
use crate::domain::{CartLine, GoodsId, Quantity, UserId};

/// Carts, one per account.
#[async_trait]
pub trait CartStore: Send + Sync + 'static {
    /// Lists a cart, in the order in which goods were put in.
    async fn cart(&self, user: UserId) -> Result<Vec<CartLine>, StoreError>;
    /// Puts goods in a cart, or changes how many.
    async fn put_in_cart(&self, user: UserId, goods: GoodsId, quantity: Quantity)
    -> Result<(), CatalogError>;
    /// Puts goods in a cart that does not hold them yet.
    async fn add_to_cart(&self, user: UserId, goods: GoodsId, quantity: Quantity)
    -> Result<(), CatalogError>;
    /// Takes goods out of a cart, if they are in it.
    async fn remove_from_cart(&self, user: UserId, goods: GoodsId) -> Result<(), StoreError>;
}
