//! What requests are answered without a WebSocket, and what they bring.

use actix_web::{
    HttpResponse,
    error::PayloadError,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use super::endpoint::Rejection;
use crate::{limits::Charge, protocol::engineio::ErrorCode};

/// In the extensions of a response: a refusal in the reference server's form, which its clients read.
#[derive(Clone, Copy, Debug)]
pub struct ProtocolRefusal;

/// A response; a refusal is one, too.
pub(super) type Response = Result<HttpResponse, HttpResponse>;

/// The body of a POST, as far as it may go. What of it is here is counted by `held`.
pub(super) async fn collect(
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    limit: usize,
    held: &mut Charge,
) -> Result<Bytes, HttpResponse> {
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| refused(ErrorCode::BadRequest))?;
        if body.len() + piece.len() > limit {
            return Err(HttpResponse::PayloadTooLarge().finish());
        }
        body.extend_from_slice(&piece);
        held.set(body.capacity()).map_err(|_| HttpResponse::ServiceUnavailable().finish())?;
    }
    Ok(body.freeze())
}

pub(super) fn text(body: impl Into<Bytes>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=UTF-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body.into())
}

pub(super) fn refused(code: ErrorCode) -> HttpResponse {
    respond(code.into())
}

pub(super) fn respond(rejection: Rejection) -> HttpResponse {
    let is_protocol = matches!(rejection, Rejection::Protocol(_));
    let refusal = rejection.into_response();
    let mut response = HttpResponse::build(refusal.status).body(refusal.body);
    *response.headers_mut() = refusal.headers;
    if is_protocol {
        response.extensions_mut().insert(ProtocolRefusal);
    }
    response
}
