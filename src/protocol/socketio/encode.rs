//! From packets to text. Each function appends; in front belongs [`engineio::MESSAGE`](super::super::engineio::MESSAGE).
//! "Each Socket.IO packet is sent as a Engine.IO `message` packet" ("Packet encoding").

use std::fmt::{Display, Write as _};

use serde_json::Value;

use super::{Args, Body, Event, Kind, MAIN, Packet};

impl Packet<'_> {
    /// Appends the text. The [attachments](Self::attachments) follow it, each as a message of its own.
    pub fn put(&self, out: &mut String) {
        match &self.body {
            Body::Connect(payload) => {
                put_head(out, Kind::Connect, &self.namespace);
                out.push_str(payload.as_deref().unwrap_or_default());
            }
            Body::Disconnect => put_disconnect(out, &self.namespace),
            Body::Event(event) => put_event(out, &self.namespace, event),
            Body::Ack { id, args } => put_ack(out, &self.namespace, *id, args),
            Body::ConnectError(payload) => {
                put_head(out, Kind::ConnectError, &self.namespace);
                out.push_str(payload);
            }
        }
    }
}

/// Appends the server's `CONNECT`: "with the session ID in the payload", and the private id that recovery takes, which
/// only a server that offers recovery sends.
pub fn put_connect(out: &mut String, namespace: &str, sid: &str, pid: Option<&str>) {
    put_head(out, Kind::Connect, namespace);
    out.push_str("{\"sid\":");
    put_string(out, sid);
    if let Some(pid) = pid {
        out.push_str(",\"pid\":");
        put_string(out, pid);
    }
    out.push('}');
}

/// Appends a `CONNECT_ERROR`: "if the connection is not allowed".
pub fn put_connect_error(out: &mut String, namespace: &str, message: &str, data: Option<&Value>) {
    put_head(out, Kind::ConnectError, namespace);
    out.push_str("{\"message\":");
    put_string(out, message);
    if let Some(data) = data {
        out.push_str(",\"data\":");
        put_display(out, data);
    }
    out.push('}');
}

/// Appends a `DISCONNECT`.
pub fn put_disconnect(out: &mut String, namespace: &str) {
    put_head(out, Kind::Disconnect, namespace);
}

/// Appends an `EVENT`, or a `BINARY_EVENT` when there are attachments.
pub fn put_event(out: &mut String, namespace: &str, event: &Event<'_>) {
    put_head_of(out, (Kind::Event, Kind::BinaryEvent), &event.args, namespace);
    if let Some(id) = event.ack_id {
        put_display(out, id);
    }
    out.push('[');
    put_string(out, &event.name);
    if !event.args.json.is_empty() {
        out.push(',');
        out.push_str(&event.args.json);
    }
    out.push(']');
}

/// Appends an `ACK`, or a `BINARY_ACK` when there are attachments.
pub fn put_ack(out: &mut String, namespace: &str, id: u64, args: &Args<'_>) {
    put_head_of(out, (Kind::Ack, Kind::BinaryAck), args, namespace);
    put_display(out, id);
    out.push('[');
    out.push_str(&args.json);
    out.push(']');
}

/// The head of the plain or the binary kind, whichever the arguments make it.
fn put_head_of(out: &mut String, (plain, binary): (Kind, Kind), args: &Args<'_>, namespace: &str) {
    match args.attachments.len() {
        0 => put_head(out, plain, namespace),
        count => {
            out.push(binary.digit());
            put_display(out, count);
            out.push('-');
            put_namespace(out, namespace);
        }
    }
}

fn put_head(out: &mut String, kind: Kind, namespace: &str) {
    out.push(kind.digit());
    put_namespace(out, namespace);
}

/// "The namespace is only included if it is different from the main namespace" ("Format").
fn put_namespace(out: &mut String, namespace: &str) {
    if namespace != MAIN {
        out.push_str(namespace);
        out.push(',');
    }
}

fn put_display(out: &mut String, value: impl Display) {
    write!(out, "{value}").expect("a String takes everything");
}

fn put_string(out: &mut String, text: &str) {
    if text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

impl Kind {
    fn digit(self) -> char {
        match self {
            Self::Connect => '0',
            Self::Disconnect => '1',
            Self::Event => '2',
            Self::Ack => '3',
            Self::ConnectError => '4',
            Self::BinaryEvent => '5',
            Self::BinaryAck => '6',
        }
    }
}
