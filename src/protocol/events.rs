//! What a client says, as typed events (docs/contract.md §3, "to server"), whatever transport it came by.

use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::Fields;

/// An event of a client.
#[derive(Debug)]
pub enum ClientEvent {
    /// `BUY`: place an order. Its fields are read where orders are.
    Buy(Fields),
    /// `auth`: a fresh token.
    Auth {
        /// The token.
        token: String,
    },
    /// `CHANGED_PAGE`: the client now looks at the page of this location.
    ChangedPage(String),
    /// `nickname`: a guest's name in chat.
    Nickname(String),
    /// `enter_room`: join a chat room.
    EnterRoom(String),
    /// `leave_room`: leave it.
    LeaveRoom(String),
    /// `new_message`: say something in a room.
    NewMessage {
        /// What.
        message: String,
        /// In which room.
        room: String,
    },
    /// `WATCH_FIGURES`: tell this session the figures once a second, or no longer.
    WatchFigures(bool),
    /// `report_message`: show administrators what was said.
    ReportMessage(ReportedMessage),
}

/// A message that is reported, as its room was told it.
#[derive(Debug, ToSchema)]
#[schema(as = ReportMessage)]
pub struct ReportedMessage {
    /// In which room it was said.
    pub room: String,
    /// What was said.
    pub message: String,
    /// Under which name.
    pub nickname: String,
}

/// Why something is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventError {
    /// There is none of this name.
    Unknown,
    /// The arguments are something else; the sentence says what it takes.
    Payload(&'static str),
}

impl ClientEvent {
    /// The names of all of them, as [`read`](Self::read) knows them.
    pub const NAMES: &[&str] = &[
        "BUY",
        "auth",
        "CHANGED_PAGE",
        "nickname",
        "enter_room",
        "leave_room",
        "new_message",
        "WATCH_FIGURES",
        "report_message",
    ];

    /// Reads an event from its name and its arguments. Arguments that nobody asks for are no error.
    ///
    /// # Errors
    /// There is no such event, or it takes other arguments.
    pub fn read(name: &str, args: impl IntoIterator<Item = Value>) -> Result<Self, EventError> {
        let mut args = args.into_iter();
        let mut next = || args.next().unwrap_or_default();
        match name {
            "BUY" => match next() {
                Value::Object(fields) => Ok(Self::Buy(Fields::new(fields))),
                _ => Err(EventError::Payload("BUY takes an object with goodsId or items.")),
            },
            "auth" => match member(next(), "token") {
                Some(Value::String(token)) => Ok(Self::Auth { token }),
                _ => Err(EventError::Payload("auth takes {token}.")),
            },
            "CHANGED_PAGE" => text(next()).map(Self::ChangedPage).ok_or(EventError::Payload(
                "CHANGED_PAGE takes the location of a page, \"/detail.html?goodsId=4\".",
            )),
            "nickname" => {
                payload(next()).map(Self::Nickname).ok_or(EventError::Payload("nickname takes a string."))
            }
            "enter_room" => {
                payload(next()).map(Self::EnterRoom).ok_or(EventError::Payload("enter_room takes a string."))
            }
            "leave_room" => {
                payload(next()).map(Self::LeaveRoom).ok_or(EventError::Payload("leave_room takes a string."))
            }
            "new_message" => new_message(next(), next())
                .ok_or(EventError::Payload("new_message takes a message and a room.")),
            "WATCH_FIGURES" => match next() {
                Value::Null => Ok(Self::WatchFigures(true)),
                Value::Bool(wanted) => Ok(Self::WatchFigures(wanted)),
                _ => Err(EventError::Payload("WATCH_FIGURES takes true, false or nothing.")),
            },
            "report_message" => report_message(next())
                .ok_or(EventError::Payload("report_message takes {room, message, nickname}.")),
            _ => Err(EventError::Unknown),
        }
    }
}

/// `(message, room)`, or an object with these.
fn new_message(first: Value, second: Value) -> Option<ClientEvent> {
    let (message, room) = match first {
        Value::Object(mut both) => (both.remove("message")?, both.remove("room")?),
        message => (message, second),
    };
    Some(ClientEvent::NewMessage { message: text(message)?, room: payload(room)? })
}

fn report_message(value: Value) -> Option<ClientEvent> {
    let Value::Object(mut fields) = value else { return None };
    let mut field = |name| text(fields.remove(name)?);
    let (room, message, nickname) = (field("room")?, field("message")?, field("nickname")?);
    Some(ClientEvent::ReportMessage(ReportedMessage { room, message, nickname }))
}

/// `"kim"` or `{payload: "kim"}`.
fn payload(value: Value) -> Option<String> {
    match value {
        Value::Object(mut object) => text(object.remove("payload")?),
        value => text(value),
    }
}

fn member(value: Value, name: &str) -> Option<Value> {
    if let Value::Object(mut object) = value { object.remove(name) } else { None }
}

fn text(value: Value) -> Option<String> {
    if let Value::String(text) = value { Some(text) } else { None }
}
