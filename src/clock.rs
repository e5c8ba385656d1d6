//! The server's clock, read at the edges; everything inside takes the moment as an argument.

use chrono::{DateTime, Local, NaiveTime, Timelike as _};

use crate::domain::{Day, Timestamp};

/// Now.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_millis(chrono::Utc::now().timestamp_millis())
}

/// Now, in microseconds of Unix time.
#[must_use]
pub fn micros() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

/// The day of a moment where the server is (`TZ`, or the system's time zone).
#[must_use]
pub fn day(moment: Timestamp) -> Day {
    Day(local(moment).date_naive())
}

/// When the day of a moment began where the server is.
#[must_use]
pub fn midnight(moment: Timestamp) -> Timestamp {
    let local = local(moment);
    let begin = local.date_naive().and_time(NaiveTime::MIN).and_local_timezone(Local).earliest();
    // Where clocks are set forward at midnight the day begins later; that it is an hour off then does no harm.
    let seconds = i64::from(local.num_seconds_from_midnight());
    let fallback = moment.as_millis() - seconds * 1000 - moment.as_millis().rem_euclid(1000);
    begin.map_or(Timestamp::from_millis(fallback), |begin| Timestamp::from_millis(begin.timestamp_millis()))
}

fn local(moment: Timestamp) -> DateTime<Local> {
    let moment = DateTime::from_timestamp_millis(moment.as_millis()).unwrap_or_default();
    moment.with_timezone(&Local)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_day_begins_at_its_midnight_and_not_before() {
        let now = Timestamp::from_millis(1_763_686_461_123);
        let midnight = midnight(now);
        assert!(midnight <= now && now.minus(Duration::from_hours(26)) < midnight);
        assert_eq!(day(midnight), day(now));
        assert!(day(midnight.minus(Duration::from_millis(1))) < day(now));
    }
}
