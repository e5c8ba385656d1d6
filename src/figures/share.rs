//! What each node counts by itself, and the sum of that over the nodes of a shop. Orders and what the widget reports are in the
//! store, which is that of all.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use super::shape::{Alerts, Latency, Refused, Sessions, Transports};
use crate::{
    bus::{Bus, BusState, Heard, Message, NodeId, Topic, tell},
    outbox::Wire,
    realtime::{BOUNDS_MS, Deliveries, Tally},
    telemetry::{self, NotHeard, Refusals},
};

/// How often a node tells its share.
const BEAT: Duration = Duration::from_secs(1);
/// After so long without a word the share of a node is gone.
const LEASE: Duration = Duration::from_secs(5);

/// What one node counts, or several together. Nodes of two versions tell each other of it: what is not known is skipped, and a
/// new field needs a default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Share {
    members: u64,
    guests: u64,
    websocket: u64,
    socketio: u64,
    polling: u64,
    sse: u64,
    lagging: u64,
    delivered: u64,
    delivered_per_second: u64,
    latency: Vec<u64>,
    refused: u64,
    refused_per_second: u64,
    refused_by_code: BTreeMap<String, u64>,
}

impl Share {
    /// Of this node.
    pub(super) fn own(tally: &Tally, now: Instant) -> Self {
        let delivered = tally.deliveries(now);
        Self::of_sessions(tally).with(&delivered, telemetry::refusals(now))
    }

    fn of_sessions(tally: &Tally) -> Self {
        let mut share = Self { lagging: tally.lagging(), ..Self::default() };
        for wire in Wire::ALL {
            let count = tally.sessions(wire);
            share.members += count.members;
            share.guests += count.guests;
            let of = match wire {
                Wire::Native => &mut share.websocket,
                Wire::SocketIo => &mut share.socketio,
                Wire::Polling => &mut share.polling,
                Wire::Sse => &mut share.sse,
            };
            *of += count.members + count.guests;
        }
        share
    }

    fn with(self, delivered: &Deliveries, refused: Refusals) -> Self {
        Self {
            delivered: delivered.total,
            delivered_per_second: delivered.per_second,
            latency: delivered.counts.into(),
            refused: refused.total,
            refused_per_second: refused.per_second,
            refused_by_code: refused.by_code.into_iter().map(|(code, n)| (code.to_owned(), n)).collect(),
            ..self
        }
    }

    fn add(&mut self, other: &Self) {
        let numbers = [
            (&mut self.members, other.members),
            (&mut self.guests, other.guests),
            (&mut self.websocket, other.websocket),
            (&mut self.socketio, other.socketio),
            (&mut self.polling, other.polling),
            (&mut self.sse, other.sse),
            (&mut self.lagging, other.lagging),
            (&mut self.delivered, other.delivered),
            (&mut self.delivered_per_second, other.delivered_per_second),
            (&mut self.refused, other.refused),
            (&mut self.refused_per_second, other.refused_per_second),
        ];
        for (number, by) in numbers {
            *number = number.saturating_add(by);
        }
        // A version with other bounds counts something else.
        if self.latency.len() == other.latency.len() {
            for (count, by) in self.latency.iter_mut().zip(&other.latency) {
                *count = count.saturating_add(*by);
            }
        }
        for (code, by) in &other.refused_by_code {
            let count = self.refused_by_code.entry(code.clone()).or_default();
            *count = count.saturating_add(*by);
        }
    }

    pub(super) fn sessions(&self) -> Sessions {
        Sessions {
            total: self.members + self.guests,
            members: self.members,
            guests: self.guests,
            by_transport: Transports {
                websocket: self.websocket,
                socketio: self.socketio,
                polling: self.polling,
                sse: self.sse,
            },
        }
    }

    pub(super) fn lagging(&self) -> u64 {
        self.lagging
    }

    pub(super) fn alerts(&self) -> Alerts {
        Alerts { delivered: self.delivered, per_second: self.delivered_per_second }
    }

    pub(super) fn latency(&self) -> Latency {
        Latency { bounds_ms: BOUNDS_MS.into(), counts: self.latency.clone() }
    }

    pub(super) fn refused(self) -> Refused {
        Refused { total: self.refused, per_second: self.refused_per_second, by_code: self.refused_by_code }
    }
}

/// The shares of the other nodes that were heard lately.
#[derive(Debug, Default)]
pub(super) struct Others(Mutex<HashMap<NodeId, (Instant, Share)>>);

impl Others {
    /// Adds those of the nodes that live.
    pub(super) fn add_to(&self, share: &mut Share, now: Instant) {
        let mut others = self.others();
        others.retain(|_, (heard, _)| now.saturating_duration_since(*heard) < LEASE);
        others.values().for_each(|(_, other)| share.add(other));
    }

    fn hear(&self, message: &Message, now: Instant) {
        match serde_json::from_slice(&message.body) {
            Ok(share) => {
                self.others().insert(message.from, (now, share));
            }
            Err(_) => telemetry::bus_not_heard(NotHeard::Malformed),
        }
    }

    fn others(&self) -> MutexGuard<'_, HashMap<NodeId, (Instant, Share)>> {
        // Every change under the lock is complete in itself, so that a panic elsewhere poisons nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the other nodes the share of this one, and hears theirs, until it is dropped.
pub(super) async fn exchange(bus: Arc<dyn Bus>, tally: &Tally, others: &Others) {
    if bus.state() == BusState::None {
        return;
    }
    let mut incoming = bus.subscribe(Topic::Figures).await;
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            heard = incoming.next() => match heard {
                Some(Heard::Message(message)) => others.hear(&message, Instant::now()),
                // The next one says all of it again.
                Some(Heard::Missed) => {}
                None => return,
            },
            _ = beat.tick() => tell(&*bus, Topic::Figures, || Share::own(tally, Instant::now())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(from: u8, body: &str) -> Message {
        Message { from: NodeId::from_random([from; 6]), sent: 0, body: body.to_owned().into() }
    }

    #[test]
    fn the_shares_of_nodes_that_live_are_summed() {
        let (others, start) = (Others::default(), Instant::now());
        let late = start + Duration::from_secs(4);
        others.hear(
            &told(1, r#"{"members": 5, "latency": [1, 2], "refused_by_code": {"a": 1}, "new": []}"#),
            start,
        );
        others.hear(&told(2, r#"{"members": 7, "latency": [1], "refused_by_code": {"b": 1}}"#), start);
        others.hear(&told(2, r#"{"members": 8, "latency": [1], "refused_by_code": {"a": 3, "b": 2}}"#), late);
        others.hear(&told(2, "7"), late);
        let sum = |now| {
            let mut share = Share { members: 1, latency: vec![10, 10], ..Share::default() };
            others.add_to(&mut share, now);
            (share.members, share.latency, share.refused_by_code)
        };
        let codes = |codes: &[(&str, u64)]| codes.iter().map(|(code, n)| ((*code).to_owned(), *n)).collect();
        assert_eq!(sum(late), (14, vec![11, 12], codes(&[("a", 4), ("b", 2)])));
        assert_eq!(sum(start + LEASE), (9, vec![10, 10], codes(&[("a", 3), ("b", 2)])));
        assert_eq!(sum(late + LEASE), (1, vec![10, 10], codes(&[])));
    }
}
