//! Log-in tokens: only what was signed with the key is one, and of what was signed only what is well-formed and not over.

use std::{sync::LazyLock, time::Duration};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::Value;
use shopbell::{
    domain::{SessionSecret, Timestamp, UserId},
    service::tokens::{TokenClaims, Tokens},
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOW: Timestamp = Timestamp::from_millis(1_763_686_461_123);
static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(SECRET, &[], Duration::from_secs(60)));
static SIGNED: LazyLock<String> = LazyLock::new(|| {
    let named = TokenClaims { user: UserId(7), session: SessionSecret::from_random([1; 16]) };
    TOKENS.sign(&named, NOW, NOW.plus(Duration::from_secs(60))).expect("it can be signed")
});

/// A stranger's token is none, and neither is ours with anything changed.
fn forged(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        assert_eq!(TOKENS.read(text, NOW), None);
    }
    let mut bytes = SIGNED.clone().into_bytes();
    for change in input.chunks_exact(2) {
        let place = usize::from(change[0]) % bytes.len();
        bytes[place] = change[1];
    }
    match String::from_utf8(bytes) {
        Ok(changed) if changed != *SIGNED => assert_eq!(TOKENS.read(&changed, NOW), None, "{changed}"),
        _ => {}
    }
}

/// Claims that are signed, whatever they say.
fn claims(input: &[u8]) {
    let Ok(claims) = serde_json::from_slice::<Value>(input) else { return };
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let Ok(token) = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key) else { return };
    if let Some(named) = TOKENS.read(&token, NOW) {
        assert!(named.user.0 > 0);
        assert_eq!(claims["sid"].as_str(), Some(&*named.session.reveal()));
        assert!(claims["exp"].as_i64().is_some_and(|end| end > NOW.as_secs()));
    }
}

/// Checks one input.
pub fn check(input: &[u8]) {
    forged(input);
    claims(input);
}
