//! The file in a form: what is found is a piece of the body between two of its delimiters.

use shopbell::web::multipart::{boundary, part};

/// Checks one input.
pub fn check(input: &[u8]) {
    for name in ["file", "a"] {
        let Some(content) = part(input, "xX", name) else { continue };
        let end = input.windows(6).position(|window| window == b"\r\n--xX");
        assert!(end.is_some(), "a part ends with a delimiter");
        assert!(content.len() < input.len());
        assert!(!content.windows(6).any(|window| window == b"\r\n--xX"));
    }
    if let Ok(text) = std::str::from_utf8(input)
        && let Some(boundary) = boundary(text)
    {
        assert!((1..=70).contains(&boundary.len()) && text.contains(boundary));
    }
}
