//! Logs, metrics and traces: how log lines are written, and the one list of the metrics' names.

mod bus;
mod meter;
mod outage;
mod refusals;
mod repeated;
mod shops;
mod traces;

use std::{
    io::IsTerminal as _,
    sync::OnceLock,
    time::{Duration, Instant},
};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

pub use self::{
    bus::{
        Found, NotHeard, NotSent, bus_connected, bus_lag, bus_not_heard, bus_not_sent, bus_published,
        bus_received, hole_filled, log_latest, log_position, start_bus,
    },
    meter::Meter,
    outage::Outage,
    refusals::Refusals,
    repeated::Repeated,
    shops::{leases, polled, receipt},
    traces::{Begun, Kind, Span, Traces},
};
use crate::config::LogFormat;

/// The names of all metrics: the one list, from which they are also described and started at zero.
pub mod names {
    /// Open connections, sessions among them (gauge).
    pub const CONNECTIONS: &str = "shopbell_connections";
    /// Sessions that were let in, before their credentials were looked up (counter).
    pub const HANDSHAKES: &str = "shopbell_handshakes_total";
    /// Live sessions, by `transport` (gauge).
    pub const SESSIONS: &str = "shopbell_sessions";
    /// Sessions that the server closed, by close `code` (counter).
    pub const SESSIONS_CLOSED: &str = "shopbell_sessions_closed_total";
    /// Sessions that are not up to date and read on from the log (gauge).
    pub const SESSIONS_LAGGING: &str = "shopbell_sessions_lagging";
    /// Times that a session could not keep up and went on from the log (counter).
    pub const SESSIONS_LAGGED: &str = "shopbell_sessions_lagged_total";
    /// Bytes in the outboxes of sessions, as of the last sweep (gauge).
    pub const OUTBOX_BYTES: &str = "shopbell_outbox_bytes";
    /// Bytes of `--memory-budget` that are in use (gauge).
    pub const HELD_BYTES: &str = "shopbell_held_bytes";
    /// Notifications written to sessions, by `transport` (counter).
    pub const ALERTS_DELIVERED: &str = "shopbell_alerts_delivered_total";
    /// From the COMMIT of a notification until the last session of a thread has it, by `transport` (histogram, seconds).
    pub const ALERT_SECONDS: &str = "shopbell_alert_seconds";
    /// Times that a session was told of a gap because the log no longer reached back (counter).
    pub const GAPS: &str = "shopbell_gaps_total";
    /// What was refused, over HTTP and on sessions, by `code` (counter).
    pub const REFUSALS: &str = "shopbell_refusals_total";
    /// What sources sent, by `outcome`; `bad_signature` is what no secret of the source signed (counter).
    pub const RECEIPTS: &str = "shopbell_receipts_total";
    /// Looks at shops whose orders are read over REST, by `outcome`: `read` or `failed` (counter).
    pub const SOURCE_POLLS: &str = "shopbell_source_polls_total";
    /// Endpoints and sources that this node works for, by `of`: `endpoint`, `source` (gauge).
    pub const LEASES: &str = "shopbell_leases";
    /// Jobs in a queue, by `queue`: `writer`, `passwords` (gauge).
    pub const QUEUE_DEPTH: &str = "shopbell_queue_depth";
    /// Jobs that committed together (histogram).
    pub const WRITER_BATCH: &str = "shopbell_writer_batch_jobs";
    /// Time of a transaction of the writer, COMMIT included (histogram, seconds).
    pub const WRITER_SECONDS: &str = "shopbell_writer_seconds";
    /// Transactions of the writer that failed as a whole (counter).
    pub const WRITER_FAILURES: &str = "shopbell_writer_failures_total";
    /// Time that the database takes, by `step`: `reader_wait` for a reader's turn, `read` for what it does in it,
    /// `commit` for the COMMIT alone (histogram, seconds).
    pub const DATABASE_SECONDS: &str = "shopbell_sqlite_seconds";
    /// Attempts to tell endpoints news, by `outcome`: `delivered`, `retried`, `failed` (counter).
    pub const DELIVERIES: &str = "shopbell_deliveries_total";
    /// Time of such an attempt (histogram, seconds).
    pub const DELIVERY_SECONDS: &str = "shopbell_delivery_seconds";
    /// Events and deliveries that enabled endpoints were not told yet (gauge).
    pub const DELIVERY_BACKLOG: &str = "shopbell_delivery_backlog";
    /// Age of the oldest of them (gauge, seconds).
    pub const DELIVERY_OLDEST: &str = "shopbell_delivery_oldest_seconds";
    /// Whether the bus between the nodes is there: 1 or 0; 0 also where there is none (gauge).
    pub const BUS_CONNECTED: &str = "shopbell_bus_connected";
    /// Messages that left for other nodes, by `topic` (counter).
    pub const BUS_PUBLISHED: &str = "shopbell_bus_published_total";
    /// Messages of other nodes that came, by `topic` (counter).
    pub const BUS_RECEIVED: &str = "shopbell_bus_received_total";
    /// Messages that were not sent, or were not heard, by `reason` (counter).
    pub const BUS_DROPPED: &str = "shopbell_bus_dropped_total";
    /// From a commit on another node until its news are here, as far as the clocks of both agree (histogram, seconds).
    pub const BUS_LAG: &str = "shopbell_bus_lag_seconds";
    /// Times that the relay read notifications from the log that nobody had told it, by how it `found` that: `news` that left
    /// a hole, or its `poll` (counter).
    pub const HOLES_FILLED: &str = "shopbell_holes_filled_total";
    /// The newest notification that this node knows to be in the log, by its offset (gauge).
    pub const LOG_LATEST: &str = "shopbell_log_latest";
    /// The last notification that this node has told its sessions, by its offset: what it is behind `shopbell_log_latest`, its
    /// own or another node's, is its lag (gauge).
    pub const LOG_POSITION: &str = "shopbell_log_position";
    /// Steps of traces, by `outcome`: `exported`, `dropped` (there was no room for them), `failed` (the collector did not take
    /// them) (counter).
    pub const TRACE_SPANS: &str = "shopbell_trace_spans_total";
}

/// Upper bounds of the histograms of times, in seconds.
const SECONDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the histogram of batch sizes.
const JOBS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Starts logging to standard error. `RUST_LOG` chooses what is logged; `info` when it is absent, without what the client of
/// the bus says of each attempt to connect.
pub fn start_logging(format: LogFormat) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,async_nats=off"));
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        LogFormat::Text => {
            registry.with(fmt::layer().with_ansi(takes_colors()).with_writer(std::io::stderr)).try_init()
        }
        LogFormat::Json => registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init(),
    };
    // A second start in one process (tests) keeps the first.
    drop(started);
}

/// Colors are for a person at a terminal who did not refuse them (<https://no-color.org>); the journal keeps what it gets.
fn takes_colors() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn recorder() -> Option<&'static PrometheusHandle> {
    // The `metrics` facade has one recorder per process.
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(|| install().ok()).as_ref()
}

fn install() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(names::WRITER_BATCH.into()), &JOBS)?
        .install_recorder()
}

/// Starts counting; every number is there from the start.
///
/// `transports` are the values of the label `transport`.
pub fn start_metrics(transports: impl IntoIterator<Item = &'static str>) {
    if recorder().is_none() {
        tracing::warn!("metrics are not available");
    }
    describe();
    for transport in transports {
        metrics::gauge!(names::SESSIONS, "transport" => transport).increment(0.0);
        metrics::counter!(names::ALERTS_DELIVERED, "transport" => transport).increment(0);
    }
    for name in [names::CONNECTIONS, names::SESSIONS_LAGGING, names::OUTBOX_BYTES, names::HELD_BYTES] {
        metrics::gauge!(name).increment(0.0);
    }
    for outcome in [DeliveryOutcome::Delivered, DeliveryOutcome::Retried, DeliveryOutcome::Failed] {
        metrics::counter!(names::DELIVERIES, "outcome" => outcome.label()).increment(0);
    }
    backlog(0, Duration::ZERO);
    for queue in [Queue::Writer, Queue::Passwords] {
        queue_shrank(queue, 0);
    }
    for name in [names::HANDSHAKES, names::SESSIONS_LAGGED, names::GAPS, names::WRITER_FAILURES] {
        metrics::counter!(name).increment(0);
    }
    bus::start();
}

fn describe() {
    bus::describe();
    metrics::describe_gauge!(names::CONNECTIONS, "Open connections, sessions among them");
    metrics::describe_counter!(names::HANDSHAKES, "Sessions let in, before credentials were looked up");
    metrics::describe_gauge!(names::SESSIONS, "Live sessions");
    metrics::describe_counter!(names::SESSIONS_CLOSED, "Sessions closed by the server, by close code");
    metrics::describe_gauge!(names::SESSIONS_LAGGING, "Sessions that read on from the log");
    metrics::describe_counter!(names::SESSIONS_LAGGED, "Sessions that went on from the log");
    metrics::describe_gauge!(names::OUTBOX_BYTES, "Bytes that wait for sessions to take them");
    metrics::describe_gauge!(names::HELD_BYTES, "Bytes of everything partial or waiting");
    metrics::describe_counter!(names::ALERTS_DELIVERED, "Notifications written to sessions");
    metrics::describe_histogram!(names::ALERT_SECONDS, "From commit to the last session of a thread");
    metrics::describe_counter!(names::GAPS, "Sessions told of a gap");
    metrics::describe_counter!(names::REFUSALS, "What was refused, by code");
    metrics::describe_counter!(names::RECEIPTS, "What sources sent, by what became of it");
    metrics::describe_counter!(names::SOURCE_POLLS, "Looks at shops whose orders are read over REST");
    metrics::describe_gauge!(names::LEASES, "Endpoints and sources that this node works for");
    metrics::describe_gauge!(names::QUEUE_DEPTH, "Work that waits for its turn");
    metrics::describe_histogram!(names::WRITER_BATCH, "Jobs that committed together");
    metrics::describe_histogram!(names::WRITER_SECONDS, "Time of a transaction");
    metrics::describe_counter!(names::WRITER_FAILURES, "Transactions that failed as a whole");
    metrics::describe_histogram!(names::DATABASE_SECONDS, "Time that the database takes, by step");
    metrics::describe_counter!(names::DELIVERIES, "Attempts to tell endpoints news, by outcome");
    metrics::describe_histogram!(names::DELIVERY_SECONDS, "Time of an attempt to tell an endpoint");
    metrics::describe_gauge!(names::DELIVERY_BACKLOG, "What endpoints were not told yet");
    metrics::describe_counter!(names::TRACE_SPANS, "Steps of traces, by what became of them");
    metrics::describe_gauge!(names::DELIVERY_OLDEST, "Age of the oldest of what endpoints were not told yet");
}

/// All numbers in Prometheus' text format.
#[must_use]
pub fn render_metrics() -> String {
    recorder().map(PrometheusHandle::render).unwrap_or_default()
}

/// Counts notifications written to sessions of one transport, and how long that took from their COMMIT.
pub fn alerts_delivered(transport: &'static str, count: usize, since_commit: Duration) {
    if count > 0 {
        metrics::counter!(names::ALERTS_DELIVERED, "transport" => transport).increment(count as u64);
        metrics::histogram!(names::ALERT_SECONDS, "transport" => transport).record(since_commit);
    }
}

/// Counts a connection in.
pub fn connection_opened() {
    metrics::gauge!(names::CONNECTIONS).increment(1.0);
}

/// Counts a connection out.
pub fn connection_ended() {
    metrics::gauge!(names::CONNECTIONS).decrement(1.0);
}

/// Counts a handshake.
pub fn handshake() {
    metrics::counter!(names::HANDSHAKES).increment(1);
}

/// Counts a session in.
pub fn session_opened(transport: &'static str) {
    metrics::gauge!(names::SESSIONS, "transport" => transport).increment(1.0);
}

/// Counts a session out.
pub fn session_ended(transport: &'static str) {
    metrics::gauge!(names::SESSIONS, "transport" => transport).decrement(1.0);
}

/// Counts a session that the server closed.
pub fn session_closed(code: u16) {
    metrics::counter!(names::SESSIONS_CLOSED, "code" => code.to_string()).increment(1);
}

/// Counts a session that could not keep up.
pub fn session_lagged() {
    metrics::counter!(names::SESSIONS_LAGGED).increment(1);
}

/// Counts a session that was told of a gap.
pub fn gap() {
    metrics::counter!(names::GAPS).increment(1);
}

/// Counts a refusal.
pub fn refused(code: &'static str) {
    metrics::counter!(names::REFUSALS, "code" => code).increment(1);
    refusals::count(code, Instant::now());
}

/// What was refused since the start.
#[must_use]
pub fn refusals(now: Instant) -> Refusals {
    refusals::counted(now)
}

/// Counts a transaction of the writer.
pub fn wrote(jobs: usize, took: Duration, failed: bool) {
    #[expect(clippy::cast_precision_loss, reason = "a batch has 256 jobs at most")]
    metrics::histogram!(names::WRITER_BATCH).record(jobs as f64);
    metrics::histogram!(names::WRITER_SECONDS).record(took);
    if failed {
        metrics::counter!(names::WRITER_FAILURES).increment(1);
    }
}

/// A queue of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Writes to the database.
    Writer,
    /// Password hashes.
    Passwords,
}

impl Queue {
    fn gauge(self) -> metrics::Gauge {
        let queue = match self {
            Self::Writer => "writer",
            Self::Passwords => "passwords",
        };
        metrics::gauge!(names::QUEUE_DEPTH, "queue" => queue)
    }
}

/// Counts one into a queue.
pub fn queue_grew(queue: Queue) {
    queue.gauge().increment(1.0);
}

/// Counts so many out of a queue.
#[expect(clippy::cast_precision_loss, reason = "no queue has so many")]
pub fn queue_shrank(queue: Queue, by: usize) {
    queue.gauge().decrement(by as f64);
}

/// The bytes that wait on a thread have changed.
#[expect(clippy::cast_precision_loss, reason = "a gauge need not be exact beyond 2^53")]
pub fn outbox_bytes(before: usize, now: usize) {
    if before != now {
        metrics::gauge!(names::OUTBOX_BYTES).increment(now as f64 - before as f64);
    }
}

/// So many bytes of everything partial or waiting are held.
#[expect(clippy::cast_precision_loss, reason = "a gauge need not be exact beyond 2^53")]
pub fn held_bytes(bytes: usize) {
    metrics::gauge!(names::HELD_BYTES).set(bytes as f64);
}

/// A session no longer is up to date and reads on from the log, or has caught up.
pub fn session_lags(lags: bool) {
    metrics::gauge!(names::SESSIONS_LAGGING).increment(if lags { 1.0 } else { -1.0 });
}

/// A step of the database that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// Waiting for a reader.
    ReaderWait,
    /// Reading.
    Read,
    /// A COMMIT.
    Commit,
}

/// Records how long a step of the database took.
pub fn database(step: Database, took: Duration) {
    let step = match step {
        Database::ReaderWait => "reader_wait",
        Database::Read => "read",
        Database::Commit => "commit",
    };
    metrics::histogram!(names::DATABASE_SECONDS, "step" => step).record(took);
}

/// What became of an attempt to tell an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// It was taken.
    Delivered,
    /// It is tried again.
    Retried,
    /// It is given up.
    Failed,
}

impl DeliveryOutcome {
    fn label(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retried => "retried",
            Self::Failed => "failed",
        }
    }
}

/// Counts an attempt to tell an endpoint.
pub fn delivery(outcome: DeliveryOutcome, took: Duration) {
    metrics::counter!(names::DELIVERIES, "outcome" => outcome.label()).increment(1);
    metrics::histogram!(names::DELIVERY_SECONDS).record(took);
}

/// What endpoints were not told yet, and how old the oldest of it is.
#[expect(clippy::cast_precision_loss, reason = "a gauge need not be exact beyond 2^53")]
pub fn backlog(events: u64, oldest: Duration) {
    metrics::gauge!(names::DELIVERY_BACKLOG).set(events as f64);
    metrics::gauge!(names::DELIVERY_OLDEST).set(oldest.as_secs_f64());
}
