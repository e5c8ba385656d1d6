//! A Socket.IO server that knows nothing of shops: Engine.IO connections across polling and WebSocket ([`engine`]), and
//! over them namespaces, events and acknowledgements ([`client`]). What events mean is for the [`Handlers`] that are
//! given to it.
//!
//! Everything of one connection happens on one thread of one node. Requests and sockets that arrive at another thread are
//! handed to it ([`Directory`]), requests that arrive at another node are carried there (`carrying`) and served there
//! (`carried`).
//!
//! What is quoted comes from `docs/engine.io-protocol/v4-current.md` and `docs/socket.io-protocol/v5-current.md` of
//! socketio/socket.io.

mod arriving;
mod call;
mod carried;
mod carrying;
pub mod client;
mod connection;
mod endpoint;
pub mod engine;
mod handlers;
pub mod polling;
mod polls;
mod responses;
mod sid;
mod socket;
mod tunnel;
mod upgrade;
mod websocket;
mod workers;

pub use client::SocketIo;
pub use connection::{Admitted, Connection, Limits, Owners, Service, Violation};
pub use endpoint::{Admit, Check, Door, Endpoint, Handshake, Pay, Rejection};
pub use engine::Engine;
pub use handlers::{Accepted, Connect, Connecting, Handlers, Refused};
pub use responses::ProtocolRefusal;
pub use sid::Place;
pub use socket::{AckError, Socket};
pub use workers::Directory;
