//! The log, the relay and the workers.

use std::{
    collections::VecDeque,
    rc::Rc,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use super::{WORKERS, pass};
use crate::{
    domain::{
        Epoch, GoodsId, Nickname, NicknameDisplay, Notification, Offset, Publication, SessionId, Timestamp,
        UserId,
    },
    realtime::{Batch, Delivery, Follower, Log, Registry},
    store::{Feed, LogStore, OrderEvent, Reach, Sequence, StoreError, feed::News},
};

/// So many notifications stay in memory.
const RING: usize = 6;
/// The most that the relay takes at a time.
const BATCH: usize = 3;
/// The most that a follower reads at a time.
const PAGE: usize = 4;

#[derive(Default)]
struct Rows {
    kept: Vec<Publication>,
    latest: i64,
}

/// A table and its feed.
pub(super) struct Table {
    feed: Arc<Feed>,
    rows: Mutex<Rows>,
}

impl Table {
    fn append(&self, count: u8) -> Vec<Publication> {
        let mut rows = self.rows.lock().unwrap();
        let new: Vec<_> = (1..=i64::from(count)).map(|n| publication(rows.latest + n)).collect();
        rows.latest += i64::from(count);
        rows.kept.extend(new.iter().cloned());
        new
    }

    pub(super) fn publish(&self, count: u8) {
        self.feed.tell(News { publications: self.append(count), ..News::default() });
    }

    pub(super) fn publish_elsewhere(&self, count: u8) {
        self.append(count);
    }

    /// All may go, but the newest stays until it was told: the relay learns from it that there were others.
    fn prune(&self, keep: u8, told: Offset) {
        let mut rows = self.rows.lock().unwrap();
        let keep = usize::from(keep).max(usize::from(rows.latest > told.0));
        let gone = rows.kept.len().saturating_sub(keep);
        rows.kept.drain(..gone);
    }

    pub(super) fn latest(&self) -> i64 {
        self.rows.lock().unwrap().latest
    }

    /// The oldest that is kept; the next to come when none is.
    pub(super) fn oldest(&self) -> i64 {
        let rows = self.rows.lock().unwrap();
        rows.kept.first().map_or(rows.latest + 1, |publication| publication.id.0)
    }
}

#[async_trait]
impl LogStore for Table {
    fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Takes a while before it looks, and after.
    async fn log_after(&self, after: Offset, limit: u32) -> Result<Vec<Publication>, StoreError> {
        pass(1).await;
        let found = {
            let rows = self.rows.lock().unwrap();
            let after = rows.kept.iter().filter(|publication| publication.id > after);
            after.take(limit as usize).cloned().collect()
        };
        pass(1).await;
        Ok(found)
    }

    async fn revoked_since(&self, _: Timestamp) -> Result<Vec<SessionId>, StoreError> {
        Ok(Vec::new())
    }

    async fn named_since(&self, _: Timestamp) -> Result<Vec<(UserId, Nickname)>, StoreError> {
        Ok(Vec::new())
    }

    async fn order_events_after(&self, _: Sequence, _: u32) -> Result<Vec<OrderEvent>, StoreError> {
        unreachable!("sessions read what the audience sees")
    }

    async fn reach(&self) -> Result<Reach, StoreError> {
        let epoch = Epoch::from_random([0; 8]);
        Ok(Reach { epoch, oldest: Offset(self.oldest()), latest: Offset(self.latest()) })
    }

    async fn new_epoch(&self, _: Epoch) -> Result<(), StoreError> {
        unreachable!("sessions do not restore databases")
    }

    async fn prune_log(&self, _: Timestamp, _: u64, _: Timestamp) -> Result<u64, StoreError> {
        unreachable!("the table prunes itself")
    }
}

/// Every fifth takes back the third before it.
pub(super) fn canceled_by(id: i64) -> Option<i64> {
    (id % 5 == 0).then_some(id - 3)
}

fn publication(id: i64) -> Publication {
    let notification = match canceled_by(id) {
        Some(canceled) => Notification::Cancellation { goods_id: GoodsId(4), canceled: Offset(canceled) },
        None => Notification::Purchase {
            nickname: Some("kim".to_owned()),
            goods_id: GoodsId(4),
            first_goods_name: "tea".to_owned(),
            other_goods: 0,
            quantity: 1,
            elsewhere: None,
        },
    };
    Publication { id: Offset(id), date: Timestamp::from_millis(0), notification }
}

/// One worker: its sessions, and how far it is with the batch under way.
struct Worker {
    registry: Rc<Registry>,
    follower: Rc<Follower>,
    served: Option<usize>,
    /// Something is held back from some session, see `FanOut`.
    held: bool,
    /// Digests that are still to be told.
    digests: VecDeque<Rc<Batch>>,
}

/// What all clients share.
pub(super) struct World {
    pub(super) log: Arc<Table>,
    workers: [Worker; WORKERS],
    batch: Option<Rc<Batch>>,
    /// The last offset of the last batch that was begun.
    told: Offset,
    /// What was broadcast in this second, and before for which no digest was sent.
    second: Vec<Rc<Batch>>,
    /// How much of it was in this second.
    told_in_second: u32,
}

impl World {
    pub(super) fn new() -> Self {
        let log = Arc::new(Table { feed: Arc::new(Feed::keeping(RING)), rows: Mutex::default() });
        let workers = std::array::from_fn(|_| Worker::new(&log, None));
        Self { log, workers, batch: None, told: Offset::START, second: Vec::new(), told_in_second: 0 }
    }

    pub(super) fn registry(&self, worker: usize) -> Rc<Registry> {
        Rc::clone(&self.workers[worker].registry)
    }

    pub(super) fn follower(&self, worker: usize) -> &Rc<Follower> {
        &self.workers[worker].follower
    }

    pub(super) fn prune(&self, keep: u8) {
        self.log.prune(keep, self.told);
    }

    /// The relay takes the next batch, from the store or from memory.
    pub(super) async fn relay(&mut self, look: bool) {
        if self.batch.is_some() {
            return;
        }
        let log = log(&self.log);
        let memory = self.log.feed.take_news(self.told, BATCH).publications;
        let found = match memory.filter(|_| !look) {
            Some(found) => found,
            None => log.stored_after(self.told, BATCH).await.unwrap(),
        };
        if let Some(batch) = Batch::new(found, log.naming()) {
            self.told = batch.last();
            self.workers.iter_mut().for_each(|worker| worker.served = None);
            let batch = Rc::new(batch.preceded_by(self.told_in_second));
            self.told_in_second += u32::try_from(batch.last().0 + 1 - batch.first().0).unwrap();
            self.second.push(Rc::clone(&batch));
            self.batch = Some(batch);
        }
    }

    /// A digest is sent once all of its second was delivered, see `Window`; another second may have begun by then.
    pub(super) fn end_second(&mut self) {
        self.told_in_second = 0;
        if self.batch.is_some() {
            return;
        }
        let Some(batch) = Batch::joined(&std::mem::take(&mut self.second)) else { return };
        let batch = Rc::new(batch);
        self.workers.iter_mut().for_each(|worker| worker.digests.push_back(Rc::clone(&batch)));
    }

    /// A worker tells its sessions the next digest, see `FanOut::digest`.
    pub(super) fn digest(&mut self, worker: usize) {
        let worker = &mut self.workers[worker];
        let Some(batch) = worker.digests.pop_front() else { return };
        if !std::mem::take(&mut worker.held) {
            return;
        }
        let (registry, follower, held) = (&worker.registry, &worker.follower, &mut worker.held);
        registry.each(0..usize::MAX, |session| {
            if session.deliver_digest(&batch) == Delivery::FellBehind {
                follower.follow(session);
            }
            *held |= session.is_held_back(registry.latest());
        });
    }

    /// A worker serves so many of its sessions, see the hub's handler of `Deliver`.
    pub(super) fn deliver(&mut self, worker: usize, sessions: usize) {
        let Some(batch) = &self.batch else { return };
        let worker = &mut self.workers[worker];
        let from = *worker.served.get_or_insert_with(|| {
            worker.registry.begin(batch);
            0
        });
        if from != usize::MAX {
            let (registry, follower, held) = (&worker.registry, &worker.follower, &mut worker.held);
            let more = registry.each(from..from + sessions, |session| match session.deliver(batch) {
                Delivery::Sent(_) => {}
                Delivery::Held(_) => *held = true,
                Delivery::FellBehind => follower.follow(session),
            });
            worker.served = Some(if more { from + sessions } else { usize::MAX });
        }
        if self.workers.iter().all(|worker| worker.served == Some(usize::MAX)) {
            self.batch = None;
        }
    }

    /// A worker begins anew, see `Hubs::add`.
    pub(super) fn restart(&mut self, worker: usize) {
        // The relay counts on those hubs only that it had when the batch began.
        self.workers[worker] = Worker::new(&self.log, Some(usize::MAX));
        self.workers[worker].registry.start_at(self.told);
    }
}

impl Worker {
    fn new(table: &Arc<Table>, served: Option<usize>) -> Self {
        let registry = Registry::new(Arc::default(), Arc::default(), Arc::default());
        let follower = Follower::with_page(log(table), Rc::clone(&registry), PAGE);
        Self { registry, follower, served, held: false, digests: VecDeque::new() }
    }
}

fn log(table: &Arc<Table>) -> Log {
    Log::new(Arc::clone(table) as Arc<dyn LogStore>, NicknameDisplay::Full)
}
