//! What a store counts for the figures of a shop.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{Day, OrderId, Timestamp, WidgetCounts};

/// Orders that were placed in one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrdersOfMinute {
    /// Minutes since 1970.
    pub minute: i64,
    /// So many.
    pub count: u64,
    /// The newest of them.
    pub newest: OrderId,
}

/// Counts of orders and of what visitors did with the widget.
#[async_trait]
pub trait FigureStore: Send + Sync + 'static {
    /// The newest order that was placed before a moment; 0 when there is none.
    async fn last_order_before(&self, moment: Timestamp) -> Result<OrderId, StoreError>;
    /// Counts the orders up to one, canceled ones too.
    async fn count_orders(&self, last: OrderId) -> Result<u64, StoreError>;
    /// Counts the orders after one by minute, canceled ones too, the oldest minute first.
    async fn orders_by_minute(&self, after: OrderId) -> Result<Vec<OrdersOfMinute>, StoreError>;

    /// Adds to the counts of a day, and forgets those of days before another.
    async fn count_widget(&self, day: Day, counts: WidgetCounts, forget: Day) -> Result<(), StoreError>;
    /// The counts of a day.
    async fn widget_counts(&self, day: Day) -> Result<WidgetCounts, StoreError>;
}
