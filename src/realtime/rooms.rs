//! Chat rooms: made on demand, gone with their last member. How many are in each is counted here, for all worker
//! threads; who they are, the registry of each thread knows.

use std::{
    collections::HashMap,
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

/// How many sessions are in each room.
#[derive(Default)]
pub struct Rooms {
    counts: Mutex<HashMap<Room, usize>>,
}

impl Rooms {
    /// A session comes in. Answers how many are in now.
    pub fn come(&self, room: &Room) -> usize {
        let mut counts = self.counts();
        let count = counts.entry(room.clone()).or_default();
        *count += 1;
        *count
    }

    /// A session leaves. Answers how many are left.
    pub fn go(&self, room: &Room) -> usize {
        let mut counts = self.counts();
        let Some(count) = counts.get_mut(room) else { return 0 };
        *count -= 1;
        let left = *count;
        if left == 0 {
            counts.remove(room);
        }
        left
    }

    /// How many sessions are in a room.
    #[must_use]
    pub fn count(&self, room: &Room) -> usize {
        self.counts().get(room).copied().unwrap_or_default()
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Room, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_lasts_as_long_as_someone_is_in_it() {
        let (rooms, room) = (Rooms::default(), Room::parse(" lobby ").unwrap());
        assert_eq!([rooms.come(&room), rooms.come(&room), rooms.go(&room), rooms.count(&room)], [1, 2, 1, 1]);
        assert_eq!([rooms.go(&room), rooms.go(&room)], [0, 0]);
        assert!(rooms.counts().is_empty());
        assert_eq!(Room::parse("<b>"), None);
        assert_eq!(Room::parse("cafe\u{301}"), Room::parse("café"));
        assert_eq!(Room::parse(" "), None);
    }
}
