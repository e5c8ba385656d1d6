//! The decoder for what a client sends.

use std::collections::VecDeque;

use super::{FIN, FrameError, MASKED, MAX_CONTROL, Message, RESERVED, opcode};

/// The most fragments without a byte that one message may have.
const MAX_EMPTY: u16 = 1000;

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
/// While nothing is under way, that is little: there is a decoder for each session.
#[derive(Debug)]
pub struct Decoder {
    max_message: usize,
    /// The bytes of a header that is not complete: at most 14.
    head: [u8; 14],
    head_len: u8,
    /// See [`Decoder::take_fragments`].
    fragments: u16,
    under_way: Option<Box<UnderWay>>,
}

/// What has begun and is not complete.
#[derive(Debug, Default)]
struct UnderWay {
    /// The frame and how much of its payload has come.
    frame: Option<(Header, usize)>,
    /// The message.
    message: Vec<u8>,
    /// Its kind, while there is one.
    kind: Option<Kind>,
    /// How much of a text message is known to be UTF-8.
    checked: usize,
    /// Fragments without a byte.
    empty: u16,
    /// The control frame, which may stand between fragments (§5.4).
    control: Vec<u8>,
}

impl Decoder {
    /// A decoder that refuses messages over `max_message` bytes.
    #[must_use]
    pub fn new(max_message: usize) -> Self {
        Self { max_message, head: [0; 14], head_len: 0, fragments: 0, under_way: None }
    }

    /// Sets the limit for the messages that begin from now on.
    pub fn set_max_message(&mut self, max_message: usize) {
        self.max_message = max_message;
    }

    /// Whether nothing has begun.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.head_len == 0 && self.under_way.is_none()
    }

    /// Bytes of memory that hold what has begun.
    #[must_use]
    pub fn held(&self) -> usize {
        self.under_way.as_ref().map_or(0, |under_way| under_way.message.capacity())
    }

    /// How many frames have come, since this was last asked, that completed no message: fragments.
    pub fn take_fragments(&mut self) -> u16 {
        std::mem::take(&mut self.fragments)
    }

    /// Takes bytes and appends the messages that they complete to `out`.
    ///
    /// # Errors
    /// The client broke the protocol; messages completed before that are in `out`, and the decoder is of no
    /// further use.
    pub fn decode(&mut self, mut input: &[u8], out: &mut VecDeque<Message>) -> Result<(), FrameError> {
        loop {
            let (header, received) = match self.under_way.as_ref().and_then(|under_way| under_way.frame) {
                Some(frame) => frame,
                None => match self.read_header(&mut input)? {
                    Some(header) => (header, 0),
                    None => return Ok(()),
                },
            };
            let under_way = self.under_way.get_or_insert_default();
            let take = (header.length - received).min(input.len());
            let (payload, rest) = input.split_at(take);
            input = rest;
            under_way.read_payload(header, received, payload)?;
            if received + take < header.length {
                under_way.frame = Some((header, received + take));
                return Ok(());
            }
            under_way.frame = None;
            match under_way.finish_frame(header)? {
                Some(message) => out.push_back(message),
                None => self.fragments = self.fragments.saturating_add(1),
            }
            if under_way.kind.is_none() {
                self.under_way = None;
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
            let filled = usize::from(self.head_len);
            if filled >= 2 && filled == needed {
                self.head_len = 0;
                return self.check_header().map(Some);
            }
            let Some((&byte, rest)) = input.split_first() else { return Ok(None) };
            self.head[filled] = byte;
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
        let in_message = self.under_way.as_ref().is_some_and(|under_way| under_way.kind.is_some());
        if first & RESERVED != 0 {
            return Err(FrameError::Protocol("a reserved bit is set"));
        }
        if second & MASKED == 0 {
            return Err(FrameError::Protocol("a client's frame is not masked"));
        }
        match opcode {
            opcode::CONTINUATION if !in_message => Err(FrameError::Protocol("nothing to continue")),
            opcode::TEXT | opcode::BINARY if in_message => {
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
        let so_far = self.under_way.as_ref().map_or(0, |under_way| under_way.message.len());
        if header.opcode < opcode::CLOSE && header.length > self.max_message.saturating_sub(so_far) {
            return Err(FrameError::TooBig);
        }
        Ok(header)
    }
}

impl UnderWay {
    fn read_payload(&mut self, header: Header, received: usize, payload: &[u8]) -> Result<(), FrameError> {
        match header.opcode {
            opcode::TEXT => self.kind = Some(Kind::Text),
            opcode::BINARY => self.kind = Some(Kind::Binary),
            _ => {}
        }
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

    /// Fragments are free, but those that bring nothing are not endless.
    fn count_fragment(&mut self, header: Header) -> Result<(), FrameError> {
        if header.length == 0 {
            self.empty += 1;
        }
        if self.empty > MAX_EMPTY {
            return Err(FrameError::Protocol("too many empty fragments"));
        }
        Ok(())
    }

    fn finish_frame(&mut self, header: Header) -> Result<Option<Message>, FrameError> {
        match header.opcode {
            opcode::PING => return Ok(Some(Message::Ping(std::mem::take(&mut self.control)))),
            opcode::PONG => return Ok(Some(Message::Pong(std::mem::take(&mut self.control)))),
            opcode::CLOSE => return close_message(&std::mem::take(&mut self.control)).map(Some),
            _ if !header.fin => return self.count_fragment(header).map(|()| None),
            _ => {}
        }
        let message = std::mem::take(&mut self.message);
        (self.checked, self.empty) = (0, 0);
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
pub(super) fn unmask(payload: &mut [u8], mut mask: [u8; 4], from: usize) {
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
