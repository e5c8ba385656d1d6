//! How a peer that is written in Rust speaks with the bench that started it.

use std::{io::Write, net::SocketAddr};

use crate::Result;

/// The payload of an alert, which the bench hands to every peer.
pub(super) fn alert() -> Result<String> {
    Ok(std::env::var("BENCH_ALERT")?)
}

/// Prints the line that the bench waits for.
pub(super) fn listening(address: SocketAddr) -> Result<()> {
    writeln!(std::io::stdout(), "listening on http://{address}")?;
    Ok(())
}
