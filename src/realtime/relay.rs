//! The relay follows the log and is the only one to broadcast: nothing is told that is not committed, everything
//! committed is told, in the order of its id.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use super::{
    Announcement, Batch, Log, Viewers,
    hub::{Hubs, Revoke, Tell, TellViewers},
};
use crate::{
    clock,
    domain::{GoodsAction, GoodsEvent, GoodsId, Offset, SessionId},
};

/// The most notifications that leave together.
const BATCH: usize = 256;
/// Batches on their way to the hubs at once: what commits while one is delivered joins it there.
const UNDER_WAY: usize = 2;
/// How often the relay looks at the store by itself, for what another process wrote: log-ins end within a second.
const LOOK: Duration = Duration::from_millis(500);
/// How far a look goes back: longer than a commit takes.
const LOOK_BACK: Duration = Duration::from_secs(5);
/// How often viewer counts and held-back catalogue changes are told.
const ROUND: Duration = Duration::from_millis(100);
/// "At most once a second per goods" (CONTRACT §3).
const GOODS_PAUSE: Duration = Duration::from_secs(1);

/// Follows the log from the last offset it has told.
pub struct Relay {
    log: Log,
    hubs: Hubs,
    viewers: Arc<Viewers>,
    position: Offset,
    /// Room for batches on their way.
    room: Arc<Semaphore>,
    catalogue: Catalogue,
    /// The log-ins that ended lately and were told of.
    ended: HashSet<SessionId>,
}

impl Relay {
    /// Goes on after what the hubs were told.
    #[must_use]
    pub fn new(log: Log, hubs: Hubs, viewers: Arc<Viewers>) -> Self {
        let position = hubs.told();
        Self {
            log,
            hubs,
            viewers,
            position,
            room: Arc::new(Semaphore::new(UNDER_WAY)),
            catalogue: Catalogue::default(),
            ended: HashSet::new(),
        }
    }

    /// Works until it is dropped.
    pub async fn run(mut self) {
        let mut round = tokio::time::interval(ROUND);
        round.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looked = Instant::now();
        loop {
            tokio::select! {
                () = self.log.feed().changed() => {
                    self.tell_revoked().await;
                    self.follow(false).await;
                    self.catalogue.add(self.log.feed().take_goods());
                }
                _ = round.tick() => {
                    self.tell_viewers().await;
                    if looked.elapsed() >= LOOK {
                        looked = Instant::now();
                        self.follow(true).await;
                        self.look_for_revoked().await;
                    }
                }
            }
            self.tell_goods().await;
        }
    }

    /// Broadcasts what the log holds beyond the last offset told. `look` reads the database even when nobody said
    /// that there is news.
    async fn follow(&mut self, look: bool) {
        loop {
            // Never closed. What commits while there is no room leaves with the next batch.
            let room = Arc::clone(&self.room).acquire_owned().await;
            let publications = match self.log.after(self.position, BATCH, look).await {
                Ok(publications) => publications,
                Err(error) => {
                    // The next look tries again; nothing is lost, the log keeps it.
                    tracing::error!(%error, "the log cannot be read");
                    return;
                }
            };
            let Some(batch) = Batch::new(publications, self.log.display()) else { return };
            let committed = self.log.feed().committed(batch.first());
            let batch = batch.since(committed);
            self.position = batch.last();
            let delivered = self.hubs.deliver(Arc::new(batch));
            actix_rt::spawn(async move {
                delivered.await;
                drop(room);
            });
        }
    }

    /// Finds the log-ins that another process ended.
    async fn look_for_revoked(&mut self) {
        match self.log.revoked_since(clock::now().minus(LOOK_BACK)).await {
            Ok(lately) => {
                let lately = HashSet::from_iter(lately);
                let news: HashSet<_> = lately.difference(&self.ended).cloned().collect();
                self.ended = lately;
                self.tell_ended(news).await;
            }
            Err(error) => tracing::error!(%error, "ended log-ins cannot be read"),
        }
    }

    async fn tell_revoked(&self) {
        self.tell_ended(self.log.feed().take_revoked()).await;
    }

    async fn tell_ended(&self, ended: HashSet<SessionId>) {
        if !ended.is_empty() {
            self.hubs.tell(Revoke(Arc::new(ended))).await;
        }
    }

    async fn tell_goods(&mut self) {
        for event in self.catalogue.take_due(Instant::now()) {
            self.hubs.tell(Tell(Arc::new(Announcement::goods(&event)))).await;
        }
    }

    async fn tell_viewers(&self) {
        let changed = self.viewers.take_changed(Instant::now());
        if changed.is_empty() {
            return;
        }
        let counts =
            changed.into_iter().map(|(page, count)| (page, count, Announcement::viewers(count))).collect();
        self.hubs.tell(TellViewers(Arc::new(counts))).await;
    }
}

/// Changes of the catalogue on their way out: the newest per goods, held back to one a second.
#[derive(Default)]
struct Catalogue {
    pending: BTreeMap<GoodsId, GoodsEvent>,
    told: HashMap<GoodsId, Instant>,
}

impl Catalogue {
    fn add(&mut self, events: Vec<GoodsEvent>) {
        for mut event in events {
            let id = event.goods.goods_id;
            let unheard_of =
                self.pending.get(&id).is_some_and(|earlier| earlier.action == GoodsAction::Create);
            if unheard_of && event.action == GoodsAction::Update {
                event.action = GoodsAction::Create;
            }
            self.pending.insert(id, event);
        }
    }

    fn take_due(&mut self, now: Instant) -> Vec<GoodsEvent> {
        if self.pending.is_empty() {
            return Vec::new();
        }
        self.told.retain(|_, at| now.duration_since(*at) < GOODS_PAUSE);
        let due: Vec<GoodsId> =
            self.pending.keys().filter(|id| !self.told.contains_key(id)).copied().collect();
        self.told.extend(due.iter().map(|id| (*id, now)));
        due.iter().filter_map(|id| self.pending.remove(id)).collect()
    }
}
