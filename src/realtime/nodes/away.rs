//! Sessions of Socket.IO whose connection was lost, told to all nodes: they may come back at any.
//!
//! What they were in is here (`recovery`); alerts are read from the log wherever they come back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    bus::{Bus, BusState, Heard, Topic},
    domain::Timestamp,
    realtime::{kept::KeptAway, place::Place, recovery::Recovery},
    telemetry::{self, NotHeard, NotSent},
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

fn publish(bus: &dyn Bus, told: impl FnOnce() -> Wire) {
    match bus.state() {
        BusState::None => {}
        BusState::Away => bus.skip(Topic::Away, NotSent::Away),
        BusState::Up => {
            let body = serde_json::to_vec(&told()).expect("plain fields are always JSON");
            bus.publish(Topic::Away, &body);
        }
    }
}

/// Hears of them until it is dropped.
pub(super) async fn run(bus: Arc<dyn Bus>, recovery: Arc<Recovery>) {
    let mut incoming = bus.subscribe(Topic::Away).await;
    while let Some(heard) = incoming.next().await {
        // Of whom this node has not heard it does not know that there was anything to put back.
        let Heard::Message(message) = heard else { continue };
        match serde_json::from_slice(&message.body) {
            Ok(Wire::Away { place, unheard }) => {
                let (id, left_at) = (place.id, Timestamp::from_millis(place.left_at));
                let now = Instant::now();
                let heard_until = now.checked_sub(Duration::from_millis(unheard)).unwrap_or(now);
                if let Some(place) = place.place() {
                    recovery.leave_elsewhere(id, place, heard_until, left_at);
                }
            }
            Ok(Wire::Back(id)) => recovery.back_elsewhere(id),
            Err(_) => telemetry::bus_not_heard(NotHeard::Malformed),
        }
    }
}
