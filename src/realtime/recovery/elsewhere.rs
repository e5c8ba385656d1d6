//! Sessions that other nodes have lost: they may come back here.

use std::time::Instant;

use super::{Away, Recovery};
use crate::{domain::Timestamp, realtime::place::Place};

impl Recovery {
    /// Sessions of other nodes may come back here: what is said in rooms is kept, whoever is in them here.
    #[must_use]
    pub fn shared(mut self) -> Self {
        let state = self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        state.is_shared = true;
        // Others that start now have read the same.
        state.away.values_mut().for_each(|away| away.is_told = true);
        self
    }

    /// A session of another node is no longer connected; else as [`leave`](Self::leave). One that is here, or was, by now,
    /// is what it is here.
    pub fn leave_elsewhere(&self, id: u64, place: Place, heard_until: Instant, left_at: Timestamp) {
        let mut state = self.state();
        if state.placed.contains(&id) || state.away.contains_key(&id) || state.forgotten.contains(&id) {
            return;
        }
        state.nowhere.forget(id);
        let left = Instant::now();
        state.hold(id, Away { place, heard_until, left, left_at, by_drain: false, is_told: true });
        state.expire(left);
    }

    /// A session has come back at another node.
    pub fn back_elsewhere(&self, id: u64) {
        let mut state = self.state();
        state.remove_away(id);
        state.nowhere.forget(id);
    }

    /// Something may have been said in rooms that was not heard here: who is away cannot be told all of it.
    pub fn miss(&self, now: Instant) {
        self.state().said.miss(now);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        domain::UserId,
        realtime::{Announcement, Person, Room, recovery::Known},
    };

    #[test]
    fn a_session_comes_back_at_another_node_once_and_hears_what_was_said_meanwhile() {
        let (recovery, room) = (Recovery::default().shared(), Room::parse("tea").unwrap());
        let (kim, clock, lost) = (Person::Member(UserId(1)), Timestamp::from_millis(0), Instant::now());
        let say = |text: &str, at| {
            recovery.said(&room, 0, &Arc::new(Announcement::new("new_message", text.to_owned())), at);
        };
        say("1", lost);
        say("2", lost + Duration::from_millis(2));
        let place = || Place { person: kim, rooms: vec![room.clone()], page: None, guest_name: None };
        let leave = |id| recovery.leave_elsewhere(id, place(), lost + Duration::from_millis(1), clock);
        // Ids begin with the second in which their sessions began.
        let [one, two, three, four] = [1, 2, 3, 4].map(|n| (1_800_000_000 << 32) + n);
        [one, two, three].into_iter().for_each(leave);
        assert_eq!(recovery.known(one, kim, true), Known::Away);
        assert_eq!(recovery.known(one, Person::Guest(1), true), Known::Forgotten);
        assert!(recovery.come_back(one));
        assert_eq!(recovery.take(one).unwrap().missed.len(), 1);
        recovery.back_elsewhere(two);
        assert_eq!(recovery.known(two, kim, true), Known::Unknown);
        recovery.miss(lost + Duration::from_millis(3));
        assert_eq!(recovery.known(three, kim, true), Known::Forgotten);
        // One that is connected here, as far as this node knows, is not put back twice.
        recovery.place(four);
        leave(four);
        assert_eq!(recovery.known(four, kim, true), Known::Connected);
    }
}
