//! What the targets share.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use shopbell::config::{CommonLayer, ServeLayer, Settings};

/// The usual settings.
#[must_use]
pub fn settings() -> Settings {
    Settings::resolve(CommonLayer::default(), ServeLayer::default(), None).expect("the defaults hold")
}

/// Headers of one name: each line of the input is a value. What can be no header's value is left out, as the parser of
/// HTTP refuses it before anything of ours sees it.
#[must_use]
pub fn headers(name: &'static str, input: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in input.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// The input in pieces of 0 to 15 bytes, whose lengths the seed decides.
pub fn pieces(seed: u8, mut input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut state = u32::from(seed);
    std::iter::from_fn(move || {
        if input.is_empty() {
            return None;
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (piece, rest) = input.split_at(input.len().min((state >> 28) as usize));
        input = rest;
        Some(piece)
    })
}
