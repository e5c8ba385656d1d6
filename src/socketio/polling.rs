//! HTTP long-polling.

use std::{rc::Rc, sync::Arc};

use actix::Addr;
use actix_web::{
    HttpRequest, HttpResponse,
    error::PayloadError,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, SET_COOKIE},
    },
    web,
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::sync::oneshot;

use super::{
    endpoint::{Endpoint, Rejection},
    engine::Service,
    workers::{Poll, PollAborted, Post, Worker},
};
use crate::{
    protocol::engineio::{ErrorCode, Query, Transport},
    telemetry,
    transport::connection::Ended,
    web::{
        edge::{AsIs, log_cause},
        messages::Language,
    },
};

/// HTTP long-polling: every request at an engine's address that is no WebSocket handshake.
pub async fn polling<S: Service>(request: HttpRequest, body: web::Payload) -> HttpResponse {
    let Some(endpoint) = request.app_data::<Rc<Endpoint<S>>>().cloned() else {
        return HttpResponse::NotFound().finish();
    };
    endpoint.answer(&request, body).await.unwrap_or_else(|refusal| refusal)
}

/// Answers; what is refused is an answer too.
type Answer = Result<HttpResponse, HttpResponse>;

impl<S: Service> Endpoint<S> {
    async fn answer(&self, request: &HttpRequest, body: web::Payload) -> Answer {
        let query = Query::parse(request.query_string()).map_err(refused)?;
        if query.transport != Transport::Polling {
            return Err(refused(ErrorCode::BadRequest));
        }
        match (request.method(), query.sid) {
            (&Method::GET, None) => self.open_session(request).await,
            (_, None) => Err(refused(ErrorCode::BadHandshakeMethod)),
            (&Method::GET, Some(sid)) => self.poll(sid.into(), request.conn_data::<Ended>().cloned()).await,
            (&Method::POST, Some(sid)) => self.post(sid.into(), request, body).await,
            _ => Err(refused(ErrorCode::BadRequest)),
        }
    }

    async fn open_session(&self, request: &HttpRequest) -> Answer {
        let admitted = (self.admit)(request.head()).await.map_err(|rejection| match rejection {
            Rejection::Protocol(code) => refused(code),
            Rejection::Problem(problem) => {
                log_cause(&problem);
                problem.respond(Language::of(request.headers()))
            }
        })?;
        let (_, body) = self.engine.open_polling(admitted.request);
        let mut response = text(body);
        if let Some(cookie) = admitted.cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(response)
    }

    async fn poll(&self, sid: Arc<str>, ended: Option<Ended>) -> Answer {
        let owner = self.directory.owner(&sid).ok_or_else(|| refused(ErrorCode::UnknownSession))?;
        let (answer, answered) = oneshot::channel();
        let mut watch = PollWatch { owner: owner.clone(), sid: Some(Arc::clone(&sid)) };
        let taken = owner.send(Poll { sid, answer }).await.unwrap_or(Err(ErrorCode::UnknownSession));
        if let Err(code) = taken {
            watch.sid = None;
            return Err(refused(code));
        }
        let ended = ended.unwrap_or_default();
        let body = tokio::select! {
            body = answered => body,
            // The watch tells the session.
            () = ended.wait() => return Err(refused(ErrorCode::BadRequest)),
        };
        watch.sid = None;
        // Without an answer the session went on over a WebSocket, or is gone.
        body.map(text).map_err(|_| refused(ErrorCode::BadRequest))
    }

    async fn post(&self, sid: Arc<str>, request: &HttpRequest, payload: web::Payload) -> Answer {
        let owner = self.directory.owner(&sid).ok_or_else(|| refused(ErrorCode::UnknownSession))?;
        let limit = self.engine.limits.max_payload;
        let declared = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if declared.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length > limit) {
            return Err(HttpResponse::PayloadTooLarge().finish());
        }
        let body = tokio::time::timeout(self.engine.limits.body_timeout, collect(payload, limit));
        let body = body.await.map_err(|_| HttpResponse::RequestTimeout().finish())??;
        let taken = owner.send(Post { sid, body }).await;
        match taken.unwrap_or(Err(ErrorCode::UnknownSession)) {
            Ok(()) => Ok(text("ok")),
            Err(code) => Err(refused(code)),
        }
    }
}

/// The body of a POST, as far as it may go.
async fn collect(
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    limit: usize,
) -> Result<Bytes, HttpResponse> {
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| refused(ErrorCode::BadRequest))?;
        if body.len() + piece.len() > limit {
            return Err(HttpResponse::PayloadTooLarge().finish());
        }
        body.extend_from_slice(&piece);
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

/// A refusal as the reference server gives it, which its clients read.
fn refused(code: ErrorCode) -> HttpResponse {
    telemetry::refused(code.name());
    let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(code.body());
    response.extensions_mut().insert(AsIs);
    response
}
