//! WebSocket frames: what comes out does not depend on how the bytes arrive, and nothing is over the limit.

use std::collections::VecDeque;

use shopbell::protocol::frame::{Decoder, FrameError, Message};

const LIMIT: usize = 300;

fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (VecDeque<Message>, Option<FrameError>) {
    let (mut decoder, mut messages) = (Decoder::new(LIMIT), VecDeque::new());
    for piece in pieces {
        if let Err(error) = decoder.decode(piece, &mut messages) {
            return (messages, Some(error));
        }
    }
    (messages, None)
}

/// Checks one input.
pub fn check(input: &[u8]) {
    let Some((seed, bytes)) = input.split_first() else { return };
    let whole = decode(std::iter::once(bytes));
    assert_eq!(whole, decode(super::pieces(*seed, bytes)));
    assert_eq!(whole, decode(bytes.chunks(1)));
    for message in &whole.0 {
        match message {
            Message::Text(text) => assert!(text.len() <= LIMIT),
            Message::Binary(bytes) => assert!(bytes.len() <= LIMIT),
            Message::Ping(payload) | Message::Pong(payload) => assert!(payload.len() <= 125),
            Message::Close(reason) => assert!(reason.as_ref().is_none_or(|(_, text)| text.len() <= 123)),
        }
    }
    if let Some(error) = whole.1 {
        assert!(matches!(error.close_code(), 1002 | 1007 | 1009));
    }
}
