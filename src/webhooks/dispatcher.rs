//! Keeps a worker for each enabled endpoint that is this node's to tell, on a thread of its own: alerts do not wait for
//! webhooks.

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinHandle, JoinSet},
    time::MissedTickBehavior,
};

use super::{
    client::Client,
    ledger::{self, GROUP},
    worker::{Shared, Worker},
};
use crate::{
    clock,
    domain::{Endpoint, EndpointId, Place, Timestamp},
    service::leases::{Lease, Leases},
    store::{Store, StoreError},
    telemetry::{self, Outage},
};

/// How time passes.
#[derive(Clone)]
pub struct Pace {
    /// The clock.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// How often is looked for what administrators and other processes did, and at most between two looks at the clock.
    pub tick: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { now: Arc::new(clock::now), tick: Duration::from_millis(500) }
    }
}

/// The dispatcher, at work.
pub struct Dispatcher {
    ends: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
}

impl Dispatcher {
    /// Starts its thread, which works for the endpoints of which it gets the `leases`.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(store: Arc<dyn Store>, client: Client, pace: Pace, leases: Leases) -> io::Result<Self> {
        let (ends, ending) = watch::channel(false);
        let (end, ended) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("webhooks".to_owned()).spawn(move || {
            runtime.block_on(run(store, client, pace, leases, ending));
            // Look-ups that hang hold threads; nobody waits for those.
            runtime.shutdown_background();
            drop(end);
        })?;
        Ok(Self { ends, ended })
    }

    /// Begins nothing more, lets attempts under way end and has them recorded, for at most `within`. Whether all did.
    pub async fn stop(mut self, within: Duration) -> bool {
        self.ends.send_replace(true);
        // The thread never sends: it drops its end.
        tokio::time::timeout(within, &mut self.ended).await.is_ok()
    }
}

/// Without this, whoever waits for a change of a channel that has no other end any more would turn in circles.
impl Drop for Dispatcher {
    fn drop(&mut self) {
        self.ends.send_replace(true);
    }
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dispatcher(…)")
    }
}

async fn run(
    store: Arc<dyn Store>,
    client: Client,
    pace: Pace,
    mut leases: Leases,
    mut ends: watch::Receiver<bool>,
) {
    let (ledger, entries) = mpsc::channel(GROUP);
    let keeper = tokio::spawn(ledger::keep(Arc::clone(&store), entries, ends.clone()));
    let (elsewhere, changed) = watch::channel(Place::default());
    let shared = Shared {
        store: Arc::clone(&store),
        client,
        ledger,
        now: pace.now,
        tick: pace.tick,
        ends: ends.clone(),
        elsewhere: changed,
    };
    let mut workers = Workers { shared, of: HashMap::new() };
    let mut tick = tokio::time::interval(pace.tick);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let outage = Outage::new("endpoints cannot be read");
    while !*ends.borrow() {
        tokio::select! {
            _ = ends.changed() => {}
            _ = tick.tick() => {
                outage.note(&look(&*store, &mut leases, &mut workers, &elsewhere).await);
            }
        }
    }
    workers.end().await;
    // The last sender is gone: what is not recorded yet is, and then that ends, too.
    drop(keeper.await);
    leases.release().await;
}

/// Takes over what the store says of endpoints and news, and measures.
async fn look(
    store: &dyn Store,
    leases: &mut Leases,
    workers: &mut Workers,
    elsewhere: &watch::Sender<Place>,
) -> Result<(), StoreError> {
    // First: a worker that has ended has disabled its endpoint, which the store then says.
    workers.forget_ended();
    let mut endpoints = enabled(store).await?;
    // What still works for an endpoint that is gone has its lease until it has ended.
    let ids = endpoints.iter().map(|endpoint| endpoint.endpoint_id).chain(workers.of.keys().copied());
    if leases.keep(ids.map(|id| id.to_string()).collect::<Vec<_>>()).await? {
        endpoints = enabled(store).await?;
    }
    workers.take_over(endpoints, leases);
    if workers.of.is_empty() {
        telemetry::backlog(0, Duration::ZERO);
        return Ok(());
    }
    let end = store.end_of_news().await?;
    elsewhere.send_if_modified(|known| std::mem::replace(known, end) != end);
    let backlog = store.backlog().await?;
    let now = (workers.shared.now)();
    let age = backlog.oldest.map_or(0, |oldest| now.as_millis() - oldest.as_millis());
    telemetry::backlog(backlog.events, Duration::from_millis(u64::try_from(age).unwrap_or(0)));
    Ok(())
}

async fn enabled(store: &dyn Store) -> Result<Vec<Endpoint>, StoreError> {
    let mut endpoints = store.endpoints().await?;
    endpoints.retain(|endpoint| endpoint.disabled.is_none());
    Ok(endpoints)
}

/// What a worker is told of its endpoint: as it is now, or that it is not there or disabled.
type Current = watch::Sender<Option<Arc<Endpoint>>>;

struct Workers {
    shared: Shared,
    of: HashMap<EndpointId, (Current, JoinHandle<()>)>,
}

impl Workers {
    fn forget_ended(&mut self) {
        self.of.retain(|_, (_, worker)| !worker.is_finished());
    }

    /// Tells the workers of changes, and begins and ends some.
    fn take_over(&mut self, endpoints: Vec<Endpoint>, leases: &Leases) {
        for (id, (current, _)) in &self.of {
            if !endpoints.iter().any(|endpoint| endpoint.endpoint_id == *id) {
                current.send_if_modified(|current| current.take().is_some());
            }
        }
        for endpoint in endpoints {
            let endpoint = Arc::new(endpoint);
            match self.of.get(&endpoint.endpoint_id) {
                // One that is about to end makes room first.
                Some((current, _)) => {
                    current.send_if_modified(|current| {
                        let changed =
                            current.as_ref().is_some_and(|current| current.revision != endpoint.revision);
                        if changed {
                            *current = Some(endpoint);
                        }
                        changed
                    });
                }
                None => {
                    if let Some(lease) = leases.of(&endpoint.endpoint_id.to_string()) {
                        self.begin(endpoint, lease);
                    }
                }
            }
        }
    }

    fn begin(&mut self, endpoint: Arc<Endpoint>, lease: Lease) {
        let (current, changes) = watch::channel(Some(Arc::clone(&endpoint)));
        let id = endpoint.endpoint_id;
        let worker = tokio::spawn(Worker::new(self.shared.clone(), endpoint, changes, lease).run());
        self.of.insert(id, (current, worker));
    }

    /// Waits until all have ended.
    async fn end(self) {
        drop(self.shared);
        let mut workers = JoinSet::new();
        for (_, (_current, worker)) in self.of {
            workers.spawn(worker);
        }
        while workers.join_next().await.is_some() {}
    }
}
