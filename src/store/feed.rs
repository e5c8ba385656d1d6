//! What commits announce to the running program: new notifications, orders to their own accounts, changed goods, ended
//! log-ins, taken names.
//!
//! The writer announces after COMMIT, the relay waits for it. The feed is a cache, not the truth: notifications are in it
//! so that the hot path reads nothing back, and a reader that finds a hole in the offsets reads the log. So each part is
//! bounded: a ring of recent notifications, as many orders, one entry per changed goods, one per ended log-in and per
//! account that took a name.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use tokio::sync::{Notify, watch};

use crate::domain::{
    GoodsAction, GoodsEvent, GoodsId, Nickname, Offset, OwnOrder, Publication, SessionId, UserId,
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

#[derive(Debug, Default)]
struct State {
    recent: VecDeque<Arc<Publication>>,
    /// When the recent notifications were committed, by the last offset of each commit.
    commits: VecDeque<(Offset, Instant)>,
    own: VecDeque<OwnOrder>,
    goods: BTreeMap<GoodsId, GoodsEvent>,
    revoked: HashSet<SessionId>,
    named: HashMap<UserId, Nickname>,
}

impl State {
    /// As [`Feed::recent_after`].
    fn recent_after(&self, after: Offset, limit: usize) -> Option<Vec<Arc<Publication>>> {
        let first = self.recent.front()?.id;
        if first.0 > after.0 + 1 {
            return None;
        }
        // Not by counting from the first: where another process wrote in between there is a hole.
        let skip = self.recent.partition_point(|publication| publication.id <= after);
        let found: Vec<_> = self.recent.iter().skip(skip).take(limit).cloned().collect();
        found.iter().zip(after.0 + 1..).all(|(publication, id)| publication.id.0 == id).then_some(found)
    }

    /// Takes the buyer's name off a notification, if it is still here.
    fn unname(&mut self, id: Offset) {
        let index = self.recent.partition_point(|publication| publication.id < id);
        if let Some(named) = self.recent.get_mut(index).filter(|publication| publication.id == id) {
            *named = Arc::new(named.unnamed());
        }
    }

    /// When a publication was committed, if that was here and not long ago.
    fn committed(&self, id: Offset) -> Option<Instant> {
        let index = self.commits.partition_point(|(last, _)| *last < id);
        let (_, at) = self.commits.get(index)?;
        (self.recent.front()?.id <= id).then_some(*at)
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
        Self {
            state: Mutex::default(),
            news: Notify::new(),
            announced: watch::Sender::new(0),
            keep,
            catalog_version: AtomicU64::new(0),
        }
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
        if news.catalog || !news.goods.is_empty() {
            self.catalog_version.fetch_add(1, Ordering::AcqRel);
        }
        let mut state = self.state();
        if let Some(last) = news.publications.last() {
            if state.commits.len() == RECENT {
                state.commits.pop_front();
            }
            state.commits.push_back((last.id, Instant::now()));
        }
        for publication in news.publications {
            if state.recent.len() == self.keep {
                state.recent.pop_front();
            }
            state.recent.push_back(Arc::new(publication));
        }
        for id in news.unnamed {
            state.unname(id);
        }
        state.own.extend(news.own);
        let beyond = state.own.len().saturating_sub(self.keep);
        state.own.drain(..beyond);
        for event in news.goods {
            merge(&mut state.goods, event);
        }
        state.revoked.extend(news.revoked);
        state.named.extend(news.named);
        true
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
        let publications = state.recent_after(after, limit);
        let first = publications.as_ref().and_then(|publications| publications.first());
        Taken {
            committed: first.and_then(|first| state.committed(first.id)),
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
        self.state().recent_after(after, limit)
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
    use crate::domain::{Notification, Timestamp};

    fn publication(id: i64) -> Publication {
        let notification = Notification::Cancellation { goods_id: GoodsId(1), canceled: Offset(1) };
        Publication { id: Offset(id), date: Timestamp::from_millis(0), notification }
    }

    fn ids(found: Option<Vec<Arc<Publication>>>) -> Option<Vec<i64>> {
        found.map(|list| list.iter().map(|publication| publication.id.0).collect())
    }

    #[test]
    fn a_name_that_is_taken_off_is_gone_from_memory() {
        let feed = Feed::default();
        let named = |id| Publication {
            id: Offset(id),
            date: Timestamp::from_millis(0),
            notification: Notification::Purchase {
                nickname: Some("kim".to_owned()),
                goods_id: GoodsId(1),
                first_goods_name: "water".to_owned(),
                other_goods: 0,
                quantity: 1,
                elsewhere: None,
            },
        };
        feed.tell(News { publications: vec![named(5), named(7)], ..News::default() });
        // One of before, one of the same commit, one in a hole and two that are not here.
        feed.tell(News {
            publications: vec![named(8), named(9)],
            unnamed: [4, 5, 6, 8, 10].map(Offset).into(),
            ..News::default()
        });
        let kept = feed.take_news(Offset(6), 9).publications.unwrap();
        let expected = [named(7), named(8).unnamed(), named(9)];
        assert!(kept.iter().map(|one| &**one).eq(&expected), "{kept:?}");
        assert_eq!(*feed.state().recent[0], named(5).unnamed());
    }

    #[test]
    fn memory_answers_only_when_it_reaches_back_without_a_hole() {
        let feed = Feed::default();
        assert_eq!(ids(feed.recent_after(Offset(0), 10)), None);
        feed.tell(News {
            publications: vec![publication(5), publication(6), publication(7)],
            ..News::default()
        });
        assert_eq!(ids(feed.recent_after(Offset(3), 10)), None);
        assert_eq!(ids(feed.recent_after(Offset(4), 10)), Some(vec![5, 6, 7]));
        assert_eq!(ids(feed.recent_after(Offset(5), 1)), Some(vec![6]));
        assert_eq!(ids(feed.recent_after(Offset(7), 10)), Some(vec![]));
        let committed = |id| feed.state().committed(Offset(id));
        assert_eq!(committed(4), None);
        assert_eq!(committed(5), committed(7));
        feed.tell(News { publications: vec![publication(9)], ..News::default() });
        assert_eq!(ids(feed.recent_after(Offset(5), 10)), None);
        let (earlier, later) = (committed(7), committed(9));
        assert!(earlier <= later && earlier.is_some());
        assert_eq!(committed(10), None);
        assert_eq!(ids(feed.recent_after(Offset(8), 10)), Some(vec![9]));
        assert_eq!(ids(feed.recent_after(Offset(9), 10)), Some(vec![]));
    }
}
