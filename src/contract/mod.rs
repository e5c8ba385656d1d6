//! The contract as documents (docs/contract.md §8): OpenAPI for what is asked over HTTP, AsyncAPI for what is told over sockets,
//! both made from the handlers and the types of what is sent. Nothing here serves anything.

mod asyncapi;
mod events;
mod openapi;
mod parts;
mod refusals;
#[cfg(test)]
mod tests;

pub use self::{asyncapi::asyncapi, openapi::openapi};

use serde_json::{Value, json};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

/// A type and those that it refers to, by their names.
fn schemas<T: ToSchema>() -> impl Iterator<Item = (String, Value)> {
    let mut found: Vec<(String, RefOr<Schema>)> = vec![(T::name().into(), T::schema())];
    T::schemas(&mut found);
    found.into_iter().map(|(name, schema)| (name, json!(schema)))
}
