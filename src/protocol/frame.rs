//! WebSocket frames (RFC 6455 §5): what a server writes, and a decoder for what a client sends.
//!
//! The decoder joins fragments, answers with whole messages, and holds memory only while a message is under way:
//! an idle session costs a few words. It checks UTF-8 as it arrives, so that a message fails at its first bad byte
//! (§8.1) and not after its last.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

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

/// What kind of message the fragments under way make up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    length: usize,
}

/// Decodes what a client sends. Feed it bytes as they come; it keeps what is incomplete.
#[derive(Debug)]
pub struct Decoder {
    max_message: usize,
    /// The bytes of a header that is not complete: at most 14.
    head: [u8; 14],
    head_len: usize,
    /// The frame under way and how much of its payload has come.
    frame: Option<(Header, usize)>,
    /// The message under way.
    message: Vec<u8>,
    kind: Option<Kind>,
    /// How much of a text message is known to be UTF-8.
    checked: usize,
    /// The control frame under way, which may stand between fragments (§5.4).
    control: Vec<u8>,
}

impl Decoder {
    /// A decoder that refuses messages over `max_message` bytes.
    #[must_use]
    pub fn new(max_message: usize) -> Self {
        Self {
            max_message,
            head: [0; 14],
            head_len: 0,
            frame: None,
            message: Vec::new(),
            kind: None,
            checked: 0,
            control: Vec::new(),
        }
    }

    /// Takes bytes and appends the messages that they complete to `out`.
    ///
    /// # Errors
    /// The client broke the protocol; messages completed before that are in `out`, and the decoder is of no
    /// further use.
    pub fn decode(&mut self, mut input: &[u8], out: &mut VecDeque<Message>) -> Result<(), FrameError> {
        loop {
            let (header, received) = match self.frame {
                Some(frame) => frame,
                None => match self.read_header(&mut input)? {
                    Some(header) => (header, 0),
                    None => return Ok(()),
                },
            };
            let take = (header.length - received).min(input.len());
            let (payload, rest) = input.split_at(take);
            input = rest;
            self.read_payload(header, received, payload)?;
            if received + take < header.length {
                self.frame = Some((header, received + take));
                return Ok(());
            }
            self.frame = None;
            if let Some(message) = self.finish_frame(header)? {
                out.push_back(message);
            }
        }
    }

    /// Collects and checks a header; `None` while it is incomplete.
    fn read_header(&mut self, input: &mut &[u8]) -> Result<Option<Header>, FrameError> {
        loop {
            let needed = match self.head_len {
                0 | 1 => 2,
                _ => header_len(self.head[1]),
            };
            if self.head_len >= 2 && self.head_len == needed {
                self.head_len = 0;
                return self.check_header().map(Some);
            }
            let Some((&byte, rest)) = input.split_first() else { return Ok(None) };
            self.head[self.head_len] = byte;
            self.head_len += 1;
            *input = rest;
            if self.head_len == 2 {
                self.check_start(self.head[0], self.head[1])?;
            }
        }
    }

    /// What the first two bytes show to be wrong, before any more is waited for.
    fn check_start(&self, first: u8, second: u8) -> Result<(), FrameError> {
        let (fin, opcode) = (first & FIN != 0, first & 0x0F);
        if first & RESERVED != 0 {
            return Err(FrameError::Protocol("a reserved bit is set"));
        }
        if second & MASKED == 0 {
            return Err(FrameError::Protocol("a client's frame is not masked"));
        }
        match opcode {
            opcode::CONTINUATION if self.kind.is_none() => Err(FrameError::Protocol("nothing to continue")),
            opcode::TEXT | opcode::BINARY if self.kind.is_some() => {
                Err(FrameError::Protocol("a message begins inside another"))
            }
            opcode::CONTINUATION | opcode::TEXT | opcode::BINARY => Ok(()),
            opcode::CLOSE | opcode::PING | opcode::PONG if !fin => {
                Err(FrameError::Protocol("a control frame is fragmented"))
            }
            opcode::CLOSE | opcode::PING | opcode::PONG if usize::from(second & 0x7F) > MAX_CONTROL => {
                Err(FrameError::Protocol("a control frame is too long"))
            }
            opcode::CLOSE | opcode::PING | opcode::PONG => Ok(()),
            _ => Err(FrameError::Protocol("an unknown opcode")),
        }
    }

    fn check_header(&mut self) -> Result<Header, FrameError> {
        let head = &self.head;
        let (length, mask_at) = match head[1] & 0x7F {
            126 => (u64::from(u16::from_be_bytes([head[2], head[3]])), 4),
            127 => (u64::from_be_bytes(head[2..10].try_into().expect("eight bytes")), 10),
            short => (u64::from(short), 2),
        };
        if length > i64::MAX as u64 {
            return Err(FrameError::Protocol("the length has its highest bit set"));
        }
        let mask = head[mask_at..mask_at + 4].try_into().expect("four bytes");
        let header = Header {
            fin: head[0] & FIN != 0,
            opcode: head[0] & 0x0F,
            mask,
            length: usize::try_from(length).map_err(|_| FrameError::TooBig)?,
        };
        if header.opcode < opcode::CLOSE && header.length > self.max_message - self.message.len() {
            return Err(FrameError::TooBig);
        }
        match header.opcode {
            opcode::TEXT => self.kind = Some(Kind::Text),
            opcode::BINARY => self.kind = Some(Kind::Binary),
            _ => {}
        }
        Ok(header)
    }

    fn read_payload(&mut self, header: Header, received: usize, payload: &[u8]) -> Result<(), FrameError> {
        let data = header.opcode < opcode::CLOSE;
        let into = if data { &mut self.message } else { &mut self.control };
        let start = into.len();
        into.extend_from_slice(payload);
        unmask(&mut into[start..], header.mask, received);
        if data && self.kind == Some(Kind::Text) { self.check_text() } else { Ok(()) }
    }

    /// Checks what has come of a text since the last check. A character may still be incomplete at the end.
    fn check_text(&mut self) -> Result<(), FrameError> {
        match std::str::from_utf8(&self.message[self.checked..]) {
            Ok(_) => self.checked = self.message.len(),
            Err(error) if error.error_len().is_some() => return Err(FrameError::NotUtf8),
            Err(error) => self.checked += error.valid_up_to(),
        }
        Ok(())
    }

    fn finish_frame(&mut self, header: Header) -> Result<Option<Message>, FrameError> {
        match header.opcode {
            opcode::PING => return Ok(Some(Message::Ping(std::mem::take(&mut self.control)))),
            opcode::PONG => return Ok(Some(Message::Pong(std::mem::take(&mut self.control)))),
            opcode::CLOSE => return close_message(&std::mem::take(&mut self.control)).map(Some),
            _ if !header.fin => return Ok(None),
            _ => {}
        }
        let message = std::mem::take(&mut self.message);
        self.checked = 0;
        match self.kind.take() {
            Some(Kind::Binary) => Ok(Some(Message::Binary(message))),
            // What was incomplete at the last check is an error now: from_utf8 sees only what check_text left open.
            _ => String::from_utf8(message)
                .map(|text| Some(Message::Text(text)))
                .map_err(|_| FrameError::NotUtf8),
        }
    }
}

/// The length of a header whose second byte is this, with its mask (§5.2).
fn header_len(second: u8) -> usize {
    match second & 0x7F {
        126 => 8,
        127 => 14,
        _ => 6,
    }
}

/// §5.3; `from` is the place of the first byte in the frame's payload.
fn unmask(payload: &mut [u8], mut mask: [u8; 4], from: usize) {
    mask.rotate_left(from % 4);
    let mut chunks = payload.chunks_exact_mut(4);
    for chunk in &mut chunks {
        for (byte, key) in chunk.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
    for (byte, key) in chunks.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

/// §5.5.1 and §7.4: nothing, or a code that may be sent and a reason in UTF-8.
fn close_message(payload: &[u8]) -> Result<Message, FrameError> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() {
            Ok(Message::Close(None))
        } else {
            Err(FrameError::Protocol("half a close code"))
        };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(FrameError::Protocol("a close code that may not be sent"));
    }
    let reason = std::str::from_utf8(reason).map_err(|_| FrameError::NotUtf8)?;
    Ok(Message::Close(Some((code, reason.to_owned()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame, masked.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [7, 77, 177, 250];
        let mut out = BytesMut::new();
        put(&mut out, 0, payload);
        let mut bytes = out.to_vec();
        let header = bytes.len() - payload.len();
        bytes[0] = first;
        bytes[1] |= MASKED;
        unmask(&mut bytes[header..], mask, 0);
        bytes.splice(header..header, mask);
        bytes
    }

    fn decode(bytes: &[u8], step: usize) -> (Vec<Message>, Result<(), FrameError>) {
        let (mut decoder, mut out) = (Decoder::new(100_000), VecDeque::new());
        let result = bytes.chunks(step).try_for_each(|chunk| decoder.decode(chunk, &mut out));
        (out.into(), result)
    }

    #[test]
    fn messages_come_whole_however_their_bytes_arrive() {
        let long = "물".repeat(30_000);
        let mut bytes = frame(0x81, "héllo".as_bytes());
        bytes.extend(frame(0x01, &"🔔".as_bytes()[..2]));
        bytes.extend(frame(0x89, b"ping"));
        bytes.extend(frame(0x80, &"🔔".as_bytes()[2..]));
        bytes.extend(frame(0x82, b""));
        bytes.extend(frame(0x81, long.as_bytes()));
        bytes.extend(frame(0x88, b"\x03\xe8bye"));
        for step in [1, 2, 3, 7, 1000, bytes.len()] {
            let (messages, result) = decode(&bytes, step);
            assert_eq!(result, Ok(()));
            assert_eq!(
                messages,
                [
                    Message::Text("héllo".into()),
                    Message::Ping(b"ping".to_vec()),
                    Message::Text("🔔".into()),
                    Message::Binary(vec![]),
                    Message::Text(long.clone()),
                    Message::Close(Some((1000, "bye".into()))),
                ]
            );
        }
    }

    #[test]
    fn what_the_rfc_forbids_is_refused_with_its_code() {
        let mut unmasked = BytesMut::new();
        put_text(&mut unmasked, "x");
        for (bytes, code) in [
            (frame(0xC1, b"x"), 1002),
            (frame(0x83, b"x"), 1002),
            (frame(0x8B, b"x"), 1002),
            (frame(0x80, b"x"), 1002),
            (frame(0x09, b"x"), 1002),
            (frame(0x89, &[0; 126]), 1002),
            (frame(0x88, b"x"), 1002),
            (frame(0x88, b"\x03\xed"), 1002),
            (frame(0x88, b"\x03\xe8\xff"), 1007),
            (frame(0x81, b"a\xff"), 1007),
            (frame(0x81, b"a\xf0\x9f"), 1007),
            (frame(0x82, &vec![0; 100_001]), 1009),
            (unmasked.to_vec(), 1002),
            ([frame(0x01, b"a"), frame(0x81, b"b")].concat(), 1002),
            ([frame(0x02, &vec![0; 60_000]), frame(0x80, &vec![0; 60_000])].concat(), 1009),
        ] {
            for step in [1, bytes.len()] {
                let error = decode(&bytes, step).1.unwrap_err();
                assert_eq!(error.close_code(), code, "{:?}", &bytes[..bytes.len().min(9)]);
            }
        }
    }

    #[test]
    fn bad_text_fails_at_its_first_bad_byte() {
        let bytes = frame(0x81, b"aa\xc0bbbbbbbbbb");
        assert_eq!(decode(&bytes[..9], 1).1, Err(FrameError::NotUtf8));
    }

    #[test]
    fn a_long_reason_is_cut_at_a_character() {
        assert_eq!(close(1008, &"물".repeat(60)).len(), 2 + 2 + 123);
    }
}
