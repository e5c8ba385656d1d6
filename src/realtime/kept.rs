//! What one process leaves to the next of the sessions that it told to come back, as text. Only [`Recovery`] makes and reads
//! it.
//!
//! [`Recovery`]: super::Recovery

use serde::{Deserialize, Serialize};

use super::{
    place::Place,
    rooms::Room,
    viewers::{Page, Person},
};
use crate::domain::{Timestamp, UserId};

/// What is kept from one process to the next.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    pub(super) floor: u32,
    pub(super) forgotten: Vec<u64>,
    /// Of several nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) nowhere: Vec<u64>,
    pub(super) away: Vec<KeptAway>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct KeptAway {
    pub(super) id: u64,
    #[serde(flatten)]
    whose: KeptPerson,
    rooms: Vec<String>,
    page: Option<String>,
    guest_name: Option<Box<str>>,
    pub(super) left_at: i64,
}

impl KeptAway {
    pub(super) fn of(id: u64, place: &Place, left_at: Timestamp) -> Self {
        Self {
            id,
            whose: place.person.into(),
            rooms: place.rooms.iter().map(|room| room.as_str().to_owned()).collect(),
            page: place.page.as_ref().map(|page| page.as_str().to_owned()),
            guest_name: place.guest_name.clone(),
            left_at: left_at.as_millis(),
        }
    }

    pub(super) fn place(self) -> Option<Place> {
        let person = self.whose.person()?;
        let rooms = self.rooms.iter().map(|name| Room::parse(name)).collect::<Option<_>>()?;
        let page = match self.page {
            Some(page) => Some(Page::parse(&page)?),
            None => None,
        };
        Some(Place { person, rooms, page, guest_name: self.guest_name })
    }
}

/// Whose a session is.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct KeptPerson {
    member: Option<i64>,
    guest: Option<u64>,
}

impl From<Person> for KeptPerson {
    fn from(person: Person) -> Self {
        let (member, guest) = match person {
            Person::Member(user) => (Some(user.0), None),
            Person::Guest(guest) => (None, Some(guest)),
            // They are in no room and on no page.
            Person::Listener(_) => (None, None),
        };
        Self { member, guest }
    }
}

impl KeptPerson {
    pub(super) fn person(self) -> Option<Person> {
        match (self.member, self.guest) {
            (Some(user), _) => Some(Person::Member(UserId(user))),
            (None, Some(guest)) => Some(Person::Guest(guest)),
            (None, None) => None,
        }
    }
}
