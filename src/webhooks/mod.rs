//! News for other systems: outgoing webhooks (docs/contract.md §5), and the HTTP client that they are sent with.

mod address;
pub mod client;
#[cfg(test)]
mod tests;

pub use address::is_public;
pub use client::Client;
