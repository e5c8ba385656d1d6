//! WebSocket frames (RFC 6455 §5): what a server writes, and a decoder for what a client sends.
//!
//! The decoder joins fragments, answers with whole messages, and holds memory only while a message is under way:
//! an idle session costs a few words. It checks UTF-8 as it arrives, so that a message fails at its first bad byte
//! (§8.1) and not after its last.

mod decoder;
#[cfg(test)]
mod tests;

use bytes::{BufMut, Bytes, BytesMut};

pub use self::decoder::Decoder;

/// Opcodes of RFC 6455 §5.2.
mod opcode {
    pub(super) const CONTINUATION: u8 = 0x0;
    pub(super) const TEXT: u8 = 0x1;
    pub(super) const BINARY: u8 = 0x2;
    pub(super) const CLOSE: u8 = 0x8;
    pub(super) const PING: u8 = 0x9;
    pub(super) const PONG: u8 = 0xA;
}

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;
/// "All control frames MUST have a payload length of 125 bytes or less" (§5.5).
const MAX_CONTROL: usize = 125;

/// An empty ping: the heartbeat of a session on `/ws`.
pub const PING: Bytes = Bytes::from_static(&[FIN | opcode::PING, 0]);

/// Encodes a text message as one unmasked frame.
#[must_use]
pub fn text(payload: &str) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + 10);
    put_text(&mut frame, payload);
    frame.freeze()
}

/// Encodes a binary message as one unmasked frame.
#[must_use]
pub fn binary(payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + 10);
    put(&mut frame, opcode::BINARY, payload);
    frame.freeze()
}

/// Encodes the answer to a ping.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(payload.len() + 2);
    put(&mut frame, opcode::PONG, payload);
    frame.freeze()
}

/// Appends a text message as one unmasked frame.
pub fn put_text(out: &mut BytesMut, payload: &str) {
    put(out, opcode::TEXT, payload.as_bytes());
}

/// Encodes a close frame; a reason over the 123 bytes that fit is cut at a character.
#[must_use]
pub fn close(code: u16, reason: &str) -> Bytes {
    let mut end = reason.len().min(MAX_CONTROL - 2);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = BytesMut::with_capacity(MAX_CONTROL);
    payload.put_u16(code);
    payload.put_slice(&reason.as_bytes()[..end]);
    let mut frame = BytesMut::with_capacity(payload.len() + 2);
    put(&mut frame, opcode::CLOSE, &payload);
    frame.freeze()
}

fn put(out: &mut BytesMut, opcode: u8, payload: &[u8]) {
    out.reserve(payload.len() + 10);
    out.put_u8(FIN | opcode);
    match payload.len() {
        length @ 0..126 => out.put_u8(u8::try_from(length).expect("below 126")),
        length @ 126..65536 => {
            out.put_u8(126);
            out.put_u16(u16::try_from(length).expect("below 65536"));
        }
        length => {
            out.put_u8(127);
            out.put_u64(length as u64);
        }
    }
    out.put_slice(payload);
}

/// A whole message from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text, checked to be UTF-8.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// To be answered by a pong with the same payload.
    Ping(Vec<u8>),
    /// The answer to a ping.
    Pong(Vec<u8>),
    /// The client says good-bye, perhaps with a code and a reason.
    Close(Option<(u16, String)>),
}

impl Message {
    /// Bytes that it brought.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => bytes.len(),
            Self::Close(reason) => reason.as_ref().map_or(0, |(_, text)| text.len()),
        }
    }
}

/// Why a connection cannot go on. [`FrameError::close_code`] says it to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes are not what §5 says.
    #[error("not a WebSocket frame: {0}")]
    Protocol(&'static str),
    /// Text that is not UTF-8.
    #[error("text that is not UTF-8")]
    NotUtf8,
    /// A message over the limit.
    #[error("a message over the limit")]
    TooBig,
}

impl FrameError {
    /// The close code of §7.4.1.
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::NotUtf8 => 1007,
            Self::TooBig => 1009,
        }
    }
}
