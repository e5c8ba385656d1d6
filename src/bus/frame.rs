//! How a message is written on the bus: a line of JSON that says whose it is, and what it says. Nodes of two versions run side
//! by side during an upgrade: fields of the line that are not known are skipped, a line of another version is refused.

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::{carrier::Topic, node::NodeId};
use crate::telemetry::NotHeard;

/// The version of what follows the line. Another one is for a message that a node of this version would misunderstand.
const VERSION: u32 = 1;
/// Longer than any line.
pub(super) const MAX_HEAD: usize = 256;

/// What the line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    #[serde(rename = "v")]
    version: u32,
    pub(super) node: NodeId,
    /// Counts the messages of the node on this topic, those among them that were not sent; or those to one node.
    #[serde(rename = "n")]
    pub(super) number: u64,
    /// When, in microseconds of Unix time.
    #[serde(rename = "at")]
    pub(super) sent: i64,
}

impl Head {
    pub(super) fn new(node: NodeId, number: u64, sent: i64) -> Self {
        Self { version: VERSION, node, number, sent }
    }

    /// The message as it goes out.
    pub(super) fn frame(&self, body: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(MAX_HEAD + body.len());
        let head = serde_json::to_vec(self).expect("four plain fields are always JSON");
        out.put_slice(&head);
        out.put_u8(b'\n');
        out.put_slice(body);
        out.freeze()
    }
}

/// Reads a message.
///
/// # Errors
/// It is of another version, or none of ours.
pub(super) fn read(mut frame: Bytes) -> Result<(Head, Bytes), NotHeard> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    let end = frame.iter().take(MAX_HEAD).position(|byte| *byte == b'\n').ok_or(NotHeard::Malformed)?;
    let line = frame.split_to(end);
    let Version { v } = serde_json::from_slice(&line).map_err(|_| NotHeard::Malformed)?;
    if v != VERSION {
        return Err(NotHeard::Version);
    }
    let head = serde_json::from_slice(&line).map_err(|_| NotHeard::Malformed)?;
    Ok((head, frame.split_off(1)))
}

/// Where messages go: a shop is named by the epoch of its log, so that several can share a bus, and a restored copy of one is
/// another.
pub(super) fn subject(epoch: crate::domain::Epoch, topic: Topic) -> String {
    format!("shopbell.{epoch}.{}", topic.name())
}

/// Where messages to one node begin: below it are those of other nodes, and the word that nobody heard this node's.
pub(super) fn direct(epoch: crate::domain::Epoch, to: NodeId) -> String {
    format!("shopbell.{epoch}.to.{to}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let head = Head::new(NodeId::from_random([1; 6]), 7, 1_763_686_461_123_456);
        let frame = head.frame(b"{\"a\":1}\n2");
        assert_eq!(
            frame,
            "{\"v\":1,\"node\":\"111111\",\"n\":7,\"at\":1763686461123456}\n{\"a\":1}\n2".as_bytes()
        );
        assert_eq!(read(frame), Ok((head, Bytes::from_static(b"{\"a\":1}\n2"))));
    }

    #[test]
    fn what_a_later_version_adds_is_skipped_and_what_it_changes_is_refused() {
        let line = |text: &str| read(Bytes::copy_from_slice(text.as_bytes()));
        let (head, body) = line("{\"v\":1,\"node\":\"111111\",\"n\":7,\"at\":0,\"trace\":\"x\"}\n").unwrap();
        assert_eq!((head.number, body.len()), (7, 0));
        assert_eq!(line("{\"v\":2,\"who\":\"111111\"}\nx"), Err(NotHeard::Version));
    }

    #[test]
    fn rubbish_is_refused() {
        for text in
            ["", "\n", "{}\n", "null\n", "x\n{}", "{\"v\":1,\"node\":\"1\",\"n\":1,\"at\":0}\n", "{\"v\":1"]
        {
            assert_eq!(read(Bytes::copy_from_slice(text.as_bytes())), Err(NotHeard::Malformed), "{text:?}");
        }
        assert_eq!(read(Bytes::from(vec![b' '; 4096])), Err(NotHeard::Malformed));
    }
}
