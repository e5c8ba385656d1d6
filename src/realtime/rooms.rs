//! Chat rooms: made on demand, gone with their last member. Who is in each is known here, for all worker threads and, as far as
//! other nodes tell it, for those; the sessions themselves, the registry of each thread knows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::changes::Changes;
use crate::{bus::NodeId, domain::line::plain_text};

/// The name of a room: 1–100 characters, in NFC, that cannot become markup.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Room(Arc<str>);

impl Room {
    /// The longest name, in characters.
    pub const MAX: usize = 100;

    /// Checks a name; `None` when it is none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        plain_text(name, Self::MAX).ok().map(|name| Self(name.into()))
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What changes about who is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomChange {
    /// A session is in it under a name.
    In(Room, u64, Box<str>),
    /// A session is in it no longer.
    Out(Room, u64),
}

/// The sessions in each room, about in the order in which they began, and what they are called.
type Members = HashMap<Room, BTreeMap<u64, Box<str>>>;

#[derive(Default)]
struct State {
    here: Members,
    elsewhere: HashMap<NodeId, Members>,
}

/// Who is in which room.
#[derive(Default)]
pub struct Rooms {
    state: Mutex<State>,
    /// To other nodes, if there may be any.
    told: Option<Arc<Changes<RoomChange>>>,
}

impl Rooms {
    /// Whose changes are told to other nodes.
    #[must_use]
    pub fn telling(changes: Arc<Changes<RoomChange>>) -> Self {
        Self { state: Mutex::default(), told: Some(changes) }
    }

    /// A session comes in under a name. Answers how many are in now.
    pub fn come(&self, room: &Room, session: u64, name: &str) -> usize {
        let mut state = self.state();
        state.here.entry(room.clone()).or_default().insert(session, name.into());
        self.tell(|| RoomChange::In(room.clone(), session, name.into()));
        state.count(room)
    }

    /// A session leaves. Answers how many are left.
    pub fn go(&self, room: &Room, session: u64) -> usize {
        let mut state = self.state();
        if remove(&mut state.here, room, session) {
            self.tell(|| RoomChange::Out(room.clone(), session));
        }
        state.count(room)
    }

    /// A session has another name from now on.
    pub fn rename(&self, room: &Room, session: u64, name: &str) {
        let mut state = self.state();
        if let Some(known) = state.here.get_mut(room).and_then(|people| people.get_mut(&session))
            && **known != *name
        {
            *known = name.into();
            self.tell(|| RoomChange::In(room.clone(), session, name.into()));
        }
    }

    /// How many sessions are in a room.
    #[must_use]
    pub fn count(&self, room: &Room) -> usize {
        self.state().count(room)
    }

    /// What the first `most` of them are called. Who is there with two sessions is there twice.
    #[must_use]
    pub fn names(&self, room: &Room, most: usize) -> Vec<Box<str>> {
        let state = self.state();
        let mut first: Vec<_> = state.of(room).flat_map(|people| people.iter().take(most)).collect();
        first.sort_unstable_by_key(|(session, _)| **session);
        first.into_iter().take(most).map(|(_, name)| name.clone()).collect()
    }

    /// All that are in rooms on this node.
    #[must_use]
    pub fn share(&self) -> Vec<RoomChange> {
        let state = self.state();
        let all = state.here.iter().flat_map(|(room, people)| people.iter().map(move |one| (room, one)));
        all.map(|(room, (session, name))| RoomChange::In(room.clone(), *session, name.clone())).collect()
    }

    /// What changed on another node; with `is_whole` all that is there.
    pub fn hear(&self, node: NodeId, changes: Vec<RoomChange>, is_whole: bool) {
        let mut state = self.state();
        let share = state.elsewhere.entry(node).or_default();
        if is_whole {
            share.clear();
        }
        for change in changes {
            match change {
                RoomChange::In(room, session, name) => {
                    share.entry(room).or_default().insert(session, name);
                }
                RoomChange::Out(room, session) => drop(remove(share, &room, session)),
            }
        }
    }

    /// Another node is gone, and who was there with it.
    pub fn forget(&self, node: NodeId) {
        self.state().elsewhere.remove(&node);
    }

    fn tell(&self, change: impl FnOnce() -> RoomChange) {
        if let Some(told) = &self.told {
            told.add(change());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Those of a room, by node.
    fn of(&self, room: &Room) -> impl Iterator<Item = &BTreeMap<u64, Box<str>>> {
        std::iter::once(&self.here).chain(self.elsewhere.values()).filter_map(|members| members.get(room))
    }

    fn count(&self, room: &Room) -> usize {
        self.of(room).map(BTreeMap::len).sum()
    }
}

/// Whether it was there.
fn remove(members: &mut Members, room: &Room, session: u64) -> bool {
    let Some(people) = members.get_mut(room) else { return false };
    let was_there = people.remove(&session).is_some();
    if people.is_empty() {
        members.remove(room);
    }
    was_there
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_lasts_as_long_as_someone_is_in_it() {
        let (rooms, room) = (Rooms::default(), Room::parse(" lobby ").unwrap());
        assert_eq!([rooms.come(&room, 7, "kim"), rooms.come(&room, 8, "lee")], [1, 2]);
        rooms.rename(&room, 8, "lea");
        rooms.rename(&room, 9, "nobody");
        assert_eq!(rooms.names(&room, 9), ["kim".into(), "lea".into()]);
        assert_eq!(rooms.names(&room, 1).len(), 1);
        assert_eq!([rooms.go(&room, 7), rooms.count(&room)], [1, 1]);
        assert_eq!([rooms.go(&room, 8), rooms.go(&room, 8)], [0, 0]);
        assert!(rooms.state().here.is_empty());
        assert_eq!(Room::parse("<b>"), None);
        assert_eq!(Room::parse("cafe\u{301}"), Room::parse("café"));
        assert_eq!(Room::parse(" "), None);
    }

    #[test]
    fn sessions_of_all_nodes_are_in_one_room() {
        let room = Room::parse("lobby").unwrap();
        let changes = Arc::new(Changes::new(Arc::default()));
        let (here, there) = (Rooms::default(), Rooms::telling(Arc::clone(&changes)));
        let node = NodeId::from_random([1; 6]);
        here.come(&room, 7, "kim");
        for (session, name) in [(5, "lee"), (9, "ann")] {
            there.come(&room, session, name);
        }
        there.rename(&room, 9, "anna");
        there.rename(&room, 9, "anna");
        let told = changes.take().unwrap();
        assert_eq!(told.len(), 3, "what is no change is not told");
        here.hear(node, told.clone(), false);
        here.hear(node, told, false);
        assert_eq!((here.count(&room), here.names(&room, 2)), (3, vec!["lee".into(), "kim".into()]));
        assert_eq!((here.come(&room, 8, "jo"), here.go(&room, 8)), (4, 3));
        there.go(&room, 5);
        there.go(&room, 5);
        assert_eq!(changes.take().unwrap(), [RoomChange::Out(room.clone(), 5)]);
        here.hear(node, there.share(), true);
        assert_eq!(here.names(&room, 9), ["kim".into(), "anna".into()]);
        here.forget(node);
        assert_eq!((here.count(&room), here.go(&room, 7)), (1, 0));
    }
}
