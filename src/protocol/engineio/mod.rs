//! Engine.IO 4: the packets that carry Socket.IO, as WebSocket messages and as polling payloads. Sessions, heartbeats
//! and the order of packets are not for here.
//!
//! What is quoted comes from the protocol document, `docs/engine.io-protocol/v4-current.md` of socketio/socket.io.

mod handshake;
#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

pub use handshake::{ErrorCode, Handshake, Query, Transport};

/// The type of a message packet: in front of every Socket.IO packet that goes out as text.
pub const MESSAGE: char = '4';
/// The payload of the ping and the pong that test a new transport ("Upgrade").
pub const PROBE: &str = "probe";
/// "The packets are separated by the record separator character: `\x1e`" ("HTTP long-polling").
pub const SEPARATOR: char = '\x1e';
/// "Binary payloads MUST be base64-encoded and prefixed with a `b` character" ("HTTP long-polling").
const BINARY: char = 'b';

/// Written with padding, as the document has it; read with or without, as the reference does.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// "An Engine.IO packet consists of a packet type and an optional packet payload" ("Protocol").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// 0, "used during the handshake", with the JSON of a [`Handshake`].
    Open(&'a str),
    /// 1, "used to indicate that a transport can be closed".
    Close,
    /// 2, "used in the heartbeat mechanism": empty, or [`PROBE`] in an upgrade.
    Ping(&'a str),
    /// 3, the answer to a ping, with its payload.
    Pong(&'a str),
    /// 4, "used to send a payload to the other side": text.
    Message(&'a str),
    /// 4 with bytes: a binary WebSocket message "as is, without modification", base64 in text.
    Binary(Bytes),
    /// 5, "used during the upgrade process": the client goes on with the new transport.
    Upgrade,
    /// 6, "used during the upgrade process": ends a pending poll.
    Noop,
}

/// Why a text is no packet, or a payload no packets. The session ends: "closes the session upon invalid packet
/// format" (test suite).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing where a packet should be.
    #[error("an empty Engine.IO packet")]
    Empty,
    /// A type that is not in the table of "Protocol".
    #[error("an unknown Engine.IO packet type")]
    UnknownType,
    /// Bytes that are not base64.
    #[error("an Engine.IO packet that is not base64")]
    NotBase64,
    /// More packets in a payload than the given limit.
    #[error("too many Engine.IO packets in a payload")]
    TooManyPackets,
}

impl<'a> Packet<'a> {
    /// Reads a text message of a WebSocket, or one packet of a payload. (A binary message needs no reading: it is a
    /// [`Packet::Binary`].) What follows the type of a packet that has no payload is ignored, as in the reference.
    ///
    /// # Errors
    /// The text is something else.
    pub fn decode(text: &'a str) -> Result<Self, Error> {
        let mut rest = text.chars();
        let kind = rest.next().ok_or(Error::Empty)?;
        let payload = rest.as_str();
        Ok(match kind {
            '0' => Self::Open(payload),
            '1' => Self::Close,
            '2' => Self::Ping(payload),
            '3' => Self::Pong(payload),
            MESSAGE => Self::Message(payload),
            '5' => Self::Upgrade,
            '6' => Self::Noop,
            BINARY => Self::Binary(BASE64.decode(payload).map_err(|_| Error::NotBase64)?.into()),
            _ => return Err(Error::UnknownType),
        })
    }

    /// Appends the packet as text, bytes as base64. (On a WebSocket, bytes go as a binary message instead.)
    pub fn put(&self, out: &mut String) {
        let (kind, payload) = match self {
            Self::Open(handshake) => ('0', *handshake),
            Self::Close => ('1', ""),
            Self::Ping(text) => ('2', *text),
            Self::Pong(text) => ('3', *text),
            Self::Message(text) => (MESSAGE, *text),
            Self::Upgrade => ('5', ""),
            Self::Noop => ('6', ""),
            Self::Binary(bytes) => {
                out.push(BINARY);
                BASE64.encode_string(bytes, out);
                return;
            }
        };
        out.push(kind);
        out.push_str(payload);
    }
}

/// Reads the body of a POST: one packet or several, of which none counts when one is wrong. The size of the body is
/// the caller's to bound; the packets take at most `max_packets` entries and three quarters of their base64.
///
/// # Errors
/// One of the packets is none, or there are more than `max_packets`.
pub fn decode_payload(body: &str, max_packets: usize) -> Result<Vec<Packet<'_>>, Error> {
    if body.split(SEPARATOR).nth(max_packets).is_some() {
        return Err(Error::TooManyPackets);
    }
    body.split(SEPARATOR).map(Packet::decode).collect()
}

/// Appends packets to the body of an answer to a GET, separated from each other and from what is there already.
/// Texts must be free of [`SEPARATOR`]; JSON is.
pub fn put_payload<'a>(out: &mut String, packets: impl IntoIterator<Item = Packet<'a>>) {
    for packet in packets {
        if !out.is_empty() {
            out.push(SEPARATOR);
        }
        packet.put(out);
    }
}
