//! What a store does for deliveries and their attempts.

use async_trait::async_trait;

use super::{EndpointError, StoreError};
use crate::domain::{
    Actor, Attempt, AttemptRecord, Delivery, DeliveryId, DeliveryStatus, EndpointId, NewsItem, Timestamp,
};

/// A delivery that is due, with what it tells; `None` when the log no longer has that.
#[derive(Debug)]
pub struct DueDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// What it tells; `None` for a test, and for what was pruned.
    pub item: Option<NewsItem>,
}

/// What waits at an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Deliveries that wait for a retry.
    pub deliveries: u32,
    /// When the first of them is due.
    pub next_at: Option<Timestamp>,
}

/// Deliveries.
#[async_trait]
pub trait DeliveryStore: Send + Sync + 'static {
    /// Sends a delivery again as soon as may be, whatever became of it.
    async fn resend(
        &self,
        id: EndpointId,
        delivery: DeliveryId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Delivery, EndpointError>;
    /// Sends a test as soon as may be, under a message's name.
    async fn test_endpoint(
        &self,
        id: EndpointId,
        message: String,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Delivery, EndpointError>;
    /// Lists an endpoint's deliveries below an id, the newest first.
    async fn deliveries(
        &self,
        id: EndpointId,
        status: Option<DeliveryStatus>,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;
    /// Finds a delivery and its attempts, the newest 100, oldest of them first.
    async fn delivery(
        &self,
        id: EndpointId,
        delivery: DeliveryId,
    ) -> Result<Option<(Delivery, Vec<Attempt>)>, StoreError>;
    /// Finds the delivery of an endpoint that has been due for the longest.
    async fn due_delivery(&self, id: EndpointId, now: Timestamp) -> Result<Option<DueDelivery>, StoreError>;
    /// What waits at an endpoint.
    async fn waiting(&self, id: EndpointId) -> Result<Waiting, StoreError>;
    /// Keeps what attempts changed, all together.
    async fn record_attempts(&self, records: Vec<AttemptRecord>) -> Result<(), StoreError>;
    /// Gives a delivery up whose event the log no longer has.
    async fn give_up(&self, delivery: DeliveryId, now: Timestamp) -> Result<(), StoreError>;
    /// Forgets attempts from before a moment and deliveries of which nothing is left to tell, a few at a time. Returns
    /// how many.
    async fn forget_attempts(&self, before: Timestamp) -> Result<u64, StoreError>;
}
