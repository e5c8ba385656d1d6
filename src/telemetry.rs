//! Logs and numbers: how lines are written, and the one list of the metrics' names.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::config::LogFormat;

/// Live sessions (gauge).
const SESSIONS: &str = "shopbell_sessions";
/// Notifications written to sessions (counter).
const ALERTS_DELIVERED: &str = "shopbell_alerts_delivered_total";
/// Sessions closed by the server, by close code (counter).
const SESSIONS_CLOSED: &str = "shopbell_sessions_closed_total";

/// Starts logging to standard error. `RUST_LOG` chooses what is logged; `info` when it is absent.
pub fn start_logging(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        LogFormat::Text => registry.with(fmt::layer().with_writer(std::io::stderr)).try_init(),
        LogFormat::Json => registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init(),
    };
    // A second start in one process (tests) keeps the first.
    drop(started);
}

fn recorder() -> Option<&'static PrometheusHandle> {
    // The process has one set of numbers, whatever it serves; the facade wants it so.
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}

/// Starts counting.
pub fn start_metrics() {
    if recorder().is_none() {
        tracing::warn!("metrics are not available");
    }
    metrics::describe_gauge!(SESSIONS, "Live sessions");
    metrics::describe_counter!(ALERTS_DELIVERED, "Notifications written to sessions");
    metrics::describe_counter!(SESSIONS_CLOSED, "Sessions closed by the server, by close code");
}

/// All numbers in Prometheus' text format.
#[must_use]
pub fn render_metrics() -> String {
    recorder().map(PrometheusHandle::render).unwrap_or_default()
}

/// Counts notifications written to sessions.
pub fn alerts_delivered(count: usize) {
    metrics::counter!(ALERTS_DELIVERED).increment(count as u64);
}

/// Counts a session in.
pub fn session_opened() {
    metrics::gauge!(SESSIONS).increment(1.0);
}

/// Counts a session out.
pub fn session_ended() {
    metrics::gauge!(SESSIONS).decrement(1.0);
}

/// Counts a session that the server closed.
pub fn session_closed(code: u16) {
    metrics::counter!(SESSIONS_CLOSED, "code" => code.to_string()).increment(1);
}
