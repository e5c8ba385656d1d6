//! What to ask for and when: windows of time, pages of them, and pauses.
//!
//! Orders are asked for by the time of their last change and sorted by their number. A number never changes, so that what
//! changes while the pages are read moves no order from a page that is still to come to one that was read.

use std::time::Duration;

use crate::domain::Timestamp;

/// How far before the last look the next one begins: a change takes its time before its transaction is seen.
const OVERLAP: Duration = Duration::from_mins(10);
/// How far back the first look goes. What is older is history, and was told to nobody.
const FIRST_LOOK: Duration = Duration::from_hours(24);
/// The longest stretch of time that is asked for at once, so that a long absence is worked off step by step.
const LONGEST_WINDOW: Duration = Duration::from_hours(24);
/// Orders on a page.
pub(super) const PER_PAGE: usize = 25;
/// The most pages of one window: 20,000 orders in a day.
pub(super) const MAX_PAGES: usize = 800;

/// Between two looks.
const INTERVAL: Duration = Duration::from_mins(5);
/// The longest pause, whatever failed and whoever asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// What is read of an order, and nothing else of its buyer.
const FIELDS: &str = "id,status,currency,total,date_created_gmt,date_modified_gmt,date_paid_gmt,\
                      billing.first_name,billing.last_name,line_items";

/// A stretch of time, by the shop's clock, in which orders changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Its beginning.
    pub(super) after: Timestamp,
    /// Its end; `None` for now.
    pub(super) before: Option<Timestamp>,
}

/// The cursor of a text that was kept.
pub(super) fn cursor(text: &str) -> Option<Timestamp> {
    let moment = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp::from_millis(moment.timestamp_millis()))
}

/// Where the first look begins.
pub(super) fn beginning(cursor: Option<Timestamp>, now: Timestamp) -> Timestamp {
    cursor.unwrap_or_else(|| now.minus(FIRST_LOOK))
}

impl Window {
    /// From the last look on.
    pub(super) fn since(cursor: Timestamp, now: Timestamp) -> Self {
        let end = cursor.plus(LONGEST_WINDOW);
        Self { after: cursor.minus(OVERLAP), before: (end < now).then_some(end) }
    }

    /// The query of a page, the first being 1.
    pub(super) fn query(self, page: usize) -> Vec<(&'static str, String)> {
        let mut query = vec![
            ("modified_after", second(self.after)),
            ("dates_are_gmt", "true".to_owned()),
            ("orderby", "id".to_owned()),
            ("order", "asc".to_owned()),
            ("per_page", PER_PAGE.to_string()),
            ("page", page.to_string()),
            ("_fields", FIELDS.to_owned()),
        ];
        query.extend(self.before.map(|before| ("modified_before", second(before))));
        query
    }
}

/// `2026-11-25T12:00:00`: WordPress takes no zone where dates are GMT.
fn second(at: Timestamp) -> String {
    at.to_string().chars().take(19).collect()
}

/// How long to wait after a look: `failures` in a row, what the shop asks for, and a random number from 0 to 1, so that shops
/// are not all read at once.
pub(super) fn pause(failures: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    let backed_off = INTERVAL.saturating_mul(1_u32.checked_shl(failures.min(10)).unwrap_or(u32::MAX));
    let jittered = backed_off.mul_f64(0.9 + 0.2 * random.clamp(0.0, 1.0));
    jittered.max(retry_after.unwrap_or_default()).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_608_000_123);

    #[test]
    fn a_look_begins_before_the_last_one_and_is_no_longer_than_a_day() {
        let cursor = NOW.minus(Duration::from_mins(5));
        let window = Window::since(cursor, NOW);
        assert_eq!(window, Window { after: cursor.minus(OVERLAP), before: None });
        let long_ago = NOW.minus(Duration::from_hours(72));
        let window = Window::since(long_ago, NOW);
        assert_eq!(window.before, Some(NOW.minus(Duration::from_hours(48))));
        assert_eq!(beginning(None, NOW), NOW.minus(FIRST_LOOK));
        assert_eq!(beginning(Some(long_ago), NOW), long_ago);
    }

    #[test]
    fn a_query_asks_for_changes_by_number() {
        let query = Window { after: NOW, before: Some(NOW) }.query(3);
        let value = |name| query.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        assert_eq!(value("modified_after"), Some("2026-11-25T12:00:00"));
        assert_eq!(value("modified_before"), Some("2026-11-25T12:00:00"));
        assert_eq!((value("orderby"), value("page")), (Some("id"), Some("3")));
        assert!(!value("_fields").unwrap().contains("email"));
    }

    #[test]
    fn pauses_grow_and_end_at_an_hour() {
        let minutes = |failures, random| pause(failures, None, random).as_secs_f64() / 60.0;
        assert!((minutes(0, 0.5) - 5.0).abs() < 0.01 && (minutes(0, 0.0) - 4.5).abs() < 0.01);
        assert!((minutes(2, 0.5) - 20.0).abs() < 0.01);
        assert!((minutes(4, 0.5) - 60.0).abs() < 0.01 && (minutes(u32::MAX, 1.0) - 60.0).abs() < 0.01);
        assert_eq!(pause(0, Some(Duration::from_mins(20)), 0.5), Duration::from_mins(20));
        assert_eq!(pause(0, Some(Duration::from_hours(20)), 0.5), LONGEST_PAUSE);
    }
}
