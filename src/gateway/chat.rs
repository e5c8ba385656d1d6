//! Chat rooms. Members speak under their account's name, guests (with `--guest-chat`) under one they choose, which must
//! not be a member's.

use std::{rc::Rc, sync::Arc, time::Instant};

use serde_json::{Value, json};

use super::{
    client::{BURST, Shopper},
    refusal::{Refusal, Reply},
};
use crate::{
    domain::Nickname,
    limits::bucket::Bucket,
    realtime::{Announcement, Room, hub::TellRoom},
    web::problem::Problem,
};

/// What a guest is called before it says otherwise.
const GUEST: &str = "guest";
/// Messages, comings and goings of one session a second.
const RATE: u32 = 10;
/// Rooms that one session may be in.
const MAX_ROOMS: usize = 32;
/// Characters of a message.
const MAX_MESSAGE: usize = 2000;

/// What is kept of a session that chats.
pub(super) struct Chat {
    guest_name: Option<String>,
    messages: Bucket,
}

impl Chat {
    fn new(now: Instant) -> Self {
        Self { guest_name: None, messages: Bucket::new(RATE, BURST, now) }
    }
}

impl Shopper {
    /// Whether this session may chat, and may now.
    fn may_chat(&self) -> Result<(), Refusal> {
        if self.session.login().is_none() && !self.gateway.app.settings.guest_chat {
            return Err(Problem::login_required().into());
        }
        let now = Instant::now();
        let mut chat = self.chat.borrow_mut();
        let allowed = chat.get_or_insert_with(|| Box::new(Chat::new(now))).messages.take(now);
        if allowed { Ok(()) } else { Err(Refusal::too_many_messages()) }
    }

    fn chat_name(&self) -> String {
        match self.session.login() {
            Some(login) => login.nickname.to_string(),
            None => {
                let chat = self.chat.borrow();
                chat.as_ref().and_then(|chat| chat.guest_name.clone()).unwrap_or_else(|| GUEST.to_owned())
            }
        }
    }

    /// The event `nickname`.
    pub(super) fn name_guest(self: &Rc<Self>, args: &[Value], answer: impl FnOnce(Reply) + 'static) {
        let wanted = self.may_chat().and_then(|()| {
            let text = text_of(args.first()).ok_or_else(|| Refusal::payload("nickname takes a string."))?;
            Nickname::parse(&text).map_err(|invalid| Refusal::payload(invalid.message))
        });
        let nickname = match wanted {
            Ok(nickname) => nickname,
            Err(refusal) => return answer(Err(refusal)),
        };
        if self.session.login().is_some() {
            // A member's name is the account's.
            return answer(Ok(json!({"ok": true, "nickname": self.chat_name()})));
        }
        let shopper = Rc::clone(self);
        actix_rt::spawn(async move {
            answer(match shopper.gateway.app.accounts.is_taken(&nickname).await {
                Ok(false) => {
                    if let Some(chat) = &mut *shopper.chat.borrow_mut() {
                        chat.guest_name = Some(nickname.as_str().to_owned());
                    }
                    Ok(json!({"ok": true, "nickname": nickname}))
                }
                Ok(true) => Err(Refusal::new("nickname_taken", "This nickname is already in use.")),
                Err(error) => Err(error.into()),
            });
        });
    }

    /// The event `enter_room`.
    pub(super) fn enter_room(&self, args: &[Value]) -> Reply {
        self.may_chat()?;
        let room = room_of(args.first())?;
        if self.session.rooms().len() >= MAX_ROOMS && !self.session.is_in(&room) {
            return Err(Refusal::new("too_many_rooms", "Please leave another room first."));
        }
        let registry = &self.gateway.registry;
        let count = match registry.enter_room(&self.session, self.slot, &room) {
            Some(count) => {
                self.tell_others(&room, "welcome", &self.chat_name(), count);
                count
            }
            None => registry.room_count(&room),
        };
        Ok(json!({"ok": true, "count": count}))
    }

    /// The event `leave_room`.
    pub(super) fn exit_room(&self, args: &[Value]) -> Reply {
        self.may_chat()?;
        let room = room_of(args.first())?;
        self.leave_room(&room);
        Ok(json!({"ok": true}))
    }

    /// Leaves a room, if it is in it.
    pub(super) fn leave_room(&self, room: &Room) {
        if let Some(left) = self.gateway.registry.leave_room(&self.session, self.slot, room) {
            self.tell_others(room, "bye", &self.chat_name(), left);
        }
    }

    /// The event `new_message`: `(message, room)`, or an object with these.
    pub(super) fn say(&self, args: &[Value]) -> Reply {
        self.may_chat()?;
        let (message, room) = match args {
            [Value::Object(both), ..] => (both.get("message"), both.get("room")),
            _ => (args.first(), args.get(1)),
        };
        let message = message.and_then(Value::as_str).map(str::trim).filter(|message| !message.is_empty());
        let message = message.ok_or_else(|| Refusal::payload("new_message takes a message and a room."))?;
        if message.chars().count() > MAX_MESSAGE {
            return Err(Refusal::payload("A message has at most 2000 characters."));
        }
        let room = room_of(room)?;
        if !self.session.is_in(&room) {
            return Err(Refusal::new("not_in_room", "Please enter the room first."));
        }
        let count = self.gateway.registry.room_count(&room);
        self.tell_others(
            &room,
            "new_message",
            &format!("{}: {}", self.chat_name(), harmless(message)),
            count,
        );
        Ok(json!({"ok": true, "count": count}))
    }

    fn tell_others(&self, room: &Room, event: &'static str, text: &str, count: usize) {
        let args = format!("{},{count}", Value::from(text));
        self.gateway.hubs.tell_room(&TellRoom {
            room: room.clone(),
            except: self.session.id,
            announcement: Arc::new(Announcement::with_args(event, args)),
        });
    }
}

/// A message reaches pages that insert it as HTML; what looks like a tag is written with full-width signs, which read
/// the same and are none.
fn harmless(message: &str) -> String {
    message.replace('<', "＜").replace('>', "＞")
}

/// `"kim"` or `{payload: "kim"}`.
fn text_of(value: Option<&Value>) -> Option<String> {
    let value = value?;
    value.get("payload").unwrap_or(value).as_str().map(str::to_owned)
}

fn room_of(value: Option<&Value>) -> Result<Room, Refusal> {
    let room = text_of(value).and_then(|name| Room::parse(&name));
    room.ok_or_else(|| {
        Refusal::payload("A room's name has 1 to 100 characters, none of them control or < > \" '.")
    })
}
