//! Channels between two nodes of a shop: ordered bytes both ways, with a bound for what is under way and an end that both
//! sides learn of. A channel does not outlive a loss: when the bus lost a message between two nodes, or one does not hear the
//! other for 5 seconds, all channels between them end, and who used them begins anew.
//!
//! Not for: what nodes tell all others, which is published.

mod channel;
mod message;
mod slot;
mod table;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream::BoxStream};
use tokio::sync::mpsc;

pub use self::{
    channel::Channel,
    slot::{Gone, PIECE, WINDOW},
};
use self::{
    channel::Shared,
    message::Message,
    table::{BEAT, Opened, Presence},
};
use super::{
    carrier::{Bus, Direct},
    node::NodeId,
    status::BusState,
};
use crate::telemetry::{self, NotHeard};

/// Channels that others opened and nobody has looked at yet.
const ACCEPTED: usize = 1024;
/// How long it may take until a bus that is away is back, and the other node with it.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two questions whether a node is there.
const GREETING: Duration = Duration::from_millis(100);
/// How long what was said may take to be on its way when this node ends.
const FAREWELL: Duration = Duration::from_millis(500);
/// A node that was heard so long ago need not be asked. Those with channels are heard more often.
const RECENT: Duration = Duration::from_secs(2);

/// A channel that another node opened.
pub struct Accepted {
    /// The channel.
    pub channel: Channel,
    /// What it said first.
    pub first: Bytes,
}

/// The way to the other nodes.
pub struct Peers {
    bus: Arc<dyn Bus>,
    shared: Arc<Shared>,
}

/// What carries the messages of the channels, and what others open.
pub struct Carrier {
    peers: Arc<Peers>,
    heard: BoxStream<'static, Direct>,
    accepted: mpsc::Sender<Accepted>,
}

impl Peers {
    /// The way to the others, when there can be any.
    pub async fn join(bus: &Arc<dyn Bus>) -> Option<(Arc<Self>, Carrier, mpsc::Receiver<Accepted>)> {
        if bus.state() == BusState::None {
            return None;
        }
        let heard = bus.receive().await;
        let peers = Arc::new(Self { bus: Arc::clone(bus), shared: Arc::default() });
        let (accepted, accepts) = mpsc::channel(ACCEPTED);
        Some((Arc::clone(&peers), Carrier { peers, heard, accepted }, accepts))
    }

    /// This node.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.bus.node()
    }

    /// Opens a channel to a node, with the first thing to say, of at most [`PIECE`] bytes.
    ///
    /// # Errors
    /// The bus or the node are away for longer than a moment, or there are too many channels.
    pub async fn open(&self, peer: NodeId, first: Bytes) -> Result<Channel, Gone> {
        if !self.is_near(peer) {
            tokio::time::timeout(PATIENCE, self.reach(peer)).await.unwrap_or(Err(Gone::Lost))?;
        }
        let opened = self.shared.with(|table| table.open(peer, first, Instant::now()));
        let (key, slot) = opened?;
        Ok(Channel::new(&self.shared, peer, key, slot))
    }

    /// Waits until what was said on the channels is with the bus, as far as a moment is enough for that.
    pub async fn flush(&self) {
        let idle = self.shared.idle.notified();
        tokio::pin!(idle);
        idle.as_mut().enable();
        self.shared.work.notify_one();
        let _ = tokio::time::timeout(FAREWELL, idle).await;
    }
}

impl Peers {
    /// Whether a node was heard just now, by a bus that has been there since it was greeted.
    fn is_near(&self, peer: NodeId) -> bool {
        let Some(since) = self.bus.up_since() else { return false };
        let answered = self.shared.with(|table| table.answered(peer, since));
        answered.is_some_and(|at| at.elapsed() < RECENT)
    }

    /// Waits until the node was heard. After the bus was away it may come back later than this one.
    async fn reach(&self, peer: NodeId) -> Result<(), Gone> {
        loop {
            if self.bus.up_since().is_none() {
                tokio::time::sleep(GREETING).await;
                continue;
            }
            let heard = self.shared.heard.notified();
            tokio::pin!(heard);
            heard.as_mut().enable();
            self.shared.with(|table| table.greet(peer, Instant::now()))?;
            let again = tokio::time::sleep(GREETING);
            tokio::pin!(again);
            loop {
                tokio::select! {
                    () = &mut heard => heard.set(self.shared.heard.notified()),
                    () = &mut again => break,
                }
                heard.as_mut().enable();
                if self.is_near(peer) {
                    return Ok(());
                }
                if self.shared.with(|table| table.presence(peer)) == Presence::Nobody {
                    return Err(Gone::Lost);
                }
            }
        }
    }
}

impl Carrier {
    /// Carries messages for ever.
    pub async fn run(self) {
        let Self { peers, heard, accepted } = self;
        tokio::join!(receive(&peers, heard, accepted), send(&peers), beat(&peers));
    }
}

async fn receive(peers: &Peers, mut heard: BoxStream<'static, Direct>, accepted: mpsc::Sender<Accepted>) {
    while let Some(direct) = heard.next().await {
        let (from, number, body) = match direct {
            Direct::Message { from, number, body } => (from, number, body),
            Direct::Nobody(peer) => {
                peers.shared.with(|table| table.nobody(peer));
                peers.shared.heard.notify_waiters();
                continue;
            }
        };
        let Some(message) = Message::decode(body) else {
            telemetry::bus_not_heard(NotHeard::Malformed);
            continue;
        };
        let is_sign = !message.counts();
        let opened = peers.shared.with(|table| table.hear(from, number, message, Instant::now()));
        if is_sign {
            peers.shared.heard.notify_waiters();
        }
        if let Some(Opened { key, slot, first }) = opened {
            let Ok(place) = accepted.try_reserve() else {
                peers.shared.with(|table| table.refuse(from, key));
                continue;
            };
            place.send(Accepted { channel: Channel::new(&peers.shared, from, key, slot), first });
        }
    }
}

async fn send(peers: &Peers) {
    loop {
        let work = peers.shared.work.notified();
        let Some((peer, messages)) = peers.shared.with(|table| table.next(Instant::now())) else {
            peers.shared.idle.notify_waiters();
            work.await;
            continue;
        };
        for (number, message) in messages {
            peers.bus.send(peer, number, &message.encode()).await;
        }
    }
}

async fn beat(peers: &Peers) {
    let mut beats = tokio::time::interval(BEAT);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        peers.shared.with(|table| table.beat(Instant::now()));
    }
}
