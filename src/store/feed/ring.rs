//! The recent notifications in memory, in the order of their offsets.
//!
//! What this process commits comes in that order. What other nodes tell may come late, twice, or not at all: each goes to its
//! place, once, and where one is missing there is a hole, which no reader gets over.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Instant,
};

use crate::domain::{Offset, Publication};

/// Recent notifications.
#[derive(Debug)]
pub(super) struct Ring {
    keep: usize,
    recent: VecDeque<Arc<Publication>>,
    /// When they were committed, by the last offset of each commit.
    commits: VecDeque<(Offset, Instant)>,
    /// Those whose buyers are no longer to be named: a notification may come later than that.
    unnamed: BTreeSet<Offset>,
}

impl Ring {
    /// Keeps at most so many.
    pub(super) fn keeping(keep: usize) -> Self {
        Self { keep, recent: VecDeque::new(), commits: VecDeque::new(), unnamed: BTreeSet::new() }
    }

    /// Takes what committed together.
    pub(super) fn add(&mut self, publications: Vec<Publication>, committed: Instant) {
        if let Some(last) = publications.last().map(|publication| publication.id)
            && self.commits.back().is_none_or(|(latest, _)| *latest < last)
        {
            if self.commits.len() == self.keep {
                self.commits.pop_front();
            }
            self.commits.push_back((last, committed));
        }
        for publication in publications {
            self.put(publication);
        }
    }

    fn put(&mut self, publication: Publication) {
        let id = publication.id;
        let index = match self.recent.back() {
            Some(last) if last.id >= id => self.recent.partition_point(|earlier| earlier.id < id),
            _ => self.recent.len(),
        };
        // What is older than all that is here would be the next to go.
        let is_old = index == 0 && !self.recent.is_empty();
        if is_old || self.recent.get(index).is_some_and(|known| known.id == id) {
            return;
        }
        let publication = if self.unnamed.contains(&id) { publication.unnamed() } else { publication };
        self.recent.insert(index, Arc::new(publication));
        if self.recent.len() > self.keep {
            self.recent.pop_front();
        }
    }

    /// Takes the buyer's name off a notification, if it is here, and when it comes.
    pub(super) fn unname(&mut self, id: Offset) {
        self.unnamed.insert(id);
        if self.unnamed.len() > self.keep {
            self.unnamed.pop_first();
        }
        let index = self.recent.partition_point(|publication| publication.id < id);
        if let Some(named) = self.recent.get_mut(index).filter(|publication| publication.id == id) {
            *named = Arc::new(named.unnamed());
        }
    }

    /// Drops all notifications.
    pub(super) fn forget(&mut self) {
        self.recent.clear();
        self.commits.clear();
    }

    /// The notifications after an offset, at most `limit`; `None` when memory does not reach back that far without a hole.
    pub(super) fn after(&self, after: Offset, limit: usize) -> Option<Vec<Arc<Publication>>> {
        let first = self.recent.front()?.id;
        if first.0 > after.0 + 1 {
            return None;
        }
        // Not by counting from the first: where another process wrote in between there is a hole.
        let skip = self.recent.partition_point(|publication| publication.id <= after);
        let found: Vec<_> = self.recent.iter().skip(skip).take(limit).cloned().collect();
        found.iter().zip(after.0 + 1..).all(|(publication, id)| publication.id.0 == id).then_some(found)
    }

    /// The newest notification; 0 when there is none.
    pub(super) fn latest(&self) -> Offset {
        self.recent.back().map(|newest| newest.id).unwrap_or_default()
    }

    /// When a publication was committed, if that was not long ago.
    pub(super) fn committed(&self, id: Offset) -> Option<Instant> {
        let index = self.commits.partition_point(|(last, _)| *last < id);
        let (_, at) = self.commits.get(index)?;
        (self.recent.front()?.id <= id).then_some(*at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{GoodsId, Notification, Timestamp};

    fn publication(id: i64) -> Publication {
        let notification = Notification::Cancellation { goods_id: GoodsId(1), canceled: Offset(1) };
        Publication { id: Offset(id), date: Timestamp::from_millis(0), notification }
    }

    fn named(id: i64) -> Publication {
        let notification = Notification::Purchase {
            nickname: Some("kim".to_owned()),
            goods_id: GoodsId(1),
            first_goods_name: "water".to_owned(),
            other_goods: 0,
            quantity: 1,
            elsewhere: None,
        };
        Publication { id: Offset(id), date: Timestamp::from_millis(0), notification }
    }

    fn ring(keep: usize, ids: impl IntoIterator<Item = i64>) -> Ring {
        let mut ring = Ring::keeping(keep);
        ring.add(ids.into_iter().map(publication).collect(), Instant::now());
        ring
    }

    fn ids(found: Option<Vec<Arc<Publication>>>) -> Option<Vec<i64>> {
        found.map(|list| list.iter().map(|publication| publication.id.0).collect())
    }

    #[test]
    fn a_name_that_is_taken_off_is_gone_from_memory_and_does_not_come_back() {
        let mut ring = Ring::keeping(9);
        ring.add(vec![named(5), named(7)], Instant::now());
        // Two that are here, one in a hole that comes later, one that comes at last.
        for id in [4, 5, 6, 7, 9] {
            ring.unname(Offset(id));
        }
        for id in [8, 6, 9, 5] {
            ring.add(vec![named(id)], Instant::now());
        }
        let expected =
            [named(5).unnamed(), named(6).unnamed(), named(7).unnamed(), named(8), named(9).unnamed()];
        assert!(ring.recent.iter().map(|one| &**one).eq(&expected), "{:?}", ring.recent);
    }

    #[test]
    fn memory_answers_only_when_it_reaches_back_without_a_hole() {
        let mut ring = ring(9, []);
        assert_eq!(ids(ring.after(Offset(0), 10)), None);
        ring.add([5, 6, 7].map(publication).into(), Instant::now());
        assert_eq!(ids(ring.after(Offset(3), 10)), None);
        assert_eq!(ids(ring.after(Offset(4), 10)), Some(vec![5, 6, 7]));
        assert_eq!(ids(ring.after(Offset(5), 1)), Some(vec![6]));
        assert_eq!(ids(ring.after(Offset(7), 10)), Some(vec![]));
        assert_eq!(ring.committed(Offset(4)), None);
        assert_eq!(ring.committed(Offset(5)), ring.committed(Offset(7)));
        ring.add(vec![publication(9)], Instant::now());
        assert_eq!(ids(ring.after(Offset(5), 10)), None);
        let (earlier, later) = (ring.committed(Offset(7)), ring.committed(Offset(9)));
        assert!(earlier <= later && earlier.is_some());
        assert_eq!(ring.committed(Offset(10)), None);
        assert_eq!(ids(ring.after(Offset(8), 10)), Some(vec![9]));
        assert_eq!(ids(ring.after(Offset(9), 10)), Some(vec![]));
    }

    #[test]
    fn what_comes_late_fills_its_hole_and_what_comes_twice_is_there_once() {
        let mut ring = ring(4, [5, 8]);
        for id in [7, 8, 6, 6, 5, 3] {
            ring.add(vec![publication(id)], Instant::now());
        }
        assert_eq!(ids(ring.after(Offset(4), 10)), Some(vec![5, 6, 7, 8]));
        ring.add(vec![publication(9)], Instant::now());
        assert_eq!(ids(ring.after(Offset(4), 10)), None);
        assert_eq!(ids(ring.after(Offset(5), 10)), Some(vec![6, 7, 8, 9]));
    }

    /// A step of two nodes that write one log.
    #[derive(Clone, Debug)]
    enum Step {
        /// This node commits so many.
        Own(usize),
        /// Another one does, and the bus has a message more.
        Other(usize),
        /// A message of the bus comes, whichever.
        Heard(prop::sample::Index),
        /// One does, and stays: it will come again.
        HeardTwice(prop::sample::Index),
        /// One is lost.
        Lost(prop::sample::Index),
        /// Something may have been lost.
        Missed,
        /// The relay is woken, or looks by itself.
        Relayed,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let any_message = any::<prop::sample::Index>;
        prop::collection::vec(
            prop_oneof![
                (1..4_usize).prop_map(Step::Own),
                (1..4_usize).prop_map(Step::Other),
                any_message().prop_map(Step::Heard),
                any_message().prop_map(Step::Heard),
                any_message().prop_map(Step::HeardTwice),
                any_message().prop_map(Step::Lost),
                Just(Step::Missed),
                Just(Step::Relayed),
            ],
            0..80,
        )
    }

    /// What a relay does with it: memory if that has no hole, else the log.
    fn relay(ring: &Ring, log: &[Publication], position: &mut usize) -> Result<(), TestCaseError> {
        let after = Offset(i64::try_from(*position).unwrap());
        match ring.after(after, 5) {
            Some(found) => {
                for one in found {
                    prop_assert_eq!(log.get(*position), Some(&*one), "memory tells what the log does not");
                    *position += 1;
                }
            }
            None => *position = log.len(),
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn a_reader_never_skips_and_never_repeats_whatever_the_bus_does(steps in steps(), keep in 1..12_usize) {
            let (mut ring, mut log, mut under_way) = (Ring::keeping(keep), Vec::new(), Vec::<Vec<Publication>>::new());
            let mut position = 0;
            let commit = |log: &mut Vec<Publication>, count: usize| -> Vec<Publication> {
                let from = i64::try_from(log.len()).unwrap() + 1;
                let fresh: Vec<_> = (from..).take(count).map(named).collect();
                log.extend(fresh.iter().cloned());
                fresh
            };
            for step in steps {
                match step {
                    Step::Own(count) => ring.add(commit(&mut log, count), Instant::now()),
                    Step::Other(count) => under_way.push(commit(&mut log, count)),
                    Step::Heard(which) if !under_way.is_empty() => {
                        let message = under_way.swap_remove(which.index(under_way.len()));
                        ring.add(message, Instant::now());
                    }
                    Step::HeardTwice(which) if !under_way.is_empty() => {
                        ring.add(which.get(&under_way).clone(), Instant::now());
                    }
                    Step::Lost(which) if !under_way.is_empty() => {
                        under_way.swap_remove(which.index(under_way.len()));
                    }
                    Step::Missed => ring.forget(),
                    _ => {}
                }
                prop_assert!(ring.recent.iter().is_sorted_by(|a, b| a.id < b.id));
                prop_assert!(ring.commits.iter().is_sorted_by(|a, b| a.0 < b.0));
                prop_assert!(ring.recent.len() <= keep && ring.commits.len() <= keep);
                relay(&ring, &log, &mut position)?;
            }
            // The last message may be lost, which only a look at the log shows.
            ring.forget();
            relay(&ring, &log, &mut position)?;
            prop_assert_eq!(position, log.len());
        }
    }
}
