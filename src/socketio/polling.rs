//! HTTP long-polling: requests become polls and posts of a connection.

use std::sync::Arc;

use actix::Addr;
use actix_web::{
    HttpRequest, HttpResponse,
    error::PayloadError,
    http::{
        Method,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, SET_COOKIE},
    },
    web,
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::sync::oneshot;

use super::{
    connection::{Owners, Service},
    endpoint::{Endpoint, Rejection},
    workers::{BodyLimit, Poll, PollAborted, Post, Worker},
};
use crate::{
    limits::Charge,
    protocol::engineio::{ErrorCode, Query, Transport},
    transport::connection::ConnectionHandle,
};

/// In the extensions of a response: a refusal in the reference server's form, which its clients read.
#[derive(Clone, Copy, Debug)]
pub struct ProtocolRefusal;

/// A response; a refusal is one, too.
type Response = Result<HttpResponse, HttpResponse>;

impl<S: Service> Endpoint<S> {
    /// Responds to a request that is no WebSocket handshake.
    pub async fn respond(&self, request: &HttpRequest, body: web::Payload) -> HttpResponse {
        self.dispatch(request, body).await.unwrap_or_else(|refusal| refusal)
    }

    async fn dispatch(&self, request: &HttpRequest, body: web::Payload) -> Response {
        let query = Query::parse(request.query_string()).map_err(refused)?;
        if query.transport != Transport::Polling {
            return Err(refused(ErrorCode::BadRequest));
        }
        match (request.method(), query.sid) {
            (&Method::GET, None) => self.open_session(request).await,
            (_, None) => Err(refused(ErrorCode::BadHandshakeMethod)),
            (&Method::GET, Some(sid)) => {
                let owners = (self.door.check)(request.head()).map_err(respond)?;
                self.poll((sid.into(), owners), request.conn_data::<ConnectionHandle>().cloned()).await
            }
            (&Method::POST, Some(sid)) => self.post(sid.into(), request, body).await,
            _ => Err(refused(ErrorCode::BadRequest)),
        }
    }

    async fn open_session(&self, request: &HttpRequest) -> Response {
        let mut admitted = (self.door.admit)(request.head()).await.map_err(respond)?;
        let cookie = admitted.cookie.take();
        let (_, body) = self.engine.open_polling(admitted);
        let mut response = text(body);
        if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(response)
    }

    async fn poll(&self, (sid, owners): (Arc<str>, Owners), handle: Option<ConnectionHandle>) -> Response {
        let owner = self.directory.owner(&sid).ok_or_else(|| refused(ErrorCode::UnknownSession))?;
        let (answer, answered) = oneshot::channel();
        let mut watch = PollWatch { owner: owner.clone(), sid: Some(Arc::clone(&sid)) };
        let taken = owner.send(Poll { sid, owners, answer }).await.unwrap_or(Err(ErrorCode::UnknownSession));
        if let Err(code) = taken {
            watch.sid = None;
            return Err(refused(code));
        }
        let handle = handle.unwrap_or_default();
        let body = tokio::select! {
            body = answered => body,
            // The watch tells the session.
            () = handle.ended() => return Err(refused(ErrorCode::BadRequest)),
        };
        watch.sid = None;
        // Without an answer the session went on over a WebSocket, or is gone.
        body.map(text).map_err(|_| refused(ErrorCode::BadRequest))
    }

    async fn post(&self, sid: Arc<str>, request: &HttpRequest, payload: web::Payload) -> Response {
        let owners = (self.door.check)(request.head()).map_err(respond)?;
        let owner = self.directory.owner(&sid).ok_or_else(|| refused(ErrorCode::UnknownSession))?;
        let (limits, declared) = (&self.engine.limits, declared_length(request));
        if declared.is_some_and(|length| length > limits.max_payload) {
            return Err(HttpResponse::PayloadTooLarge().finish());
        }
        let is_small = declared.is_some_and(|length| length <= limits.unused_payload);
        let limit = if is_small {
            limits.unused_payload
        } else {
            let known = owner.send(BodyLimit { sid: Arc::clone(&sid), owners: owners.clone() }).await;
            known.unwrap_or(Err(ErrorCode::UnknownSession)).map_err(refused)?
        };
        let mut held = (self.door.pay)(request.head(), &owners).charge();
        let body = tokio::time::timeout(limits.body_timeout, collect(payload, limit, &mut held));
        let body = body.await.map_err(|_| HttpResponse::RequestTimeout().finish())??;
        let taken = owner.send(Post { sid, owners, body }).await;
        match taken.unwrap_or(Err(ErrorCode::UnknownSession)) {
            Ok(()) => Ok(text("ok")),
            Err(code) => Err(refused(code)),
        }
    }
}

fn declared_length(request: &HttpRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The body of a POST, as far as it may go. What of it is here is counted by `held`.
async fn collect(
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

/// Tells the session when its poll is dropped without an answer, because the client went away.
struct PollWatch<S: Service> {
    owner: Addr<Worker<S>>,
    sid: Option<Arc<str>>,
}

impl<S: Service> Drop for PollWatch<S> {
    fn drop(&mut self) {
        if let Some(sid) = self.sid.take() {
            // At most one per poll that is under way, and the engine never waits for anything.
            self.owner.do_send(PollAborted(sid));
        }
    }
}

fn text(body: impl Into<Bytes>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=UTF-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body.into())
}

fn refused(code: ErrorCode) -> HttpResponse {
    respond(code.into())
}

fn respond(rejection: Rejection) -> HttpResponse {
    let is_protocol = matches!(rejection, Rejection::Protocol(_));
    let refusal = rejection.into_response();
    let mut response = HttpResponse::build(refusal.status).body(refusal.body);
    *response.headers_mut() = refusal.headers;
    if is_protocol {
        response.extensions_mut().insert(ProtocolRefusal);
    }
    response
}
