//! Between HTTP and the use cases: what a request says (who sends it, from where, which fields) and how every answer looks.
//!
//! Nothing here decides about the shop, and nothing here is a route.

pub mod answer;
pub mod auth;
pub mod body;
pub mod client;
pub mod code;
pub mod cookie;
pub mod cors;
pub mod edge;
pub mod etag;
pub mod event_stream;
pub mod headers;
pub mod listen;
pub mod messages;
pub mod multipart;
pub mod origin;
pub mod params;
pub mod problem;
pub mod resource;

pub use auth::{Admin, CurrentUser, Listener, MaybeUser};
pub use body::Body;
pub use code::Code;
pub use params::{Id, Query};
pub use problem::Problem;

/// What handlers take to reach [`AppState`](crate::state::AppState).
pub type State = actix_web::web::Data<crate::state::AppState>;
