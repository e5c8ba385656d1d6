//! Shares as JSON, for other nodes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    domain::UserId,
    realtime::{
        rooms::{Room, RoomChange},
        viewers::{Page, PageChange, Person},
    },
};

/// What a node tells of its share.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) rooms: Vec<RoomChange>,
    pub(super) pages: Vec<PageChange>,
    /// Nothing else is in its share.
    pub(super) is_whole: bool,
    /// It wants to be told the whole of the others.
    pub(super) asks: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Wire<'a> {
    #[serde(skip_serializing_if = "is_false")]
    whole: bool,
    #[serde(skip_serializing_if = "is_false")]
    asks: bool,
    #[serde(borrow, skip_serializing_if = "Vec::is_empty")]
    rooms: Vec<WireRoom<'a>>,
    #[serde(borrow, skip_serializing_if = "Vec::is_empty")]
    pages: Vec<WirePage<'a>>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WireRoom<'a> {
    In(#[serde(borrow)] Cow<'a, str>, u64, #[serde(borrow)] Cow<'a, str>),
    Out(#[serde(borrow)] Cow<'a, str>, u64),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WirePage<'a> {
    Come(#[serde(borrow)] Cow<'a, str>, WirePerson),
    Go(#[serde(borrow)] Cow<'a, str>, WirePerson),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum WirePerson {
    #[serde(rename = "m")]
    Member(i64),
    #[serde(rename = "g")]
    Guest(u64),
    #[serde(rename = "l")]
    Listener(u64),
}

pub(super) fn write(whole: bool, asks: bool, rooms: &[RoomChange], pages: &[PageChange]) -> Vec<u8> {
    let wire = Wire {
        whole,
        asks,
        rooms: rooms.iter().map(WireRoom::of).collect(),
        pages: pages.iter().map(WirePage::of).collect(),
    };
    serde_json::to_vec(&wire).expect("plain fields are always JSON")
}

/// `None` when it is none. A room whose name is none is left out.
pub(super) fn read(body: &[u8]) -> Option<Told> {
    let wire: Wire<'_> = serde_json::from_slice(body).ok()?;
    Some(Told {
        rooms: wire.rooms.into_iter().filter_map(WireRoom::change).collect(),
        pages: wire.pages.into_iter().filter_map(WirePage::change).collect(),
        is_whole: wire.whole,
        asks: wire.asks,
    })
}

impl<'a> WireRoom<'a> {
    fn of(change: &'a RoomChange) -> Self {
        match change {
            RoomChange::In(room, session, name) => {
                Self::In(Cow::Borrowed(room.as_str()), *session, Cow::Borrowed(name))
            }
            RoomChange::Out(room, session) => Self::Out(Cow::Borrowed(room.as_str()), *session),
        }
    }

    fn change(self) -> Option<RoomChange> {
        Some(match self {
            Self::In(room, session, name) => {
                RoomChange::In(Room::parse(&room)?, session, name.into_owned().into())
            }
            Self::Out(room, session) => RoomChange::Out(Room::parse(&room)?, session),
        })
    }
}

impl<'a> WirePage<'a> {
    fn of(change: &'a PageChange) -> Self {
        match change {
            PageChange::Come(page, person) => Self::Come(Cow::Borrowed(page.as_str()), (*person).into()),
            PageChange::Go(page, person) => Self::Go(Cow::Borrowed(page.as_str()), (*person).into()),
        }
    }

    fn change(self) -> Option<PageChange> {
        Some(match self {
            Self::Come(page, person) => PageChange::Come(Page::parse(&page)?, person.into()),
            Self::Go(page, person) => PageChange::Go(Page::parse(&page)?, person.into()),
        })
    }
}

impl From<Person> for WirePerson {
    fn from(person: Person) -> Self {
        match person {
            Person::Member(id) => Self::Member(id.0),
            Person::Guest(visitor) => Self::Guest(visitor),
            Person::Listener(mark) => Self::Listener(mark),
        }
    }
}

impl From<WirePerson> for Person {
    fn from(person: WirePerson) -> Self {
        match person {
            WirePerson::Member(id) => Self::Member(UserId(id)),
            WirePerson::Guest(visitor) => Self::Guest(visitor),
            WirePerson::Listener(mark) => Self::Listener(mark),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_as_it_was_written() {
        let (room, page) =
            (Room::parse("\"tea\"").unwrap_or(Room::parse("tea").unwrap()), Page::parse("/?a=1").unwrap());
        let told = Told {
            rooms: vec![
                RoomChange::In(room.clone(), u64::MAX, "kim \u{1F4A7}".into()),
                RoomChange::Out(room, 2),
            ],
            pages: vec![
                PageChange::Come(page.clone(), Person::Member(UserId(1))),
                PageChange::Come(page.clone(), Person::Guest(u64::MAX)),
                PageChange::Go(page, Person::Listener(3)),
            ],
            is_whole: true,
            asks: true,
        };
        let written = write(told.is_whole, told.asks, &told.rooms, &told.pages);
        assert_eq!(read(&written), Some(told));
        assert_eq!(write(false, false, &[], &[]), b"{}");
        assert_eq!(read(b"{\"later\": 1}"), Some(Told::default()));
        for rubbish in ["", "x", "{\"rooms\": [{}]}", "{\"pages\": [{\"come\": [\"/\"]}]}"] {
            assert_eq!(read(rubbish.as_bytes()), None, "{rubbish}");
        }
    }
}
