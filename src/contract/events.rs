//! The events (docs/contract.md §3), one row each: what it is called, what it says, who says it, on which transports.

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema};

use super::schemas::schemas;
use crate::{
    figures::Figures,
    gateway::openapi::{Ack, ErrorEvent, Hello},
    protocol::{
        asked::{Authenticate, Buy, NamedRoom, NewMessage},
        digest::BuyDigest,
        events::ReportedMessage,
        publication::{BuyCanceled, BuyGoods},
        shapes::{Gap, GoodsChanged, OrderTold},
    },
};

/// A transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// `/ws`
    Native,
    /// `/socket.io/`
    SocketIo,
    /// `/api/events`
    Stream,
}

use Transport::{Native, SocketIo, Stream};

const ALL: &[Transport] = &[Native, SocketIo, Stream];
const SOCKETS: &[Transport] = &[Native, SocketIo];

/// What an event says.
pub(super) struct Payload {
    /// Of one argument. Of several: an array, which Socket.IO writes without its brackets.
    pub(super) schema: Value,
    /// What the schema refers to.
    pub(super) named: Vec<(String, Value)>,
}

/// An event.
pub(super) struct Event {
    /// What it is called.
    pub(super) name: &'static str,
    /// When it comes, or what it asks for.
    pub(super) about: &'static str,
    /// Where it is heard.
    pub(super) on: &'static [Transport],
    /// What it says; `None`: nothing.
    pub(super) payload: Option<Payload>,
    /// The members of its acknowledgement beside `ok`, where it has one.
    pub(super) acknowledged_with: &'static [&'static str],
}

fn of<T: ToSchema>() -> Option<Payload> {
    let schema = json!({ "$ref": format!("#/components/schemas/{}", T::name()) });
    Some(Payload { schema, named: schemas::<T>().collect() })
}

fn bare(schema: Value) -> Option<Payload> {
    Some(Payload { schema, named: Vec::new() })
}

/// Several arguments.
fn list(parts: &[Value]) -> Option<Payload> {
    let count = parts.len();
    let schema = json!({ "type": "array", "prefixItems": parts, "minItems": count, "maxItems": count });
    Some(Payload { schema, named: Vec::new() })
}

/// A text, or an object with it.
fn text_or_object<T: ToSchema>(about: &str, example: &str) -> Option<Payload> {
    let mut payload = of::<T>()?;
    payload.schema = json!({ "oneOf": [{ "type": "string", "description": about, "examples": [example] }, payload.schema] });
    Some(payload)
}

fn count(about: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": about })
}

fn text(about: &str, example: &str) -> Value {
    json!({ "type": "string", "description": about, "examples": [example] })
}

/// What the server says.
pub(super) fn told() -> Vec<Event> {
    let event = |name, about, on, payload| Event { name, about, on, payload, acknowledged_with: &[] };
    let here = || count("How many are in the room now.");
    vec![
        event("hello", "The first thing that a client is told.", &[Native, Stream], of::<Hello<'_>>()),
        event("alive", "Nothing else was said for a while.", &[Native, Stream], None),
        event("gap", "What came after an offset and before another is no longer kept.", ALL, of::<Gap>()),
        event("BUY_GOODS", "Someone ordered.", ALL, of::<BuyGoods<'_>>()),
        event("BUY_CANCELED", "An alert no longer holds.", ALL, of::<BuyCanceled>()),
        event(
            "BUY_DIGEST",
            "What a burst tells, to sessions that asked for it with `digest`.",
            ALL,
            of::<BuyDigest<'_>>(),
        ),
        event(
            "ORDER",
            "An order of one's own was placed or canceled, from whatever device. It comes before the alert of that `id`.",
            ALL,
            of::<OrderTold>(),
        ),
        event(
            "goods",
            "The catalog changed: its stock too, at most once a second for each goods.",
            ALL,
            of::<GoodsChanged<'_>>(),
        ),
        event(
            "SAME_PAGE_VIEWER_COUNT",
            "So many people look at the same page, oneself included.",
            SOCKETS,
            bare(count("People, not sockets.")),
        ),
        event(
            "new_message",
            "Someone said something in a room.",
            SOCKETS,
            list(&[text("Who, and what.", "kim: hello"), here()]),
        ),
        event("welcome", "Someone came into a room.", SOCKETS, list(&[text("Who.", "kim"), here()])),
        event("bye", "Someone left a room.", SOCKETS, list(&[text("Who.", "kim"), here()])),
        event(
            "error",
            "A refusal of an event that wanted no acknowledgement.",
            SOCKETS,
            of::<ErrorEvent<'_>>(),
        ),
        event(
            "FIGURES",
            "The figures of the shop, once a second after `WATCH_FIGURES`.",
            SOCKETS,
            of::<Figures>(),
        ),
        event(
            "offset",
            "Where in the log this session is: after what has an offset, and after CONNECT.",
            &[SocketIo],
            bare(text("An offset.", "41")),
        ),
    ]
}

/// What clients say.
pub(super) fn asked() -> Vec<Event> {
    let event = |name, about, payload, acknowledged_with| Event {
        name,
        about,
        on: SOCKETS,
        payload,
        acknowledged_with,
    };
    let room = || text_or_object::<NamedRoom>("The room.", "kitchen");
    vec![
        event(
            "BUY",
            "Place an order. It is processed even if the client leaves at once.",
            of::<Buy>(),
            &["orderId", "id"],
        ),
        event(
            "auth",
            "A fresh token of the same account, so that the session lasts as long as that.",
            of::<Authenticate>(),
            &["expiresAt"],
        ),
        event(
            "CHANGED_PAGE",
            "This session now looks at that page.",
            bare(text("Path and query.", "/detail.html?goodsId=4")),
            &[],
        ),
        event(
            "nickname",
            "A guest's name in chat; a member's is the account's.",
            text_or_object::<NamedRoom>("The name.", "kim"),
            &["nickname"],
        ),
        event(
            "enter_room",
            "Join a chat room, which is made on demand.",
            room(),
            &["count", "people", "messages"],
        ),
        event("leave_room", "Leave it.", room(), &[]),
        event("new_message", "Say something to the others in a room.", new_message(), &["count"]),
        event(
            "WATCH_FIGURES",
            "For administrators: hear `FIGURES` once a second, or with `false` no longer.",
            bare(json!({ "type": ["boolean", "null"] })),
            &[],
        ),
        event("report_message", "Show administrators what was said in a room.", of::<ReportedMessage>(), &[]),
    ]
}

/// Two arguments, or one object.
fn new_message() -> Option<Payload> {
    let mut payload = of::<NewMessage>()?;
    let parts = list(&[text("What.", "hello"), text("In which room.", "kitchen")])?.schema;
    payload.schema = json!({ "oneOf": [parts, payload.schema] });
    Some(payload)
}

/// The acknowledgement of an event, good or bad.
pub(super) fn acknowledgement(event: &Event) -> Value {
    json!({ "oneOf": [accepted(event.acknowledged_with), { "$ref": "#/components/schemas/Refused" }] })
}

/// Found among the variants of [`Ack`] by its members.
fn accepted(members: &[&str]) -> Value {
    let all = json!(Ack::schema());
    let variants = all["oneOf"].as_array().cloned().unwrap_or_default();
    let has = |variant: &&Value| {
        let names = variant["properties"].as_object().map(Map::keys);
        names.is_some_and(|names| names.map(String::as_str).collect::<Vec<_>>() == sorted(members))
    };
    let mut found =
        variants.iter().find(has).cloned().unwrap_or_else(|| json!({ "type": "object", "properties": {} }));
    found["properties"]["ok"] = json!({ "const": true });
    let required = members.iter().copied().chain(["ok"]);
    found["required"] = required.collect();
    found
}

fn sorted<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}
