//! What requests are answered without a WebSocket, and what they bring.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpResponse,
    body::{BodySize, MessageBody},
    error::PayloadError,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use super::{call::GOT, endpoint::Rejection};
use crate::{bus::peers::Channel, limits::Charge, protocol::engineio::ErrorCode};

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

/// What another node answers to a poll, which learns on the channel when the client has it.
struct Carried {
    length: u64,
    /// Taken when HTTP has taken it.
    body: Option<Bytes>,
    /// Dropped with the response when that was not sent, which the other node learns, too.
    channel: Option<Channel>,
}

impl MessageBody for Carried {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        if let Some(body) = self.body.take() {
            return Poll::Ready(Some(Ok(body)));
        }
        if let Some(channel) = self.channel.take() {
            // Runs after HTTP's own task, which writes what it has taken before it rests.
            actix_rt::spawn(async move {
                if channel.send(GOT).await.is_ok() {
                    channel.finish();
                }
            });
        }
        Poll::Ready(None)
    }
}

/// The answer to a poll for another node's connection; `channel` is told when HTTP has written it.
pub(super) fn carried(body: Bytes, channel: Channel) -> HttpResponse {
    let length = u64::try_from(body.len()).unwrap_or(u64::MAX);
    plain(Carried { length, body: Some(body), channel: Some(channel) })
}

pub(super) fn text(body: impl Into<Bytes>) -> HttpResponse {
    let body: Bytes = body.into();
    plain(body)
}

fn plain(body: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=UTF-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body)
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
