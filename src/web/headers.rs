//! The headers that every answer carries, and how many of a request are read.

use actix_http::RequestHead;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

use super::problem::Problem;

/// The name of the header with a request's number.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A number for a request: 64 random bits in hexadecimal.
#[must_use]
pub fn request_id() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// Checks the size of a request's head, as it was on the wire.
///
/// # Errors
/// 431: it is larger than `limit` bytes.
pub fn check_size(head: &RequestHead, limit: usize) -> Result<(), Problem> {
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = head.method.as_str().len() + target + "  HTTP/1.1\r\n".len();
    let fields = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    if line + fields.sum::<usize>() <= limit {
        return Ok(());
    }
    Err(Problem::new("headers_too_large", format!("the head of a request has at most {limit} bytes")))
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
