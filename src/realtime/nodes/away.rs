//! Sessions of Socket.IO whose connection was lost, told to all nodes: they may come back at any.
//!
//! What they were in is here (`recovery`); alerts are read from the log wherever they come back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    bus::{Bus, BusState, Heard, Topic, tell},
    domain::Timestamp,
    realtime::{
        hub::{Evict, Hubs},
        kept::{KeptAway, KeptPerson},
        place::Place,
        recovery::{NOTICE, Recovery, nowhere::Answer},
        viewers::Person,
    },
    telemetry::{self, NotHeard},
};

/// What was said so shortly before a session was lost may have been under way between nodes: it is told again.
const MARGIN: Duration = Duration::from_millis(20);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Wire {
    /// A session is away.
    Away {
        place: KeptAway,
        /// For how long it has not surely heard what was said, in milliseconds.
        unheard: u64,
    },
    /// A session is back.
    Back(u64),
    /// Sessions of a node that ends are nowhere.
    Nowhere(Vec<u64>),
    /// A session wants to come back that the node does not know.
    Who {
        id: u64,
        #[serde(flatten)]
        whose: KeptPerson,
    },
    /// What another node knows of it.
    Known(u64, Answer),
}

/// Tells the other nodes that a session is away.
pub fn tell_away(bus: &dyn Bus, id: u64, place: &Place, heard_until: Instant, now: (Instant, Timestamp)) {
    let unheard = now.0.saturating_duration_since(heard_until) + MARGIN;
    let unheard = u64::try_from(unheard.as_millis()).unwrap_or(u64::MAX);
    publish(bus, || Wire::Away { place: KeptAway::of(id, place, now.1), unheard });
}

/// Tells the other nodes that a session has come back.
pub fn tell_back(bus: &dyn Bus, id: u64) {
    publish(bus, || Wire::Back(id));
}

/// Asks the other nodes for a session that is not known here: what they say is [`Recovery::answer`], or they tell it away.
pub fn ask(bus: &dyn Bus, id: u64, person: Person) {
    publish(bus, || Wire::Who { id, whose: person.into() });
}

/// Tells the other nodes, before this one ends, which of its sessions are nowhere. Those that are somewhere follow as they
/// leave.
pub fn tell_nowhere(bus: &dyn Bus, recovery: &Recovery) {
    if bus.state() == BusState::None {
        return;
    }
    // With its comma a number has 21 characters at most; the rest is for what is around them.
    let most = (bus.max_body() / 32).max(1);
    for ids in recovery.known_nowhere().chunks(most) {
        publish(bus, || Wire::Nowhere(ids.to_vec()));
    }
}

fn publish(bus: &dyn Bus, told: impl FnOnce() -> Wire) {
    tell(bus, Topic::Away, told);
}

/// Hears of them.
pub(super) struct Away {
    pub(super) bus: Arc<dyn Bus>,
    pub(super) recovery: Arc<Recovery>,
    pub(super) hubs: Hubs,
    pub(super) ping_interval: Duration,
}

impl Away {
    /// Hears until it is dropped.
    pub(super) async fn run(self) {
        let mut incoming = self.bus.subscribe(Topic::Away).await;
        while let Some(heard) = incoming.next().await {
            match heard {
                Heard::Message(message) => match serde_json::from_slice(&message.body) {
                    Ok(told) => self.hear(told, Instant::now()),
                    Err(_) => telemetry::bus_not_heard(NotHeard::Malformed),
                },
                // Of whom this node has not heard it does not know that there was anything to put back.
                Heard::Missed => self.recovery.doubt(),
            }
        }
    }

    fn hear(&self, told: Wire, now: Instant) {
        match told {
            Wire::Away { place, unheard } => {
                let (id, left_at) = (place.id, Timestamp::from_millis(place.left_at));
                let heard_until = now.checked_sub(Duration::from_millis(unheard)).unwrap_or(now);
                if let Some(place) = place.place() {
                    self.recovery.leave_elsewhere(id, place, heard_until, left_at);
                }
            }
            Wire::Back(id) => self.recovery.back_elsewhere(id),
            Wire::Nowhere(ids) => self.recovery.nowhere_elsewhere(ids, now),
            Wire::Known(id, answer) => self.recovery.hear_answer(id, answer),
            Wire::Who { id, whose } => self.answer(id, whose),
        }
    }

    fn answer(&self, id: u64, whose: KeptPerson) {
        let Some(answer) = self.recovery.answer_for(id) else { return };
        publish(&*self.bus, || Wire::Known(id, answer));
        let Some(person) = whose.person().filter(|_| answer == Answer::Connected) else { return };
        let (hubs, recovery, ping_interval) =
            (self.hubs.clone(), Arc::clone(&self.recovery), self.ping_interval);
        actix_rt::spawn(async move {
            // Its client has perhaps just closed it: then it ends by itself, and more is known of what it has heard.
            tokio::time::sleep(NOTICE).await;
            if recovery.answer_for(id) == Some(Answer::Connected) {
                hubs.send(Evict { id, person, ping_interval, recovery }).await;
            }
        });
    }
}
