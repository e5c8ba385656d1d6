//! A token bucket: limits how often something happens.

use std::time::{Duration, Instant};

/// Allows `rate` takes a second, and `most` at once.
#[derive(Clone, Copy, Debug)]
pub struct TokenBucket {
    rate: f32,
    most: f32,
    left: f32,
    at: Instant,
}

impl TokenBucket {
    /// A full bucket, which holds what comes in within `burst` seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate of millions a second is not kept to the message")]
    pub fn new(per_second: u32, burst: u8, now: Instant) -> Self {
        let rate = per_second as f32;
        Self::holding(rate, rate * f32::from(burst), now)
    }

    /// A full bucket of another size, which refills at `rate` a second.
    #[must_use]
    pub(super) fn holding(rate: f32, most: f32, now: Instant) -> Self {
        Self { rate, most, left: most, at: now }
    }

    /// Whole seconds until there is one again, as of the last take.
    pub(super) fn wait(&self) -> Duration {
        let seconds = ((1.0 - self.left) / self.rate).ceil().max(1.0);
        Duration::try_from_secs_f32(seconds).unwrap_or(Duration::MAX)
    }

    /// Takes one out; `false` when there is none left.
    pub fn take(&mut self, now: Instant) -> bool {
        self.refill(now);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }

    /// Whether it is full again.
    pub fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.left >= self.most
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        // Short steps would be lost in rounding.
        if passed >= Duration::from_millis(1) {
            self.left = (self.left + passed.as_secs_f32() * self.rate).min(self.most);
            self.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_refills_with_time() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(10, 2, start);
        assert_eq!((0..30).filter(|_| bucket.take(start)).count(), 20);
        let later = start + Duration::from_millis(500);
        assert_eq!((0..30).filter(|_| bucket.take(later)).count(), 5);
        assert!(!bucket.is_full(later) && bucket.is_full(later + Duration::from_secs(2)));
    }
}
