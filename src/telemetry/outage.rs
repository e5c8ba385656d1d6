//! What is tried again and again, and fails for as long as something is away: the cause is told once, how often now and then,
//! and that it is over.

use std::{
    borrow::Cow,
    fmt::Display,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Between two lines of an outage that lasts.
const AGAIN: Duration = Duration::from_secs(60);

/// Something that fails for a while.
#[derive(Debug)]
pub struct Outage {
    what: Cow<'static, str>,
    since: Mutex<Option<Failing>>,
}

#[derive(Debug)]
struct Failing {
    began: Instant,
    told: Instant,
    times: u64,
}

/// How often something failed that is over, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Over {
    times: u64,
    lasted: Duration,
}

impl Outage {
    /// None yet. `what` is the sentence that the log has: `sources cannot be read`.
    #[must_use]
    pub const fn new(what: &'static str) -> Self {
        Self { what: Cow::Borrowed(what), since: Mutex::new(None) }
    }

    /// The same of one of several things.
    #[must_use]
    pub const fn of(what: String) -> Self {
        Self { what: Cow::Owned(what), since: Mutex::new(None) }
    }

    /// It was tried once more; tells what is to be told.
    pub fn note<T, E: Display>(&self, tried: &Result<T, E>) {
        let now = Instant::now();
        let what = &self.what;
        match tried {
            Ok(_) => {
                if let Some(Over { times, lasted }) = self.over(now) {
                    tracing::info!(times, seconds = lasted.as_secs(), "{what}: that is over");
                }
            }
            Err(error) => {
                if let Some(times) = self.failed(now) {
                    tracing::warn!(%error, times, "{what}");
                }
            }
        }
    }

    /// It failed. How often it did in all, when that is to be told now.
    fn failed(&self, now: Instant) -> Option<u64> {
        let mut since = self.since();
        let Some(failing) = &mut *since else {
            *since = Some(Failing { began: now, told: now, times: 1 });
            return Some(1);
        };
        failing.times += 1;
        let is_due = now.saturating_duration_since(failing.told) >= AGAIN;
        is_due.then(|| {
            failing.told = now;
            failing.times
        })
    }

    /// It did not fail. What is over by that.
    fn over(&self, now: Instant) -> Option<Over> {
        let Failing { began, times, .. } = self.since().take()?;
        Some(Over { times, lasted: now.saturating_duration_since(began) })
    }

    fn since(&self) -> MutexGuard<'_, Option<Failing>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_told_once_and_how_often_once_a_minute_and_that_it_is_over() {
        let (outage, begin) = (Outage::new("tea cannot be made"), Instant::now());
        let half_seconds = |n: u32| begin + Duration::from_millis(500) * n;
        assert_eq!(outage.over(begin), None);
        let told: Vec<_> = (0..=240).filter_map(|n| outage.failed(half_seconds(n))).collect();
        assert_eq!(told, [1, 121, 241]);
        let over = Over { times: 241, lasted: Duration::from_secs(121) };
        assert_eq!(outage.over(half_seconds(242)), Some(over));
        assert_eq!((outage.over(half_seconds(243)), outage.failed(half_seconds(244))), (None, Some(1)));
    }
}
