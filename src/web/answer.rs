//! Answers that went well.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::CACHE_CONTROL},
};
use serde::Serialize;

/// JSON for the one who asked and no cache.
pub fn private(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status).insert_header((CACHE_CONTROL, "no-store")).json(body)
}

/// 200 with JSON for the one who asked.
pub fn ok(body: &impl Serialize) -> HttpResponse {
    private(StatusCode::OK, body)
}
