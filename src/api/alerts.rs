//! `/api/admin/alerts`: who hears alerts, what they say, and how the widget shows them.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    names::{audiences, displays},
    requests,
};
use crate::{
    clock,
    domain::Toasts,
    service::alerts::{AlertSettings, AlertsPatch},
    state::AppState,
    web::{Admin, Body, Problem, State, answer},
};

/// The settings of alerts.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertSettings)]
#[serde(rename_all = "camelCase")]
struct AlertsResponse<'a> {
    #[schema(schema_with = audiences)]
    audience: &'static str,
    #[schema(schema_with = displays)]
    nickname_display: &'static str,
    unnamed_buyer: &'a str,
    never_announce_categories: &'a [String],
    toasts: ToastsResponse<'a>,
}

/// How the widget shows alerts unless its attributes say otherwise.
#[derive(Serialize, ToSchema)]
#[schema(as = Toasts)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToastsResponse<'a> {
    seconds: u32,
    delay_seconds: u32,
    gap_seconds: u32,
    at_once: u32,
    per_visit: Option<u32>,
    include: &'a [String],
    exclude: &'a [String],
    quiet_days: u32,
    digest_per_second: Option<u32>,
}

impl<'a> From<&'a Toasts> for ToastsResponse<'a> {
    fn from(toasts: &'a Toasts) -> Self {
        Self {
            seconds: toasts.seconds,
            delay_seconds: toasts.delay_seconds,
            gap_seconds: toasts.gap_seconds,
            at_once: toasts.at_once,
            per_visit: toasts.per_visit,
            include: &toasts.include,
            exclude: &toasts.exclude,
            quiet_days: toasts.quiet_days,
            digest_per_second: toasts.digest_per_second,
        }
    }
}

/// Them, and which of them the operator set.
#[derive(Serialize, ToSchema)]
#[schema(as = AlertsAnswer)]
struct Wrapped<'a> {
    alerts: AlertsResponse<'a>,
    fixed: Vec<&'static str>,
}

fn shown<'a>(state: &AppState, settings: &'a AlertSettings) -> Wrapped<'a> {
    let alerts = AlertsResponse {
        audience: settings.audience.name(),
        nickname_display: settings.display.name(),
        unnamed_buyer: &settings.unnamed,
        never_announce_categories: &settings.never,
        toasts: (&settings.toasts).into(),
    };
    Wrapped { alerts, fixed: state.alerts.fixed() }
}

/// Show who hears alerts, what they say, and how they are shown.
#[utoipa::path(
    get, path = "/api/admin/alerts", security(("admin" = [])),
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn show(state: State, _admin: Admin) -> HttpResponse {
    answer::ok(&shown(&state, &state.alerts.current()))
}

/// Change that while the shop runs.
#[utoipa::path(
    patch, path = "/api/admin/alerts", security(("admin" = [])),
    request_body = requests::AlertsChange,
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn change(state: State, admin: Admin, body: Body) -> Result<HttpResponse, Problem> {
    let patch = AlertsPatch::read(body.fields().await?)?;
    let settings = state.alerts.change(patch, admin.actor(), clock::now()).await?;
    Ok(answer::ok(&shown(&state, &settings)))
}
