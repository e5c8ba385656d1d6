//! `/api/admin/sources`: who may say that something was bought elsewhere, and what became of what each said.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    hooks::BecameResponse,
    names::{buyers, kinds, outcomes},
    requests,
};
use crate::{
    clock,
    domain::{Invalid, OrderId, SourceId, Timestamp, fields::flag},
    hooks::Secret,
    service::{
        ingest::Unsigned,
        poll_reports::PollReport,
        sources::{Changes, WantedSource},
    },
    state::AppState,
    store::{KeptSecret, Outcome, Receipt, ReceiptId, ReceiptQuery, Source},
    web::{
        Admin, Body, Code, Id, Problem, Query, State, answer,
        params::{cursor, limit},
    },
};

const MAX_LIMIT: u32 = 200;
const DEFAULT_LIMIT: u32 = 50;

/// A source as administrators see it. Its secrets are never among it.
#[derive(Serialize, ToSchema)]
#[schema(as = Source)]
#[serde(rename_all = "camelCase")]
struct SourceResponse<'a> {
    source_id: &'a str,
    #[schema(schema_with = kinds)]
    kind: &'a str,
    name: &'a str,
    url: String,
    #[schema(schema_with = buyers)]
    buyer: &'static str,
    goods_name: Option<&'a str>,
    announce_within: String,
    rate: u32,
    currency: Option<String>,
    poll_url: Option<&'a str>,
    polled: Option<PolledResponse>,
    secrets: Vec<SecretResponse>,
    bad_signatures: Option<UnsignedResponse>,
    created_at: Timestamp,
}

/// Since when a secret holds and until when.
#[derive(Serialize, ToSchema)]
#[schema(as = SourceSecret)]
#[serde(rename_all = "camelCase")]
struct SecretResponse {
    created_at: Timestamp,
    ends_at: Option<Timestamp>,
}

/// What became of the last look at a shop that is polled.
#[derive(Serialize, ToSchema)]
#[schema(as = Polled)]
struct PolledResponse {
    at: Timestamp,
    failures: u32,
    why: Option<String>,
}

impl From<PollReport> for PolledResponse {
    fn from(report: PollReport) -> Self {
        Self { at: report.at, failures: report.failures, why: report.why }
    }
}

/// What no secret of the source signed, since the start of the program.
#[derive(Serialize, ToSchema)]
#[schema(as = BadSignatures)]
#[serde(rename_all = "camelCase")]
struct UnsignedResponse {
    count: u64,
    last_at: Timestamp,
    why: &'static str,
}

impl From<&KeptSecret> for SecretResponse {
    fn from(kept: &KeptSecret) -> Self {
        Self { created_at: kept.created_at, ends_at: kept.ends_at }
    }
}

impl From<Unsigned> for UnsignedResponse {
    fn from(unsigned: Unsigned) -> Self {
        Self { count: unsigned.count, last_at: unsigned.last_at, why: unsigned.why }
    }
}

/// Where a source is called. Without `--public-url` nobody knows what it is called from outside.
fn url(state: &AppState, id: &SourceId) -> String {
    format!("{}/hooks/{id}", state.settings.public_url.as_deref().unwrap_or_default())
}

/// All sources.
#[derive(Serialize, ToSchema)]
struct Sources<'a> {
    sources: Vec<SourceResponse<'a>>,
}

/// A source, with the secret that was made for it: it is told this once.
#[derive(Serialize, ToSchema)]
#[schema(as = SourceAnswer)]
struct Wrapped<'a> {
    source: SourceResponse<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

fn shown<'a>(state: &AppState, source: &'a Source) -> SourceResponse<'a> {
    let (record, settings) = (&source.record, &source.record.settings);
    SourceResponse {
        source_id: record.id.as_str(),
        kind: source.kind.as_str(),
        name: settings.name.as_str(),
        url: url(state, &record.id),
        buyer: settings.buyer.name(),
        goods_name: settings.goods_name.as_ref().map(|name| name.as_str()),
        announce_within: humantime::format_duration(settings.announce_within).to_string(),
        rate: settings.rate,
        currency: record.currency.map(|currency| currency.code().to_owned()),
        poll_url: settings.poll.as_ref().map(|poll| poll.url.as_str()),
        polled: state.poll_reports.of(&record.id).map(PolledResponse::from),
        secrets: source.secrets.iter().map(SecretResponse::from).collect(),
        bad_signatures: state.ingest.unsigned(&record.id).map(UnsignedResponse::from),
        created_at: record.created_at,
    }
}

fn wrapped<'a>(state: &AppState, source: &'a Source, made: Option<&'a Secret>) -> Wrapped<'a> {
    Wrapped { source: shown(state, source), secret: made.map(Secret::expose) }
}

/// List sources.
#[utoipa::path(
    get, path = "/api/admin/sources",
    security(("admin" = [])),
    responses((status = 200, body = Sources<'static>)),
)]
pub(super) async fn list(state: State, _admin: Admin) -> Result<HttpResponse, Problem> {
    let sources = state.sources.list().await?;
    let sources = sources.iter().map(|source| shown(&state, source)).collect();
    Ok(answer::ok(&Sources { sources }))
}

/// Make a source.
///
/// The secret, where one is made here, is told this once.
#[utoipa::path(
    post, path = "/api/admin/sources",
    security(("admin" = [])),
    request_body = requests::NewSource,
    responses((status = 201, body = Wrapped<'static>, headers(("Location")))),
)]
pub(super) async fn create(state: State, admin: Admin, body: Body) -> Result<HttpResponse, Problem> {
    let wanted = WantedSource::read(body.fields().await?)?;
    let (source, made) = state.sources.create(wanted, Some(admin.actor()), clock::now()).await?;
    let body = wrapped(&state, &source, made.as_ref());
    let mut response = answer::private(StatusCode::CREATED, &body);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/admin/sources/{}", source.record.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Show a source.
#[utoipa::path(
    get, path = "/api/admin/sources/{sourceId}",
    security(("admin" = [])),
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn show(state: State, _admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    let source = state.sources.get(&id.read(SourceId::parse)?).await?;
    Ok(answer::ok(&wrapped(&state, &source, None)))
}

/// Change a source.
#[utoipa::path(
    patch, path = "/api/admin/sources/{sourceId}",
    security(("admin" = [])),
    request_body = requests::SourceChange,
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn change(state: State, admin: Admin, id: Id, body: Body) -> Result<HttpResponse, Problem> {
    let id = id.read(SourceId::parse)?;
    let changes = Changes::read(body.fields().await?)?;
    let source = state.sources.change(&id, changes, Some(admin.actor()), clock::now()).await?;
    Ok(answer::ok(&wrapped(&state, &source, None)))
}

/// Remove a source.
#[utoipa::path(
    delete, path = "/api/admin/sources/{sourceId}",
    security(("admin" = [])),
    responses((status = 204)),
)]
pub(super) async fn remove(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    let id = id.read(SourceId::parse)?;
    state.sources.remove(&id, Some(admin.actor()), clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Make another secret.
///
/// The older ones hold beside it until `dropOld`.
#[utoipa::path(
    post, path = "/api/admin/sources/{sourceId}/rotate",
    security(("admin" = [])),
    request_body = Option<requests::Rotation>,
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn rotate(state: State, admin: Admin, id: Id, body: Body) -> Result<HttpResponse, Problem> {
    let id = id.read(SourceId::parse)?;
    let fields = body.fields_if_any().await?;
    let known = fields.only(&["secret", "dropOld"]);
    let drop_old = fields.optional("dropOld", flag);
    let secret = fields.optional("secret", |text| Ok(text.to_owned()));
    let (secret, drop_old, ()) = fields.finish((secret, drop_old, known))?;
    let (by, now) = (Some(admin.actor()), clock::now());
    if drop_old == Some(true) {
        let source = state.sources.drop_old(&id, by, now).await?;
        return Ok(answer::ok(&wrapped(&state, &source, None)));
    }
    let (source, made) = state.sources.rotate(&id, secret.as_deref(), by, now).await?;
    Ok(answer::ok(&wrapped(&state, &source, made.as_ref())))
}

/// A receipt as administrators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Receipt)]
#[serde(rename_all = "camelCase")]
struct ReceiptResponse<'a> {
    receipt_id: i64,
    received_at: Timestamp,
    via: &'a str,
    topic: Option<&'a str>,
    number: Option<&'a str>,
    #[schema(schema_with = outcomes)]
    outcome: &'a str,
    why: &'a str,
    order_id: Option<OrderId>,
    body: Option<&'a str>,
}

impl<'a> From<&'a Receipt> for ReceiptResponse<'a> {
    fn from(receipt: &'a Receipt) -> Self {
        Self {
            receipt_id: receipt.id.0,
            received_at: receipt.received_at,
            via: &receipt.via,
            topic: receipt.topic.as_deref(),
            number: receipt.number.as_deref(),
            outcome: &receipt.outcome,
            why: &receipt.why,
            order_id: receipt.order_id,
            body: receipt.body.as_deref(),
        }
    }
}

/// A page of what came from a source, newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Receipts<'a> {
    receipts: Vec<ReceiptResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<i64>,
}

fn receipt_id(text: &str) -> Option<ReceiptId> {
    OrderId::parse(text).map(|id| ReceiptId(id.0))
}

/// List what came from a source, and what became of it.
#[utoipa::path(
    get, path = "/api/admin/sources/{sourceId}/receipts",
    security(("admin" = [])),
    params(requests::ReceiptPage),
    responses((status = 200, body = Receipts<'static>)),
)]
pub(super) async fn receipts(
    state: State,
    _admin: Admin,
    id: Id,
    query: Query,
) -> Result<HttpResponse, Problem> {
    const OUTCOME: Invalid = Invalid::new("invalid", "there is no such outcome of a receipt");
    let id = id.read(SourceId::parse)?;
    let fields = query.0;
    let before = fields.optional("cursor", cursor(receipt_id));
    let limit = fields.optional("limit", limit(MAX_LIMIT));
    let outcome = fields.optional("outcome", |text| Outcome::parse(text).ok_or(OUTCOME));
    let (before, limit, outcome) = fields.finish((before, limit, outcome))?;
    let query = ReceiptQuery { outcome, before, limit: limit.unwrap_or(DEFAULT_LIMIT) };
    let page = state.ingest.receipts(&id, query).await?;
    let receipts = page.items.iter().map(ReceiptResponse::from).collect();
    Ok(answer::ok(&Receipts { receipts, next_cursor: page.next.map(|id| id.0) }))
}

/// Try a receipt again.
#[utoipa::path(
    post, path = "/api/admin/sources/{sourceId}/receipts/{receiptId}/retry",
    security(("admin" = [])),
    responses((status = 200, body = BecameResponse<'static>)),
    extensions(("x-refusals" = json!([Code::ReceiptForgotten, Code::MalformedBody]))),
)]
pub(super) async fn retry(
    state: State,
    admin: Admin,
    request: actix_web::HttpRequest,
) -> Result<HttpResponse, Problem> {
    let part = |name| request.match_info().get(name).unwrap_or_default();
    let id = SourceId::parse(part("sourceId")).ok_or_else(Problem::not_found)?;
    let receipt = receipt_id(part("receiptId")).ok_or_else(Problem::not_found)?;
    let became = state.ingest.retry(&id, receipt, Some(admin.actor()), clock::now()).await?;
    Ok(answer::ok(&BecameResponse::from(&became)))
}
