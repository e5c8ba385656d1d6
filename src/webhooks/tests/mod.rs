//! Webhooks over real sockets.

mod client;
mod delivery;
mod keeping;
mod receiver;
mod retries;
mod scene;
mod shop;
