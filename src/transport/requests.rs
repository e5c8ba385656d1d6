//! The requests of a connection: which are in flight, and that each has its turn.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_http::ConnectionType;
use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    middleware::Next,
};
use bytes::Bytes;

use super::connection::{ConnectionHandle, RequestInFlight};

/// A body whose request is in flight until it was handed over.
pub struct TrackedBody {
    body: BoxBody,
    _in_flight: Option<RequestInFlight>,
}

impl MessageBody for TrackedBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// The outermost middleware: tells the connection that a request is in flight. And closes, with a word, one whose request
/// offered an upgrade that was not taken: the dispatcher of HTTP keeps such a connection for no other request, but does
/// not say so, and a proxy that reuses it would lose one.
///
/// # Errors
/// Those of what it goes around.
pub async fn track_requests<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<TrackedBody>, Error> {
    let handle = request.conn_data::<ConnectionHandle>();
    let in_flight = handle.map(|handle| handle.track_request(length(&request)));
    if handle.is_some_and(ConnectionHandle::is_pipelined) {
        // Others come first: who sends many requests at once has its turn for one of them like everyone else.
        tokio::task::yield_now().await;
    }
    let offered = request.head().connection_type() == ConnectionType::Upgrade;
    let mut response = next.call(request).await?;
    if offered {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response.map_body(|_, body| TrackedBody { body: body.boxed(), _in_flight: in_flight }))
}

/// Bytes that a request has at least. A body in chunks does not say how many they are: it is read as its handler wants it.
fn length(request: &ServiceRequest) -> i64 {
    let headers = request.headers();
    if headers.contains_key(TRANSFER_ENCODING) {
        return i64::MAX / 2;
    }
    let body = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let line = request.method().as_str().len() + request.uri().path().len() + LINE;
    let query = request.uri().query().map_or(0, str::len);
    let fields = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + FIELD);
    let head: usize = line + query + fields.sum::<usize>();
    i64::try_from(head).unwrap_or(i64::MAX / 2).saturating_add(body.unwrap_or(0))
}

/// Bytes of a request line beside method and path, with the empty line at the end: ` `, ` HTTP/1.1`, CR and LF.
const LINE: usize = 14;
/// Bytes of a header's line beside name and value: `:`, CR and LF.
const FIELD: usize = 3;
