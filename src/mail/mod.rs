//! Mail on its way out: a bounded number of letters in memory, each tried a few times. Not what they say, and not whether one is to
//! be sent.
//!
//! A letter that waits when the program ends is lost: whoever asked for it asks again.

mod letter;
mod relay;

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use self::{
    letter::Letter,
    relay::{BadRelay, Relay},
};

/// Letters that may be here at once, those that wait for another attempt among them.
const PLACES: usize = 256;
/// Letters that are handed to the relay at the same time.
const AT_ONCE: usize = 2;
/// Time for one attempt.
const ATTEMPT: Duration = Duration::from_secs(30);

/// Pauses before the attempts: a relay that is busy or restarts is there again soon. A link holds for an hour.
#[derive(Clone, Debug)]
pub struct Pace(pub Vec<Duration>);

impl Default for Pace {
    fn default() -> Self {
        Self([0, 5, 30, 120, 600].map(Duration::from_secs).to_vec())
    }
}

/// The way out.
#[derive(Debug)]
pub struct Mailer {
    relay: Relay,
    pace: Pace,
    places: Arc<Semaphore>,
    sending: Semaphore,
}

/// Room for one letter, until it is dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Mailer {
    /// By a relay.
    #[must_use]
    pub fn new(relay: Relay, pace: Pace) -> Self {
        let places = Arc::new(Semaphore::new(PLACES));
        Self { relay, pace, places, sending: Semaphore::new(AT_ONCE) }
    }

    /// Room for a letter, before anyone knows whether there will be one; `None` when too many wait.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(|permit| Place { _permit: permit })
    }

    /// Sends a letter, with pauses between its attempts. What becomes of it is logged, without its address and its words.
    pub async fn send(&self, letter: &Letter, place: Place) {
        for (attempt, pause) in (1..).zip(&self.pace.0) {
            tokio::time::sleep(*pause).await;
            // The line is never closed.
            let Ok(_turn) = self.sending.acquire().await else { break };
            match tokio::time::timeout(ATTEMPT, self.relay.hand_over(letter)).await {
                Ok(Ok(())) => {
                    tracing::info!(attempt, "a mail was handed over");
                    return;
                }
                Ok(Err(refusal)) if refusal.is_final => {
                    tracing::warn!(attempt, why = %refusal, "a mail was refused for good");
                    return;
                }
                Ok(Err(refusal)) => tracing::warn!(attempt, why = %refusal, "a mail was not handed over"),
                Err(_) => tracing::warn!(attempt, "the mail relay did not answer in time"),
            }
        }
        tracing::error!("a mail was given up");
        drop(place);
    }
}
