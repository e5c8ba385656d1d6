//! What follows from an attempt: decided from arguments alone, so that days are tried in no time.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::RETRY_AFTER;

use super::client::{Answer, SendError};
use crate::domain::{Attempt, DeliveryStatus, DisabledBy, Timestamp};

/// How long after each failed attempt the next one follows. After the last nobody tries any more.
const DELAYS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];
/// By which part a delay is longer at most, so that those who failed together do not come back together.
const JITTER: f64 = 0.2;
/// The longest time that a `Retry-After` is heeded.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);
/// An endpoint that has failed for so long is disabled.
pub(super) const GIVES_UP_AFTER: Duration = Duration::from_hours(5 * 24);
/// Between two new messages to an endpoint that fails: doubled with each failure from the third on.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// At most.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// What an endpoint did with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has it.
    Taken,
    /// It does not, and asks for a while.
    Failed {
        /// For how long.
        retry_after: Option<Duration>,
    },
    /// It is no more.
    Gone,
}

impl Verdict {
    /// Of an answer, or of none.
    pub(super) fn of(result: &Result<Answer, SendError>, now: Timestamp) -> Self {
        let Ok(answer) = result else { return Self::Failed { retry_after: None } };
        match answer.status {
            200..=299 => Self::Taken,
            410 => Self::Gone,
            _ => Self::Failed { retry_after: retry_after(answer, now) },
        }
    }
}

/// `Retry-After` as seconds or as a date (RFC 9110 §10.2.3).
fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let text = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Duration::from_secs(text.parse().unwrap_or(u64::MAX)),
        false => {
            let until = DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis();
            Duration::from_millis(u64::try_from(until - now.as_millis()).unwrap_or(0))
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// What becomes of a delivery and of its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) status: DeliveryStatus,
    pub(super) next_at: Option<Timestamp>,
    /// Since when the endpoint fails.
    pub(super) failing_since: Option<Timestamp>,
    /// Why it is told nothing from now on.
    pub(super) disables: Option<DisabledBy>,
}

/// Decides what follows from the attempt that was the `tries`th of its delivery and began at `now`. `random` is from 0 to 1.
pub(super) fn decide(
    verdict: Verdict,
    tries: u32,
    failing_since: Option<Timestamp>,
    now: Timestamp,
    random: f64,
) -> Outcome {
    let retry_after = match verdict {
        Verdict::Taken => return Outcome::taken(),
        Verdict::Failed { retry_after } => retry_after.unwrap_or_default(),
        Verdict::Gone => Duration::ZERO,
    };
    let delay = usize::try_from(tries).ok().and_then(|tries| DELAYS.get(tries.saturating_sub(1)));
    let next_at = delay.map(|delay| now.plus(delay.mul_f64(1.0 + JITTER * random).max(retry_after)));
    let since = failing_since.unwrap_or(now);
    Outcome {
        status: if next_at.is_some() { DeliveryStatus::Waiting } else { DeliveryStatus::Failed },
        next_at,
        failing_since: Some(since),
        disables: match verdict {
            Verdict::Gone => Some(DisabledBy::Gone),
            _ if since.plus(GIVES_UP_AFTER) <= now => Some(DisabledBy::Failing),
            _ => None,
        },
    }
}

/// Of a test: it is tried once, and proves nothing about the endpoint.
pub(super) fn decide_test(verdict: Verdict, failing_since: Option<Timestamp>) -> Outcome {
    let status = if verdict == Verdict::Taken { DeliveryStatus::Delivered } else { DeliveryStatus::Failed };
    Outcome { status, failing_since, ..Outcome::taken() }
}

impl Outcome {
    fn taken() -> Self {
        Self { status: DeliveryStatus::Delivered, next_at: None, failing_since: None, disables: None }
    }
}

/// How long an endpoint is told nothing new after so many failures one after the other.
pub(super) fn pause(failures: u32, verdict: Verdict) -> Duration {
    let Verdict::Failed { retry_after } = verdict else { return Duration::ZERO };
    let doubled =
        failures.checked_sub(3).map_or(Duration::ZERO, |times| FIRST_PAUSE * 2_u32.pow(times.min(10)));
    doubled.min(LONGEST_PAUSE).max(retry_after.unwrap_or_default())
}

/// What is kept of an attempt.
pub(super) fn attempt(result: Result<Answer, SendError>, at: Timestamp, took: Duration) -> Attempt {
    let millis = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
    match result {
        Ok(answer) => Attempt {
            at,
            status: Some(answer.status),
            error: match answer.status {
                200..=299 => None,
                300..=399 => Some("redirects are not followed".to_owned()),
                410 => Some("the endpoint says that it is gone".to_owned()),
                _ => Some("the answer is no success".to_owned()),
            },
            millis,
            // Neither SQL nor JSON has a place for this character.
            answer: String::from_utf8_lossy(&answer.body).replace('\0', "\u{fffd}"),
        },
        Err(error) => {
            Attempt { at, status: None, error: Some(error.to_string()), millis, answer: String::new() }
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const FAILED: Verdict = Verdict::Failed { retry_after: None };

    fn answer(status: u16, retry_after: Option<&str>) -> Result<Answer, SendError> {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        }
        Ok(Answer { status, headers, body: Vec::new(), is_complete: true })
    }

    #[test]
    fn only_2xx_is_success() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(Verdict::of(&answer(status, None), NOW), Verdict::Taken);
        }
        for status in [301, 302, 304, 307, 308, 400, 401, 404, 409, 429, 500, 502, 503, 599] {
            assert_eq!(Verdict::of(&answer(status, None), NOW), FAILED, "{status}");
        }
        assert_eq!(Verdict::of(&answer(410, None), NOW), Verdict::Gone);
        assert_eq!(Verdict::of(&Err(SendError::Timeout), NOW), FAILED);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_at_most_a_day() {
        let asks = |text| Verdict::of(&answer(429, Some(text)), NOW);
        let wait = |seconds| Verdict::Failed { retry_after: Some(Duration::from_secs(seconds)) };
        assert_eq!(asks("120"), wait(120));
        assert_eq!(asks("0"), wait(0));
        assert_eq!(asks("Tue, 14 Nov 2023 22:14:20 GMT"), wait(60));
        assert_eq!(asks("Tue, 14 Nov 2022 22:14:20 GMT"), FAILED, "that was no Tuesday");
        assert_eq!(asks("Mon, 14 Nov 2022 22:14:20 GMT"), wait(0));
        assert_eq!(asks("99999999999999999999999"), wait(86_400));
        assert_eq!(asks("1000000"), wait(86_400));
        for bad in ["soon", "-1", "1.5"] {
            assert_eq!(asks(bad), FAILED, "{bad}");
        }
    }

    #[test]
    fn nine_retries_follow_with_growing_delays_and_then_none() {
        let hours = |n: u64| n * 3600;
        let delays = [5, 300, 1800, hours(2), hours(5), hours(10), hours(14), hours(20), hours(24)];
        for (tries, seconds) in (1..).zip(delays) {
            let first = decide(FAILED, tries, None, NOW, 0.0);
            assert_eq!(first.status, DeliveryStatus::Waiting);
            assert_eq!(first.next_at, Some(NOW.plus(Duration::from_secs(seconds))));
            let last = decide(FAILED, tries, None, NOW, 1.0).next_at.unwrap();
            assert_eq!(last.as_millis() - NOW.as_millis(), i64::try_from(seconds * 1200).unwrap());
        }
        let end = decide(FAILED, 10, None, NOW, 0.0);
        assert_eq!((end.status, end.next_at, end.disables), (DeliveryStatus::Failed, None, None));
    }

    #[test]
    fn retry_after_lengthens_a_delay_and_never_shortens_it() {
        let asks = |seconds| Verdict::Failed { retry_after: Some(Duration::from_secs(seconds)) };
        let next = |verdict, tries| decide(verdict, tries, None, NOW, 0.0).next_at.unwrap();
        assert_eq!(next(asks(60), 1), NOW.plus(Duration::from_mins(1)));
        assert_eq!(next(asks(1), 2), NOW.plus(Duration::from_mins(5)));
    }

    #[test]
    fn five_days_of_failure_disable_and_one_success_forgives() {
        let since = |time| decide(FAILED, 1, Some(NOW.minus(time)), NOW, 0.0);
        assert_eq!(since(Duration::from_hours(119)).disables, None);
        let disabled = since(Duration::from_hours(120));
        assert_eq!(
            (disabled.disables, disabled.status),
            (Some(DisabledBy::Failing), DeliveryStatus::Waiting)
        );
        assert_eq!(decide(FAILED, 1, None, NOW, 0.0).failing_since, Some(NOW));
        let taken = decide(Verdict::Taken, 7, Some(NOW.minus(Duration::from_hours(200))), NOW, 0.0);
        assert_eq!(taken, Outcome::taken());
        let gone = decide(Verdict::Gone, 1, None, NOW, 0.0);
        assert_eq!((gone.disables, gone.status), (Some(DisabledBy::Gone), DeliveryStatus::Waiting));
    }

    #[test]
    fn new_messages_pause_while_an_endpoint_fails() {
        let seconds = |failures| pause(failures, FAILED).as_secs();
        assert_eq!([0, 1, 2, 3, 4, 5, 9, 60].map(seconds), [0, 0, 0, 5, 10, 20, 300, 300]);
        let asks = Verdict::Failed { retry_after: Some(Duration::from_hours(1)) };
        assert_eq!(pause(1, asks), Duration::from_hours(1));
        assert_eq!(pause(0, Verdict::Taken), Duration::ZERO);
    }
}
