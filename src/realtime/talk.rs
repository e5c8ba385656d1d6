//! What was said in the rooms lately, for who comes in later and for who reports it. In memory: a restart forgets it.
//!
//! Not for: sessions that come back and want what they missed ([`Recovery`](super::Recovery)).

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{place::ENTRY, rooms::Room};
use crate::domain::{Said, Timestamp};

/// Messages of a room that are kept.
const MAX_SAID: usize = 50;
/// Bytes of all messages, of all rooms. Beyond it the rooms that have been quiet for longest are forgotten.
const BUDGET: usize = 4 << 20;
/// How long a message is told, and may be reported.
const MAX_AGE: Duration = Duration::from_hours(24);

#[derive(Default)]
struct Heard {
    said: VecDeque<Arc<Said>>,
    bytes: usize,
    /// The place of the last message among those of all rooms.
    last: u64,
}

#[derive(Default)]
struct State {
    rooms: HashMap<Room, Heard>,
    /// Rooms by the place of their last message: the first has been quiet for longest.
    quiet: BTreeMap<u64, Room>,
    bytes: usize,
    next: u64,
}

/// The last messages of each room, of all worker threads.
#[derive(Default)]
pub struct Talk(Mutex<State>);

impl Talk {
    /// Keeps what was said in a room.
    pub fn say(&self, room: &Room, said: Said) {
        self.state().say(room, said);
    }

    /// The last messages of a room, the oldest first.
    #[must_use]
    pub fn last(&self, room: &Room, now: Timestamp) -> Vec<Arc<Said>> {
        let state = self.state();
        let said = state.rooms.get(room).into_iter().flat_map(|heard| &heard.said);
        said.filter(|said| said.at >= now.minus(MAX_AGE)).cloned().collect()
    }

    /// The newest message of a room that reads so and was said under this name.
    #[must_use]
    pub fn find(&self, room: &Room, nickname: &str, message: &str, now: Timestamp) -> Option<Arc<Said>> {
        let is_it = |said: &Arc<Said>| *said.nickname == *nickname && *said.message == *message;
        self.last(room, now).into_iter().rev().find(is_it)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn say(&mut self, room: &Room, said: Said) {
        let place = self.next;
        self.next += 1;
        let now = said.at;
        let heard = self.rooms.entry(room.clone()).or_default();
        if !heard.said.is_empty() {
            self.quiet.remove(&heard.last);
        }
        heard.last = place;
        let before = heard.bytes;
        heard.push(said);
        while heard.said.len() > MAX_SAID
            || heard.said.front().is_some_and(|said| said.at < now.minus(MAX_AGE))
        {
            heard.drop_oldest();
        }
        self.bytes = self.bytes - before + heard.bytes;
        self.quiet.insert(place, room.clone());
        while self.bytes > BUDGET
            && let Some((_, room)) = self.quiet.pop_first()
        {
            self.bytes -= self.rooms.remove(&room).map_or(0, |heard| heard.bytes);
        }
    }
}

impl Heard {
    fn push(&mut self, said: Said) {
        self.bytes += size(&said);
        self.said.push_back(Arc::new(said));
    }

    fn drop_oldest(&mut self) {
        self.bytes -= self.said.pop_front().map_or(0, |said| size(&said));
    }
}

/// About what a message takes.
fn size(said: &Said) -> usize {
    ENTRY + said.nickname.len() + said.message.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Speaker, UserId};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn said(message: &str, at: Timestamp) -> Said {
        Said { at, speaker: Speaker::Member(UserId(1)), nickname: "kim".into(), message: message.into() }
    }

    #[test]
    fn who_comes_in_later_hears_the_last_messages_in_their_order() {
        let (talk, room) = (Talk::default(), Room::parse("tea").unwrap());
        assert!(talk.last(&room, NOW).is_empty());
        talk.say(&room, said("old", NOW.minus(MAX_AGE * 2)));
        assert!(talk.last(&room, NOW).is_empty(), "too old to be told");
        for n in 0..60 {
            talk.say(&room, said(&n.to_string(), NOW));
        }
        let last = talk.last(&room, NOW);
        assert_eq!(last.len(), MAX_SAID);
        assert_eq!([&*last[0].message, &*last[49].message], ["10", "59"]);
        assert!(talk.last(&Room::parse("coffee").unwrap(), NOW).is_empty());
        assert!(talk.find(&room, "kim", "59", NOW).is_some());
        assert_eq!(talk.find(&room, "lee", "59", NOW), None);
        assert_eq!(talk.find(&room, "kim", "9", NOW), None, "forgotten");
    }

    #[test]
    fn beyond_the_budget_the_rooms_go_that_were_quiet_for_longest() {
        let (talk, long) = (Talk::default(), "x".repeat(2000));
        let room = |n: usize| Room::parse(&format!("room {n}")).unwrap();
        talk.say(&room(0), said("first", NOW));
        for n in 1..2500 {
            talk.say(&room(n), said(&long, NOW));
            talk.say(&room(1), said("still here", NOW));
        }
        let state = talk.state();
        assert!(state.bytes <= BUDGET);
        assert_eq!(state.bytes, state.rooms.values().map(|heard| heard.bytes).sum::<usize>());
        assert_eq!(state.rooms.len(), state.quiet.len());
        drop(state);
        assert!(talk.last(&room(0), NOW).is_empty());
        assert_eq!(talk.last(&room(1), NOW).len(), MAX_SAID);
        assert_eq!(talk.last(&room(2499), NOW).len(), 1);
    }
}
