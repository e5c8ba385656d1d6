//! Where requests and sockets for an [`Engine`] come in. A connection lives on one worker thread; what arrives at another
//! finds its way by the session id.

use std::{io, rc::Rc, sync::Arc};

use actix_http::{
    RequestHead, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use futures_util::future::LocalBoxFuture;

use super::{
    connection::{Admitted, Owners, Service},
    engine::Engine,
    sid::Place,
    tunnel::Tunnel,
    websocket,
    workers::{Adopt, Directory, Knows, Owner},
};
use crate::{
    limits::Purse,
    protocol::engineio::{ErrorCode, Query, Transport},
    telemetry,
    transport::handshake::{Refusal, Upgraded},
};

/// Why a handshake is refused.
#[derive(Debug)]
pub enum Rejection {
    /// For a reason that the reference server knows, and in its form.
    Protocol(ErrorCode),
    /// For another, such as a server that is full.
    Other(Refusal),
}

impl From<ErrorCode> for Rejection {
    fn from(code: ErrorCode) -> Self {
        Self::Protocol(code)
    }
}

impl Rejection {
    /// The response to send. Counts the refusal.
    #[must_use]
    pub fn into_response(self) -> Refusal {
        let code = match self {
            Self::Protocol(code) => code,
            Self::Other(refusal) => return refusal,
        };
        telemetry::refused(code.name());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
        Refusal { status, headers, body: code.body().into() }
    }
}

/// Decides who may begin a connection.
pub type Admit<R> = Box<dyn Fn(&RequestHead) -> LocalBoxFuture<'static, Result<Admitted<R>, Rejection>>>;

/// Reads whose credentials a request brings that belongs to a connection: a session id alone opens nothing. Must be quick,
/// because it is done for each poll.
pub type Check = Box<dyn Fn(&RequestHead) -> Result<Owners, Rejection>>;

/// Says on whose account the body of a request is that brings the credentials of these accounts.
pub type Pay = Box<dyn Fn(&RequestHead, &[i64]) -> Purse>;

/// Who may come in.
pub struct Door<R> {
    /// To begin a connection.
    pub admit: Admit<R>,
    /// To use one.
    pub check: Check,
    /// And who pays for the bodies of requests.
    pub pay: Pay,
}

/// The way to an engine, on one worker thread.
pub struct Endpoint<S: Service> {
    pub(super) engine: Rc<Engine<S>>,
    pub(super) directory: Directory<S>,
    pub(super) door: Door<S::Request>,
}

/// What a WebSocket handshake leads to.
pub enum Handshake<S: Service> {
    /// A new connection.
    Open(Admitted<S::Request>),
    /// A connection that polls goes on over the WebSocket.
    Upgrade(Arc<str>),
    /// The same, for a connection of another node.
    Carry(Tunnel),
}

impl<S: Service> Handshake<S> {
    /// A cookie for its response.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        match self {
            Self::Open(admitted) => admitted.cookie.as_deref(),
            Self::Upgrade(_) | Self::Carry(_) => None,
        }
    }
}

impl<S: Service> Endpoint<S> {
    /// To an engine of this thread: `make` gets its place.
    #[must_use]
    pub fn open(
        directory: &Directory<S>,
        door: Door<S::Request>,
        make: impl FnOnce(Place) -> Rc<Engine<S>>,
    ) -> Rc<Self> {
        let engine = directory.add(make);
        Rc::new(Self { engine, directory: directory.clone(), door })
    }

    /// Decides on a WebSocket handshake; its 101 is for the caller to write.
    ///
    /// # Errors
    /// As the reference server: an unknown transport, version or session, or an origin that may not connect. And what
    /// [`Admit`] says.
    pub async fn handshake(&self, head: &RequestHead) -> Result<Handshake<S>, Rejection> {
        let query = Query::parse(head.uri.query().unwrap_or_default())?;
        if query.transport != Transport::Websocket {
            return Err(ErrorCode::BadRequest.into());
        }
        let Some(sid) = query.sid else {
            return (self.door.admit)(head).await.map(Handshake::Open);
        };
        let sid: Arc<str> = sid.into();
        let owners = (self.door.check)(head)?;
        let owner = match self.directory.owner(&sid).ok_or(ErrorCode::UnknownSession)? {
            Owner::Thread(owner) => owner,
            Owner::Node(node) => {
                let purse = (self.door.pay)(head, &owners);
                let tunnel = Box::pin(self.directory.carry_upgrade(node, (&sid, owners), purse)).await?;
                return Ok(Handshake::Carry(tunnel));
            }
        };
        match owner.send(Knows { sid: Arc::clone(&sid), owners }).await {
            Ok(Ok(())) => Ok(Handshake::Upgrade(sid)),
            Ok(Err(code)) => Err(code.into()),
            Err(_) => Err(ErrorCode::UnknownSession.into()),
        }
    }

    /// Serves a WebSocket after its 101.
    ///
    /// # Errors
    /// The socket cannot move to the thread of its connection.
    pub async fn serve(&self, handshake: Handshake<S>, upgraded: Upgraded) -> io::Result<()> {
        match handshake {
            Handshake::Open(admitted) => {
                websocket::open(&self.engine, admitted, upgraded);
                Ok(())
            }
            Handshake::Upgrade(sid) => {
                let Some(Owner::Thread(owner)) = self.directory.owner(&sid) else { return Ok(()) };
                let Upgraded { socket, permit, already_read } = upgraded;
                let (socket, already_read) = (socket.into_std()?, already_read.freeze());
                let adopted = owner.send(Adopt { sid, socket, permit, already_read }).await;
                adopted.map_err(io::Error::other)
            }
            Handshake::Carry(tunnel) => {
                let stall_timeout = self.engine.sweeper.limits.stall_timeout;
                self.directory.carry_socket(tunnel, upgraded, stall_timeout);
                Ok(())
            }
        }
    }
}
