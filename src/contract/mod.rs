//! The contract as documents (docs/contract.md §7): OpenAPI for what is asked over HTTP, AsyncAPI for what is told over sockets,
//! both made from the handlers and the types of what is sent. Nothing here serves anything.

mod asyncapi;
mod events;
mod openapi;
mod parts;
mod refusals;
mod schemas;
#[cfg(test)]
mod tests;

pub use self::{asyncapi::asyncapi, openapi::openapi};
