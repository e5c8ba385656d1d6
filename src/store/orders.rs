//! What a store does for orders.

use async_trait::async_trait;

use super::{Denied, StoreError};
use crate::domain::{Actor, GoodsId, NewOrder, Offset, Order, OrderId, Price, Timestamp, UserId};

/// Why an order was not placed. Nothing of it is kept then, its idempotency key neither.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// No goods with this id.
    #[error("there are no goods {0}")]
    GoodsNotFound(GoodsId),
    /// Fewer pieces are left than were asked for.
    #[error("{name} is out of stock")]
    OutOfStock {
        /// Of these goods.
        goods_id: GoodsId,
        /// Their name.
        name: String,
        /// So many are left.
        left: i64,
    },
    /// The stored cart is empty.
    #[error("the cart is empty")]
    CartEmpty,
    /// The stored cart is not the one that the page showed.
    #[error("the cart has changed")]
    CartChanged,
    /// The key was used for another order.
    #[error("the idempotency key was used for another order")]
    KeyReused,
    /// The order is too dear to be counted.
    #[error("the order is too large")]
    TooLarge,
    /// The order comes to something else than the buyer was told.
    #[error("the order comes to another sum")]
    PriceChanged {
        /// What the buyer was told.
        expected: Price,
        /// What it comes to.
        total: Price,
    },
    /// The buyer may no longer order.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an order was not canceled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// No such order, or not one that the caller may see.
    #[error("there is no such order")]
    NotFound,
    /// It was canceled before.
    #[error("the order is canceled already")]
    AlreadyCanceled,
    /// The caller may no longer cancel.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An order that is durable.
#[derive(Clone, Debug)]
pub struct PlacedOrder {
    /// The order, as it was placed.
    pub order: Order,
    /// The offset of its notification; `None` when the buyer hides purchases.
    pub notification: Option<Offset>,
    /// It was placed before, under the same idempotency key.
    pub replayed: bool,
}

/// Orders.
#[async_trait]
pub trait OrderStore: Send + Sync + 'static {
    /// Places an order: idempotency key, stock, names and prices, cart, order and its event in the log, all or
    /// nothing, if the buyer still may. Returns when it is durable.
    async fn record_order(&self, order: NewOrder) -> Result<PlacedOrder, OrderError>;
    /// Cancels an order: status, what it took of the stock, and the event that withdraws its alert. Its buyer may, and
    /// administrators; `None` is the program itself.
    async fn cancel_order(
        &self,
        id: OrderId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Order, CancelError>;
    /// Lists someone's orders below an id, newest first.
    async fn orders_of(
        &self,
        user: UserId,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<Order>, StoreError>;
    /// Counts the orders of goods since a moment that were announced and are not canceled, up to `most`: of the newest `most`
    /// orders of them.
    async fn count_orders_of(&self, goods: GoodsId, since: Timestamp, most: u32) -> Result<u32, StoreError>;
    /// Finds someone's order.
    async fn order(&self, id: OrderId, owner: UserId) -> Result<Option<Order>, StoreError>;
    /// Forgets idempotency keys that were made before a moment, a few at a time. Returns how many.
    async fn forget_keys(&self, before: Timestamp) -> Result<u64, StoreError>;
}
