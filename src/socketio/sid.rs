//! Session ids. They say where a connection lives: on which node, where there are several, and on which of its threads. The
//! rest is random.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::bus::NodeId;

/// Digits of a thread's number.
const THREAD: usize = 2;
/// Digits of a node's name.
const NODE: usize = 6;

/// Where connections live.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// `None` where there is one node.
    node: Option<NodeId>,
    thread: u8,
}

impl Place {
    pub(super) fn new(node: Option<NodeId>, thread: u8) -> Self {
        Self { node, thread }
    }

    /// The id of a new session that lives here.
    pub(super) fn new_sid(self) -> String {
        let random: [u8; 15] = rand::random();
        let node = self.node.as_ref().map_or("", NodeId::as_str);
        format!("{node}{:02x}{}", self.thread, URL_SAFE_NO_PAD.encode(random))
    }
}

/// The node of a session, and its id without that.
pub(super) fn node(sid: &str) -> Option<(NodeId, &str)> {
    let (node, rest) = sid.split_at_checked(NODE)?;
    Some((NodeId::parse(node)?, rest))
}

/// The thread of a session, from an id without a node.
pub(super) fn thread(sid: &str) -> Option<usize> {
    usize::from_str_radix(sid.get(..THREAD)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_where_its_session_lives() {
        let here = NodeId::from_random([1; 6]);
        let sid = Place::new(Some(here), 17).new_sid();
        assert_eq!(sid.len(), 28);
        assert_eq!(node(&sid).map(|(node, rest)| (node, thread(rest))), Some((here, Some(17))));
        let sid = Place::new(None, 255).new_sid();
        assert_eq!((sid.len(), thread(&sid)), (22, Some(255)));
        for rubbish in ["", "1", "zz", "ää", "11111", "11111ä"] {
            assert_eq!(
                (node(rubbish), thread(rubbish)),
                (None, (rubbish == "11111" || rubbish == "11111ä").then_some(17))
            );
        }
    }
}
