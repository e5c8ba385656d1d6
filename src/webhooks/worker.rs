//! Tells one endpoint its news, one message at a time: what is new in the order of the log, and between two of those what
//! is due to be tried again. It holds a place in the log and a page of what lies behind; all else is in the store.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    body,
    client::{Answer, Client, Request, SendError},
    ledger::Entry,
    outcome::{self, Outcome, Verdict, attempt},
    signature::signatures,
};
use crate::{
    domain::{AttemptRecord, Delivery, DeliveryStatus, Endpoint, NewsItem, Place, Timestamp, Told},
    service::leases::Lease,
    store::{Store, StoreError, Waiting},
    telemetry::{self, DeliveryOutcome, Outage},
};

/// Events that are read at once.
const PAGE: u32 = 128;
/// With so many deliveries waiting for a retry nothing new is sent: the log keeps it.
const MAX_WAITING: u32 = 100;
/// Bytes of an answer that are kept.
const ANSWER: usize = 1000;
/// How often is kept that an endpoint has nothing to be told of what happened.
const PASS_INTERVAL: Duration = Duration::from_secs(1);

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// What all workers share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) store: Arc<dyn Store>,
    pub(super) client: Client,
    pub(super) ledger: mpsc::Sender<Entry>,
    pub(super) now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// The longest time between two looks at the clock.
    pub(super) tick: Duration,
    /// Whether all is to end.
    pub(super) ends: watch::Receiver<bool>,
    /// Changes when another process wrote news.
    pub(super) elsewhere: watch::Receiver<Place>,
}

/// One endpoint's.
pub(super) struct Worker {
    shared: Shared,
    /// As the store has it; `None` when it is gone or disabled.
    current: watch::Receiver<Option<Arc<Endpoint>>>,
    /// While it holds, no other node tells the endpoint.
    lease: Lease,
    /// Changes when this process wrote news.
    news: watch::Receiver<u64>,
    endpoint: Arc<Endpoint>,
    /// What lies before was told, waits, or is none of the endpoint's.
    place: Place,
    /// The part of it that is, or will be, kept.
    kept: Place,
    kept_at: Timestamp,
    page: VecDeque<NewsItem>,
    /// Whether there may be more behind the page.
    more: bool,
    lost: i64,
    waiting: Waiting,
    failing_since: Option<Timestamp>,
    /// Failures one after the other.
    failures: u32,
    paused_until: Timestamp,
    /// Whether the last one was a retry: then something new is next, if there is any.
    retried: bool,
    /// Why the worker itself ended the endpoint.
    disabled: bool,
    /// The store fails.
    outage: Outage,
}

/// A message to send.
struct Message {
    told: Told,
    id: String,
    kind: String,
    event_at: Timestamp,
    /// Attempts before this one.
    tries: u32,
    /// Where the cursor is after it; `None` for a retry.
    place: Option<Place>,
    body: Bytes,
}

impl Worker {
    pub(super) fn new(
        shared: Shared,
        endpoint: Arc<Endpoint>,
        current: watch::Receiver<Option<Arc<Endpoint>>>,
        lease: Lease,
    ) -> Self {
        let news = shared.store.feed().follow();
        let outage = Outage::of(format!("news for the endpoint {} cannot be read", endpoint.endpoint_id));
        Self {
            kept_at: (shared.now)(),
            place: endpoint.place,
            kept: endpoint.place,
            failing_since: endpoint.failing_since,
            shared,
            current,
            lease,
            news,
            endpoint,
            page: VecDeque::new(),
            more: true,
            lost: 0,
            waiting: Waiting::default(),
            failures: 0,
            paused_until: Timestamp::from_millis(0),
            retried: false,
            disabled: false,
            outage,
        }
    }

    /// Works until the endpoint is gone, disabled or another node's, or all ends.
    pub(super) async fn run(mut self) {
        let mut fresh = true;
        while !*self.shared.ends.borrow() && !self.disabled && self.lease.holds() {
            let step = self.step(fresh).await;
            self.outage.note(&step);
            match step {
                Ok(Some(())) => fresh = false,
                Ok(None) => break,
                Err(_) => tokio::time::sleep(self.shared.tick).await,
            }
        }
        // What is kept then is another node's to say.
        if self.lease.holds() {
            self.keep_place().await;
        }
    }

    /// One message, or a wait for one; `None` when there is nobody to tell any more.
    async fn step(&mut self, fresh: bool) -> Result<Option<()>, StoreError> {
        if fresh || self.current.has_changed().unwrap_or(false) {
            let current = self.current.borrow_and_update().clone();
            let Some(current) = current else { return Ok(None) };
            self.adopt(current).await?;
        }
        let now = (self.shared.now)();
        match self.next(now).await? {
            Some(message) if self.lease.holds() => self.tell(message).await?,
            // It is lost to this worker, whose place must not be kept.
            Some(_) => return Ok(None),
            None => self.wait(now).await,
        }
        Ok(Some(()))
    }

    /// Goes on by another state of the endpoint.
    async fn adopt(&mut self, endpoint: Arc<Endpoint>) -> Result<(), StoreError> {
        if endpoint.generation != self.endpoint.generation {
            (self.place, self.kept) = (endpoint.place, endpoint.place);
            self.page.clear();
            self.more = true;
        }
        if endpoint.revision != self.endpoint.revision {
            // Somebody did something about it: what failed before is no reason to wait.
            (self.failures, self.paused_until) = (0, Timestamp::from_millis(0));
        }
        self.endpoint = endpoint;
        self.waiting = self.shared.store.waiting(self.endpoint.endpoint_id).await?;
        Ok(())
    }

    async fn next(&mut self, now: Timestamp) -> Result<Option<Message>, StoreError> {
        let due = self.waiting.next_at.is_some_and(|at| at <= now);
        if due && !self.retried {
            return self.retry(now).await;
        }
        self.retried = false;
        match self.unsent(now).await? {
            None if due => self.retry(now).await,
            found => Ok(found),
        }
    }

    /// The delivery that has been due for the longest.
    async fn retry(&mut self, now: Timestamp) -> Result<Option<Message>, StoreError> {
        self.retried = true;
        let id = self.endpoint.endpoint_id;
        while let Some(due) = self.shared.store.due_delivery(id, now).await? {
            let Delivery { delivery_id, told, message, kind, event_at, tries, .. } = due.delivery;
            let body = match (&due.item, told) {
                (Some(item), _) => body::render(item),
                (None, Told::Test) => body::render_test(&kind, event_at),
                (None, _) => {
                    self.shared.store.give_up(delivery_id, now).await?;
                    continue;
                }
            };
            return Ok(Some(Message { told, id: message, kind, event_at, tries, place: None, body }));
        }
        self.waiting = self.shared.store.waiting(id).await?;
        Ok(None)
    }

    /// The next of the log that the endpoint is told.
    async fn unsent(&mut self, now: Timestamp) -> Result<Option<Message>, StoreError> {
        if now < self.paused_until || self.waiting.deliveries >= MAX_WAITING {
            return Ok(None);
        }
        loop {
            let Some(item) = self.page.pop_front() else {
                if !self.more {
                    return Ok(None);
                }
                self.read().await?;
                continue;
            };
            self.place = item.place;
            if self.endpoint.topics.contains(item.topic) {
                return Ok(Some(Message {
                    told: item.told(),
                    kind: item.topic.name().to_owned(),
                    event_at: item.at,
                    tries: 0,
                    place: Some(item.place),
                    body: body::render(&item),
                    id: item.message,
                }));
            }
        }
    }

    async fn read(&mut self) -> Result<(), StoreError> {
        // What is written from now on is announced again.
        self.news.borrow_and_update();
        self.shared.elsewhere.borrow_and_update();
        let page = self.shared.store.news_after(self.place, PAGE).await?;
        self.more = page.len() == PAGE as usize;
        // Both logs count without holes: what is missing was pruned.
        let mut last = self.place;
        for item in &page {
            let skipped = (item.place.orders - last.orders) + (item.place.goods - last.goods) - 1;
            if skipped > 0 {
                tracing::warn!(endpoint = %self.endpoint.endpoint_id, skipped, "events were pruned before they were told");
                self.lost += skipped;
            }
            last = item.place;
        }
        self.page = page.into();
        Ok(())
    }

    async fn tell(&mut self, message: Message) -> Result<(), StoreError> {
        let at = (self.shared.now)();
        let began = Instant::now();
        let result = self.send(&message, at).await;
        let took = began.elapsed();
        let verdict = Verdict::of(&result, at);
        let tries = message.tries + 1;
        let outcome = match message.told {
            Told::Test => outcome::decide_test(verdict, self.failing_since),
            _ => outcome::decide(verdict, tries, self.failing_since, at, rand::random()),
        };
        self.observe(message.told, verdict, &outcome, at, took);
        let attempt = attempt(result, at, took);
        let waits = message.place.is_none() || outcome.status != DeliveryStatus::Delivered;
        let record = AttemptRecord {
            endpoint_id: self.endpoint.endpoint_id,
            generation: self.endpoint.generation,
            told: message.told,
            message: message.id,
            kind: message.kind,
            event_at: message.event_at,
            attempt,
            status: outcome.status,
            tries,
            next_at: outcome.next_at,
            place: message.place,
            failing_since: outcome.failing_since,
            disables: outcome.disables,
        };
        self.record(record, waits).await?;
        self.disabled = outcome.disables.is_some();
        Ok(())
    }

    /// What an attempt means for the next one.
    fn observe(&mut self, told: Told, verdict: Verdict, outcome: &Outcome, at: Timestamp, took: Duration) {
        telemetry::delivery(
            match outcome.status {
                DeliveryStatus::Delivered => DeliveryOutcome::Delivered,
                DeliveryStatus::Waiting => DeliveryOutcome::Retried,
                DeliveryStatus::Failed => DeliveryOutcome::Failed,
            },
            took,
        );
        if let Some(reason) = outcome.disables {
            let endpoint = self.endpoint.endpoint_id;
            tracing::warn!(%endpoint, reason = reason.name(), "an endpoint is disabled");
        }
        self.failing_since = outcome.failing_since;
        if told == Told::Test {
            return;
        }
        self.failures = if verdict == Verdict::Taken { 0 } else { self.failures.saturating_add(1) };
        let pause = outcome::pause(self.failures, verdict);
        self.paused_until =
            if pause.is_zero() { self.paused_until.min(at) } else { at.plus(took).plus(pause) };
    }

    /// Has an attempt kept. What is due is read from the store, so that what changes that is waited for.
    async fn record(&mut self, record: AttemptRecord, waits: bool) -> Result<(), StoreError> {
        if let Some(place) = record.place {
            self.kept = place;
        }
        let (tell, told) = if waits { Some(oneshot::channel()).unzip() } else { (None, None) };
        // Nobody takes it only when all has ended.
        drop(self.shared.ledger.send(Entry::Attempt(Box::new(record), tell)).await);
        if let Some(told) = told {
            drop(told.await);
            self.waiting = self.shared.store.waiting(self.endpoint.endpoint_id).await?;
        }
        Ok(())
    }

    async fn send(&self, message: &Message, at: Timestamp) -> Result<Answer, SendError> {
        let endpoint = &self.endpoint;
        let old = endpoint.old_secret.as_ref().filter(|(_, until)| at < *until).map(|(secret, _)| secret);
        let signed = signatures([&endpoint.secret].into_iter().chain(old), &message.id, at, &message.body);
        let value =
            |text: &str| HeaderValue::from_str(text).map_err(|error| SendError::Broken(error.to_string()));
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (WEBHOOK_ID, value(&message.id)?),
            (WEBHOOK_TIMESTAMP, HeaderValue::from(at.as_secs())),
            (WEBHOOK_SIGNATURE, value(&signed)?),
        ]);
        let url = endpoint.url.url().clone();
        let request =
            Request { method: Method::POST, url, headers, body: message.body.clone(), wanted: ANSWER };
        self.shared.client.send(request).await
    }

    /// Waits for something that could be next.
    async fn wait(&mut self, now: Timestamp) {
        if now.minus(PASS_INTERVAL) >= self.kept_at {
            self.kept_at = now;
            self.keep_place().await;
        }
        let next = self.waiting.next_at.into_iter().chain([self.paused_until]).filter(|at| *at > now).min();
        let until = next.map_or(self.shared.tick, |at| {
            let millis = u64::try_from(at.as_millis() - now.as_millis()).unwrap_or(0);
            Duration::from_millis(millis).min(self.shared.tick)
        });
        // With something to read that may not be sent now, more news changes nothing.
        let may_read = self.page.is_empty() && !self.more;
        let changed = async {
            tokio::select! {
                changed = self.news.changed() => changed,
                changed = self.shared.elsewhere.changed() => changed,
            }
        };
        tokio::select! {
            _ = changed, if may_read => self.more = true,
            _ = self.current.changed() => self.current.mark_changed(),
            _ = self.shared.ends.changed() => {}
            () = self.lease.over() => {}
            () = tokio::time::sleep(until) => {}
        }
    }

    /// Has kept how far the endpoint needs to be told nothing, and what it lost.
    async fn keep_place(&mut self) {
        if self.place != self.kept || self.lost > 0 {
            self.kept = self.place;
            let entry = Entry::Pass {
                id: self.endpoint.endpoint_id,
                generation: self.endpoint.generation,
                place: self.place,
                lost: std::mem::take(&mut self.lost),
            };
            drop(self.shared.ledger.send(entry).await);
        }
    }
}
