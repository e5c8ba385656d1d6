//! What commits announce to the running program: new notifications, orders to their own accounts, changed goods, ended
//! log-ins, taken names.
//!
//! The writer announces after COMMIT, the relay waits for it. The feed is a cache, not the truth: notifications are in it
//! so that the hot path reads nothing back, and a reader that finds a hole in the offsets reads the log. So each part is
//! bounded: a ring of recent notifications, as many orders, one entry per changed goods, one per ended log-in and per
//! account that took a name.
//!
//! Where a shop has several nodes, what one of them commits is told to the others ([`Feed::tell_others`]), and what they
//! hear goes into their feeds as if it was committed there ([`Feed::hear`]).

mod ring;
mod traces;

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::sync::{Notify, watch};

use self::ring::Ring;
use crate::{
    domain::{
        GoodsAction, GoodsEvent, GoodsId, Nickname, Offset, OwnOrder, Publication, SessionId, TraceContext,
        UserId,
    },
    telemetry::{self, Traces},
};

/// How many recent notifications stay in memory, for the relay and for sessions that resume.
pub const RECENT: usize = 4096;

/// What one transaction announces, or several that committed together.
#[derive(Debug, Default)]
pub struct News {
    /// New notifications, in the order of their ids.
    pub publications: Vec<Publication>,
    /// Orders that were placed or canceled, for the accounts whose they are.
    pub own: Vec<OwnOrder>,
    /// Changed goods.
    pub goods: Vec<GoodsEvent>,
    /// Whether the catalog changed, also where nobody is told: goods that are not sold here are known, too.
    pub catalog: bool,
    /// Ended log-ins.
    pub revoked: Vec<SessionId>,
    /// Nicknames that accounts took: new accounts and renamed ones.
    pub named: Vec<(UserId, Nickname)>,
    /// Notifications whose buyer is no longer to be named, those of the same transaction among them.
    pub unnamed: Vec<Offset>,
    /// Which traces the notifications belong to that are traced, in the order of their ids.
    pub traces: Vec<(Offset, TraceContext)>,
}

impl News {
    /// Adds the news of a later transaction.
    pub fn append(&mut self, mut later: Self) {
        self.publications.append(&mut later.publications);
        self.own.append(&mut later.own);
        self.goods.append(&mut later.goods);
        self.catalog |= later.catalog;
        self.revoked.append(&mut later.revoked);
        self.named.append(&mut later.named);
        self.unnamed.append(&mut later.unnamed);
        self.traces.append(&mut later.traces);
    }

    fn is_empty(&self) -> bool {
        self.publications.is_empty()
            && self.own.is_empty()
            && self.goods.is_empty()
            && !self.catalog
            && self.revoked.is_empty()
            && self.named.is_empty()
            && self.unnamed.is_empty()
    }
}

#[derive(Debug)]
struct State {
    ring: Ring,
    own: VecDeque<OwnOrder>,
    goods: BTreeMap<GoodsId, GoodsEvent>,
    revoked: HashSet<SessionId>,
    named: HashMap<UserId, Nickname>,
    traces: BTreeMap<Offset, TraceContext>,
}

/// Who is told what this process commits.
#[derive(Default)]
struct Others(OnceLock<Tell>);

type Tell = Box<dyn Fn(&News) + Send + Sync>;

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Others").field(&self.0.get().is_some()).finish()
    }
}

/// What was announced since the last look.
#[derive(Debug, Default)]
pub struct Taken {
    /// Publications in the order of their offsets; `None` when memory does not reach back without a hole.
    pub publications: Option<Vec<Arc<Publication>>>,
    /// When the first of them was committed, if that is known.
    pub committed: Option<Instant>,
    /// The orders that were placed or canceled.
    pub own: VecDeque<OwnOrder>,
    /// The goods that changed, each as it is now.
    pub goods: Vec<GoodsEvent>,
    /// The log-ins that ended.
    pub revoked: HashSet<SessionId>,
    /// The nicknames that accounts took, the newest of each.
    pub named: HashMap<UserId, Nickname>,
}

/// The meeting place of the writer and the relay.
#[derive(Debug)]
pub struct Feed {
    state: Mutex<State>,
    news: Notify,
    /// Counts the announcements, for whoever follows the log beside the relay.
    announced: watch::Sender<u64>,
    keep: usize,
    /// Counts the commits that changed goods.
    catalog_version: AtomicU64,
    others: Others,
    traces: OnceLock<Traces>,
}

impl Default for Feed {
    /// Keeps the [`RECENT`] newest notifications.
    fn default() -> Self {
        Self::keeping(RECENT)
    }
}

impl Feed {
    /// Keeps at most so many notifications.
    #[must_use]
    pub fn keeping(keep: usize) -> Self {
        let state = State {
            ring: Ring::keeping(keep),
            own: VecDeque::new(),
            goods: BTreeMap::new(),
            revoked: HashSet::new(),
            named: HashMap::new(),
            traces: BTreeMap::new(),
        };
        Self {
            state: Mutex::new(state),
            news: Notify::new(),
            announced: watch::Sender::new(0),
            keep,
            catalog_version: AtomicU64::new(0),
            others: Others::default(),
            traces: OnceLock::new(),
        }
    }

    /// From now on what this process commits is told to other nodes, too, in the order in which it is added and before the
    /// callers have their results: `tell` must not wait. Counts once; a later call changes nothing.
    pub fn tell_others(&self, tell: impl Fn(&News) + Send + Sync + 'static) {
        // An error is the second call.
        let _ = self.others.0.set(Box::new(tell));
    }

    /// Adds what was just committed and announces it. Never blocks for longer than it takes to append.
    pub fn tell(&self, news: News) {
        if self.add(news) {
            self.announce();
        }
    }

    /// Adds what was just committed, for all to read, and wakes nobody. Returns whether it was anything.
    pub fn add(&self, news: News) -> bool {
        if news.is_empty() {
            return false;
        }
        if let Some(tell) = self.others.0.get() {
            tell(&news);
        }
        self.put(news, Instant::now());
        true
    }

    /// Adds what another node committed, at about that time, and announces it. It may come late, twice, or not at all.
    pub fn hear(&self, news: News, committed: Instant) {
        if !news.is_empty() {
            self.put(news, committed);
            self.announce();
        }
    }

    /// What another node committed may have been missed: memory vouches for nothing any more, and readers go to the store.
    pub fn forget(&self) {
        self.catalog_version.fetch_add(1, Ordering::AcqRel);
        self.state().ring.forget();
        self.announce();
    }

    fn put(&self, news: News, committed: Instant) {
        if news.catalog || !news.goods.is_empty() {
            self.catalog_version.fetch_add(1, Ordering::AcqRel);
        }
        let mut state = self.state();
        if !news.publications.is_empty() {
            state.ring.add(news.publications, committed);
            telemetry::log_latest(state.ring.latest());
        }
        if !news.traces.is_empty() {
            state.traces.extend(news.traces);
            while state.traces.len() > self.keep {
                state.traces.pop_first();
            }
        }
        for id in news.unnamed {
            state.ring.unname(id);
        }
        state.own.extend(news.own);
        let beyond = state.own.len().saturating_sub(self.keep);
        state.own.drain(..beyond);
        for event in news.goods {
            merge(&mut state.goods, event);
        }
        state.revoked.extend(news.revoked);
        state.named.extend(news.named);
    }

    /// Wakes the relay for what was added.
    pub fn announce(&self) {
        self.news.notify_one();
        self.announced.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes with every announcement: for any number of readers that go on from a place of their own in the log.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.announced.subscribe()
    }

    /// Takes what was announced since the last call: the publications after an offset, at most `limit`, without taking
    /// them out of memory, and the orders, the changed goods and the ended log-ins.
    #[must_use]
    pub fn take_news(&self, after: Offset, limit: usize) -> Taken {
        let mut state = self.state();
        let publications = state.ring.after(after, limit);
        let first = publications.as_ref().and_then(|publications| publications.first());
        Taken {
            committed: first.and_then(|first| state.ring.committed(first.id)),
            publications,
            own: std::mem::take(&mut state.own),
            goods: std::mem::take(&mut state.goods).into_values().collect(),
            revoked: std::mem::take(&mut state.revoked),
            named: std::mem::take(&mut state.named),
        }
    }

    /// The version of the catalog: another number after each change of goods by this process, before the caller that
    /// made the change has its result. What is read from the store after this call is at least as new.
    #[must_use]
    pub fn catalog_version(&self) -> u64 {
        self.catalog_version.load(Ordering::Acquire)
    }

    /// Waits until something was announced since the last call. For one listener, the relay.
    pub async fn changed(&self) {
        self.news.notified().await;
    }

    /// The notifications after an offset, at most `limit`; `None` when memory does not reach back that far
    /// without a hole.
    #[must_use]
    pub fn recent_after(&self, after: Offset, limit: usize) -> Option<Vec<Arc<Publication>>> {
        self.state().ring.after(after, limit)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself, so that a panic elsewhere poisons nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps one change per goods: the newest, but goods whose creation was not taken yet are still new.
fn merge(pending: &mut BTreeMap<GoodsId, GoodsEvent>, mut event: GoodsEvent) {
    let is_new = pending
        .get(&event.goods.goods_id)
        .is_some_and(|earlier| earlier.action == GoodsAction::Create && event.action == GoodsAction::Update);
    if is_new {
        event.action = GoodsAction::Create;
    }
    pending.insert(event.goods.goods_id, event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard_is_not_told_again() {
        let feed = Feed::default();
        let told = Arc::new(AtomicU64::new(0));
        feed.tell_others({
            let told = Arc::clone(&told);
            move |_| {
                told.fetch_add(1, Ordering::Relaxed);
            }
        });
        let news = || News { catalog: true, unnamed: vec![Offset(1)], ..News::default() };
        let announced = feed.follow();
        feed.hear(news(), Instant::now());
        assert_eq!((told.load(Ordering::Relaxed), *announced.borrow(), feed.catalog_version()), (0, 1, 1));
        feed.tell(news());
        assert_eq!((told.load(Ordering::Relaxed), *announced.borrow(), feed.catalog_version()), (1, 2, 2));
        feed.tell(News::default());
        feed.hear(News::default(), Instant::now());
        assert_eq!((told.load(Ordering::Relaxed), *announced.borrow()), (1, 2), "nothing is no news");
    }

    #[test]
    fn who_may_have_missed_something_reads_the_store() {
        let feed = Feed::default();
        let (announced, version) = (feed.follow(), feed.catalog_version());
        feed.tell(News {
            publications: vec![Publication {
                id: Offset(1),
                date: crate::domain::Timestamp::from_millis(0),
                notification: crate::domain::Notification::Cancellation {
                    goods_id: GoodsId(1),
                    canceled: Offset(1),
                },
            }],
            ..News::default()
        });
        assert!(feed.recent_after(Offset(0), 1).is_some());
        feed.forget();
        assert!(feed.recent_after(Offset(0), 1).is_none() && feed.catalog_version() > version);
        assert_eq!(*announced.borrow(), 2);
    }
}
