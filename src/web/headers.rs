//! The headers that every answer carries, and how many of a request are read.

use std::fmt::{self, Display, Formatter};

use actix_http::RequestHead;
use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};

use super::{Code, problem::Problem};

/// The name of the header with a request's number.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The number of a request: 64 random bits, shown in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(u64);

impl RequestId {
    /// Another one.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }
}

impl Display for RequestId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<RequestId> for HeaderValue {
    fn from(id: RequestId) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // By hand because it is done for every request, and `format!` takes longer than all else here.
        let text: [u8; 16] = std::array::from_fn(|place| DIGITS[(id.0 >> (60 - 4 * place) & 0xf) as usize]);
        Self::from_bytes(&text).unwrap_or_else(|_| Self::from_static(""))
    }
}

/// The step of a trace that a request follows from, as its sender writes it (W3C Trace Context §3.2).
#[must_use]
pub fn traceparent(request: &HttpRequest) -> Option<&str> {
    request.headers().get("traceparent")?.to_str().ok()
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
    Err(Problem::new(Code::HeadersTooLarge, format!("the head of a request has at most {limit} bytes")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_sixteen_digits_in_logs_and_on_answers() {
        for (number, text) in [(0, "0000000000000000"), (0x0123_4567_89ab_cdef, "0123456789abcdef")] {
            let id = RequestId(number);
            assert_eq!(id.to_string(), text);
            assert_eq!(HeaderValue::from(id), text);
        }
    }
}
