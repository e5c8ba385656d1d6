//! HMAC-SHA256 over bytes as they came, compared in constant time.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::Timestamp;

/// How far the time of a signature may be from now, in seconds, either way (Standard Webhooks 1.0; Stripe's libraries).
const TOLERANCE_S: i64 = 300;

/// Whether a key made one of the signatures of the parts, one after the other.
pub(super) fn signed(key: &[u8], parts: &[&[u8]], signatures: &[&[u8]]) -> bool {
    let mac = parts.iter().fold(keyed(key), |mac, part| mac.chain_update(part));
    signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
}

/// Whether two texts are the same, in a time that does not depend on where they differ.
pub(super) fn same(secret: &[u8], given: &[u8]) -> bool {
    let expected = keyed(secret).chain_update(secret).finalize().into_bytes();
    keyed(secret).chain_update(given).verify_slice(&expected).is_ok()
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// A signature in base64: with its padding, in the one way to write it.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A signature in hexadecimal digits, lower case.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    rest.is_empty().then(|| bytes.collect())?
}

/// Whether the time that a signature names, in seconds since 1970, is near enough to now.
pub(super) fn is_now(seconds: &str, now: Timestamp) -> bool {
    let plain = (1..=12).contains(&seconds.len()) && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let away = |at: i64| now.as_secs().abs_diff(at);
    plain && seconds.parse().is_ok_and(|at| away(at) <= TOLERANCE_S.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_written_in_one_way() {
        assert_eq!(base64("aGk="), Some(b"hi".to_vec()));
        for bad in ["aGk", "aGl=", "aGk= ", "a-_=", "aGk=="] {
            assert_eq!(base64(bad), None, "{bad}");
        }
        assert_eq!(hex("6869"), Some(b"hi".to_vec()));
        for bad in ["686", "6A", "zz", "+1", " 1"] {
            assert_eq!(hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_is_now_for_five_minutes_either_way() {
        let now = Timestamp::from_millis(1_000_000_999);
        for (seconds, near) in [
            ("1000000", true),
            ("1000300", true),
            ("999700", true),
            ("1000301", false),
            ("999699", false),
            ("", false),
            ("-1", false),
            ("+1000000", false),
            ("1000000.5", false),
            ("99999999999999999999", false),
        ] {
            assert_eq!(is_now(seconds, now), near, "{seconds}");
        }
    }

    #[test]
    fn two_texts_are_the_same_to_the_byte() {
        assert!(same(b"secret", b"secret"));
        for other in ["", "secre", "secret1", "Secret"] {
            assert!(!same(b"secret", other.as_bytes()), "{other}");
        }
    }
}
