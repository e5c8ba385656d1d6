//! The headers that every answer carries.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

/// The name of the header with a request's number.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A number for a request: 64 random bits in hexadecimal.
#[must_use]
pub fn request_id() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// Puts on what every page and answer carries, unless it says otherwise itself.
pub fn secure(headers: &mut HeaderMap) {
    for (name, value) in
        [(X_CONTENT_TYPE_OPTIONS, "nosniff"), (REFERRER_POLICY, "strict-origin-when-cross-origin")]
    {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}
