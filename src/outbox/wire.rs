//! Everything that differs by wire: how events and packets are encoded, how a client is pinged, how it is told that its
//! session ends, and what metrics call it. No other file matches on [`Wire`].

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::{close::Close, limits::OutboxLimits};
use crate::protocol::{
    engineio::{self, Packet},
    engineio_frame, frame, native, socketio, sse,
};

/// The form in which a client gets what it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wire {
    /// The envelope of `/ws`, as WebSocket frames.
    Native,
    /// Socket.IO packets as WebSocket frames.
    SocketIo,
    /// Socket.IO packets as a polling payload.
    Polling,
    /// Server-Sent Events.
    Sse,
}

/// The arguments of an event.
#[derive(Clone, Copy, Debug)]
pub enum Args<'a> {
    /// One JSON value.
    One(&'a str),
    /// JSON values joined by commas.
    Several(&'a str),
}

impl<'a> Args<'a> {
    fn json(self) -> &'a str {
        match self {
            Self::One(json) | Self::Several(json) => json,
        }
    }
}

/// How a client is kept alive.
#[derive(Clone, Debug)]
pub(super) struct Heartbeat {
    /// Silence after which `ping` is sent.
    pub(super) interval: Duration,
    /// Time for the answer; `None` where the wire has none.
    pub(super) timeout: Option<Duration>,
    /// What is sent.
    pub(super) ping: Bytes,
}

/// How a client is told that its session ends.
pub(super) enum Goodbye {
    /// These bytes are the last. The client ends the connection, or the sweeper does soon.
    Last(Bytes),
    /// These bytes ask the client to end the connection itself. The sweeper closes it shortly after if it did not.
    Ask(Bytes),
    /// The poll that waits gets these bytes; without one, the next finds no session.
    Now(Bytes),
    /// The connection is dropped without a word.
    Drop,
}

/// "a comment at least every 15 s" (docs/contract.md §3c).
const COMMENT_INTERVAL: Duration = Duration::from_secs(14);
/// Engine.IO's packet types on their own, for polls.
const CLOSE_PACKET: Bytes = Bytes::from_static(b"1");
const PING_PACKET: Bytes = Bytes::from_static(b"2");
/// The same as a text frame.
const PING_FRAME: Bytes = Bytes::from_static(b"\x81\x012");
const NOOP_PACKET: Bytes = Bytes::from_static(b"6");
/// `{"type":"alive"}` as a text frame.
const ALIVE_FRAME: Bytes = Bytes::from_static(b"\x81\x10{\"type\":\"alive\"}");

impl Wire {
    /// All wires.
    pub const ALL: [Self; 4] = [Self::Native, Self::SocketIo, Self::Polling, Self::Sse];

    /// The label `transport` of metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Native => "websocket",
            Self::SocketIo => "socketio",
            Self::Polling => "polling",
            Self::Sse => "sse",
        }
    }

    /// Whether the client polls.
    #[must_use]
    pub fn is_polling(self) -> bool {
        self == Self::Polling
    }

    /// Whether the client speaks Socket.IO, by WebSocket or by polls.
    #[must_use]
    pub fn is_socketio(self) -> bool {
        matches!(self, Self::SocketIo | Self::Polling)
    }

    /// Appends an event.
    pub fn put_event(self, out: &mut BytesMut, event: &str, args: Args<'_>) {
        match (self, args) {
            (Self::Native, Args::One(payload)) => native::put_event(out, event, payload),
            (Self::Native, Args::Several(list)) => native::put_event(out, event, &format!("[{list}]")),
            (Self::SocketIo | Self::Polling, _) => self.put_packet(out, &event_packet(event, args.json())),
            (Self::Sse, _) => sse::put_event(out, None, event, args.json()),
        }
    }

    /// Appends an event of the log, with its offset where clients of the wire look for it.
    pub fn put_publication(self, out: &mut BytesMut, event: &str, payload: &str, offset: i64) {
        match self {
            // The payload holds the offset as `id`.
            Self::Native => self.put_event(out, event, Args::One(payload)),
            Self::Sse => sse::put_event(out, Some(offset), event, payload),
            Self::SocketIo | Self::Polling => {
                self.put_event(out, event, Args::One(payload));
                // docs/contract.md §3a: the offset is an event of its own, right after what it belongs to.
                self.put_event(out, "offset", Args::One(&format!("\"{offset}\"")));
            }
        }
    }

    /// Encodes an event.
    #[must_use]
    pub fn event(self, event: &str, args: Args<'_>) -> Bytes {
        let mut out = BytesMut::new();
        self.put_event(&mut out, event, args);
        out.freeze()
    }

    /// Encodes Engine.IO packets, to leave in one write.
    #[must_use]
    pub fn packets(self, packets: &[Packet<'_>]) -> Bytes {
        match (self, packets) {
            (Self::Polling, _) => {
                let mut payload = String::new();
                engineio::put_payload(&mut payload, packets.iter().cloned());
                payload.into()
            }
            (_, [packet]) => engineio_frame(packet),
            (_, packets) => packets.iter().flat_map(engineio_frame).collect(),
        }
    }

    /// Appends a Socket.IO packet that has its Engine.IO type.
    fn put_packet(self, out: &mut BytesMut, packet: &str) {
        if !self.is_polling() {
            return frame::put_text(out, packet);
        }
        if !out.is_empty() {
            out.extend_from_slice(&[engineio::SEPARATOR as u8]);
        }
        out.extend_from_slice(packet.as_bytes());
    }

    /// How a client of this wire is kept alive.
    pub(super) fn heartbeat(self, limits: &OutboxLimits) -> Heartbeat {
        let (interval, timeout) = (limits.ping_interval, Some(limits.ping_timeout));
        match self {
            Self::Native => Heartbeat { interval, timeout, ping: frame::PING },
            Self::SocketIo => Heartbeat { interval, timeout, ping: PING_FRAME },
            Self::Polling => Heartbeat { interval, timeout, ping: PING_PACKET },
            Self::Sse => Heartbeat { interval: COMMENT_INTERVAL, timeout: None, ping: sse::COMMENT },
        }
    }

    /// What a client hears that was told nothing for a heartbeat, so that it can tell silence from death. A page sees
    /// neither the pings of a WebSocket nor the comments of a stream; a client of Socket.IO sees its pings.
    pub(super) fn alive(self) -> Option<Bytes> {
        match self {
            Self::Native => Some(ALIVE_FRAME),
            Self::Sse => Some(sse::ALIVE),
            Self::SocketIo | Self::Polling => None,
        }
    }

    /// How a client of this wire is told that its session ends.
    pub(super) fn goodbye(self, why: Close) -> Goodbye {
        match (self, why) {
            (_, Close::Lost) => Goodbye::Drop,
            (Self::Native, _) => Goodbye::Last(frame::close(why.code(), &why.reason())),
            // Without DISCONNECT the client of Socket.IO would reconnect at once, and again. It ends the connection when
            // it has read the packet; python-socketio reads it in another thread than the end of the connection, so that
            // an end from here could overtake it.
            (Self::SocketIo | Self::Polling, Close::LoggedOut) => Goodbye::Ask(self.disconnect()),
            // A client of Engine.IO knows no codes; a pong that does not come ends its session like any other fault.
            (Self::SocketIo, Close::Silent) => Goodbye::Last(frame::close(1000, "")),
            (Self::SocketIo, _) => Goodbye::Last(frame::close(why.code(), &why.reason())),
            // After a closing packet python-socketio would not come back; after a poll that fails every client does.
            (
                Self::Polling,
                Close::GoingAway { .. }
                | Close::Unavailable
                | Close::TooSlow
                | Close::NoRoom
                | Close::Unfinished,
            ) => Goodbye::Drop,
            // "noop packet to cleanly end the HTTP long-polling request" (test suite).
            (Self::Polling, Close::Left) => Goodbye::Last(NOOP_PACKET),
            (Self::Polling, Close::TooManyMessages) => Goodbye::Last(CLOSE_PACKET),
            (Self::Polling, _) => Goodbye::Now(CLOSE_PACKET),
            (Self::Sse, Close::GoingAway { delay_millis }) => Goodbye::Last(sse::retry(delay_millis)),
            (Self::Sse, _) => Goodbye::Last(Bytes::new()),
        }
    }

    /// The last bytes for a client that was asked to end the connection and did not.
    pub(super) fn last_bytes(self, why: Close) -> Bytes {
        if self.is_polling() { CLOSE_PACKET } else { frame::close(why.code(), &why.reason()) }
    }

    fn disconnect(self) -> Bytes {
        let mut packet = String::from(engineio::MESSAGE);
        socketio::put_disconnect(&mut packet, socketio::MAIN);
        let mut out = BytesMut::new();
        self.put_packet(&mut out, &packet);
        out.freeze()
    }
}

fn event_packet(event: &str, args: &str) -> String {
    let mut packet = String::from(engineio::MESSAGE);
    let event = socketio::Event { name: event.into(), args: args.into(), ack_id: None };
    socketio::put_event(&mut packet, socketio::MAIN, &event);
    packet
}

/// One value for each wire.
#[derive(Debug, Default)]
pub struct PerWire<T> {
    native: T,
    socketio: T,
    polling: T,
    sse: T,
}

impl<T> PerWire<T> {
    /// The value of a wire.
    pub fn get(&self, wire: Wire) -> &T {
        match wire {
            Wire::Native => &self.native,
            Wire::SocketIo => &self.socketio,
            Wire::Polling => &self.polling,
            Wire::Sse => &self.sse,
        }
    }

    /// The value of a wire, to change it.
    pub fn get_mut(&mut self, wire: Wire) -> &mut T {
        match wire {
            Wire::Native => &mut self.native,
            Wire::SocketIo => &mut self.socketio,
            Wire::Polling => &mut self.polling,
            Wire::Sse => &mut self.sse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wire_encodes_an_event_its_own_way() {
        let args = Args::Several(r#""kim: hi",2"#);
        let event = |wire: Wire| wire.event("new_message", args);
        assert_eq!(&event(Wire::Native)[2..], br#"{"type":"new_message","payload":["kim: hi",2]}"#);
        assert_eq!(&event(Wire::SocketIo)[2..], br#"42["new_message","kim: hi",2]"#);
        assert_eq!(&event(Wire::Polling)[..], br#"42["new_message","kim: hi",2]"#);
    }

    #[test]
    fn a_sign_of_life_is_an_event_like_any_other() {
        let alive = Wire::Native.alive().unwrap();
        assert_eq!(alive, frame::text(r#"{"type":"alive"}"#));
        assert_eq!(Wire::Sse.alive().unwrap(), Wire::Sse.event("alive", Args::One("{}")));
    }

    #[test]
    fn an_offset_follows_the_publication_it_belongs_to() {
        let mut out = BytesMut::new();
        for id in [2, 3] {
            Wire::Polling.put_publication(&mut out, "BUY_CANCELED", &format!(r#"{{"id":{id}}}"#), id);
        }
        let packets = [
            r#"42["BUY_CANCELED",{"id":2}]"#,
            r#"42["offset","2"]"#,
            r#"42["BUY_CANCELED",{"id":3}]"#,
            r#"42["offset","3"]"#,
        ];
        assert_eq!(out, packets.join("\x1e"));
    }
}
