//! A Socket.IO server that knows nothing of shops: Engine.IO sessions across polling and WebSocket ([`engine`]), and on
//! top of them namespaces, events and acknowledgements ([`client`]). What events mean is for the [`Handlers`] that are
//! given to it; how requests and sockets get here is for `transport`.
//!
//! Everything of one session happens on one thread.

pub mod client;
pub mod endpoint;
pub mod engine;
pub mod polling;
mod websocket;
mod workers;

pub use client::{Accepted, Client, Handlers, Refused, Socket, SocketIo};
pub use endpoint::{Admit, Admitted, Endpoint, Handshake, Rejection};
pub use engine::{Engine, Limits, Service, Session};
pub use workers::Directory;
