//! The relay follows the log and is the only one to broadcast: nothing is broadcast that is not committed, and everything
//! committed is, in the order of its offset.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    announcement::{Announcement, Batch},
    hub::{Announce, AnnounceViewers, Hubs, Rename, Revoke, TellOwners},
    log::Log,
    traced::Traced,
    viewers::Viewers,
    window::Window,
};
use crate::{
    clock,
    domain::{GoodsAction, GoodsEvent, GoodsId, Nickname, Offset, OwnOrder, Publication, SessionId, UserId},
    store::StoreError,
    telemetry::{self, Found, Outage},
};

/// The most publications that leave together.
const BATCH: usize = 256;
/// Batches on their way to the hubs at once: what commits while one is delivered joins it there.
const UNDER_WAY: usize = 2;
/// How often the relay reads the store by itself, for what another process wrote: log-ins end within a second.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How far back it looks for log-ins that ended: longer than a commit takes.
const LOOK_BACK: Duration = Duration::from_secs(5);
/// How far back it looks once in a while: moments are by the clock of the node that wrote them, which may be behind.
const FAR_BACK: Duration = Duration::from_mins(15);
/// How often that is.
const FAR_INTERVAL: Duration = Duration::from_secs(5);
/// How often viewer counts and held-back changes of goods are sent.
const ROUND: Duration = Duration::from_millis(100);
/// "At most once a second per goods" (docs/contract.md §3).
const GOODS_PAUSE: Duration = Duration::from_secs(1);

/// Follows the log from the last offset that it has broadcast.
pub struct Relay {
    log: Log,
    hubs: Hubs,
    viewers: Arc<Viewers>,
    position: Offset,
    /// Room for batches on their way.
    room: Arc<Semaphore>,
    /// The second by which bursts are digested.
    second: Window,
    goods: GoodsChanges,
    /// When it last looked far back.
    looked_far: Option<Instant>,
    /// The log-ins that ended lately and were announced.
    ended: HashSet<SessionId>,
    /// The nicknames that were taken lately and were announced.
    named: HashMap<UserId, Nickname>,
    /// Why the store is to be looked at next, if it is.
    wanted: Option<Reason>,
    log_outage: Outage,
    ended_outage: Outage,
    named_outage: Outage,
}

/// Why the relay looks at the store. A later one does what an earlier one does, and more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// There was more than it has read.
    More,
    /// News left a hole.
    Hole,
    /// It is time to.
    Poll,
}

/// What a look at the store has found.
struct Looked {
    reason: Reason,
    /// What was told after an offset.
    stored: Result<Vec<Arc<Publication>>, StoreError>,
    /// What changed of accounts, if it was time to look at that.
    accounts: Option<Accounts>,
}

struct Accounts {
    /// The log-ins that ended lately.
    ended: Result<Vec<SessionId>, StoreError>,
    /// The nicknames that were taken lately.
    named: Result<Vec<(UserId, Nickname)>, StoreError>,
    /// How lately that is.
    is_far: bool,
}

impl Looked {
    async fn at(log: Log, reason: Reason, after: Offset, is_far: bool) -> Self {
        let stored = log.stored_after(after, BATCH).await;
        let mut accounts = None;
        if reason == Reason::Poll {
            let since = clock::now().minus(if is_far { FAR_BACK } else { LOOK_BACK });
            let (ended, named) = (log.revoked_since(since).await, log.named_since(since).await);
            accounts = Some(Accounts { ended, named, is_far });
        }
        Self { reason, stored, accounts }
    }
}

/// Waits for what is looked for, if something is.
async fn found(look: &mut Option<BoxFuture<'static, Looked>>) -> Looked {
    match look {
        Some(look) => look.await,
        None => pending().await,
    }
}

impl Relay {
    /// Goes on after what was delivered to the hubs.
    #[must_use]
    pub fn new(log: Log, hubs: Hubs, viewers: Arc<Viewers>) -> Self {
        let position = hubs.latest();
        telemetry::log_latest(position);
        telemetry::log_position(position);
        Self {
            log,
            hubs,
            viewers,
            position,
            room: Arc::new(Semaphore::new(UNDER_WAY)),
            second: Window::default(),
            goods: GoodsChanges::default(),
            looked_far: None,
            ended: HashSet::new(),
            named: HashMap::new(),
            wanted: None,
            log_outage: Outage::new("the log cannot be read"),
            ended_outage: Outage::new("ended log-ins cannot be read"),
            named_outage: Outage::new("the names of accounts cannot be read"),
        }
    }

    /// Works until it is dropped.
    pub async fn run(mut self) {
        let mut round = tokio::time::interval(ROUND);
        round.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut polled = Instant::now();
        // What others tell goes on meanwhile: a database that does not answer holds nothing else up.
        let mut look: Option<BoxFuture<'static, Looked>> = None;
        loop {
            tokio::select! {
                () = self.log.feed().changed() => {
                    self.relay_news().await;
                }
                looked = found(&mut look) => {
                    look = None;
                    self.adopt(looked).await;
                }
                _ = round.tick() => {
                    self.second.close_when_over(Instant::now(), &self.hubs);
                    self.announce_viewers().await;
                    if polled.elapsed() >= POLL_INTERVAL {
                        polled = Instant::now();
                        self.want(Reason::Poll);
                    }
                }
            }
            if look.is_none()
                && let Some(reason) = self.wanted.take()
            {
                look = Some(self.look(reason));
            }
            self.announce_goods().await;
        }
    }

    /// Broadcasts what this process has committed, and what it was told by other nodes.
    async fn relay_news(&mut self) {
        loop {
            // What commits while there is no room leaves with the next batch.
            let room = self.room().await;
            let news = self.log.feed().take_news(self.position, BATCH);
            self.revoke(news.revoked).await;
            self.rename(news.named).await;
            self.goods.add(news.goods);
            let Some(publications) = news.publications else {
                // The memory has a hole: another process wrote in between.
                self.tell_owners(&news.own);
                self.want(Reason::Hole);
                return;
            };
            let Some(batch) = Batch::new(publications, self.log.naming()) else {
                return self.tell_owners(&news.own);
            };
            let (batch, apart) = batch.committed_at(news.committed).with_own(news.own);
            self.tell_owners(&apart);
            self.deliver(batch, room);
        }
    }

    /// Tells accounts of orders that the next batch does not tell others of: they come before the alerts, if there are any.
    fn tell_owners(&self, orders: &VecDeque<OwnOrder>) {
        if !orders.is_empty() {
            let told = orders.iter().map(|order| (order.user_id, Announcement::order(order))).collect();
            self.hubs.tell_owners(&TellOwners(Arc::new(told)));
        }
    }

    fn want(&mut self, reason: Reason) {
        self.wanted = self.wanted.max(Some(reason));
    }

    /// Looks at the store. What was looked at far back stays known until that is looked at again.
    fn look(&mut self, reason: Reason) -> BoxFuture<'static, Looked> {
        let is_far = reason == Reason::Poll && self.looked_far.is_none_or(|at| at.elapsed() >= FAR_INTERVAL);
        if is_far {
            self.looked_far = Some(Instant::now());
        }
        Looked::at(self.log.clone(), reason, self.position, is_far).boxed()
    }

    /// Broadcasts what the store holds beyond the last offset broadcast, whoever has committed it. Some of it may have been told
    /// meanwhile.
    async fn adopt(&mut self, Looked { reason, stored, accounts }: Looked) {
        self.log_outage.note(&stored);
        // After a failure the next poll tries again; nothing is lost, the log keeps it.
        if let Ok(mut stored) = stored {
            let is_full = stored.len() == BATCH;
            let room = self.room().await;
            stored.retain(|publication| publication.id > self.position);
            if let Some(batch) = Batch::new(stored, self.log.naming()) {
                telemetry::log_latest(batch.last());
                match reason {
                    Reason::Poll => telemetry::hole_filled(Found::Poll),
                    Reason::Hole => telemetry::hole_filled(Found::News),
                    Reason::More => {}
                }
                self.deliver(batch, room);
            }
            if is_full {
                self.want(Reason::More);
            }
        }
        if let Some(Accounts { ended, named, is_far }) = accounts {
            self.adopt_ended(ended, is_far).await;
            self.adopt_named(named, is_far).await;
        }
    }

    /// Waits until another batch may be on its way.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        Arc::clone(&self.room).acquire_owned().await.ok()
    }

    fn deliver(&mut self, batch: Batch, room: Option<OwnedSemaphorePermit>) {
        self.position = batch.last();
        let now = Instant::now();
        self.second.close_when_over(now, &self.hubs);
        let (first, last) = (batch.first(), batch.last());
        let traced = Traced::begin(self.log.feed(), first, last, now);
        let batch = batch.preceded_by(self.second.told(now)).traced_by(traced.clone());
        let batch = Arc::new(batch);
        let delivered = self.hubs.deliver(Arc::clone(&batch));
        let delivered = actix_rt::spawn(async move {
            let is_held = delivered.await;
            telemetry::log_position(last);
            if let Some(traced) = traced {
                traced.relayed();
            }
            drop(room);
            is_held
        });
        self.second.add(batch, delivered, now);
    }

    /// Finds the log-ins that another process ended.
    async fn adopt_ended(&mut self, lately: Result<Vec<SessionId>, StoreError>, is_far: bool) {
        self.ended_outage.note(&lately);
        if let Ok(lately) = lately {
            let lately = HashSet::from_iter(lately);
            let news: HashSet<_> = lately.difference(&self.ended).cloned().collect();
            if is_far {
                self.ended = lately;
            } else {
                self.ended.extend(news.iter().cloned());
            }
            self.revoke(news).await;
        }
    }

    async fn revoke(&self, ended: HashSet<SessionId>) {
        if !ended.is_empty() {
            self.hubs.send(Revoke(Arc::new(ended))).await;
        }
    }

    /// Finds the names that another process gave to accounts. Those that this one gave are told again: it changes nothing.
    async fn adopt_named(&mut self, lately: Result<Vec<(UserId, Nickname)>, StoreError>, is_far: bool) {
        self.named_outage.note(&lately);
        if let Ok(lately) = lately {
            let lately = HashMap::from_iter(lately);
            let is_news = |(id, name): &(&UserId, &Nickname)| self.named.get(id) != Some(*name);
            let news: HashMap<_, _> =
                lately.iter().filter(is_news).map(|(id, name)| (*id, name.clone())).collect();
            if is_far {
                self.named = lately;
            } else {
                self.named.extend(news.iter().map(|(id, name)| (*id, name.clone())));
            }
            self.rename(news).await;
        }
    }

    async fn rename(&self, named: HashMap<UserId, Nickname>) {
        if !named.is_empty() {
            self.hubs.send(Rename(Arc::new(named))).await;
        }
    }

    async fn announce_goods(&mut self) {
        for event in self.goods.take_due(Instant::now()) {
            self.hubs.send(Announce(Arc::new(Announcement::goods(&event)))).await;
        }
    }

    async fn announce_viewers(&self) {
        let changed = self.viewers.take_changed(Instant::now());
        if changed.is_empty() {
            return;
        }
        let counts =
            changed.into_iter().map(|(page, count)| (page, count, Announcement::viewers(count))).collect();
        self.hubs.send(AnnounceViewers(Arc::new(counts))).await;
    }
}

/// Changes of goods on their way out: the newest per goods, held back to one a second.
#[derive(Default)]
struct GoodsChanges {
    pending: BTreeMap<GoodsId, GoodsEvent>,
    sent: HashMap<GoodsId, Instant>,
}

impl GoodsChanges {
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
        self.sent.retain(|_, at| now.duration_since(*at) < GOODS_PAUSE);
        let due: Vec<GoodsId> =
            self.pending.keys().filter(|id| !self.sent.contains_key(id)).copied().collect();
        self.sent.extend(due.iter().map(|id| (*id, now)));
        due.iter().filter_map(|id| self.pending.remove(id)).collect()
    }
}
