//! The schemas of types, by their names.

use serde_json::{Value, json};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

/// A type and those that it refers to, by their names.
pub(super) fn schemas<T: ToSchema>() -> impl Iterator<Item = (String, Value)> {
    let mut found: Vec<(String, RefOr<Schema>)> = vec![(T::name().into(), T::schema())];
    T::schemas(&mut found);
    found.into_iter().map(|(name, schema)| (name, json!(schema)))
}
