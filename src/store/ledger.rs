//! What a store does for those who look at all orders, whosever and from wherever.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{OrderId, OrderRecord, OrderStatus, SourceId, Timestamp};

/// Where orders came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderedAt {
    /// They were placed here.
    Here,
    /// A source told of them.
    Source(SourceId),
}

/// Which orders to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct LedgerQuery {
    /// Only those that stand so.
    pub status: Option<OrderStatus>,
    /// Only those from there.
    pub place: Option<OrderedAt>,
    /// Only those with this number, here or at their source; whose buyer is called so; or of goods whose name, now or
    /// once, has every word of it.
    pub text: Option<String>,
    /// Only those that came at or after a moment.
    pub from: Option<Timestamp>,
    /// Only those that came before one.
    pub to: Option<Timestamp>,
    /// Only those that come after this one in the list.
    pub after: Option<OrderId>,
    /// At most so many.
    pub limit: u32,
}

/// All orders.
#[async_trait]
pub trait LedgerStore: Send + Sync + 'static {
    /// Lists orders.
    async fn ledger(&self, query: LedgerQuery) -> Result<Vec<OrderRecord>, StoreError>;
    /// Finds one.
    async fn order_record(&self, id: OrderId) -> Result<Option<OrderRecord>, StoreError>;
}
