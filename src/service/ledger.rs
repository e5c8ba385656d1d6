//! All orders, for administrators: looking for them, and why nobody was told of one.

use std::sync::Arc;

use super::{Page, ServiceError};
use crate::{
    domain::{OrderId, OrderRecord},
    store::{LedgerQuery, LedgerStore},
};

/// The use cases of all orders.
pub struct Ledger {
    store: Arc<dyn LedgerStore>,
}

impl Ledger {
    /// Over a store.
    #[must_use]
    pub fn new(store: Arc<dyn LedgerStore>) -> Self {
        Self { store }
    }

    /// Lists orders, newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&self, query: LedgerQuery) -> Result<Page<OrderRecord, OrderId>, ServiceError> {
        let limit = query.limit;
        let found = self.store.ledger(LedgerQuery { limit: limit.saturating_add(1), ..query }).await?;
        Ok(Page::cut(found, limit, |record| record.order.order_id))
    }

    /// Finds an order.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store failed.
    pub async fn get(&self, id: OrderId) -> Result<OrderRecord, ServiceError> {
        self.store.order_record(id).await?.ok_or(ServiceError::NotFound)
    }
}
