//! What is said to many: encoded once per wire, its bytes shared by all who want all of it.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
    time::Instant,
};

use bytes::{Bytes, BytesMut};

use crate::{
    domain::{GoodsEvent, NicknameDisplay, Offset, Publication},
    outbox::Wire,
    protocol::{frame, native, socketio, sse},
};

/// Bytes that are made when they are first wanted, for each wire its own.
#[derive(Debug, Default)]
struct PerWire([OnceLock<Bytes>; 4]);

impl PerWire {
    fn get(&self, wire: Wire, encode: impl FnOnce() -> Bytes) -> &Bytes {
        self.0[wire as usize].get_or_init(encode)
    }
}

/// Writes events down for one wire, one after another.
struct Writer {
    wire: Wire,
    out: BytesMut,
}

impl Writer {
    fn new(wire: Wire) -> Self {
        Self { wire, out: BytesMut::new() }
    }

    /// An event; its arguments are JSON values, joined by commas.
    fn put(&mut self, event: &str, args: &str, several: bool) {
        match self.wire {
            Wire::Native if several => native::put_event(&mut self.out, event, &format!("[{args}]")),
            Wire::Native => native::put_event(&mut self.out, event, args),
            Wire::SocketIo | Wire::Polling => self.put_packet(&packet(event, args)),
            Wire::Sse => sse::put_event(&mut self.out, None, event, args),
        }
    }

    /// A Socket.IO packet with its Engine.IO type.
    fn put_packet(&mut self, packet: &str) {
        if self.wire == Wire::SocketIo {
            return frame::put_text(&mut self.out, packet);
        }
        if !self.out.is_empty() {
            self.out.extend_from_slice(b"\x1e");
        }
        self.out.extend_from_slice(packet.as_bytes());
    }

    fn put_publication(&mut self, publication: &Publication, display: NicknameDisplay) {
        let payload = publication.payload(display);
        if self.wire == Wire::Sse {
            return sse::put_event(&mut self.out, Some(publication.id.0), publication.event(), &payload);
        }
        self.put(publication.event(), &payload, false);
        if self.wire != Wire::Native {
            // CONTRACT §3a: the offset is an event of its own, right after what it belongs to.
            self.put("offset", &format!("\"{}\"", publication.id), false);
        }
    }

    fn finish(self) -> Bytes {
        self.out.freeze()
    }
}

fn packet(event: &str, args: &str) -> String {
    let mut packet = String::from(crate::protocol::engineio::MESSAGE);
    let event = socketio::Event { name: event.into(), args: args.into(), ack_id: None };
    socketio::put_event(&mut packet, socketio::MAIN, &event);
    packet
}

/// The packet that tells a Socket.IO client that it was disconnected on purpose; nothing elsewhere.
#[must_use]
pub fn disconnect(wire: Wire) -> Bytes {
    let mut writer = Writer::new(wire);
    if matches!(wire, Wire::SocketIo | Wire::Polling) {
        let mut packet = String::from(crate::protocol::engineio::MESSAGE);
        socketio::put_disconnect(&mut packet, socketio::MAIN);
        writer.put_packet(&packet);
    }
    writer.finish()
}

/// One event for many sessions.
#[derive(Debug)]
pub struct Announcement {
    event: &'static str,
    args: String,
    several: bool,
    encoded: PerWire,
}

impl Announcement {
    /// An event with one argument, as JSON.
    #[must_use]
    pub fn new(event: &'static str, payload: String) -> Self {
        Self { event, args: payload, several: false, encoded: PerWire::default() }
    }

    /// An event with several arguments, as JSON values joined by commas.
    #[must_use]
    pub fn with_args(event: &'static str, args: String) -> Self {
        Self { event, args, several: true, encoded: PerWire::default() }
    }

    /// The event `goods`.
    #[must_use]
    pub fn goods(event: &GoodsEvent) -> Self {
        Self::new("goods", serde_json::to_string(event).expect("goods are always JSON"))
    }

    /// The event `SAME_PAGE_VIEWER_COUNT`.
    #[must_use]
    pub fn viewers(count: usize) -> Self {
        Self::new("SAME_PAGE_VIEWER_COUNT", count.to_string())
    }

    /// The event `offset`: where in the log a Socket.IO session stands.
    #[must_use]
    pub fn offset(offset: Offset) -> Self {
        Self::new("offset", format!("\"{offset}\""))
    }

    /// As it leaves on a wire.
    #[must_use]
    pub fn encoded(&self, wire: Wire) -> &Bytes {
        self.encoded.get(wire, || {
            let mut writer = Writer::new(wire);
            writer.put(self.event, &self.args, self.several);
            writer.finish()
        })
    }
}

/// Notifications that follow one another in the log and leave together.
#[derive(Debug)]
pub struct Batch {
    publications: Vec<Arc<Publication>>,
    display: NicknameDisplay,
    encoded: PerWire,
    committed: Instant,
}

impl Batch {
    /// Over consecutive notifications; `None` when there are none.
    #[must_use]
    pub fn new(publications: Vec<Arc<Publication>>, display: NicknameDisplay) -> Option<Self> {
        (!publications.is_empty()).then(|| Self {
            publications,
            display,
            encoded: PerWire::default(),
            committed: Instant::now(),
        })
    }

    /// This and what comes right after it, as one.
    #[must_use]
    pub fn followed_by(&self, later: &Self) -> Self {
        Self {
            publications: self.publications.iter().chain(&later.publications).cloned().collect(),
            display: self.display,
            encoded: PerWire::default(),
            committed: self.committed,
        }
    }

    /// The offset of the first.
    #[must_use]
    pub fn first(&self) -> Offset {
        self.publications.first().map(|publication| publication.id).unwrap_or_default()
    }

    /// The offset of the last.
    #[must_use]
    pub fn last(&self) -> Offset {
        self.publications.last().map(|publication| publication.id).unwrap_or_default()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.publications.len()
    }

    /// Says when the first of it was committed.
    #[must_use]
    pub fn since(self, committed: Option<Instant>) -> Self {
        Self { committed: committed.unwrap_or(self.committed), ..self }
    }

    /// When the first of it was committed; when it was read, if that is not known.
    #[must_use]
    pub fn committed(&self) -> Instant {
        self.committed
    }

    /// Whether there are none; never, see [`Batch::new`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.publications.is_empty()
    }

    /// What a session on this wire that has seen everything up to `after` has not seen, to leave in one write.
    #[must_use]
    pub fn encoded_after(&self, after: Offset, wire: Wire) -> Cow<'_, Bytes> {
        let encode = || {
            let mut writer = Writer::new(wire);
            for publication in self.publications.iter().filter(|publication| publication.id > after) {
                writer.put_publication(publication, self.display);
            }
            writer.finish()
        };
        if after < self.first() {
            Cow::Borrowed(self.encoded.get(wire, encode))
        } else {
            Cow::Owned(encode())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{GoodsId, Notification, Timestamp};

    #[test]
    fn each_wire_has_its_own_words() {
        let message = Announcement::with_args("new_message", r#""kim: hi",2"#.into());
        assert_eq!(&message.encoded(Wire::Native)[2..], br#"{"type":"new_message","payload":["kim: hi",2]}"#);
        assert_eq!(&message.encoded(Wire::SocketIo)[2..], br#"42["new_message","kim: hi",2]"#);
        assert_eq!(&message.encoded(Wire::Polling)[..], br#"42["new_message","kim: hi",2]"#);
    }

    #[test]
    fn an_offset_follows_what_it_belongs_to() {
        let publication = |id| {
            let notification = Notification::Cancellation { goods_id: GoodsId(4), canceled: Offset(1) };
            Arc::new(Publication { id: Offset(id), date: Timestamp::from_millis(0), notification })
        };
        let batch = Batch::new(vec![publication(2), publication(3)], NicknameDisplay::Full).unwrap();
        let body = |id| {
            format!(
                r#"42["BUY_CANCELED",{{"id":{id},"goodsId":4,"date":"1970-01-01T00:00:00.000Z","canceled":1}}]{}42["offset","{id}"]"#,
                '\x1e'
            )
        };
        assert_eq!(*batch.encoded_after(Offset(2), Wire::Polling), body(3));
        assert_eq!(*batch.encoded_after(Offset(1), Wire::Polling), format!("{}\x1e{}", body(2), body(3)));
    }
}
