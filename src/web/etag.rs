//! Validators: a strong `ETag` from what was answered, and 304 for who has it already (RFC 9110 §8.8.3, §13.1.2).

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::service::ServiceError;

/// JSON for everyone, that caches keep but check; 304 when the client has it.
///
/// # Errors
/// A body that is not JSON, which none of ours is.
pub fn public(request: &HttpRequest, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    let body = serde_json::to_vec(body)
        .map_err(|error| ServiceError::internal("an answer could not be written", error))?;
    let tag = tag(&Sha256::digest(&body));
    let known = is_known(request.headers(), &tag);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "no-cache"));
    if known {
        return Ok(response.finish());
    }
    Ok(response.insert_header((CONTENT_TYPE, "application/json")).body(body))
}

/// A tag from a hash; 128 bits of it are enough to tell two bodies.
#[must_use]
pub fn tag(hash: &[u8]) -> String {
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Whether `If-None-Match` names the tag. Compared weakly, as §13.1.2 has it.
#[must_use]
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
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
