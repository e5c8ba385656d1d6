//! Server-Sent Events (WHATWG HTML §9.2.5, "Parsing an event stream").

use bytes::Bytes;

/// A comment: keeps proxies from closing a quiet stream.
pub const COMMENT: Bytes = Bytes::from_static(b":\n\n");
/// A sign of life that a page sees, other than a comment.
pub const ALIVE: Bytes = Bytes::from_static(b"event: alive\ndata: {}\n\n");
/// How long a browser waits before it comes back, in milliseconds, and the first sign of life.
pub const RETRY: Bytes = Bytes::from_static(b"retry: 2000\n\n");

/// Appends an event. `data` is one line, as JSON without line breaks is.
pub fn put_event(out: &mut bytes::BytesMut, id: Option<i64>, event: &str, data: &str) {
    if let Some(id) = id {
        out.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    out.extend_from_slice(format!("event: {event}\ndata: {data}\n\n").as_bytes());
}

/// When to come back, in milliseconds.
#[must_use]
pub fn retry(millis: u32) -> Bytes {
    format!("retry: {millis}\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_ends_with_an_empty_line() {
        let mut out = bytes::BytesMut::new();
        put_event(&mut out, Some(41), "BUY_GOODS", "{}");
        put_event(&mut out, None, "goods", "{}");
        assert_eq!(out, "id: 41\nevent: BUY_GOODS\ndata: {}\n\nevent: goods\ndata: {}\n\n");
    }
}
