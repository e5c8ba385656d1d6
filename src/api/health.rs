//! `/healthz`, `/readyz`, `/metrics`: for load balancers and monitoring.

use std::time::Duration;

use actix_web::{HttpResponse, http::header::CONTENT_TYPE};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    service::ServiceError,
    telemetry::{self, Outage},
    web::{Code, Problem, State, answer},
};

/// A database that takes longer than this counts as down.
const PING_DEADLINE: Duration = Duration::from_secs(2);

/// Load balancers ask every few seconds.
static DATABASE: Outage = Outage::new("the database does not answer");

/// How it is.
#[derive(Serialize, ToSchema)]
struct Health {
    status: &'static str,
}

/// What it can do.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ready`.
    status: &'static str,
    /// `up`: without it nothing is ready.
    database: &'static str,
    /// `up`; `away`, when the other nodes are heard through the database alone, which takes half a second; `none` where the
    /// shop has one node.
    bus: &'static str,
}

/// Ask whether the process lives.
#[utoipa::path(
    get, path = "/healthz",
    responses((status = 200, body = Health)),
)]
pub(super) async fn alive() -> HttpResponse {
    answer::ok(&Health { status: "ok" })
}

/// Ask whether it can serve.
///
/// The database answers, and it was not told to end. A bus that is away is told, and no reason not to be ready: what it would
/// bring is read from the database.
#[utoipa::path(
    get, path = "/readyz",
    responses((status = 200, body = Readiness)),
    extensions(("x-refusals" = json!([Code::Unavailable, Code::Restarting]))),
)]
pub(super) async fn ready(state: State) -> Result<HttpResponse, Problem> {
    state.readiness.admit()?;
    let pinged = tokio::time::timeout(PING_DEADLINE, state.store.ping()).await;
    if let Ok(pinged) = &pinged {
        DATABASE.note(pinged);
    }
    match pinged {
        Ok(Ok(())) => {
            let bus = state.bus.state().name();
            Ok(answer::ok(&Readiness { status: "ready", database: "up", bus }))
        }
        Ok(Err(_)) => Err(Problem::new(Code::Unavailable, "the database does not answer")),
        Err(_) => Err(ServiceError::Busy("the database did not answer in time").into()),
    }
}

/// Read the numbers to watch.
///
/// In Prometheus' text format; only while `--addr` is this machine's own, and they have no address of their own.
#[utoipa::path(
    get, path = "/metrics",
    responses((status = 200, body = String, content_type = "text/plain")),
    extensions(("x-refusals" = json!([Code::NotFound]))),
)]
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
