//! The servers: how each is started and spoken to, and those that are written in Rust.

mod actix;
mod child;
mod floor;
mod server;
mod socketioxide;

pub use server::{Kind, Options, Seed, Server, Shop, sample_alert};

use std::time::Duration;

use crate::Result;

/// A peer that this program is itself, as a child process.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Builtin {
    /// A loop of `send(2)`.
    Floor,
    /// The same, but busy for 0.1 µs before each of them.
    BusyFloor,
    /// socketioxide on axum.
    Socketioxide,
    /// actix-web that answers with bytes it was given.
    Actix,
}

/// Runs a peer until the process is ended.
///
/// # Errors
/// It cannot serve.
pub fn run(peer: Builtin) -> Result<()> {
    match peer {
        Builtin::Floor => floor::run(Duration::ZERO),
        Builtin::BusyFloor => floor::run(Duration::from_nanos(100)),
        Builtin::Socketioxide => socketioxide::run(),
        Builtin::Actix => actix::run(),
    }
}
