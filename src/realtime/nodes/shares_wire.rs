//! Shares as JSON, for other nodes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    domain::UserId,
    realtime::{
        accounts::AccountChange,
        rooms::{Room, RoomChange},
        viewers::{Page, PageChange, Person},
    },
};

/// What a node tells of its share.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) rooms: Vec<RoomChange>,
    pub(super) pages: Vec<PageChange>,
    pub(super) accounts: Vec<AccountChange>,
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
    /// The sessions of accounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<(i64, usize)>,
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

/// A part of what is told, or all of it.
pub(super) struct Part<'a> {
    rooms: &'a [RoomChange],
    pages: &'a [PageChange],
    accounts: &'a [AccountChange],
    is_whole: bool,
    asks: bool,
}

impl<'a> Part<'a> {
    /// All of it.
    pub(super) fn of(told: &'a Told) -> Self {
        let Told { rooms, pages, accounts, is_whole, asks } = told;
        Self { rooms, pages, accounts, is_whole: *is_whole, asks: *asks }
    }

    /// The first half, and the rest, which is told as changes; `None` when there is nothing to halve.
    pub(super) fn halves(&self) -> Option<(Self, Self)> {
        if self.rooms.len() + self.pages.len() + self.accounts.len() < 2 {
            return None;
        }
        // What is odd goes here and there, so that neither half is the whole.
        let rooms = self.rooms.split_at(self.rooms.len().div_ceil(2));
        let pages = self.pages.split_at(self.pages.len() / 2);
        let even = self.rooms.len().is_multiple_of(2);
        let accounts = self.accounts.split_at((self.accounts.len() + usize::from(even)) / 2);
        let first = Self { rooms: rooms.0, pages: pages.0, accounts: accounts.0, ..*self };
        let rest =
            Self { rooms: rooms.1, pages: pages.1, accounts: accounts.1, is_whole: false, asks: false };
        Some((first, rest))
    }
}

pub(super) fn write(part: &Part<'_>) -> Vec<u8> {
    let wire = Wire {
        whole: part.is_whole,
        asks: part.asks,
        rooms: part.rooms.iter().map(WireRoom::of).collect(),
        pages: part.pages.iter().map(WirePage::of).collect(),
        accounts: part
            .accounts
            .iter()
            .map(|AccountChange(account, sessions)| (account.0, *sessions))
            .collect(),
    };
    serde_json::to_vec(&wire).expect("plain fields are always JSON")
}

/// `None` when it is none. A room whose name is none is left out.
pub(super) fn read(body: &[u8]) -> Option<Told> {
    let wire: Wire<'_> = serde_json::from_slice(body).ok()?;
    Some(Told {
        rooms: wire.rooms.into_iter().filter_map(WireRoom::change).collect(),
        pages: wire.pages.into_iter().filter_map(WirePage::change).collect(),
        accounts: wire.accounts.into_iter().map(|(id, n)| AccountChange(UserId(id), n)).collect(),
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
            accounts: vec![AccountChange(UserId(1), 2), AccountChange(UserId(2), 0)],
            is_whole: true,
            asks: true,
        };
        assert_eq!(write(&Part::of(&Told::default())), b"{}");
        // In halves it says the same, and the first of them that it is the whole.
        let mut open = vec![Part::of(&told)];
        let mut heard = Told { is_whole: true, asks: true, ..Told::default() };
        while let Some(part) = open.pop() {
            match part.halves() {
                Some((first, rest)) => open.extend([rest, first]),
                None => {
                    let part = read(&write(&part)).unwrap();
                    heard.rooms.extend(part.rooms);
                    heard.pages.extend(part.pages);
                    heard.accounts.extend(part.accounts);
                }
            }
        }
        assert_eq!(heard, told);
        assert_eq!(read(&write(&Part::of(&told))), Some(told));
        assert_eq!(read(b"{\"later\": 1}"), Some(Told::default()));
        for rubbish in ["", "x", "{\"rooms\": [{}]}", "{\"pages\": [{\"come\": [\"/\"]}]}"] {
            assert_eq!(read(rubbish.as_bytes()), None, "{rubbish}");
        }
    }
}
