//! HTTP long-polling: requests become polls and posts of a connection.

use std::sync::Arc;

use actix::Addr;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{CONTENT_LENGTH, HeaderValue, SET_COOKIE},
    },
    web,
};
use tokio::sync::oneshot;

use super::{
    carrying::Elsewhere,
    connection::{Owners, Service},
    endpoint::Endpoint,
    responses::{Response, collect, refused, respond, text},
    workers::{BodyLimit, Owner, Poll, PollAborted, Post, Worker},
};
use crate::{
    bus::NodeId,
    protocol::engineio::{ErrorCode, Query, Transport},
    transport::connection::ConnectionHandle,
};

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
                match self.directory.owner(&sid) {
                    Some(Owner::Thread(owner)) => self.poll(owner, (sid.into(), owners), request).await,
                    Some(Owner::Node(node)) => {
                        // In a box, as the other ways to other nodes: polls that wait here are half a kilobyte smaller.
                        Box::pin(self.directory.carry_poll(self.elsewhere(node, (&sid, owners), request)))
                            .await
                    }
                    None => Err(refused(ErrorCode::UnknownSession)),
                }
            }
            (&Method::POST, Some(sid)) => {
                let owners = (self.door.check)(request.head()).map_err(respond)?;
                let owner = self.directory.owner(&sid).ok_or_else(|| refused(ErrorCode::UnknownSession))?;
                if declared_length(request).is_some_and(|length| length > self.engine.limits.max_payload) {
                    return Err(HttpResponse::PayloadTooLarge().finish());
                }
                match owner {
                    Owner::Thread(owner) => self.post(owner, (sid.into(), owners), request, body).await,
                    Owner::Node(node) => {
                        let post = self.elsewhere(node, (&sid, owners), request);
                        Box::pin(self.directory.carry_post(post, body)).await
                    }
                }
            }
            _ => Err(refused(ErrorCode::BadRequest)),
        }
    }

    fn elsewhere<'a>(
        &'a self,
        node: NodeId,
        (sid, owners): (&'a str, Owners),
        request: &'a HttpRequest,
    ) -> Elsewhere<'a, S> {
        let purse = (self.door.pay)(request.head(), &owners);
        Elsewhere { node, sid, owners, purse, request, engine: &self.engine }
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

    async fn poll(
        &self,
        owner: Addr<Worker<S>>,
        (sid, owners): (Arc<str>, Owners),
        request: &HttpRequest,
    ) -> Response {
        let (answer, answered) = oneshot::channel();
        let mut watch = PollWatch { owner: owner.clone(), sid: Some(Arc::clone(&sid)) };
        let taken = owner.send(Poll { sid, owners, answer }).await.unwrap_or(Err(ErrorCode::UnknownSession));
        if let Err(code) = taken {
            watch.sid = None;
            return Err(refused(code));
        }
        let handle = request.conn_data::<ConnectionHandle>().cloned().unwrap_or_default();
        let body = tokio::select! {
            body = answered => body,
            // The watch tells the session.
            () = handle.ended() => return Err(refused(ErrorCode::BadRequest)),
        };
        watch.sid = None;
        // Without an answer the session went on over a WebSocket, or is gone.
        body.map(text).map_err(|_| refused(ErrorCode::BadRequest))
    }

    async fn post(
        &self,
        owner: Addr<Worker<S>>,
        (sid, owners): (Arc<str>, Owners),
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Response {
        let (limits, declared) = (&self.engine.limits, declared_length(request));
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
