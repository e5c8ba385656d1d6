//! What may repeat in a flood and is told once a second.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Something that may repeat in a flood and is told once a second, with how often it was.
#[derive(Debug)]
pub struct Repeated(Mutex<(Option<Instant>, u64)>);

impl Repeated {
    /// Nothing yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only statics are made of it")]
    pub const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// It happened once more. How often since it was last told, when it is to be told now.
    pub fn tell(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 += 1;
        if state.0.is_some_and(|told| now.saturating_duration_since(told) < Duration::from_secs(1)) {
            return None;
        }
        state.0 = Some(now);
        Some(std::mem::take(&mut state.1))
    }
}
