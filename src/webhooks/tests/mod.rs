//! Webhooks over real sockets.

mod client;
mod receiver;
