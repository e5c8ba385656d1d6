//! What a source signs with.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::SourceKind;
use crate::domain::Invalid;

/// What stands before a secret of Standard Webhooks, which is base64, and of Stripe, which is not.
const PREFIX: &str = "whsec_";

/// What a source signs with. Its text is shown once, when it is made.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Reads a secret that was copied from the other system or stands in a row.
    ///
    /// # Errors
    /// Empty, over 255 bytes or with control characters; for `standard`, not base64 of 24 to 64 bytes after `whsec_`
    /// (Standard Webhooks 1.0, "Signature scheme"); for Stripe, without `whsec_`: what has another prefix there is a key
    /// that takes money.
    pub fn parse(kind: SourceKind, text: &str) -> Result<Self, Invalid> {
        let secret = Self(text.trim().to_owned());
        let plain = (1..=255).contains(&secret.0.len()) && !secret.0.contains(|c: char| c.is_control());
        if !plain {
            return Err(Invalid::new("invalid", "a secret has 1 to 255 bytes and no control characters"));
        }
        match kind {
            SourceKind::Standard if !secret.decoded().is_some_and(|key| (24..=64).contains(&key.len())) => {
                Err(Invalid::new("invalid", "a secret is base64 of 24 to 64 bytes, after whsec_"))
            }
            SourceKind::Stripe if !secret.0.starts_with(PREFIX) => {
                Err(Invalid::new("invalid", "the signing secret of a Stripe endpoint begins with whsec_"))
            }
            _ => Ok(secret),
        }
    }

    /// A secret of 32 random bytes, for a source that is told its secret here.
    #[must_use]
    pub fn made(random: &[u8; 32]) -> Self {
        // What WooCommerce would decode as an entity cannot be in it.
        Self(format!("{PREFIX}{}", STANDARD.encode(random)))
    }

    /// Its text, to be shown once and to be kept.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The key of Standard Webhooks: base64, with or without its prefix.
    pub(super) fn decoded(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.0.strip_prefix(PREFIX).unwrap_or(&self.0)).ok()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_what_its_kind_makes() {
        let made = Secret::made(&[7; 32]);
        assert_eq!(Secret::parse(SourceKind::Standard, &format!(" {}\n", made.expose())), Ok(made.clone()));
        assert!(!format!("{made:?}").contains("Bwc"));
        for bad in ["", "whsec_", "whsec_AAAA", "whsec_%%%%", "secret\u{7}"] {
            assert!(Secret::parse(SourceKind::Standard, bad).is_err(), "{bad:?}");
        }
        assert!(Secret::parse(SourceKind::Stripe, "sk_live_1").is_err());
        assert!(Secret::parse(SourceKind::Stripe, "whsec_not/base64!").is_ok());
        assert!(Secret::parse(SourceKind::WooCommerce, " any text & more ").is_ok());
        assert!(Secret::parse(SourceKind::Shopify, &"x".repeat(256)).is_err());
    }
}
