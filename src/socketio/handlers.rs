//! What an application gives to the Socket.IO server.

use std::{rc::Rc, time::Duration};

use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use super::{connection::Violation, socket::Socket};
use crate::{outbox::Outbox, protocol::socketio::Event};

/// A client that wants to connect to a namespace.
pub struct Connect<'a, R> {
    /// What is known from the request that began its connection.
    pub request: &'a R,
    /// Time since then.
    pub age: Duration,
    /// The way out of its connection.
    pub outbox: &'a Rc<Outbox>,
    /// Which namespace, as [`Handlers::namespace`] calls it.
    pub namespace: &'static str,
    /// The JSON object that it brought.
    pub auth: Option<&'a str>,
}

/// A client that may connect.
pub struct Accepted<D> {
    /// What the handlers keep of it.
    pub data: D,
    /// Its private id, when lost connections can be recovered. The same as the client brought means: recovered.
    pub pid: Option<String>,
}

/// A client that may not.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What its `connect_error` says.
    pub message: String,
    /// What comes with it.
    pub data: Option<Value>,
    /// Whether that passes by itself. A client takes a `connect_error` for the last word and does not come back: it loses its
    /// connection instead, and comes back by itself.
    pub passes: bool,
}

/// What connecting to a namespace leads to.
pub type Connecting<D> = LocalBoxFuture<'static, Result<Accepted<D>, Refused>>;

/// What events mean.
pub trait Handlers: Sized + 'static {
    /// What is known from the request that began a connection.
    type Request: 'static;
    /// What is kept of a client in a namespace.
    type Data: 'static;

    /// The name of a namespace as it is known here; `None` when there is no such namespace.
    fn namespace(&self, name: &str) -> Option<&'static str>;
    /// Whether a connection without a client made room for another, and is to end.
    fn is_given_up(&self, _: &Self::Request) -> bool {
        false
    }
    /// A client wants to connect to a namespace. Its events come after the answer.
    fn connect(&self, connect: Connect<'_, Self::Request>) -> Connecting<Self::Data>;
    /// It is connected, and was told so.
    fn connected(&self, socket: &Rc<Socket<Self::Data>>);
    /// It sent an event.
    ///
    /// # Errors
    /// Its arguments are not JSON: the connection is closed.
    fn event(&self, socket: &Rc<Socket<Self::Data>>, event: Event<'_>) -> Result<(), Violation>;
    /// It polled, and goes on over a WebSocket.
    fn upgraded(&self, _: &Socket<Self::Data>) {}
    /// It is no longer connected.
    fn disconnected(&self, socket: &Rc<Socket<Self::Data>>);
}
