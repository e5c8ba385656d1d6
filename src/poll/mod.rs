//! Reads the orders of WooCommerce shops over REST as well: WooCommerce drops a webhook for good after it failed more than
//! five times, and what was lost in between is found here. What is read goes the way of a webhook of the same order, so that
//! nothing is told twice.
//!
//! Each polled source has a task of its own on one node, which ends with the source, its address or its lease; at most `AT_ONCE` of them read at a
//! time. Not for: what an order means (`hooks`), what becomes of it (`service`).

mod plan;
mod rest;
mod round;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::{sync::Semaphore, task::JoinHandle};

use self::{
    rest::{Failure, Shop},
    round::{Inbox, Seen},
};
use crate::{
    clock,
    domain::{Poll, SourceId, Timestamp},
    hooks::PagedOrder,
    service::{
        ServiceError,
        ingest::Ingest,
        leases::{Lease, Leases},
        poll_reports::{PollReport, PollReports},
        sources::Sources,
    },
    state::AppState,
    store::Store,
    telemetry::{self, Outage},
    webhooks::Client,
};

/// How many shops are read at the same time. One that hangs holds its place for a page's time limit.
const AT_ONCE: usize = 4;
/// How often the sources are looked through for new and removed ones.
const INTERVAL: Duration = Duration::from_secs(2);

/// What polling needs.
#[derive(Clone)]
pub struct Polls {
    /// The sources, of which some are polled.
    pub sources: Arc<Sources>,
    /// Takes their orders.
    pub ingest: Arc<Ingest>,
    /// Where it is said what became of each look.
    pub reports: Arc<PollReports>,
    /// Keeps up to where each was read.
    pub store: Arc<dyn Store>,
    /// Talks to the shops.
    pub client: Client,
}

/// A task that ends when it is dropped.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Works until the end of a lease. An order that was handed on is kept all the same: the writer does not wait for who asked.
async fn while_held(mut lease: Lease, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = lease.over() => {}
    }
}

impl Polls {
    /// Of a shop.
    #[must_use]
    pub fn of(state: &AppState) -> Self {
        Self {
            sources: Arc::clone(&state.sources),
            ingest: Arc::clone(&state.ingest),
            reports: Arc::clone(&state.poll_reports),
            store: Arc::clone(&state.store),
            client: Client::new(state.settings.allow_private_endpoints),
        }
    }

    /// Polls the sources that are to be polled and of which this node has the `leases`, until `end`.
    pub async fn run(self, mut leases: Leases, end: impl Future) {
        tokio::select! {
            () = self.follow(&mut leases) => {}
            _ = end => {}
        }
        leases.release().await;
    }

    async fn follow(self, leases: &mut Leases) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks: HashMap<SourceId, (Poll, Lease, Task)> = HashMap::new();
        let outage = Outage::new("which shops are this node's to read cannot be known");
        loop {
            let wanted: HashMap<SourceId, Poll> = self
                .sources
                .all()
                .into_iter()
                .filter_map(|source| Some((source.record.id.clone(), source.record.settings.poll.clone()?)))
                .collect();
            tasks.retain(|id, (poll, lease, _)| {
                let stays = wanted.get(id) == Some(poll) && lease.holds();
                if !stays {
                    self.reports.forget(id);
                }
                stays
            });
            outage.note(&leases.keep(wanted.keys().map(|id| id.as_str().to_owned())).await);
            for (id, poll) in wanted {
                let Some(lease) = leases.of(id.as_str()).filter(|_| !tasks.contains_key(&id)) else {
                    continue;
                };
                let attend = self.clone().attend(id.clone(), poll.clone(), Arc::clone(&places));
                let task = Task(tokio::spawn(while_held(lease.clone(), attend)));
                tasks.insert(id, (poll, lease, task));
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Reads one shop again and again.
    async fn attend(self, id: SourceId, poll: Poll, places: Arc<Semaphore>) {
        let mut shop = match Shop::parse(&poll.url, &poll.key) {
            Ok(shop) => shop,
            Err(failure) => return self.failed(&id, 1, &failure),
        };
        let mut seen = Seen::default();
        let mut failures = 0;
        loop {
            let looked = match places.acquire().await {
                Ok(_place) => self.look(&id, &mut shop, &mut seen).await,
                Err(_) => return,
            };
            let retry_after = match looked {
                Ok(taken) => {
                    failures = 0;
                    telemetry::polled("read");
                    self.reports.note(&id, PollReport { at: clock::now(), failures, why: None });
                    tracing::debug!(source = %id, taken, "a shop was read");
                    None
                }
                Err(failure) => {
                    failures += 1;
                    self.failed(&id, failures, &failure);
                    failure.retry_after
                }
            };
            tokio::time::sleep(plan::pause(failures, retry_after, rand::random())).await;
        }
    }

    fn failed(&self, id: &SourceId, failures: u32, failure: &Failure) {
        telemetry::polled("failed");
        tracing::warn!(source = %id, failures, why = failure.why, "a shop could not be read");
        let report = PollReport { at: clock::now(), failures, why: Some(failure.why.clone()) };
        self.reports.note(id, report);
    }

    async fn look(&self, id: &SourceId, shop: &mut Shop, seen: &mut Seen) -> Result<usize, Failure> {
        // As the store has it: what is held in memory does not follow the cursor.
        let source = self.sources.get(id).await.map_err(|error| unkept(&error))?;
        let cursor = source.record.poll_cursor.as_deref().and_then(plan::cursor);
        let inbox = Orders { polls: self, id };
        round::look(&self.client, shop, &inbox, seen, cursor, clock::now()).await
    }
}

/// Takes the orders of one source.
struct Orders<'a> {
    polls: &'a Polls,
    id: &'a SourceId,
}

#[async_trait]
impl Inbox for Orders<'_> {
    async fn take(&self, order: PagedOrder) -> Result<(), Failure> {
        let source =
            self.polls.sources.find(self.id).ok_or_else(|| Failure::new("the source was removed"))?;
        let became = self.polls.ingest.polled(source, Bytes::from(order.body), clock::now()).await;
        became.map(drop).map_err(|error| unkept(&error))
    }

    async fn keep(&self, cursor: Timestamp) -> Result<(), Failure> {
        let kept = self.polls.store.keep_poll_cursor(self.id.clone(), cursor.to_string()).await;
        kept.map_err(|error| Failure::new(format!("the cursor was not kept: {error}")))
    }
}

fn unkept(error: &ServiceError) -> Failure {
    Failure::new(format!("an order was not kept: {error}"))
}
