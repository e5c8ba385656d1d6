//! `/api/admin/reports`: what visitors reported of what was said in the rooms, and what is done about it.

use std::time::Instant;

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::{names::report_outcomes, requests};
use crate::{
    clock,
    domain::{Invalid, Report, ReportId, ReportOutcome, Timestamp, UserId},
    web::{
        Admin, Id, Problem, Query, State, answer,
        params::{cursor, limit},
    },
};

const MAX_LIMIT: u32 = 1000;
const DEFAULT_LIMIT: u32 = 50;

/// A page of reports, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Reports)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    reports: Vec<ReportResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<ReportId>,
}

/// A report as administrators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
#[serde(rename_all = "camelCase")]
struct ReportResponse<'a> {
    report_id: ReportId,
    room: &'a str,
    nickname: &'a str,
    message: &'a str,
    /// When it was said.
    date: Timestamp,
    /// The account that said it; `null` for a guest.
    user: Option<Account<'a>>,
    reporter: Option<Account<'a>>,
    reported_at: Timestamp,
    #[schema(schema_with = report_outcomes)]
    outcome: Option<&'static str>,
    closed_at: Option<Timestamp>,
    /// Whether who said it may not speak now.
    muted: bool,
}

/// An account by its name.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Account<'a> {
    user_id: UserId,
    nickname: &'a str,
}

impl<'a> Account<'a> {
    fn of(account: Option<&'a (UserId, String)>) -> Option<Self> {
        account.map(|(user_id, nickname)| Self { user_id: *user_id, nickname })
    }
}

impl<'a> ReportResponse<'a> {
    fn of(report: &'a Report, state: &State) -> Self {
        let Report { report_id, room, said, author, reported_by, reported_at, closed } = report;
        Self {
            report_id: *report_id,
            room,
            nickname: &said.nickname,
            message: &said.message,
            date: said.at,
            user: Account::of(author.as_ref()),
            reporter: Account::of(reported_by.as_ref()),
            reported_at: *reported_at,
            outcome: closed.map(|(outcome, _)| outcome.name()),
            closed_at: closed.map(|(_, at)| at),
            muted: state.moderation.is_muted(said.speaker, Instant::now()),
        }
    }
}

/// A report.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportAnswer)]
struct Wrapped<'a> {
    report: ReportResponse<'a>,
}

/// `open` or `closed`, as a flag.
fn is_open(text: &str) -> Result<bool, Invalid> {
    match text {
        "open" => Ok(true),
        "closed" => Ok(false),
        _ => Err(Invalid::new("invalid", "state is open or closed")),
    }
}

/// List what was reported of what was said in rooms.
#[utoipa::path(
    get, path = "/api/admin/reports", security(("admin" = [])),
    params(requests::ReportPage),
    responses((status = 200, body = List<'static>)),
)]
pub(super) async fn list(state: State, _admin: Admin, query: Query) -> Result<HttpResponse, Problem> {
    let fields = query.0;
    let open = fields.optional("state", is_open);
    let before = fields.optional("cursor", cursor(ReportId::parse));
    let limit = fields.optional("limit", limit(MAX_LIMIT));
    let (open, before, limit) = fields.finish((open, before, limit))?;
    let page = state.moderation.reports(open, before, limit.unwrap_or(DEFAULT_LIMIT)).await?;
    let reports = page.items.iter().map(|report| ReportResponse::of(report, &state)).collect();
    Ok(answer::ok(&List { reports, next_cursor: page.next }))
}

/// Let a message pass that was reported.
#[utoipa::path(
    post, path = "/api/admin/reports/{reportId}/dismiss", security(("admin" = [])),
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn dismiss(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    close(&state, &admin, &id, ReportOutcome::Dismissed).await
}

/// Let who said what was reported speak no more.
#[utoipa::path(
    post, path = "/api/admin/reports/{reportId}/mute", security(("admin" = [])),
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn mute(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    close(&state, &admin, &id, ReportOutcome::Muted).await
}

async fn close(
    state: &State,
    admin: &Admin,
    id: &Id,
    outcome: ReportOutcome,
) -> Result<HttpResponse, Problem> {
    let id = id.read(ReportId::parse)?;
    let report = state.moderation.close(id, outcome, admin.actor(), clock::now(), Instant::now()).await?;
    Ok(answer::ok(&Wrapped { report: ReportResponse::of(&report, state) }))
}
