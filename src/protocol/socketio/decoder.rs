//! Joins binary packets with the attachments that come after them.

use bytes::Bytes;

use super::{Body, Error, Event, Packet, decode};

/// What a packet may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Attachments of one packet. The reference allows 10.
    pub attachments: usize,
    /// Bytes of a binary packet, text and attachments together: what a client can make the server hold while it lets
    /// an attachment wait. Packets without attachments are not held and have the limit of their message alone.
    pub binary_packet: usize,
}

/// Takes the messages of one client in their order. Idle, it is a few words.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    pending: Option<Box<Pending>>,
}

/// A binary packet that is not complete.
#[derive(Debug)]
struct Pending {
    packet: Packet<'static>,
    attachments: Vec<Bytes>,
    /// How many attachments are still to come: one at least.
    missing: usize,
    /// How many bytes they may have.
    room: usize,
}

impl Decoder {
    /// A decoder that refuses what is over the limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, pending: None }
    }

    /// Takes the text of an Engine.IO message; `None` when attachments are to follow.
    ///
    /// # Errors
    /// The client broke the protocol; the connection is to be closed.
    pub fn text<'a>(&mut self, text: &'a str) -> Result<Option<Packet<'a>>, Error> {
        if self.pending.is_some() {
            return Err(Error::AttachmentExpected);
        }
        let (packet, missing) = decode::packet(text, self.limits.attachments)?;
        if missing == 0 {
            return Ok(Some(packet));
        }
        let room = self.limits.binary_packet.checked_sub(text.len()).ok_or(Error::TooBig)?;
        let packet = packet.into_owned();
        self.pending = Some(Box::new(Pending { packet, attachments: Vec::new(), missing, room }));
        Ok(None)
    }

    /// Takes the bytes of an Engine.IO message; `None` when more are to follow.
    ///
    /// # Errors
    /// The client broke the protocol; the connection is to be closed.
    pub fn binary(&mut self, bytes: Bytes) -> Result<Option<Packet<'static>>, Error> {
        let mut pending = self.pending.take().ok_or(Error::AttachmentUnexpected)?;
        pending.room = pending.room.checked_sub(bytes.len()).ok_or(Error::TooBig)?;
        pending.missing -= 1;
        pending.attachments.push(bytes);
        if pending.missing > 0 {
            self.pending = Some(pending);
            return Ok(None);
        }
        let Pending { mut packet, attachments, .. } = *pending;
        if let Body::Event(Event { args, .. }) | Body::Ack { args, .. } = &mut packet.body {
            args.attachments = attachments;
        }
        Ok(Some(packet))
    }

    /// Bytes of a packet whose attachments are due.
    #[must_use]
    pub fn held(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| self.limits.binary_packet - pending.room)
    }

    /// Whether attachments are due, so that text would be an error.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }
}
