//! What the documents of the contract tell of the transports: a route, and what their sessions are told.

use utoipa::OpenApi;

pub use super::{
    hello::Hello,
    refusal::{Ack, ErrorEvent, Refused},
};

/// `GET /api/events`; what is said over WebSockets is in the document of the events.
#[derive(Debug, OpenApi)]
#[openapi(paths(super::sse::events))]
pub struct Transports;
