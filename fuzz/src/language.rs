//! `Accept-Language` and `If-None-Match`: lists that a client writes.

use shopbell::web::{Code, etag, messages::Language};

use super::headers;

/// Checks one input.
pub fn check(input: &[u8]) {
    let language = Language::of(&headers("accept-language", input));
    if language == Language::Korean {
        assert!(input.to_ascii_lowercase().windows(2).any(|pair| pair == b"ko"));
    }
    let tag = etag::tag(&[b'7'; 16]);
    let named = input.contains(&b'*') || input.windows(tag.len()).any(|part| part == tag.as_bytes());
    assert!(named || !etag::is_known(&headers("if-none-match", input), &tag));
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = Code::OutOfStock.sentence(language, text);
    }
}
