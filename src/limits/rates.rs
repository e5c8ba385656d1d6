//! Rates by account or network: each has a bucket of its own. Says nothing about what is counted.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::token_bucket::TokenBucket;

/// Keys that are remembered, some 10 MB at worst. Beyond them those whose bucket is full are forgotten.
const MAX_KEYS: usize = 100_000;

/// A rate that was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateExceeded {
    /// Whole seconds after which the next is taken.
    pub retry_after: Duration,
}

/// One bucket for each key, made when it is first used.
#[derive(Debug)]
pub struct Rates<K> {
    per_second: f32,
    most: f32,
    buckets: Mutex<HashMap<K, TokenBucket>>,
}

impl<K: Copy + Eq + Hash> Rates<K> {
    /// Grants each key `count` in `time`, and `burst` times as many at once.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate of millions is not kept to the unit")]
    pub fn new(count: u32, time: Duration, burst: u8) -> Self {
        let count = count as f32;
        Self {
            per_second: count / time.as_secs_f32(),
            most: count * f32::from(burst),
            buckets: Mutex::default(),
        }
    }

    /// Counts one more.
    ///
    /// # Errors
    /// It is one too many.
    pub fn take(&self, key: K, now: Instant) -> Result<(), RateExceeded> {
        // Buckets stay usable whatever a panic left them at.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_KEYS && !buckets.contains_key(&key) {
            make_room(&mut buckets, now);
        }
        let fresh = || TokenBucket::holding(self.per_second, self.most, now);
        let bucket = buckets.entry(key).or_insert_with(fresh);
        if bucket.take(now) { Ok(()) } else { Err(RateExceeded { retry_after: bucket.wait() }) }
    }
}

/// Forgets those that have used nothing lately; if that is not enough, all: whoever has so many networks is not slowed
/// by a rate for each.
fn make_room<K>(buckets: &mut HashMap<K, TokenBucket>, now: Instant) {
    buckets.retain(|_, bucket| !bucket.is_full(now));
    if buckets.len() >= MAX_KEYS {
        buckets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_rate_and_is_told_when_to_come_back() {
        let rates = Rates::new(10, Duration::from_mins(1), 3);
        let now = Instant::now();
        assert_eq!((0..100).filter(|_| rates.take(1, now).is_ok()).count(), 30);
        assert_eq!(rates.take(1, now).unwrap_err().retry_after, Duration::from_secs(6));
        assert!(rates.take(2, now).is_ok());
        let later = now + Duration::from_secs(60);
        assert_eq!((0..100).filter(|_| rates.take(1, later).is_ok()).count(), 10);
    }

    #[test]
    fn memory_is_bounded() {
        let rates = Rates::new(10, Duration::from_mins(1), 3);
        for key in 0..250_000_u32 {
            assert!(rates.take(key, Instant::now()).is_ok());
        }
        assert!(rates.buckets.lock().unwrap().len() <= MAX_KEYS);
    }
}
