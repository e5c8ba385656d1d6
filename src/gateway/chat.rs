//! Chat rooms. Members speak under their account's name, guests (with `--guest-chat`) under one they choose, which must
//! not be a member's.

use std::{sync::Arc, time::Instant};

use serde_json::Value;

use super::{
    client::Client,
    refusal::{Ack, Refusal, Reply},
};
use crate::{
    domain::{Nickname, text},
    realtime::{Announcement, Room, hub::AnnounceToRoom},
    web::{Code, problem::Problem},
};

/// What a guest is called before it says otherwise.
const GUEST: &str = "guest";
/// Rooms that one session may be in.
const MAX_ROOMS: usize = 32;
/// Characters of a message.
const MAX_MESSAGE: usize = 2000;

/// Counts a chat event of a client that may chat.
fn admit(client: &Client) -> Result<(), Refusal> {
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
    match client.session.login() {
        Some(login) => login.nickname.to_string(),
        None => client.session.guest_name().map_or(GUEST.to_owned(), |name| name.as_str().to_owned()),
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
        return Err(Refusal::new(Code::NicknameTaken));
    }
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
            announce(client, &room, "welcome", &name_of(client), count);
            count
        }
        None => registry.room_count(&room),
    };
    Ok(Ack::Room { count })
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
        announce(client, room, "bye", &name_of(client), left);
    }
}

/// Puts a session that comes back into a room again. The others have heard it leave.
pub(super) fn reenter_room(client: &Client, room: &Room) {
    if let Some(count) = client.gateway.registry.enter_room(&client.session, room) {
        announce(client, room, "welcome", &name_of(client), count);
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
    let count = client.gateway.registry.room_count(&room);
    announce(
        client,
        &room,
        "new_message",
        &format!("{}: {}", name_of(client), without_markup(&message)),
        count,
    );
    Ok(Ack::Room { count })
}

fn announce(client: &Client, room: &Room, event: &'static str, text: &str, count: usize) {
    let args = format!("{},{count}", Value::from(text));
    let (except, announcement) = (client.session.id, Arc::new(Announcement::with_args(event, args)));
    client.gateway.recovery.said(room, except, &announcement, Instant::now());
    client.gateway.hubs.announce_to_room(&AnnounceToRoom { room: room.clone(), except, announcement });
}

/// A message reaches pages that insert it as HTML; what looks like a tag is written with full-width signs, which read
/// the same and are none.
fn without_markup(message: &str) -> String {
    message.replace('<', "＜").replace('>', "＞")
}

fn parse_room(name: &str) -> Result<Room, Refusal> {
    Room::parse(name).ok_or_else(|| {
        Refusal::validation(
            "A room's name has 1 to 100 characters, none of them control, bidirectional or < >.",
        )
    })
}
