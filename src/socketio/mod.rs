//! A Socket.IO server that knows nothing of shops: Engine.IO sessions across polling and WebSocket ([`engine`]), and on
//! top of them namespaces, events and acknowledgements ([`client`]). What events mean is for the [`Handlers`] that are
//! given to it; how requests and sockets get here is for `transport`.
//!
//! Everything of one session happens on one thread.

pub mod client;
pub mod engine;

pub use client::{Accepted, Client, Handlers, Refused, Socket, SocketIo};
pub use engine::{Engine, Limits, Service, Session};
