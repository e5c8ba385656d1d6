//! Webhooks over real sockets.

mod client;
mod delivery;
mod keeping;
mod nodes;
mod receiver;
mod retries;
mod scene;
mod shop;
