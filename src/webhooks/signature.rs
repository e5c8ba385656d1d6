//! Signatures of Standard Webhooks 1.0 (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::{EndpointSecret, Timestamp};

/// What `webhook-signature` says of a message: a signature of each secret, the newest first.
pub(super) fn signatures<'a>(
    secrets: impl IntoIterator<Item = &'a EndpointSecret>,
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> String {
    let head = format!("{id}.{}.", at.as_secs());
    let one = |secret: &EndpointSecret| {
        let mac = Hmac::<Sha256>::new_from_slice(&key(secret)).expect("HMAC takes keys of any length");
        let mac = mac.chain_update(head.as_bytes()).chain_update(body).finalize();
        format!("v1,{}", STANDARD.encode(mac.into_bytes()))
    };
    secrets.into_iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The bytes that a secret names: what stands behind `whsec_` is base64.
fn key(secret: &EndpointSecret) -> Vec<u8> {
    let text = secret.reveal();
    STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the reference libraries' tests.
        let secret = EndpointSecret::trusted("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let at = Timestamp::from_millis(1_614_265_330_999);
        let signed = signatures([&secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let both =
            signatures([&secret, &secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(both, format!("{signed} {signed}"));
    }
}
