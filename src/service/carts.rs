//! Carts: one per account, kept until it is ordered.

use std::sync::Arc;

use super::ServiceError;
use crate::{
    domain::{CartLine, GoodsId, Quantity, UserId},
    store::CartStore,
};

/// The use cases of carts.
pub struct Carts {
    store: Arc<dyn CartStore>,
}

impl Carts {
    /// Over a store.
    #[must_use]
    pub fn new(store: Arc<dyn CartStore>) -> Self {
        Self { store }
    }

    /// Lists a cart, in the order in which goods were put in.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&self, user: UserId) -> Result<Vec<CartLine>, ServiceError> {
        Ok(self.store.cart(user).await?)
    }

    /// Puts goods in, or changes how many.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn put(&self, user: UserId, goods: GoodsId, quantity: Quantity) -> Result<(), ServiceError> {
        Ok(self.store.put_in_cart(user, goods, quantity).await?)
    }

    /// Puts goods in that are not in yet.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::AlreadyInCart`].
    pub async fn add(&self, user: UserId, goods: GoodsId, quantity: Quantity) -> Result<(), ServiceError> {
        Ok(self.store.add_to_cart(user, goods, quantity).await?)
    }

    /// Takes goods out, if they are in.
    ///
    /// # Errors
    /// The store failed.
    pub async fn remove(&self, user: UserId, goods: GoodsId) -> Result<(), ServiceError> {
        Ok(self.store.remove_from_cart(user, goods).await?)
    }
}
