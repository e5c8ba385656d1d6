//! What a bus is, whatever carries it.

use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use serde::Serialize;

use super::{node::NodeId, status::BusState};
use crate::telemetry::NotSent;

/// What a message is about: who wants to hear of one thing does not have to read the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// What a node has committed.
    News,
    /// How attempts to log in end.
    Guesses,
    /// Who is in which room and looks at which page.
    Shares,
    /// What happens in rooms.
    Talk,
    /// Sessions that may come back at any node.
    Away,
    /// What a node counts, for the control room.
    Figures,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::News, Self::Guesses, Self::Shares, Self::Talk, Self::Away, Self::Figures];

    /// Its name, in subjects and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::Guesses => "guesses",
            Self::Shares => "shares",
            Self::Talk => "talk",
            Self::Away => "away",
            Self::Figures => "figures",
        }
    }
}

/// A message of another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whose.
    pub from: NodeId,
    /// When it was published, by that node's clock, in microseconds of Unix time.
    pub sent: i64,
    /// What it says.
    pub body: Bytes,
}

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message, which no other [`Heard`] of this subscription repeats.
    Message(Message),
    /// Messages may have been lost, of whatever node: the bus was away, a queue was full, or a node's numbers have a hole.
    Missed,
}

/// What comes to one node alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Direct {
    /// A message of another node.
    Message {
        /// Whose.
        from: NodeId,
        /// The number that the other node gave it.
        number: u64,
        /// What it says.
        body: Bytes,
    },
    /// What was sent to this node came to nobody.
    Nobody(NodeId),
}

/// Between the nodes of a shop.
#[async_trait]
pub trait Bus: Send + Sync {
    /// This node.
    fn node(&self) -> NodeId;

    /// How it is.
    fn state(&self) -> BusState;

    /// Bytes that a message may have.
    fn max_body(&self) -> usize;

    /// Tells all other nodes. Never waits: what cannot leave, because the bus is away or has no room, is dropped and counted,
    /// and who hears the next message of this node hears that one was missed.
    fn publish(&self, topic: Topic, body: &[u8]);

    /// Counts a message that was not published, so that others learn that they miss it.
    fn skip(&self, topic: Topic, reason: NotSent);

    /// Hears what other nodes publish from now on.
    async fn subscribe(&self, topic: Topic) -> Incoming;

    /// Tells one node, if there can be others, after what was sent before. Waits while the bus has no room, and does not know whether it arrives.
    async fn send(&self, _to: NodeId, _number: u64, _body: &[u8]) {}

    /// Hears what others send to this node from now on, in the order of each.
    async fn receive(&self) -> BoxStream<'static, Direct> {
        stream::empty().boxed()
    }

    /// Since when the bus is there, if it is.
    fn up_since(&self) -> Option<Instant> {
        None
    }

    /// Sends what was published, as far as a moment is enough for that.
    async fn close(&self);
}

/// Tells all other nodes something as JSON, which is written only where it can leave.
///
/// # Panics
/// It is nothing that JSON has a form for.
pub fn tell<T: Serialize>(bus: &dyn Bus, topic: Topic, told: impl FnOnce() -> T) {
    match bus.state() {
        BusState::None => {}
        BusState::Away => bus.skip(topic, NotSent::Away),
        BusState::Up => {
            let body = serde_json::to_vec(&told()).expect("what nodes tell each other is JSON");
            bus.publish(topic, &body);
        }
    }
}

/// A subscription.
pub struct Incoming(BoxStream<'static, Heard>);

impl Incoming {
    /// One that hears this.
    #[must_use]
    pub fn new(heard: impl Stream<Item = Heard> + Send + 'static) -> Self {
        Self(heard.boxed())
    }

    /// What comes next; `None` when nothing ever will.
    pub async fn next(&mut self) -> Option<Heard> {
        self.0.next().await
    }
}
