//! What happens in rooms, told to the sessions and histories of all nodes. It is in no log: what is said while the bus is away
//! stays on its node.

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    bus::{Bus, Heard, Topic, tell},
    domain::{Said, Speaker, Timestamp, UserId},
    realtime::{
        announcement::Announcement,
        company::Company,
        hub::{AnnounceToRoom, Hubs},
        rooms::Room,
    },
    telemetry::{self, NotHeard},
};

/// The events of rooms that nodes tell each other.
const EVENTS: [&str; 3] = ["welcome", "bye", "new_message"];

/// Something that happens in a room.
pub struct RoomEvent<'a> {
    /// Where.
    pub room: &'a Room,
    /// Which event the sessions in it hear.
    pub event: &'static str,
    /// What it says.
    pub text: &'a str,
    /// How many sessions are in the room.
    pub count: usize,
    /// The session that does it, and does not hear it.
    pub session: u64,
    /// What is kept of it, if it is a message.
    pub said: Option<&'a Said>,
}

impl RoomEvent<'_> {
    /// As sessions hear it.
    #[must_use]
    pub fn announcement(&self) -> Arc<Announcement> {
        let args = format!("{},{}", Value::from(self.text), self.count);
        Arc::new(Announcement::with_args(self.event, args))
    }

    /// Tells the other nodes.
    pub fn publish(&self, bus: &dyn Bus) {
        tell(bus, Topic::Talk, || WireEvent::of(self));
    }
}

/// What happens in rooms on other nodes.
pub(super) struct Hearing {
    pub(super) bus: Arc<dyn Bus>,
    pub(super) hubs: Hubs,
    pub(super) company: Company,
}

impl Hearing {
    /// Hears until it is dropped.
    pub(super) async fn run(self) {
        let mut incoming = self.bus.subscribe(Topic::Talk).await;
        while let Some(heard) = incoming.next().await {
            match heard {
                Heard::Message(message) => {
                    if self.hear(&message.body).is_none() {
                        telemetry::bus_not_heard(NotHeard::Malformed);
                    }
                }
                // Who was away meanwhile cannot be told all that was said.
                Heard::Missed => self.company.recovery.miss(Instant::now()),
            }
        }
    }

    /// `None` when it is none.
    fn hear(&self, body: &[u8]) -> Option<()> {
        let wire: WireEvent<'_> = serde_json::from_slice(body).ok()?;
        let event = EVENTS.into_iter().find(|event| *event == wire.event)?;
        let (room, said) = (Room::parse(&wire.room)?, wire.said.map(WireSaid::said));
        let except = wire.session;
        let happened = RoomEvent {
            room: &room,
            event,
            text: &wire.text,
            count: wire.count,
            session: except,
            said: said.as_ref(),
        };
        let announcement = happened.announcement();
        self.company.recovery.said(&room, except, &announcement, Instant::now());
        if let Some(said) = said {
            self.company.talk.say(&room, said);
        }
        self.hubs.announce_to_room(&AnnounceToRoom { room, except, announcement });
        Some(())
    }
}

#[derive(Serialize, Deserialize)]
struct WireEvent<'a> {
    #[serde(borrow)]
    room: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
    count: usize,
    session: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    said: Option<WireSaid<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WireSaid<'a> {
    at: i64,
    /// The account of who speaks; without one it is a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<i64>,
    #[serde(default)]
    visitor: u64,
    #[serde(default)]
    network: Option<IpAddr>,
    #[serde(borrow)]
    nickname: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

impl<'a> WireEvent<'a> {
    fn of(event: &'a RoomEvent<'a>) -> Self {
        Self {
            room: Cow::Borrowed(event.room.as_str()),
            event: Cow::Borrowed(event.event),
            text: Cow::Borrowed(event.text),
            count: event.count,
            session: event.session,
            said: event.said.map(WireSaid::of),
        }
    }
}

impl<'a> WireSaid<'a> {
    fn of(said: &'a Said) -> Self {
        let (member, visitor, network) = match said.speaker {
            Speaker::Member(user) => (Some(user.0), 0, None),
            Speaker::Guest { visitor, network } => (None, visitor, network),
        };
        Self {
            at: said.at.as_millis(),
            member,
            visitor,
            network,
            nickname: Cow::Borrowed(&said.nickname),
            message: Cow::Borrowed(&said.message),
        }
    }

    fn said(self) -> Said {
        let guest = Speaker::Guest { visitor: self.visitor, network: self.network };
        Said {
            at: Timestamp::from_millis(self.at),
            speaker: self.member.map_or(guest, |id| Speaker::Member(UserId(id))),
            nickname: self.nickname.into_owned().into(),
            message: self.message.into_owned().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_as_it_was_written() {
        let speakers = [
            Speaker::Member(UserId(7)),
            Speaker::Guest { visitor: u64::MAX, network: "2001:db8::".parse().ok() },
            Speaker::Guest { visitor: 1, network: None },
        ];
        for speaker in speakers {
            let said = Said {
                at: Timestamp::from_millis(1_763_686_461_123),
                speaker,
                nickname: "kim".into(),
                message: "\"hi\" \u{1F4A7}".into(),
            };
            let written = serde_json::to_vec(&WireSaid::of(&said)).unwrap();
            assert_eq!(serde_json::from_slice::<WireSaid<'_>>(&written).unwrap().said(), said);
        }
    }
}
