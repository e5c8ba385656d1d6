//! Requests for connections of other nodes: they are carried there, and the answers back.
//!
//! A client must not lose its session for what will pass. Where there is no room, a poll is answered with nothing, after a
//! pause, and the client polls again. Where the other node is gone, or cannot be reached, the session is unknown: then a client
//! begins another at once.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use bytes::{Bytes, BytesMut};

use super::{
    call::{Answer, Call, What},
    connection::{Owners, Service},
    engine::Engine,
    responses::{Response, carried, collect, refused, text},
    workers::Directory,
};
use crate::{
    bus::{
        NodeId,
        peers::{Channel, Gone},
    },
    limits::Purse,
    protocol::engineio::{ErrorCode, Packet},
    telemetry,
    transport::connection::ConnectionHandle,
};

/// Before a poll that found no room may come again.
const PAUSE: Duration = Duration::from_secs(1);
/// What a poll, which waits for the next ping at most, may take beyond that.
const SLACK: Duration = Duration::from_secs(10);

/// Why there is no answer to give.
enum Failed {
    Refused(ErrorCode),
    Gone(Gone),
    /// No memory for what came.
    NoRoom,
}

impl From<Gone> for Failed {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

/// A request for a connection of another node.
pub(super) struct Elsewhere<'a, S: Service> {
    /// The node.
    pub(super) node: NodeId,
    /// The session.
    pub(super) sid: &'a str,
    /// Whose credentials it brings.
    pub(super) owners: Owners,
    /// On whose account its bytes are, and those of its answer.
    pub(super) purse: Purse,
    /// The request.
    pub(super) request: &'a HttpRequest,
    /// The engine of this thread, for what all engines grant.
    pub(super) engine: &'a Engine<S>,
}

impl<S: Service> Elsewhere<'_, S> {
    fn call(&self, what: What) -> Call {
        Call { what, sid: self.sid.to_owned(), owners: self.owners.clone() }
    }
}

impl<S: Service> Directory<S> {
    /// A poll.
    pub(super) async fn carry_poll(&self, poll: Elsewhere<'_, S>) -> Response {
        let handle = poll.request.conn_data::<ConnectionHandle>().cloned().unwrap_or_default();
        let limits = &poll.engine.sweeper.limits;
        let time = limits.ping_interval + limits.ping_timeout + SLACK;
        let answer = tokio::select! {
            answer = tokio::time::timeout(time, self.ask_poll(&poll)) => answer,
            // The channel is dropped, which tells the session.
            () = handle.ended() => return Err(refused(ErrorCode::BadRequest)),
        };
        match answer.unwrap_or(Err(Failed::Gone(Gone::Lost))) {
            Ok((body, channel)) => Ok(carried(body, channel)),
            Err(Failed::Refused(code)) => Err(refused(code)),
            Err(Failed::NoRoom) => Err(HttpResponse::ServiceUnavailable().finish()),
            Err(Failed::Gone(Gone::Lost)) => Err(refused(ErrorCode::UnknownSession)),
            Err(Failed::Gone(Gone::Full)) => {
                telemetry::refused("carried_full");
                tokio::time::sleep(PAUSE).await;
                let mut nothing = String::new();
                Packet::Noop.put(&mut nothing);
                Ok(text(nothing))
            }
        }
    }

    /// The answer, and the channel to say on that its client has it.
    async fn ask_poll(&self, poll: &Elsewhere<'_, S>) -> Result<(Bytes, Channel), Failed> {
        let mut held = poll.purse.charge();
        let channel = poll.call(What::Poll).send(self.peers(), poll.node).await?;
        let answer = tokio::select! {
            answer = Answer::hear(&channel) => answer,
            () = self.ended() => {
                // The client is to go on at another node.
                channel.send(Bytes::from_static(b"now")).await?;
                Answer::hear(&channel).await
            }
        };
        if let Answer::No(code) = answer? {
            return Err(Failed::Refused(code));
        }
        let mut body = BytesMut::new();
        while let Some(piece) = channel.next().await? {
            body.extend_from_slice(&piece);
            held.set(body.capacity()).map_err(|_| Failed::NoRoom)?;
        }
        Ok((body.freeze(), channel))
    }

    /// Waits until the client is to go on elsewhere. One that polls here all the same is not to do it all the time.
    async fn ended(&self) {
        if self.is_draining() {
            tokio::time::sleep(PAUSE).await;
        }
        self.drained().await;
    }

    /// A POST.
    pub(super) async fn carry_post(&self, post: Elsewhere<'_, S>, payload: web::Payload) -> Response {
        let limits = &post.engine.limits;
        let channel = post.call(What::Post).send(self.peers(), post.node).await.map_err(gone)?;
        let limit = match Answer::hear(&channel).await.map_err(gone)? {
            Answer::Limit(limit) => limit.min(limits.max_payload),
            Answer::No(code) => return Err(refused(code)),
            Answer::Yes => return Err(gone(Gone::Lost)),
        };
        let mut held = post.purse.charge();
        let body = tokio::time::timeout(limits.body_timeout, collect(payload, limit, &mut held));
        let body = body.await.map_err(|_| HttpResponse::RequestTimeout().finish())??;
        channel.send(body).await.map_err(gone)?;
        channel.finish();
        match Answer::hear(&channel).await.map_err(gone)? {
            Answer::Yes => Ok(text("ok")),
            Answer::No(code) => Err(refused(code)),
            Answer::Limit(_) => Err(gone(Gone::Lost)),
        }
    }
}

/// The answer to a POST that could not be carried.
fn gone(why: Gone) -> HttpResponse {
    match why {
        Gone::Lost => refused(ErrorCode::UnknownSession),
        Gone::Full => {
            telemetry::refused("carried_full");
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}
