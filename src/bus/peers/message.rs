//! What two nodes say to each other about their channels: a kind, whose channel, its number, and the rest.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// A channel between two nodes, as one of them sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Whether this node opened it.
    pub(super) ours: bool,
    /// Counts those that a node opens.
    pub(super) id: u64,
}

/// A message about a channel, or about all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// The sender opens it, with the first thing to say.
    Open(Key, Bytes),
    /// Bytes, in order.
    Data(Key, Bytes),
    /// So many bytes were taken: there is room for as many.
    Credit(Key, u32),
    /// The sender says no more here.
    End(Key),
    /// The channel is no more. `true`: the sender has no room for it.
    Reset(Key, bool),
    /// The sender is there; the number of the message is that of the last one before.
    Beat,
    /// The sender wants to know whether the receiver is there, numbered as a beat. `true`: it has no channels, and what was
    /// lost of it until now is no loss.
    Hello(bool),
    /// Something got lost on its way to the sender: none of the channels goes on.
    Broken,
}

const OPEN: u8 = 1;
const DATA: u8 = 2;
const CREDIT: u8 = 3;
const END: u8 = 4;
const RESET: u8 = 5;
const BEAT: u8 = 6;
const BROKEN: u8 = 7;
const HELLO: u8 = 8;
/// Beside the kind: the sender opened the channel.
const BY_SENDER: u8 = 0x80;
/// A kind, and the number of a channel.
const HEAD: usize = 9;

impl Message {
    /// Whether it has a number of its own, so that it is noticed when it is lost.
    pub(super) fn counts(&self) -> bool {
        !matches!(self, Self::Beat | Self::Hello(_))
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> Bytes {
        let body = if let Self::Open(_, body) | Self::Data(_, body) = self { body } else { &Bytes::new() };
        let mut out = BytesMut::with_capacity(HEAD + 4 + body.len());
        let mut head = |kind: u8, key: &Key| {
            out.put_u8(kind | if key.ours { BY_SENDER } else { 0 });
            out.put_u64(key.id);
        };
        match self {
            Self::Open(key, _) => head(OPEN, key),
            Self::Data(key, _) => head(DATA, key),
            Self::Credit(key, _) => head(CREDIT, key),
            Self::End(key) => head(END, key),
            Self::Reset(key, _) => head(RESET, key),
            Self::Beat => out.put_u8(BEAT),
            Self::Hello(_) => out.put_u8(HELLO),
            Self::Broken => out.put_u8(BROKEN),
        }
        match self {
            Self::Credit(_, bytes) => out.put_u32(*bytes),
            Self::Reset(_, flag) | Self::Hello(flag) => out.put_u8(u8::from(*flag)),
            _ => out.put_slice(body),
        }
        out.freeze()
    }

    /// Reads one of another node; `None` for what is none.
    pub(super) fn decode(mut bytes: Bytes) -> Option<Self> {
        let first = bytes.try_get_u8().ok()?;
        match first {
            BEAT => return Some(Self::Beat),
            BROKEN => return Some(Self::Broken),
            HELLO => return bytes.try_get_u8().ok().map(|idle| Self::Hello(idle == 1)),
            _ => {}
        }
        let key = Key { ours: first & BY_SENDER == 0, id: bytes.try_get_u64().ok()? };
        Some(match first & !BY_SENDER {
            OPEN if !key.ours => Self::Open(key, bytes),
            DATA => Self::Data(key, bytes),
            CREDIT => Self::Credit(key, bytes.try_get_u32().ok()?),
            END => Self::End(key),
            RESET => Self::Reset(key, bytes.try_get_u8().ok()? == 1),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_from_the_other_side() {
        let (mine, its) = (Key { ours: true, id: 7 }, Key { ours: false, id: 7 });
        let body = || Bytes::from_static(b"body");
        for (written, read) in [
            (Message::Open(mine, body()), Message::Open(its, body())),
            (Message::Data(mine, body()), Message::Data(its, body())),
            (Message::Data(its, Bytes::new()), Message::Data(mine, Bytes::new())),
            (Message::Credit(its, 65_536), Message::Credit(mine, 65_536)),
            (Message::End(mine), Message::End(its)),
            (Message::Reset(its, true), Message::Reset(mine, true)),
            (Message::Reset(mine, false), Message::Reset(its, false)),
            (Message::Beat, Message::Beat),
            (Message::Broken, Message::Broken),
            (Message::Hello(true), Message::Hello(true)),
        ] {
            assert_eq!(Message::decode(written.encode()), Some(read));
        }
    }

    #[test]
    fn rubbish_is_no_message() {
        for rubbish in [
            &b""[..],
            b"\x00",
            b"\x01",
            b"\x01\0\0\0\0\0\0\0\x07x",
            b"\x83\0\0\0\0\0\0\0\x07\0",
            b"\x08",
            b"\x09\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(Message::decode(Bytes::from_static(rubbish)), None, "{rubbish:?}");
        }
    }
}
