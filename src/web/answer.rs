//! Answers of success.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::CACHE_CONTROL},
};
use serde::Serialize;

/// JSON that no cache keeps.
pub fn private(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status).insert_header((CACHE_CONTROL, "no-store")).json(body)
}

/// 204, which no cache keeps either.
pub fn nothing() -> HttpResponse {
    HttpResponse::NoContent().insert_header((CACHE_CONTROL, "no-store")).finish()
}

/// 200 with JSON that no cache keeps.
pub fn ok(body: &impl Serialize) -> HttpResponse {
    private(StatusCode::OK, body)
}
