//! Which messages of which node were heard: what comes twice is told from what comes late, and a hole from an end.

use std::collections::HashMap;

use super::node::NodeId;

/// How far back a late message is told from a repeated one.
const BACK: u64 = 64;
/// Nodes that are known at the same time; beyond it the one that was silent for longest is forgotten.
const NODES: usize = 256;

/// The last messages of one node.
struct Window {
    last: u64,
    /// Of the last 64 numbers, which were heard: the lowest bit is `last`.
    heard: u64,
    /// When it was last heard, in messages of all nodes.
    at: u64,
}

/// What is known of all nodes.
#[derive(Default)]
pub(super) struct Windows {
    nodes: HashMap<NodeId, Window>,
    messages: u64,
}

/// What a message is by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// New.
    New,
    /// New, and others were published since the last one that are not here.
    AfterHole,
    /// It was heard, or is so late that nobody knows.
    Repeated,
}

impl Windows {
    /// Takes a message of a node.
    pub(super) fn take(&mut self, node: NodeId, number: u64) -> Place {
        self.messages += 1;
        let at = self.messages;
        if let Some(window) = self.nodes.get_mut(&node) {
            window.at = at;
            return window.take(number);
        }
        if self.nodes.len() == NODES
            && let Some(silent) = self.nodes.iter().min_by_key(|(_, window)| window.at).map(|(node, _)| *node)
        {
            self.nodes.remove(&silent);
        }
        // Who is heard for the first time may have said things before this node began to listen: they are in the log.
        self.nodes.insert(node, Window { last: number, heard: 1, at });
        Place::New
    }
}

impl Window {
    fn take(&mut self, number: u64) -> Place {
        if number <= self.last {
            let age = self.last - number;
            let bit = 1_u64.checked_shl(u32::try_from(age).unwrap_or(u32::MAX)).unwrap_or(0);
            if age >= BACK || self.heard & bit != 0 {
                return Place::Repeated;
            }
            self.heard |= bit;
            return Place::New;
        }
        let ahead = number - self.last;
        let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
        self.heard = self.heard.checked_shl(shift).unwrap_or(0) | 1;
        self.last = number;
        if ahead == 1 { Place::New } else { Place::AfterHole }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place::*, *};

    #[test]
    fn repeated_late_and_missing_messages_are_told_apart() {
        let mut windows = Windows::default();
        let node = NodeId::from_random([1; 6]);
        let takes =
            [(5, New), (6, New), (6, Repeated), (9, AfterHole), (8, New), (8, Repeated), (10, New), (7, New)];
        for (number, place) in takes {
            assert_eq!(windows.take(node, number), place, "{number}");
        }
        assert_eq!(windows.take(node, 200), AfterHole);
        assert_eq!(windows.take(node, 136), Repeated, "too late to know");
        assert_eq!(windows.take(node, 137), New);
        assert_eq!(windows.take(NodeId::from_random([2; 6]), 3), New, "each node counts for itself");
    }

    #[test]
    fn nodes_that_came_and_went_leave_nothing() {
        let mut windows = Windows::default();
        for start in 0..1000_u16 {
            let [high, low] = start.to_be_bytes();
            windows.take(NodeId::from_random([high, low % 32, low / 32, 0, 0, 0]), 1);
        }
        assert_eq!(windows.nodes.len(), NODES);
    }
}
