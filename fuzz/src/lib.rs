//! What must hold for any input, one module for each parser of bytes from outside. cargo fuzz looks for inputs for which it
//! does not; `tests/it/parsers.rs` tries some in every run of the tests.

pub mod account;
pub mod body;
pub mod cookie;
pub mod cursor;
pub mod engineio;
pub mod forwarded;
pub mod frame;
pub mod goods;
mod hooks;
pub mod language;
pub mod multipart;
pub mod native;
pub mod origin;
pub mod page;
pub mod socketio;
pub mod token;

pub use hooks::{
    shopify as hook_shopify, standard as hook_standard, stripe as hook_stripe,
    woocommerce as hook_woocommerce,
};

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

/// The text that an input begins with.
#[must_use]
pub fn text(input: &[u8]) -> &str {
    let end = std::str::from_utf8(input).map_or_else(|error| error.valid_up_to(), str::len);
    std::str::from_utf8(&input[..end]).unwrap_or_default()
}
