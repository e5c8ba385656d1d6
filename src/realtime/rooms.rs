//! Chat rooms: made on demand, gone with their last member. Who is in each is known here, for all worker threads; the
//! sessions themselves, the registry of each thread knows.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::domain::text::plain_text;

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

/// The sessions in each room, about in the order in which they began, and what they are called.
#[derive(Default)]
pub struct Rooms {
    people: Mutex<HashMap<Room, BTreeMap<u64, Box<str>>>>,
}

impl Rooms {
    /// A session comes in under a name. Answers how many are in now.
    pub fn come(&self, room: &Room, session: u64, name: &str) -> usize {
        let mut rooms = self.rooms();
        let people = rooms.entry(room.clone()).or_default();
        people.insert(session, name.into());
        people.len()
    }

    /// A session leaves. Answers how many are left.
    pub fn go(&self, room: &Room, session: u64) -> usize {
        let mut rooms = self.rooms();
        let Some(people) = rooms.get_mut(room) else { return 0 };
        people.remove(&session);
        let left = people.len();
        if left == 0 {
            rooms.remove(room);
        }
        left
    }

    /// A session has another name from now on.
    pub fn rename(&self, room: &Room, session: u64, name: &str) {
        if let Some(known) = self.rooms().get_mut(room).and_then(|people| people.get_mut(&session)) {
            *known = name.into();
        }
    }

    /// How many sessions are in a room.
    #[must_use]
    pub fn count(&self, room: &Room) -> usize {
        self.rooms().get(room).map_or(0, BTreeMap::len)
    }

    /// What the first `most` of them are called. Who is there with two sessions is there twice.
    #[must_use]
    pub fn names(&self, room: &Room, most: usize) -> Vec<Box<str>> {
        let rooms = self.rooms();
        let people = rooms.get(room).into_iter().flat_map(BTreeMap::values);
        people.take(most).cloned().collect()
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<Room, BTreeMap<u64, Box<str>>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        assert!(rooms.rooms().is_empty());
        assert_eq!(Room::parse("<b>"), None);
        assert_eq!(Room::parse("cafe\u{301}"), Room::parse("café"));
        assert_eq!(Room::parse(" "), None);
    }
}
