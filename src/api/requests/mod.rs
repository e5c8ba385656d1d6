//! What requests carry, as the OpenAPI document tells it: bodies and the fields of queries.
//!
//! Requests are read field by field (`domain::Fields`), so that all that is wrong is named at once and forms mean the same
//! as JSON; these types are never made. What they say is held to the handlers by `tests/clients/openapi.test.mjs`, which
//! sends what the document allows.

mod accounts;
mod goods;
mod operations;
mod orders;

pub use self::{accounts::*, goods::*, operations::*, orders::*};
