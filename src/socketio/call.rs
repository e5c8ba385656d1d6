//! What one node asks another for a session of the other's, and how that answers: JSON, the first message each way on a
//! channel of [`bus::peers`](crate::bus::peers). Bodies follow as they are.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::connection::Owners;
use crate::{
    bus::{
        NodeId,
        peers::{Channel, Gone, Peers},
    },
    protocol::engineio::ErrorCode,
};

/// What a node says when the client of a poll has its answer. A proxy asks another node when this one is gone, and that poll
/// would wait for the next event, while what was in the answer is lost: without this word the session ends.
pub(super) const GOT: Bytes = Bytes::from_static(b"got");

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) what: What,
    pub(super) sid: String,
    /// Whose credentials the request brings: read where it arrives, held to those of the session where that lives.
    pub(super) owners: Owners,
}

/// What for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// A poll: [`Answer::Yes`] comes when there is something to send, and then that. Anything that the caller says meanwhile asks
    /// for an answer at once; that it is gone means that its client is. When its client has the answer, it says [`GOT`].
    Poll,
    /// A POST: [`Answer::Limit`], then its body, then [`Answer::Yes`].
    Post,
    /// A WebSocket that wants to take over: [`Answer::Yes`] lets it in, and then its bytes are carried.
    Upgrade,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Yes,
    /// So many bytes may come.
    Limit(usize),
    No(ErrorCode),
}

impl Call {
    /// Asks a node.
    pub(super) async fn send(&self, peers: Option<&Peers>, node: NodeId) -> Result<Channel, Gone> {
        // Where there is one node, sessions name none.
        peers.ok_or(Gone::Lost)?.open(node, self.encode()).await
    }

    fn encode(&self) -> Bytes {
        serde_json::to_vec(self).expect("texts and numbers are always JSON").into()
    }

    /// Reads one; `None` for one of a version that is not known here, too.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl Answer {
    /// Says it.
    pub(super) async fn say(self, channel: &Channel) -> Result<(), Gone> {
        channel.send(serde_json::to_vec(&self).expect("words and numbers are always JSON").into()).await
    }

    /// Hears one. An answer that is none is that of a node which cannot be talked to.
    pub(super) async fn hear(channel: &Channel) -> Result<Self, Gone> {
        let bytes = channel.next().await?.ok_or(Gone::Lost)?;
        serde_json::from_slice(&bytes).map_err(|_| Gone::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_as_it_was_written() {
        let call = Call { what: What::Poll, sid: "11111100abc".to_owned(), owners: vec![1, -7] };
        assert_eq!(&call.encode()[..], br#"{"what":"poll","sid":"11111100abc","owners":[1,-7]}"#);
        assert_eq!(Call::decode(&call.encode()), Some(call));
        assert_eq!(Call::decode(br#"{"what":"dance","sid":"x","owners":[]}"#), None);
        let no = serde_json::to_string(&Answer::No(ErrorCode::UnknownSession)).unwrap();
        assert_eq!(no, r#"{"no":"unknown_session"}"#);
    }
}
