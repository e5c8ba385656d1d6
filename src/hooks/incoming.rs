//! A request of a source, as it came, and why it is refused.

use crate::domain::{Currency, Timestamp};

/// A request, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// Its headers, names in any case, one pair for each line.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Its body, to the byte: signatures are over these bytes.
    pub body: &'a [u8],
    /// Now.
    pub now: Timestamp,
    /// The currency of amounts that come without one, as those of products do: the source's where it is known, else the
    /// shop's.
    pub currency: Currency,
}

impl<'a> Incoming<'a> {
    /// The value of a header that is there once and is text. A signature or topic that is there twice is nobody's.
    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        let mut values =
            self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        let value = values.next()?;
        values.next().is_none().then(|| std::str::from_utf8(value).ok())?.map(str::trim)
    }

    /// Whether a header is there at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))
    }
}

/// Why a request of a source is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No secret of the source signed it, or not now; a sentence that says which.
    #[error("{0}")]
    BadSignature(&'static str),
    /// It is signed, and not what such a source sends; a sentence that says why.
    #[error("{0}")]
    Malformed(String),
}

impl Refusal {
    pub(super) fn malformed(why: impl Into<String>) -> Self {
        Self::Malformed(why.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_there_twice_or_is_no_text_is_not_there() {
        let headers: [(&str, &[u8]); 4] = [("A", b" x "), ("b", b"1"), ("B", b"1"), ("c", b"\xff")];
        let currency = "USD".parse().unwrap();
        let incoming = Incoming { headers: &headers, body: b"", now: Timestamp::from_millis(0), currency };
        assert_eq!(["a", "b", "c", "d"].map(|name| incoming.header(name)), [Some("x"), None, None, None]);
        assert_eq!(["a", "b", "c", "d"].map(|name| incoming.has(name)), [true, true, true, false]);
    }
}
