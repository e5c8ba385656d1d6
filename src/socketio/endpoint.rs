//! Brings requests and sockets to an Engine.IO [`Engine`]. A session lives on one worker thread; what arrives at
//! another finds its way by the session's name (`directory`). Here is the door, and what comes through it as a
//! WebSocket; polls and posts over HTTP are in [`polling`], who speaks over a WebSocket in `peer`.

use std::{io, rc::Rc, sync::Arc};

use actix_http::RequestHead;
use futures_util::future::LocalBoxFuture;

use super::{
    engine::{Engine, Service},
    websocket,
    workers::{Adopt, Directory, Knows},
};
use crate::{
    protocol::engineio::{ErrorCode, Query, Transport},
    transport::handshake::Taken,
    web::problem::Problem,
};

/// A request that may begin a session.
pub struct Admitted<R> {
    /// What the service is told of it.
    pub request: R,
    /// A cookie to set.
    pub cookie: Option<String>,
}

/// Why a handshake is refused.
#[derive(Debug)]
pub enum Rejection {
    /// As the reference server says it.
    Protocol(ErrorCode),
    /// For a reason that it does not know, such as a server that is full.
    Problem(Problem),
}

impl From<ErrorCode> for Rejection {
    fn from(code: ErrorCode) -> Self {
        Self::Protocol(code)
    }
}

/// Decides who may begin a session.
pub type Admit<R> = Box<dyn Fn(&RequestHead) -> LocalBoxFuture<'static, Result<Admitted<R>, Rejection>>>;

/// An engine's door on one worker thread.
pub struct Endpoint<S: Service> {
    pub(super) engine: Rc<Engine<S>>,
    pub(super) directory: Directory<S>,
    pub(super) admit: Admit<S::Request>,
}

impl<S: Service> Endpoint<S> {
    /// Opens an engine on this thread: `make` gets the thread's number.
    #[must_use]
    pub fn open(
        directory: &Directory<S>,
        admit: Admit<S::Request>,
        make: impl FnOnce(u8) -> Rc<Engine<S>>,
    ) -> Rc<Self> {
        let engine = directory.enter(make);
        Rc::new(Self { engine, directory: directory.clone(), admit })
    }
}

/// What becomes of a WebSocket handshake at an engine's address.
pub enum Handshake<S: Service> {
    /// A new session.
    Open(Admitted<S::Request>),
    /// A session that polls wants to go on over the WebSocket.
    Upgrade(Arc<str>),
}

impl<S: Service> Handshake<S> {
    /// A cookie for its answer.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        match self {
            Self::Open(admitted) => admitted.cookie.as_deref(),
            Self::Upgrade(_) => None,
        }
    }
}

impl<S: Service> Endpoint<S> {
    /// Decides on a WebSocket handshake; its 101 is for the caller to write.
    ///
    /// # Errors
    /// As the reference server: an unknown transport, version or session, or an origin that may not connect. And what
    /// who decides on sessions says.
    pub async fn shake_hands(&self, head: &RequestHead) -> Result<Handshake<S>, Rejection> {
        let query = Query::parse(head.uri.query().unwrap_or_default())?;
        if query.transport != Transport::Websocket {
            return Err(ErrorCode::BadRequest.into());
        }
        let Some(sid) = query.sid else {
            return (self.admit)(head).await.map(Handshake::Open);
        };
        let sid: Arc<str> = sid.into();
        let owner = self.directory.owner(&sid).ok_or(ErrorCode::UnknownSession)?;
        match owner.send(Knows(Arc::clone(&sid))).await {
            Ok(true) => Ok(Handshake::Upgrade(sid)),
            _ => Err(ErrorCode::UnknownSession.into()),
        }
    }

    /// Lets a WebSocket in after its 101.
    ///
    /// # Errors
    /// The socket cannot move to the thread of its session.
    pub async fn let_in(&self, handshake: Handshake<S>, taken: Taken) -> io::Result<()> {
        match handshake {
            Handshake::Open(admitted) => {
                websocket::open(&self.engine, admitted.request, taken);
                Ok(())
            }
            Handshake::Upgrade(sid) => {
                let Some(owner) = self.directory.owner(&sid) else { return Ok(()) };
                let Taken { socket, connected, already_read } = taken;
                let (socket, already_read) = (socket.into_std()?, already_read.freeze());
                let adopted = owner.send(Adopt { sid, socket, connected, already_read }).await;
                adopted.map_err(io::Error::other)
            }
        }
    }
}
