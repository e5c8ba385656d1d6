//! The numbers of what nodes tell each other, and of how far each of them has come in the log.

use std::time::Duration;

use super::names;
use crate::domain::Offset;

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// The bus is not there.
    Away,
    /// Too many wait already.
    Full,
    /// The bus does not take so large ones.
    TooLarge,
}

/// Why a message that came was not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotHeard {
    /// A node of another version wrote it.
    Version,
    /// It is none of ours.
    Malformed,
    /// It was heard before.
    Repeated,
    /// Too many waited already.
    Full,
}

/// How the relay found that there is more in the log than it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is a hole in what it was told.
    News,
    /// It looked.
    Poll,
}

const NOT_SENT: [NotSent; 3] = [NotSent::Away, NotSent::Full, NotSent::TooLarge];
const NOT_HEARD: [NotHeard; 4] = [NotHeard::Version, NotHeard::Malformed, NotHeard::Repeated, NotHeard::Full];

impl NotSent {
    fn label(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Full => "outgoing_full",
            Self::TooLarge => "too_large",
        }
    }
}

impl NotHeard {
    fn label(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Malformed => "malformed",
            Self::Repeated => "repeated",
            Self::Full => "incoming_full",
        }
    }
}

impl Found {
    fn label(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::Poll => "poll",
        }
    }
}

pub(super) fn start() {
    metrics::gauge!(names::BUS_CONNECTED).increment(0.0);
    for reason in NOT_SENT.map(NotSent::label).into_iter().chain(NOT_HEARD.map(NotHeard::label)) {
        metrics::counter!(names::BUS_DROPPED, "reason" => reason).increment(0);
    }
    for found in [Found::News, Found::Poll] {
        metrics::counter!(names::HOLES_FILLED, "found" => found.label()).increment(0);
    }
}

pub(super) fn describe() {
    metrics::describe_gauge!(names::BUS_CONNECTED, "Whether the bus between the nodes is there");
    metrics::describe_counter!(names::BUS_PUBLISHED, "Messages that left for other nodes, by topic");
    metrics::describe_counter!(names::BUS_RECEIVED, "Messages of other nodes, by topic");
    metrics::describe_counter!(names::BUS_DROPPED, "Messages not sent or not heard, by reason");
    metrics::describe_histogram!(names::BUS_LAG, "From a commit on another node until its news are here");
    metrics::describe_counter!(names::HOLES_FILLED, "Reads of the log for what nobody had told");
    metrics::describe_gauge!(names::LOG_LATEST, "The newest notification that is known to be in the log");
    metrics::describe_gauge!(names::LOG_POSITION, "The last notification that sessions were told");
}

/// There is a bus, on which messages have these topics.
pub fn start_bus(topics: impl IntoIterator<Item = &'static str>) {
    for topic in topics {
        metrics::counter!(names::BUS_PUBLISHED, "topic" => topic).increment(0);
        metrics::counter!(names::BUS_RECEIVED, "topic" => topic).increment(0);
    }
}

/// Whether the bus is there.
pub fn bus_connected(is_up: bool) {
    metrics::gauge!(names::BUS_CONNECTED).set(if is_up { 1.0 } else { 0.0 });
}

/// Counts a message that left.
pub fn bus_published(topic: &'static str) {
    metrics::counter!(names::BUS_PUBLISHED, "topic" => topic).increment(1);
}

/// Counts a message that came.
pub fn bus_received(topic: &'static str) {
    metrics::counter!(names::BUS_RECEIVED, "topic" => topic).increment(1);
}

/// Counts a message that was not sent.
pub fn bus_not_sent(reason: NotSent) {
    metrics::counter!(names::BUS_DROPPED, "reason" => reason.label()).increment(1);
}

/// Counts a message that was not heard.
pub fn bus_not_heard(reason: NotHeard) {
    metrics::counter!(names::BUS_DROPPED, "reason" => reason.label()).increment(1);
}

/// Records how long news were on their way from another node.
pub fn bus_lag(lag: Duration) {
    metrics::histogram!(names::BUS_LAG).record(lag);
}

/// Counts a read of the log for what nobody had told.
pub fn hole_filled(found: Found) {
    metrics::counter!(names::HOLES_FILLED, "found" => found.label()).increment(1);
}

/// The newest notification that is known to be in the log.
pub fn log_latest(offset: Offset) {
    #[expect(clippy::cast_precision_loss, reason = "no log is longer than 2^53")]
    metrics::gauge!(names::LOG_LATEST).set(offset.0 as f64);
}

/// The last notification that sessions were told.
pub fn log_position(offset: Offset) {
    #[expect(clippy::cast_precision_loss, reason = "no log is longer than 2^53")]
    metrics::gauge!(names::LOG_POSITION).set(offset.0 as f64);
}
