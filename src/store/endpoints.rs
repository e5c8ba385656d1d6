//! What a store does for endpoints: who is told what, and how far.

use async_trait::async_trait;

use super::{Denied, StoreError};
use crate::domain::{
    Actor, Endpoint, EndpointId, EndpointPatch, EndpointSecret, NewEndpoint, Place, Timestamp,
};

/// The most endpoints: each is a task and a connection of its own, and so bounds what goes on at once.
pub const MAX_ENDPOINTS: usize = 64;

/// Why something about an endpoint was not done.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// There is no such endpoint or delivery.
    #[error("there is no such endpoint or delivery")]
    NotFound,
    /// There are as many as there may be.
    #[error("there are {MAX_ENDPOINTS} endpoints already")]
    TooMany,
    /// Nothing is sent while it is disabled.
    #[error("the endpoint is disabled")]
    Disabled,
    /// The log no longer has what is to be sent.
    #[error("the log no longer has this event")]
    Pruned,
    /// Who asks may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Endpoints.
#[async_trait]
pub trait EndpointStore: Send + Sync + 'static {
    /// Makes an endpoint. It is told what happens from now on.
    async fn create_endpoint(
        &self,
        endpoint: NewEndpoint,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Endpoint, EndpointError>;
    /// Lists all endpoints, the oldest first.
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError>;
    /// Finds one.
    async fn endpoint(&self, id: EndpointId) -> Result<Option<Endpoint>, StoreError>;
    /// Changes one. Switched on again, it goes on where it was.
    async fn change_endpoint(
        &self,
        id: EndpointId,
        patch: EndpointPatch,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Endpoint, EndpointError>;
    /// Gives one another secret. The one before signs too until a moment.
    async fn rotate_endpoint(
        &self,
        id: EndpointId,
        fresh: EndpointSecret,
        old_until: Timestamp,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Endpoint, EndpointError>;
    /// Removes one, with its deliveries.
    async fn remove_endpoint(
        &self,
        id: EndpointId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), EndpointError>;
    /// Tells one everything again that happened at or after a moment. Returns from which place on.
    async fn replay(
        &self,
        id: EndpointId,
        since: Timestamp,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Place, EndpointError>;
    /// Moves an endpoint's cursor over what it is not told.
    async fn pass_over(
        &self,
        id: EndpointId,
        generation: i64,
        place: Place,
        lost: i64,
    ) -> Result<(), StoreError>;
}
