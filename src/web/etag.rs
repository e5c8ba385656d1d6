//! Validators: a strong `ETag` from the body, and 304 for a client that has it already (RFC 9110 §8.8.3, §13.1.2).

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH},
};
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// An answer, ready to be sent. Copies share the bytes.
#[derive(Clone, Debug)]
pub struct Document {
    /// What is sent.
    pub body: Bytes,
    /// A strong validator: another one for every other body.
    pub tag: Bytes,
}

/// JSON with its tag.
///
/// # Panics
/// Maps with keys that are no text; none of ours has such.
pub fn document(body: &impl Serialize) -> Document {
    let body = serde_json::to_vec(body).expect("names are text and numbers are finite");
    let tag = tag(&Sha256::digest(&body)).into();
    Document { body: body.into(), tag }
}

/// JSON that caches keep but revalidate; 304 when the client has it.
#[must_use]
pub fn public(asked: &HeaderMap, document: &Document) -> HttpResponse {
    let known = is_known(asked, &document.tag);
    let mut response = if known {
        HttpResponse::NotModified().finish()
    } else {
        HttpResponse::Ok().body(document.body.clone())
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_maybe_shared(document.tag.clone()) {
        headers.insert(ETAG, tag);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if !known {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    response
}

/// A tag from a hash; 128 bits of it are enough to tell two bodies.
#[must_use]
pub fn tag(hash: &[u8]) -> String {
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Whether `If-None-Match` names the tag. Compared weakly, as §13.1.2 has it.
#[must_use]
pub fn is_known(headers: &HeaderMap, tag: impl AsRef<[u8]>) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::client::tests::headers;

    #[test]
    fn a_known_tag_is_found_in_lists_and_by_star() {
        let tag = tag(&[0xab; 32]);
        assert_eq!(tag.len(), 34);
        for (value, known) in [
            (tag.clone(), true),
            (format!("\"x\", W/{tag}"), true),
            ("*".into(), true),
            ("\"x\"".into(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_known(&headers(&[("if-none-match", &value)]), &tag), known, "{value}");
        }
        assert!(!is_known(&HeaderMap::new(), &tag));
    }
}
