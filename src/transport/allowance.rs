//! How much one session may say: a token bucket.

use std::time::{Duration, Instant};

/// So many messages a second, and twice as many at once.
#[derive(Debug)]
pub struct Allowance {
    rate: f32,
    left: f32,
    at: Instant,
}

impl Allowance {
    /// A full bucket.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate of millions a second is not kept to the message")]
    pub fn new(per_second: u32, now: Instant) -> Self {
        let rate = per_second as f32;
        Self { rate, left: rate * 2.0, at: now }
    }

    /// Takes one message out; `false` when there is none left.
    pub fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at);
        // Short steps would be lost in rounding.
        if passed >= Duration::from_millis(1) {
            self.left = (self.left + passed.as_secs_f32() * self.rate).min(self.rate * 2.0);
            self.at = now;
        }
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_refills_with_time() {
        let start = Instant::now();
        let mut allowance = Allowance::new(10, start);
        assert_eq!((0..30).filter(|_| allowance.take(start)).count(), 20);
        assert_eq!((0..30).filter(|_| allowance.take(start + Duration::from_millis(500))).count(), 5);
    }
}
