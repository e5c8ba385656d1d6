//! What sources and endpoints, the systems of others, give to do.

use super::names;

/// Counts what a source sent.
pub fn receipt(outcome: &'static str) {
    metrics::counter!(names::RECEIPTS, "outcome" => outcome).increment(1);
}

/// Counts a look at a shop whose orders are read over REST: `read` or `failed`.
pub fn polled(outcome: &'static str) {
    metrics::counter!(names::SOURCE_POLLS, "outcome" => outcome).increment(1);
}

/// Says for how many endpoints or sources this node works.
pub fn leases(of: &'static str, count: usize) {
    #[expect(clippy::cast_precision_loss, reason = "there are few of them")]
    metrics::gauge!(names::LEASES, "of" => of).set(count as f64);
}
