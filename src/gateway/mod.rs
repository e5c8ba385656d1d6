//! Who connects, on whatever transport, and what its events mean in the shop.
//!
//! `/ws` ([`upgrade`], `native`), Socket.IO (`socketio`) and Server-Sent Events (`sse`) differ in how a session begins
//! and in how its messages are written; all end in a [`Client`], and what it says in `events`.

mod bundle;
mod bursts;
mod buy;
mod chat;
mod client;
mod door;
mod endpoints;
mod events;
mod hello;
mod native;
pub mod openapi;
mod recovery;
mod refusal;
mod reports;
pub mod resume;
pub mod socketio;
mod sse;
mod thread;
pub mod upgrade;
pub mod visitor;
mod watching;

pub use client::Client;
pub use endpoints::{Endpoints, SocketIoDirectory};
pub use recovery::Pid;
pub use refusal::Refusal;
pub use thread::{Gateway, RECOVERY};
