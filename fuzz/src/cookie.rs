//! Cookies and what else carries a token: `Authorization`, the subprotocols of a WebSocket.

use actix_web::http::header::{COOKIE, HeaderMap};
use shopbell::{
    gateway::{upgrade::subprotocols, visitor::identify},
    realtime::Person,
    web::{auth::bearer, cookie},
};

use super::headers;

/// Checks one input.
pub fn check(input: &[u8]) {
    let cookies = headers("cookie", input);
    for token in cookie::tokens(&cookies) {
        assert!(!token.contains(';'));
    }
    let (person, new) = identify(&cookies, true);
    assert!(matches!(person, Person::Guest(_)));
    if let Some(new) = new {
        let mut brought = HeaderMap::new();
        let pair = new.split(';').next().unwrap_or_default();
        brought.insert(COOKIE, pair.parse().expect("our cookie is a header"));
        assert_eq!(identify(&brought, true), (person, None));
    }
    for protocol in subprotocols(&headers("sec-websocket-protocol", input)) {
        assert!(!protocol.contains(',') && protocol.trim() == protocol);
    }
    if let Ok(text) = std::str::from_utf8(input)
        && let Some(token) = bearer(text)
    {
        assert!(token.trim() == token && token.len() < text.len());
    }
}
