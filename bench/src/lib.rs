//! Measures shopbell beside its peers: each server on one core, a light client on another, the same work for all.
//!
//! - [`process`]: servers as child processes, on a core of their own, with what the kernel says they used
//! - [`client`]: sessions by the ten thousand on one epoll, and an HTTP client under load
//! - [`peers`]: how each server is started and spoken to, and the peers that are written in Rust
//! - [`context`]: what all suites share
//! - [`suites`]: what is measured
//! - [`report`]: tables, charts and `RESULTS.md`

use std::error::Error;

pub mod client;
pub mod context;
pub mod peers;
pub mod process;
pub mod report;
pub mod stats;
pub mod stop;
pub mod suites;

/// What ends a measurement early, in one sentence: nothing here is worth telling apart.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;
