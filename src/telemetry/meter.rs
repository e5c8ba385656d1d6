//! Counts something, and how much of it there was lately, without anyone who looks regularly.

use std::time::{Duration, Instant};

/// How many there were, and how many of them in the last whole second.
#[derive(Debug, Default)]
pub struct Meter {
    total: u64,
    /// When the second began in which it counts; `None` before the first.
    began: Option<Instant>,
    current: u64,
    before: u64,
}

impl Meter {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { total: 0, began: None, current: 0, before: 0 }
    }

    /// So many more.
    pub fn add(&mut self, count: u64, now: Instant) {
        self.go_on(now);
        self.total += count;
        self.current += count;
    }

    /// All there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Those of the last second that is over.
    pub fn per_second(&mut self, now: Instant) -> u64 {
        self.go_on(now);
        self.before
    }

    /// Begins the second that it is now.
    fn go_on(&mut self, now: Instant) {
        let began = *self.began.get_or_insert(now);
        let passed = now.saturating_duration_since(began).as_secs();
        if passed > 0 {
            self.before = if passed == 1 { self.current } else { 0 };
            self.current = 0;
            self.began = Some(began + Duration::from_secs(passed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_second_is_told() {
        let begin = Instant::now();
        let at = |millis| begin + Duration::from_millis(millis);
        let mut meter = Meter::new();
        assert_eq!(meter.per_second(at(0)), 0);
        meter.add(3, at(100));
        meter.add(2, at(900));
        assert_eq!(meter.per_second(at(999)), 0, "it is not over");
        assert_eq!(meter.per_second(at(1_000)), 5);
        meter.add(1, at(1_500));
        assert_eq!(meter.per_second(at(1_999)), 5);
        assert_eq!(meter.per_second(at(2_500)), 1);
        assert_eq!(meter.per_second(at(9_000)), 0);
        assert_eq!(meter.total(), 6);
    }
}
