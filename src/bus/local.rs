//! The bus of a shop that has one node: nobody is there to hear.

use async_trait::async_trait;
use futures_util::stream;

use super::{
    carrier::{Bus, Incoming, Topic},
    node::NodeId,
    status::BusState,
};
use crate::telemetry::NotSent;

/// Drops what is published.
#[derive(Debug)]
pub struct Local(NodeId);

impl Local {
    /// Of this node.
    #[must_use]
    pub fn new(node: NodeId) -> Self {
        Self(node)
    }
}

#[async_trait]
impl Bus for Local {
    fn node(&self) -> NodeId {
        self.0
    }

    fn state(&self) -> BusState {
        BusState::None
    }

    fn max_body(&self) -> usize {
        usize::MAX
    }

    fn publish(&self, _topic: Topic, _body: &[u8]) {}

    fn skip(&self, _topic: Topic, _reason: NotSent) {}

    async fn subscribe(&self, _topic: Topic) -> Incoming {
        Incoming::new(stream::empty())
    }

    async fn close(&self) {}
}
