//! A WebSocket after its handshake: bytes in through the decoder to the connection's actor, bytes out through the
//! outbox. Nothing of HTTP is left by now, and what messages mean is for the [`Handler`].

mod incoming;
mod partial;
mod run;
mod socket;

pub use self::{
    run::run,
    socket::{Handler, MessageLimits, WebSocket},
};
