//! Sessions that are in no room and on no page, where a shop has several nodes.
//!
//! One node knows that a session which it does not know was nowhere. Of several, each may have had it: one that is dead or cut
//! off as well as one that can be asked. So what a node knows of its own sessions it keeps, and what it does not know it asks;
//! a session of which nobody knows anything is not told that it was recovered.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use serde::{Deserialize, Serialize};

use crate::realtime::room_logs::MAX_AWAY;

/// Sessions that are no longer connected, at most. Beyond it those that left first are not known any more.
const MAX_LEFT: usize = 65_536;

/// What a node answers another that asks for a session; one that does not know it answers nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It was in no room and on no page.
    Nowhere,
    /// It is connected, as far as is known there, and is told to be away in a moment.
    Connected,
    /// It cannot be put back where it comes back.
    Lost,
}

/// The sessions that are nowhere, and those that others were asked for.
#[derive(Default)]
pub(super) struct Nowhere {
    pub(super) known: HashMap<u64, Since>,
    /// In the order in which they left or were told.
    left: VecDeque<(Instant, u64)>,
    pub(super) asked: HashMap<u64, Option<Answer>>,
}

/// Since when, and how that is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// It is connected here.
    Connected,
    /// It was connected here.
    Left(Instant),
    /// Another node has told it.
    Told(Instant),
}

impl Nowhere {
    /// Without `hears`, what others told may not hold any more.
    pub(super) fn has(&self, id: u64, hears: bool) -> bool {
        match self.known.get(&id) {
            Some(Since::Connected | Since::Left(_)) => true,
            Some(Since::Told(_)) => hears,
            None => false,
        }
    }

    /// It is no longer connected.
    pub(super) fn leave(&mut self, id: u64, now: Instant) {
        if let Some(since) = self.known.get_mut(&id) {
            *since = Since::Left(now);
            self.left.push_back((now, id));
        }
    }

    /// Another node, or the process before, says so.
    pub(super) fn hear(&mut self, id: u64, now: Instant) {
        self.known.entry(id).or_insert_with(|| {
            self.left.push_back((now, id));
            Since::Told(now)
        });
    }

    /// It is somewhere, or somebody else's.
    pub(super) fn forget(&mut self, id: u64) {
        self.known.remove(&id);
    }

    /// All that are known.
    pub(super) fn all(&self) -> Vec<u64> {
        self.known.keys().copied().collect()
    }

    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.left.front() {
            if now.saturating_duration_since(at) <= MAX_AWAY && self.left.len() <= MAX_LEFT {
                break;
            }
            self.left.pop_front();
            // One that has come back and left again is there a second time.
            if self.known.get(&id).is_some_and(|since| [Since::Left(at), Since::Told(at)].contains(since)) {
                self.known.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn sessions_that_left_are_known_for_as_long_as_they_may_be_away_and_not_too_many() {
        let (mut nowhere, now) = (Nowhere::default(), Instant::now());
        nowhere.hear(1, now);
        nowhere.known.insert(2, Since::Connected);
        nowhere.leave(2, now + Duration::from_secs(1));
        nowhere.known.insert(2, Since::Connected);
        nowhere.expire(now + MAX_AWAY * 2);
        assert_eq!(nowhere.all(), [2], "it has come back");
        for id in 0..=MAX_LEFT as u64 {
            nowhere.hear(1000 + id, now);
        }
        nowhere.expire(now);
        assert_eq!((nowhere.known.len(), nowhere.has(1000, true)), (MAX_LEFT + 1, false));
    }
}
