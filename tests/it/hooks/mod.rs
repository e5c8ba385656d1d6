//! What the adapters of sources make of bodies as other systems send them (`tests/fixtures/hooks/`), and whose signatures they
//! believe. What becomes of it in the shop is tested over the socket, elsewhere.

mod shopify;
mod standard;
mod stripe;
mod woocommerce;

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use shopbell::{
    domain::Timestamp,
    hooks::{self, Incoming, Refusal, Secret, SourceKind, Told, ToldOrder},
};

/// A request as a test makes it.
#[derive(Clone)]
struct Sent {
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    now: Timestamp,
}

impl Sent {
    fn new(body: impl Into<Vec<u8>>) -> Self {
        Self { headers: Vec::new(), body: body.into(), now: at("2026-11-25T12:00:00Z") }
    }

    fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name, value.as_ref().to_vec()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| *key != name);
        self
    }

    fn given(&self, with: impl Fn(&Incoming<'_>) -> Result<Told, Refusal>) -> Result<Told, Refusal> {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let currency = "USD".parse().unwrap();
        with(&Incoming { headers: &headers, body: &self.body, now: self.now, currency })
    }

    fn verified(&self, kind: SourceKind, secrets: &[&str]) -> bool {
        let secrets: Vec<_> = secrets.iter().map(|text| Secret::parse(kind, text).unwrap()).collect();
        let outcome = self.given(|incoming| hooks::verify(kind, &secrets, incoming).map(|()| Told::Ping));
        assert!(!matches!(outcome, Err(Refusal::Malformed(_))), "{outcome:?}");
        outcome.is_ok()
    }

    fn read(&self, kind: SourceKind) -> Result<Told, Refusal> {
        self.given(|incoming| hooks::read(kind, incoming))
    }

    fn order(&self, kind: SourceKind) -> ToldOrder {
        match self.read(kind) {
            Ok(Told::Order(order)) => *order,
            other => panic!("{other:?}"),
        }
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::from_millis(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hooks").join(path)).unwrap()
}

fn hmac(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(bytes).finalize().into_bytes().to_vec()
}

pub(super) fn hmac_base64(key: &[u8], bytes: &[u8]) -> String {
    STANDARD.encode(hmac(key, bytes))
}

fn hmac_hex(key: &[u8], bytes: &[u8]) -> String {
    hmac(key, bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What was malformed, in a sentence.
fn why(outcome: Result<Told, Refusal>) -> String {
    match outcome {
        Err(Refusal::Malformed(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Why it means nothing, in a sentence.
fn nothing(outcome: Result<Told, Refusal>) -> String {
    match outcome {
        Ok(Told::Nothing(why)) => why,
        other => panic!("{other:?}"),
    }
}
