//! Passwords that were tried at other nodes count here, too: whoever guesses has as many tries with many nodes as with one.

use std::sync::Arc;

use crate::{
    bus::{Bus, BusState, Heard, Topic, tell},
    clock,
    limits::Guess,
    service::accounts::Accounts,
    telemetry::{self, NotHeard},
};

/// Tells the other nodes how attempts to log in end, and hears theirs, until it is dropped. What is lost on the way is a try
/// more for somebody.
pub async fn share(accounts: Arc<Accounts>, bus: Arc<dyn Bus>) {
    let mut heard = bus.subscribe(Topic::Guesses).await;
    if bus.state() != BusState::None {
        accounts.throttle().tell_others(move |guess: Guess| tell(&*bus, Topic::Guesses, || guess));
    }
    while let Some(heard) = heard.next().await {
        let Heard::Message(message) = heard else { continue };
        match serde_json::from_slice(&message.body) {
            Ok(guess) => accounts.throttle().hear(guess, clock::now()),
            Err(_) => telemetry::bus_not_heard(NotHeard::Malformed),
        }
    }
}
