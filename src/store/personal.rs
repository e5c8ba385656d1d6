//! What a store does for the people behind accounts: it says all that it keeps about one, and forgets it.

use async_trait::async_trait;

use super::{AccountError, StoreError};
use crate::domain::{
    Actor, Offset, Order, OrderId, SessionId, StockChangeId, StockRecord, Timestamp, UserId,
};

/// A log-in as it is kept, also one that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLogIn {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}

/// An order with what others were told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOrder {
    /// The order.
    pub order: Order,
    /// Its alert; `None` when nobody was told, or it was pruned.
    pub announced_as: Option<Offset>,
    /// Under which name.
    pub named: Option<String>,
}

/// A client's name for an order, see [`IdempotencyKey`](crate::domain::IdempotencyKey).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptKey {
    /// The name.
    pub key: String,
    /// The order.
    pub order_id: OrderId,
    /// Since when.
    pub created_at: Timestamp,
}

/// What is kept about one account. The lists are read in pages of at most `limit` after or below a place.
#[async_trait]
pub trait PersonalStore: Send + Sync + 'static {
    /// Its log-ins, in no order that means anything.
    async fn kept_log_ins(
        &self,
        user: UserId,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<KeptLogIn>, StoreError>;
    /// Its orders, newest first.
    async fn kept_orders(
        &self,
        user: UserId,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<KeptOrder>, StoreError>;
    /// Its idempotency keys, by their text.
    async fn kept_keys(
        &self,
        user: UserId,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<KeptKey>, StoreError>;
    /// The stocks that it changed, newest first.
    async fn kept_stock_changes(
        &self,
        user: UserId,
        before: Option<StockChangeId>,
        limit: u32,
    ) -> Result<Vec<StockRecord>, StoreError>;
    /// Erases an account: its log-ins end, its cart and keys go, its name leaves the past alerts, and its orders become
    /// figures without a person. Address and nickname are free again.
    async fn erase_user(&self, by: Actor, now: Timestamp) -> Result<(), AccountError>;
}
