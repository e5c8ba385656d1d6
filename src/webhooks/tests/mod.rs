//! Webhooks over real sockets.

mod client;
mod delivery;
mod receiver;
mod shop;
