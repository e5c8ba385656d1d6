//! News for other systems: outgoing webhooks (docs/contract.md §5), and the HTTP client that they are sent with.
//!
//! The log is the queue: a [`Dispatcher`] keeps a worker for each endpoint, which holds a place in the log, sends what lies
//! behind it, one message at a time, and has kept what became of it. What is to be sent is written in the transaction of
//! what it tells (`store/sql/placing.rs`, `store/sql/news.rs`).

mod address;
mod body;
pub mod client;
mod dispatcher;
mod ledger;
mod outcome;
mod signature;
#[cfg(test)]
mod tests;
mod worker;

pub use address::is_public;
pub use client::Client;
pub use dispatcher::{Dispatcher, Pace};
