//! The AsyncAPI document: the events of `events.rs` on each transport, in the envelope that it puts around them.

use serde_json::{Map, Value, json};

use super::{
    events::{Event, Transport, acknowledgement, asked, told},
    schemas::schemas,
};
use crate::gateway::openapi::{Ack, Refused};

const ABOUT: &str = "The same events on every transport: plain WebSocket, Socket.IO, Server-Sent Events. Clients ignore fields and \
    events that they do not know. What is in the log (`BUY_GOODS`, `BUY_CANCELED`) comes in the order of its `id`, the same for \
    everyone, and can be resumed after any `id`. The HTTP side is in `/api/openapi.json`.";

/// The document.
#[must_use]
pub fn asyncapi() -> Value {
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION"), "description": ABOUT,
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "defaultContentType": "application/json",
        "servers": {
            "websocket": server("ws", "Sockets."),
            "http": server("http", "Streams, and Socket.IO's polls."),
        },
        "channels": { "websocket": native(), "socketio": socketio(), "stream": stream() },
        "operations": {},
        "components": { "messages": {}, "schemas": {} },
    });
    for transport in [Transport::Native, Transport::SocketIo, Transport::Stream] {
        for event in told().iter().filter(|event| event.on.contains(&transport)) {
            add(&mut document, transport, "send", event);
        }
        for event in asked().iter().filter(|event| event.on.contains(&transport)) {
            add(&mut document, transport, "receive", event);
        }
    }
    for (name, schema) in schemas::<Refused<'_>>().chain(schemas::<Ack>()) {
        document["components"]["schemas"][name] = schema;
    }
    document
}

fn server(protocol: &str, about: &str) -> Value {
    json!({
        "host": "{host}", "protocol": protocol, "description": about,
        "variables": { "host": { "default": "127.0.0.1:3000", "description": "Where this document was found." } },
    })
}

/// The channel of a transport.
fn channel(transport: Transport) -> &'static str {
    match transport {
        Transport::Native => "websocket",
        Transport::SocketIo => "socketio",
        Transport::Stream => "stream",
    }
}

fn query(parameters: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> =
        parameters.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": properties })
}

fn after() -> Vec<(&'static str, Value)> {
    let text = |about: &str| json!({ "type": "string", "description": about });
    vec![
        (
            "after",
            json!({ "type": "integer", "minimum": 0, "description": "First what came after this offset." }),
        ),
        (
            "epoch",
            text(
                "The `epoch` of the greeting that came with the offset; another database answers with a `gap`.",
            ),
        ),
        ("key", text("A listen key, from a page of its origins.")),
    ]
}

fn native() -> Value {
    json!({
        "address": "/ws",
        "title": "Plain WebSocket",
        "description": "Text frames of JSON: `{\"type\": …, \"payload\": …, \"id\": …}`; an `id` asks for an `ack`. Who one is: \
            the cookie, `Authorization`, or the subprotocols `shopbell` and `bearer.<token>`. The close codes are 1001 (come back), \
            1008, 4001 (log in first), 4008 (too slow: come back and resume), 4029 (too many messages).",
        "servers": [{ "$ref": "#/servers/websocket" }],
        "messages": {},
        "bindings": { "ws": { "method": "GET", "query": query(&after()), "bindingVersion": "0.1.0" } },
    })
}

fn socketio() -> Value {
    json!({
        "address": "/socket.io/",
        "title": "Socket.IO",
        "description": "Engine.IO 4, Socket.IO 5, over polls and WebSocket. An event's payload is its argument; an array in the \
            schema stands for several. CONNECT takes `auth: {token}` or `auth: {key}`, else the cookie counts.",
        "servers": [{ "$ref": "#/servers/websocket" }, { "$ref": "#/servers/http" }],
        "messages": {},
    })
}

fn stream() -> Value {
    json!({
        "address": "/api/events",
        "title": "Server-Sent Events",
        "description": "`event:` is the name, `data:` the payload in one line, `id:` the offset. `Last-Event-ID`, `?lastEventId=` or \
            `?after=` resumes.",
        "servers": [{ "$ref": "#/servers/http" }],
        "messages": {},
    })
}

/// Adds an event on a transport: its message, the channel's reference to it, and the operation.
fn add(document: &mut Value, transport: Transport, action: &str, event: &Event) {
    let (channel, name) = (channel(transport), event.name);
    // `new_message` goes both ways and is not the same.
    let key = format!("{channel}.{action}.{name}");
    let payload = event.payload.as_ref();
    for (schema, about) in payload.into_iter().flat_map(|payload| payload.named.clone()) {
        document["components"]["schemas"][schema] = about;
    }
    document["components"]["messages"][&key] = message(transport, action, event);
    refer(document, channel, &key);
    let mut operation = json!({
        "action": action, "title": name, "summary": event.about,
        "channel": { "$ref": format!("#/channels/{channel}") },
        "messages": [{ "$ref": format!("#/channels/{channel}/messages/{key}") }],
    });
    if action == "receive" {
        let ack = format!("{channel}.ack.{name}");
        document["components"]["messages"][&ack] = acknowledged(transport, event);
        refer(document, channel, &ack);
        operation["reply"] = json!({
            "channel": { "$ref": format!("#/channels/{channel}") },
            "messages": [{ "$ref": format!("#/channels/{channel}/messages/{ack}") }],
        });
    }
    document["operations"][&key] = operation;
}

fn refer(document: &mut Value, channel: &str, message: &str) {
    let to = json!({ "$ref": format!("#/components/messages/{message}") });
    document["channels"][channel]["messages"][message] = to;
}

fn message(transport: Transport, action: &str, event: &Event) -> Value {
    let says = event.payload.as_ref().map(|payload| payload.schema.clone());
    let payload = match transport {
        Transport::Native => envelope(action, event.name, says),
        Transport::Stream => says.unwrap_or_else(|| json!({ "type": "object", "maxProperties": 0 })),
        Transport::SocketIo => says.unwrap_or(Value::Bool(true)),
    };
    json!({ "name": event.name, "title": event.name, "summary": event.about, "payload": payload })
}

/// What `/ws` puts around an event.
fn envelope(action: &str, name: &str, says: Option<Value>) -> Value {
    let mut schema =
        json!({ "type": "object", "properties": { "type": { "const": name } }, "required": ["type"] });
    if let Some(says) = says {
        schema["properties"]["payload"] = says;
        schema["required"] = json!(["type", "payload"]);
    }
    if action == "receive" {
        schema["properties"]["id"] = id();
    }
    schema
}

fn id() -> Value {
    json!({ "type": ["integer", "number", "string"], "maxLength": 128, "description": "Asks for the `ack` of this `id`." })
}

/// The acknowledgement of an event.
fn acknowledged(transport: Transport, event: &Event) -> Value {
    let says = acknowledgement(event);
    let payload = if transport == Transport::Native {
        json!({
            "type": "object", "required": ["type", "id", "payload"],
            "properties": { "type": { "const": "ack" }, "id": id(), "payload": says },
        })
    } else {
        says
    };
    json!({
        "name": "ack", "title": format!("ack of {}", event.name), "payload": payload,
        "summary": format!("What became of {}.", event.name),
    })
}
