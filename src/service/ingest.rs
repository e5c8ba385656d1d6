//! Orders in (docs/contract.md §4): takes what a source says, whatever its kind and however it came, and keeps receipt,
//! order, goods and notification in one transaction. Answers when that is durable.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{Page, ServiceError, sources::Sources};
use crate::{
    domain::{Actor, Currency, SourceId, Timestamp, TraceContext},
    hooks::{self, Incoming, Refusal, Told},
    limits::Rates,
    store::{Became, Heard, Receipt, ReceiptId, ReceiptQuery, Source, SourceStore, Via},
    telemetry,
};

/// The most bytes of a body that are kept with its receipt: a larger one is read, and cannot be tried again.
pub const KEPT_BODY: usize = 64 * 1024;
/// Seconds' worth of receipts that a source may send at once.
const BURST: u8 = 4;

/// What a source is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Somebody is there.
    Ping,
    /// What became of it.
    Kept(Became),
}

/// Requests that no secret of a source signed, since the start of the program.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned {
    /// How many.
    pub count: u64,
    /// When the last one came.
    pub last_at: Timestamp,
    /// What was wrong with it.
    pub why: &'static str,
}

/// What is remembered of a source that speaks.
struct Speaker {
    rate: u32,
    rates: Rates<()>,
    unsigned: Option<Unsigned>,
}

/// The use cases of orders of other shops.
pub struct Ingest {
    store: Arc<dyn SourceStore>,
    sources: Arc<Sources>,
    currency: Currency,
    /// As many as there are sources.
    speakers: Mutex<HashMap<SourceId, Speaker>>,
}

impl Ingest {
    /// Over a store; `currency` is the shop's.
    #[must_use]
    pub fn new(store: Arc<dyn SourceStore>, sources: Arc<Sources>, currency: Currency) -> Self {
        Self { store, sources, currency, speakers: Mutex::default() }
    }

    /// Takes what came to the door of a source.
    ///
    /// What nobody signed writes nothing: it costs less than what is kept, and is counted.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a source that is none any more, [`ServiceError::BadSignature`],
    /// [`ServiceError::MalformedReceipt`], [`ServiceError::TooManyReceipts`].
    pub async fn receive(
        &self,
        source: Arc<Source>,
        headers: &[(&str, &[u8])],
        body: Bytes,
        trace: Option<TraceContext>,
        now: Timestamp,
    ) -> Result<Answer, ServiceError> {
        let currency = source.record.currency.unwrap_or(self.currency);
        let incoming = Incoming { headers, body: &body, now, currency };
        let what = match hooks::hear(source.kind, &source.secrets_at(now), &incoming) {
            Ok(Told::Ping) => return Ok(Answer::Ping),
            Ok(told) => Ok(told),
            Err(Refusal::BadSignature(why)) => {
                self.count_unsigned(&source.record.id, why, now);
                telemetry::receipt("bad_signature");
                return Err(ServiceError::BadSignature(why));
            }
            Err(Refusal::Malformed(why)) => Err(why),
        };
        self.admit(&source)?;
        let refusal = what.as_ref().err().cloned();
        let topic = topic(headers, &body);
        let headers = kept_headers(&source, headers);
        let heard = heard(source, what, Via::Hook, topic, headers, body, now);
        let became = self.keep(Heard { trace, ..heard }).await?;
        match refusal {
            Some(why) => Err(ServiceError::MalformedReceipt(why)),
            None => Ok(Answer::Kept(became)),
        }
    }

    /// Takes an order that was fetched from a source: `body` is what its webhook would have sent.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a source that is none any more; the store failed.
    pub async fn polled(
        &self,
        source: Arc<Source>,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Became, ServiceError> {
        let currency = source.record.currency.unwrap_or(self.currency);
        let incoming = Incoming { headers: hooks::PAGED_HEADERS, body: &body, now, currency };
        let what = hooks::read(source.kind, &incoming).map_err(|refusal| refusal.to_string());
        let topic = topic(hooks::PAGED_HEADERS, &body);
        let headers = kept_headers(&source, hooks::PAGED_HEADERS);
        // What is fetched again and again has a receipt only for what it changes: the store sees to that.
        self.keep(heard(source, what, Via::Poll, topic, headers, body, now)).await
    }

    async fn keep(&self, heard: Heard) -> Result<Became, ServiceError> {
        let became = self.store.keep_heard(heard).await?;
        telemetry::receipt(became.outcome.name());
        Ok(became)
    }

    /// Lists receipts of a source, newest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store failed.
    pub async fn receipts(
        &self,
        id: &SourceId,
        query: ReceiptQuery,
    ) -> Result<Page<Receipt, ReceiptId>, ServiceError> {
        self.sources.get(id).await?;
        let limit = query.limit;
        let query = ReceiptQuery { limit: limit.saturating_add(1), ..query };
        Ok(Page::cut(self.store.receipts(id, query).await?, limit, |receipt| receipt.id))
    }

    /// Reads a receipt once more, as the program understands it now.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::ReceiptForgotten`] when its body is no longer kept.
    pub async fn retry(
        &self,
        id: &SourceId,
        receipt: ReceiptId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Became, ServiceError> {
        let source = Arc::new(self.sources.get(id).await?);
        let kept = self.store.receipt_body(id, receipt).await?.ok_or(ServiceError::ReceiptForgotten)?;
        let headers: Map<String, Value> =
            kept.headers.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let lines: Vec<(&str, &[u8])> = headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?.as_bytes())))
            .collect();
        let currency = source.record.currency.unwrap_or(self.currency);
        let incoming = Incoming { headers: &lines, body: &kept.body, now, currency };
        let what = match hooks::read(source.kind, &incoming) {
            Ok(told) => Ok(told),
            Err(Refusal::Malformed(why)) => Err(why),
            Err(Refusal::BadSignature(why)) => Err(why.to_owned()),
        };
        let again = Some(receipt);
        let heard = heard(source, what, kept.via, kept.topic, kept.headers, kept.body, now);
        self.keep(Heard { again, by, ..heard }).await
    }

    /// What came to the door of a source that nobody signed.
    #[must_use]
    pub fn unsigned(&self, id: &SourceId) -> Option<Unsigned> {
        self.speakers().get(id).and_then(|speaker| speaker.unsigned)
    }

    fn count_unsigned(&self, id: &SourceId, why: &'static str, at: Timestamp) {
        let mut speakers = self.speakers();
        let speaker = speakers.entry(id.clone()).or_insert_with(|| Speaker::new(1));
        let before = speaker.unsigned.map_or(0, |unsigned| unsigned.count);
        speaker.unsigned = Some(Unsigned { count: before + 1, last_at: at, why });
    }

    /// Counts a receipt of a source.
    fn admit(&self, source: &Source) -> Result<(), ServiceError> {
        let rate = source.record.settings.rate;
        let mut speakers = self.speakers();
        let speaker = speakers.entry(source.record.id.clone()).or_insert_with(|| Speaker::new(rate));
        if speaker.rate != rate {
            let unsigned = speaker.unsigned;
            *speaker = Speaker { unsigned, ..Speaker::new(rate) };
        }
        speaker.rates.take((), Instant::now()).map_err(ServiceError::TooManyReceipts)
    }

    fn speakers(&self) -> std::sync::MutexGuard<'_, HashMap<SourceId, Speaker>> {
        // Numbers stay usable whatever a panic left them at.
        self.speakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Speaker {
    fn new(rate: u32) -> Self {
        Self { rate, rates: Rates::new(rate, Duration::from_secs(1), BURST), unsigned: None }
    }
}

fn heard(
    source: Arc<Source>,
    what: Result<Told, String>,
    via: Via,
    topic: Option<String>,
    headers: Option<String>,
    body: Bytes,
    at: Timestamp,
) -> Heard {
    let mut digest = String::with_capacity(64);
    for byte in Sha256::digest(&body) {
        // Writing into a string does not fail.
        let _ = write!(digest, "{byte:02x}");
    }
    // What the law asks for names people: it is done, and not kept.
    let is_private = matches!(what, Ok(Told::Privacy(_)));
    let body = (body.len() <= KEPT_BODY && !is_private).then_some(body);
    Heard { source, what, via, topic, headers, body, digest, again: None, by: None, trace: None, at }
}

/// The headers that say what a body means, to read it once more.
fn kept_headers(source: &Source, headers: &[(&str, &[u8])]) -> Option<String> {
    let read = hooks::headers_read(source.kind);
    let kept: Map<String, Value> = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = read.iter().find(|known| known.eq_ignore_ascii_case(name))?;
            Some(((*name).to_owned(), Value::from(std::str::from_utf8(value).ok()?)))
        })
        .collect();
    (!kept.is_empty()).then(|| Value::from(kept).to_string())
}

/// The headers in which kinds of sources name what a body is about.
const TOPICS: [&str; 2] = ["x-shopify-topic", "x-wc-webhook-topic"];

/// What a body is about, in the source's own words: of a header, else the `type` that begins the body. For people to read.
fn topic(headers: &[(&str, &[u8])], body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Typed {
        r#type: Option<String>,
    }
    let named = headers.iter().find(|(name, _)| TOPICS.iter().any(|topic| topic.eq_ignore_ascii_case(name)));
    let text = match named {
        Some((_, value)) => std::str::from_utf8(value).ok().map(str::to_owned),
        None => serde_json::from_slice::<Typed>(body).ok().and_then(|typed| typed.r#type),
    };
    text.map(|text| text.chars().filter(|c| !c.is_control()).take(80).collect())
}
