//! Log-in tokens: JWTs signed with HS256 (RFC 7519, RFC 7518 §3.2) that name a log-in session. What a token says is
//! only believed together with the session in the database, so that a log-out ends it at once.

use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::ServiceError;
use crate::{
    domain::{SessionSecret, Timestamp, UserId},
    store::Store,
};

#[derive(Debug, Deserialize, Serialize)]
struct JwtClaims {
    /// The account's number; a string, as RFC 7519 §4.1.2 wants it.
    sub: String,
    /// The log-in session.
    sid: String,
    iat: i64,
    exp: i64,
}

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenClaims {
    /// The account.
    pub user: UserId,
    /// What opens its log-in.
    pub session: SessionSecret,
}

/// Signs and reads tokens.
pub struct Tokens {
    signing: EncodingKey,
    /// The first is that of `signing`; older ones count until the tokens that they signed have ended.
    verifying: Vec<DecodingKey>,
    validation: Validation,
    ttl: Duration,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

impl Tokens {
    /// With the keys of the settings, or the one that was made at the first start and kept beside the store.
    ///
    /// # Errors
    /// The store failed, or the key cannot be kept.
    pub async fn open(store: &dyn Store, keys: &[&str], ttl: Duration) -> Result<Self, ServiceError> {
        if let Some((first, older)) = keys.split_first() {
            return Ok(Self::new(first, older, ttl));
        }
        let fresh: String = rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self::new(&store.token_key(&fresh).await?, &[], ttl))
    }

    /// Signs with the first key, verifies with all.
    #[must_use]
    pub fn new(first: &str, older: &[&str], ttl: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        // Checked against the caller's clock in `read`.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["exp", "sub"]);
        Self {
            signing: EncodingKey::from_secret(first.as_bytes()),
            verifying: std::iter::once(&first)
                .chain(older)
                .map(|key| DecodingKey::from_secret(key.as_bytes()))
                .collect(),
            validation,
            ttl,
        }
    }

    /// How long a log-in holds.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Signs a token for a log-in that ends at `expires_at`.
    ///
    /// # Errors
    /// Never, unless the library does.
    pub fn sign(
        &self,
        claims: &TokenClaims,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<String, ServiceError> {
        let jwt = JwtClaims {
            sub: claims.user.to_string(),
            sid: claims.session.reveal(),
            iat: now.as_secs(),
            // Rounded up: the session in the store ends to the millisecond, its token must not end before.
            exp: expires_at.plus(Duration::from_millis(999)).as_secs(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &jwt, &self.signing)
            .map_err(|error| ServiceError::internal("a token could not be signed", error))
    }

    /// What a token names; `None` when it is not ours, was tampered with, or is over. No reason is given, because
    /// none helps an honest client.
    #[must_use]
    pub fn read(&self, token: &str, now: Timestamp) -> Option<TokenClaims> {
        let read = |key| jsonwebtoken::decode::<JwtClaims>(token, key, &self.validation).ok();
        let claims = self.verifying.iter().find_map(read)?.claims;
        // "on or after which the JWT MUST NOT be accepted" (RFC 7519 §4.1.4).
        if claims.exp <= now.as_secs() {
            return None;
        }
        Some(TokenClaims { user: UserId::parse(&claims.sub)?, session: SessionSecret::parse(&claims.sid)? })
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_763_686_461_123);
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OLDER: &str = "fedcba9876543210fedcba9876543210";

    fn tokens() -> Tokens {
        Tokens::new(SECRET, &[OLDER], Duration::from_secs(60))
    }

    fn claims() -> TokenClaims {
        TokenClaims { user: UserId(7), session: SessionSecret::from_random([1; 16]) }
    }

    fn signed() -> String {
        tokens().sign(&claims(), NOW, NOW.plus(Duration::from_secs(60))).unwrap()
    }

    fn jwt_claims() -> JwtClaims {
        JwtClaims { sub: "7".into(), sid: claims().session.reveal(), iat: 0, exp: i64::MAX }
    }

    fn forged(header: &Header, key: &str) -> String {
        jsonwebtoken::encode(header, &jwt_claims(), &EncodingKey::from_secret(key.as_bytes())).unwrap()
    }

    #[test]
    fn a_token_names_its_login_until_it_ends() {
        assert_eq!(tokens().read(&signed(), NOW), Some(claims()));
        assert_eq!(tokens().read(&signed(), NOW.plus(Duration::from_secs(60))), Some(claims()));
        assert_eq!(tokens().read(&signed(), NOW.plus(Duration::from_secs(61))), None);
    }

    #[test]
    fn only_our_key_and_our_algorithm_count() {
        assert!(tokens().read(&forged(&Header::new(Algorithm::HS256), SECRET), NOW).is_some());
        assert_eq!(tokens().read(&forged(&Header::new(Algorithm::HS256), "another key"), NOW), None);
        assert_eq!(tokens().read(&forged(&Header::new(Algorithm::HS384), SECRET), NOW), None);
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_string(&jwt_claims()).unwrap());
        let none = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
        for signature in ["", ".", ".AAAA"] {
            assert_eq!(tokens().read(&format!("{none}{signature}"), NOW), None);
        }
    }

    #[test]
    fn a_key_can_be_changed_without_logging_anyone_out() {
        let before = Tokens::new(OLDER, &[], Duration::from_secs(60));
        let token = before.sign(&claims(), NOW, NOW.plus(Duration::from_secs(60))).unwrap();
        assert_eq!(tokens().read(&token, NOW), Some(claims()));
        assert_eq!(Tokens::new(SECRET, &[], Duration::from_secs(60)).read(&token, NOW), None);
        // The first signs.
        assert_eq!(before.read(&signed(), NOW), None);
    }

    #[test]
    fn a_tampered_token_is_none() {
        let token = signed();
        let (head, rest) = token.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let other = tokens()
            .sign(&TokenClaims { user: UserId(1), ..claims() }, NOW, NOW.plus(Duration::from_secs(60)))
            .unwrap();
        let claims = other.split('.').nth(1).unwrap();
        assert_eq!(tokens().read(&format!("{head}.{claims}.{signature}"), NOW), None);
        for bad in ["", "null", "undefined", "a.b.c", &token[..token.len() - 2], &format!("{token} ")] {
            assert_eq!(tokens().read(bad, NOW), None, "{bad}");
        }
    }
}
