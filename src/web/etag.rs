//! Validators: a strong `ETag` from the body, 304 for a client that has it already, and `If-Match` for one that changes
//! what it has seen (RFC 9110 §8.8.3, §13.1).

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MATCH, IF_NONE_MATCH},
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
    of(serde_json::to_vec(body).expect("names are text and numbers are finite").into())
}

/// Bytes with their tag.
#[must_use]
pub fn of(body: Bytes) -> Document {
    Document { tag: tag(&Sha256::digest(&body)).into(), body }
}

/// JSON that shows a thing and a number beside it that changes while the thing does not. Its tag is that of the thing alone,
/// `"…"`, and with the number, `"…-7"`, when there is something to count: another one for every other body, and
/// [`IfMatch::holds_for`] knows the thing in it.
///
/// # Panics
/// As [`document`].
pub fn document_of(thing: &impl Serialize, shown: &impl Serialize, number: u32) -> Document {
    let Document { body, tag } = document(thing);
    if number == 0 {
        return Document { body, tag };
    }
    let body = serde_json::to_vec(shown).expect("names are text and numbers are finite");
    let thing = String::from_utf8_lossy(&tag[..tag.len() - 1]);
    Document { body: body.into(), tag: format!("{thing}-{number}\"").into() }
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

/// What a request's `If-Match` demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: that the thing exists.
    Any,
    /// That it has one of these tags, as they were sent.
    Tags(Vec<Bytes>),
}

impl IfMatch {
    /// Reads it; `None` where there is none. What is no tag is kept and matches nothing: a precondition that cannot be
    /// read does not hold.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let values: Vec<_> = headers.get_all(IF_MATCH).map(HeaderValue::as_bytes).collect();
        match values.as_slice() {
            [] => None,
            [only] if only.trim_ascii() == b"*" => Some(Self::Any),
            // Our tags have no commas, hence a foreign one that is cut in two cannot become one of ours.
            values => {
                let tags = values.iter().flat_map(|value| value.split(|byte| *byte == b','));
                Some(Self::Tags(tags.map(|tag| Bytes::copy_from_slice(tag.trim_ascii())).collect()))
            }
        }
    }

    /// Whether a thing with this strong tag is meant. Compared strongly, as §13.1.1 has it: `W/"x"` is never `"x"`.
    #[must_use]
    pub fn holds(&self, tag: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|expected| expected == tag),
        }
    }

    /// As [`holds`](Self::holds) of a thing that is shown with a number beside it ([`document_of`]): whatever the number was,
    /// the thing is what was seen.
    #[must_use]
    pub fn holds_for(&self, tag: &[u8]) -> bool {
        let is_it = |expected: &Bytes| {
            let rest = tag.strip_suffix(b"\"").and_then(|thing| expected.strip_prefix(thing));
            let number = rest.and_then(|rest| rest.strip_prefix(b"-")?.strip_suffix(b"\""));
            expected == tag
                || number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
        };
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(is_it),
        }
    }
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

    #[test]
    fn a_precondition_names_strong_tags() {
        let tag = tag(&[0xab; 32]);
        let holds =
            |value: &str| IfMatch::of(&headers(&[("if-match", value)])).map(|it| it.holds(tag.as_bytes()));
        assert_eq!(IfMatch::of(&HeaderMap::new()), None);
        for (value, expected) in [
            (tag.clone(), true),
            (format!("\"x\" , {tag}"), true),
            (format!("\"a,b\",,{tag}"), true),
            (format!("W/\"x\",{tag}"), true),
            ("*".into(), true),
            (" * ".into(), true),
            (format!("W/{tag}"), false),
            (format!("w/{tag}"), false),
            (tag.replace('"', ""), false),
            (tag.to_uppercase(), false),
            ("\"x\"".into(), false),
            ("*, \"x\"".into(), false),
            ("\"*\"".into(), false),
            (String::new(), false),
        ] {
            assert_eq!(holds(&value), Some(expected), "{value}");
        }
        let shown = |number| document_of(&1, &(1, number), number);
        let plain = document(&1);
        assert_eq!((shown(0).tag, shown(0).body), (plain.tag.clone(), plain.body));
        assert_ne!(shown(1).tag, shown(2).tag);
        let thing = plain.tag.strip_suffix(b"\"").and_then(|tag| std::str::from_utf8(tag).ok()).unwrap();
        for (tag, held) in
            [("\"", true), ("-7\"", true), ("-\"", false), ("-7", false), ("-x\"", false), ("7\"", false)]
        {
            let asked = headers(&[("if-match", &format!("{thing}{tag}"))]);
            assert_eq!(IfMatch::of(&asked).map(|it| it.holds_for(&plain.tag)), Some(held), "{tag}");
        }
        let twice = headers(&[("if-match", "\"x\""), ("if-match", &tag)]);
        assert!(IfMatch::of(&twice).is_some_and(|it| it.holds(tag.as_bytes())));
    }
}
