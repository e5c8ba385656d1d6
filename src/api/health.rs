//! `/healthz`, `/readyz`, `/metrics`: for load balancers and monitoring.

use std::time::Duration;

use actix_web::{HttpResponse, http::header::CONTENT_TYPE};
use serde_json::json;

use crate::{
    service::ServiceError,
    telemetry,
    web::{Code, Problem, State, answer},
};

/// A database that takes longer than this counts as down.
const PING_DEADLINE: Duration = Duration::from_secs(2);

/// The process runs.
pub(super) async fn alive() -> HttpResponse {
    answer::ok(&json!({ "status": "ok" }))
}

/// It can serve: the database answers, and it was not told to end.
pub(super) async fn ready(state: State) -> Result<HttpResponse, Problem> {
    state.readiness.admit()?;
    match tokio::time::timeout(PING_DEADLINE, state.store.ping()).await {
        Ok(Ok(())) => Ok(answer::ok(&json!({ "status": "ready" }))),
        Ok(Err(error)) => {
            tracing::error!(%error, "the database does not answer");
            Err(Problem::new(Code::Unavailable, "the database does not answer"))
        }
        Err(_) => Err(ServiceError::Busy("the database did not answer in time").into()),
    }
}

/// The numbers to watch, where everyone asks: only while that is this machine, and they have no address of their own.
pub(super) async fn public_metrics(state: State) -> Result<HttpResponse, Problem> {
    let settings = &state.settings;
    if settings.metrics_addr.is_some() || !settings.addr.ip().to_canonical().is_loopback() {
        return Err(Problem::not_found());
    }
    Ok(metrics().await)
}

/// The numbers to watch, in Prometheus' text format.
pub(super) async fn metrics() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .body(telemetry::render_metrics())
}
