//! Chat rooms. Members speak under their account's name, guests (with `--guest-chat`) under one they choose, which must
//! not be a member's.

use std::time::Instant;

use super::{
    client::Client,
    refusal::{Ack, Refusal, Reply, ToldMessage},
};
use crate::{
    clock,
    domain::{Nickname, Said, Speaker, text},
    realtime::{Person, Room, RoomEvent, hub::AnnounceToRoom},
    web::{Code, problem::Problem},
};

/// Rooms that one session may be in.
const MAX_ROOMS: usize = 32;
/// Characters of a message.
const MAX_MESSAGE: usize = 2000;
/// Names that who comes in is told of those who are there; the count says how many there are.
const MAX_NAMES: usize = 100;
/// Bytes of the messages that who comes in is told.
const MAX_TOLD: usize = 16 << 10;

/// Counts a chat event of a client that may chat.
pub(super) fn admit(client: &Client) -> Result<(), Refusal> {
    if client.session.login().is_none() && !client.gateway.app.settings.guest_chat {
        return Err(Problem::login_required().into());
    }
    let (session, now) = (&client.session, Instant::now());
    let account = session.login().map(|login| login.user_id);
    let admitted = session.limits.take_chat(now)
        && client.gateway.app.permits.take_chat(account, session.outbox.purse(), now);
    if admitted { Ok(()) } else { Err(Refusal::new(Code::TooManyMessages)) }
}

fn name_of(client: &Client) -> String {
    client.session.chat_name().into()
}

/// Who speaks through a client.
pub(super) fn speaker(client: &Client) -> Speaker {
    let session = &client.session;
    match (session.login(), session.person) {
        (Some(login), _) => Speaker::Member(login.user_id),
        (None, Person::Guest(visitor) | Person::Listener(visitor)) => {
            Speaker::Guest { visitor, network: session.outbox.purse().network() }
        }
        (None, Person::Member(user)) => Speaker::Member(user),
    }
}

/// The event `nickname`.
pub(super) fn name_guest(client: &Client, name: &str, answer: impl FnOnce(Reply) + 'static) {
    let nickname = admit(client)
        .and_then(|()| Nickname::parse(name).map_err(|invalid| Refusal::validation(invalid.message)));
    let nickname = match nickname {
        Ok(nickname) => nickname,
        Err(refusal) => return answer(Err(refusal)),
    };
    if client.session.login().is_some() {
        // A member's name is the account's.
        return answer(Ok(Ack::Nickname { nickname: name_of(client) }));
    }
    let client = client.clone();
    actix_rt::spawn(async move {
        answer(take_name(&client, nickname).await);
    });
}

/// A guest takes a name that no member has, nor one that looks like it.
async fn take_name(client: &Client, nickname: Nickname) -> Reply {
    let accounts = &client.gateway.app.accounts;
    if nickname.is_reserved() || accounts.is_taken(&nickname).await? {
        return Err(Refusal::new(Code::NicknameTaken));
    }
    client.session.name_guest(nickname.clone());
    // Once more: a member who took it since then was announced before this guest had it.
    if accounts.is_taken(&nickname).await? {
        client.session.give_up_name(|own| *own == nickname);
        client.gateway.registry.tell_name(&client.session);
        return Err(Refusal::new(Code::NicknameTaken));
    }
    client.gateway.registry.tell_name(&client.session);
    Ok(Ack::Nickname { nickname: nickname.as_str().to_owned() })
}

/// The event `enter_room`.
pub(super) fn enter_room(client: &Client, room: &str) -> Reply {
    admit(client)?;
    let room = parse_room(room)?;
    if client.session.rooms().len() >= MAX_ROOMS && !client.session.is_in(&room) {
        return Err(Refusal::new(Code::TooManyRooms));
    }
    client.gateway.note_place(&client.session);
    let registry = &client.gateway.registry;
    let count = match registry.enter_room(&client.session, &room) {
        Some(count) => {
            announce(client, &room, "welcome", &name_of(client), count, None);
            count
        }
        None => registry.room_count(&room),
    };
    let people = registry.room_names(&room, MAX_NAMES);
    Ok(Ack::Entered { count, people, messages: last_messages(client, &room) })
}

/// What was said in a room lately, the oldest first: as much as fits an answer, and nothing of who may not speak any more.
fn last_messages(client: &Client, room: &Room) -> Vec<ToldMessage> {
    let (moderation, now) = (&client.gateway.app.moderation, Instant::now());
    let last = client.gateway.talk.last(room, clock::now());
    let mut bytes = 0;
    let mut told: Vec<_> = last
        .into_iter()
        .rev()
        .filter(|said| !moderation.is_muted(said.speaker, now))
        .take_while(|said| {
            bytes += said.message.len();
            bytes <= MAX_TOLD
        })
        .map(ToldMessage)
        .collect();
    told.reverse();
    told
}

/// The event `leave_room`.
pub(super) fn exit_room(client: &Client, room: &str) -> Reply {
    admit(client)?;
    leave_room(client, &parse_room(room)?);
    Ok(Ack::Done)
}

/// Leaves all rooms.
pub(super) fn leave_rooms(client: &Client) {
    for room in client.session.rooms() {
        leave_room(client, &room);
    }
}

fn leave_room(client: &Client, room: &Room) {
    if let Some(left) = client.gateway.registry.leave_room(&client.session, room) {
        announce(client, room, "bye", &name_of(client), left, None);
    }
}

/// Puts a session that comes back into a room again. The others have heard it leave.
pub(super) fn reenter_room(client: &Client, room: &Room) {
    if let Some(count) = client.gateway.registry.enter_room(&client.session, room) {
        announce(client, room, "welcome", &name_of(client), count, None);
    }
}

/// The event `new_message`.
pub(super) fn say(client: &Client, message: &str, room: &str) -> Reply {
    admit(client)?;
    let message = text::nfc(message);
    if message.is_empty() {
        return Err(Refusal::validation("new_message takes a message and a room."));
    }
    if message.chars().count() > MAX_MESSAGE {
        return Err(Refusal::validation("A message has at most 2000 characters."));
    }
    let room = parse_room(room)?;
    if !client.session.is_in(&room) {
        return Err(Refusal::new(Code::NotInRoom));
    }
    let speaker = speaker(client);
    if client.gateway.app.moderation.is_muted(speaker, Instant::now()) {
        return Err(Refusal::new(Code::Muted));
    }
    let count = client.gateway.registry.room_count(&room);
    let (nickname, message) = (name_of(client), without_markup(&message));
    let text = format!("{nickname}: {message}");
    let said = Said { at: clock::now(), speaker, nickname: nickname.into(), message: message.into() };
    announce(client, &room, "new_message", &text, count, Some(&said));
    client.gateway.talk.say(&room, said);
    Ok(Ack::Room { count })
}

/// Something happens in a room: a message, with `said`, or somebody comes or goes.
fn announce(
    client: &Client,
    room: &Room,
    event: &'static str,
    text: &str,
    count: usize,
    said: Option<&Said>,
) {
    let except = client.session.id;
    let happened = RoomEvent { room, event, text, count, session: except, said };
    let announcement = happened.announcement();
    happened.publish(&*client.gateway.app.bus);
    client.gateway.recovery.said(room, except, &announcement, Instant::now());
    client.gateway.hubs.announce_to_room(&AnnounceToRoom { room: room.clone(), except, announcement });
}

/// A message reaches pages that insert it as HTML; what looks like a tag is written with full-width signs, which read
/// the same and are none.
fn without_markup(message: &str) -> String {
    message.replace('<', "＜").replace('>', "＞")
}

pub(super) fn parse_room(name: &str) -> Result<Room, Refusal> {
    Room::parse(name).ok_or_else(|| {
        Refusal::validation(
            "A room's name has 1 to 100 characters, none of them control, bidirectional or < >.",
        )
    })
}
