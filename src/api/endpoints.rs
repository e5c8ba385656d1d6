//! `/api/admin/endpoints`: systems of others that are told news, and what became of each delivery.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    names::{delivery_statuses, disabled_by, topics},
    requests,
};
use crate::{
    clock,
    domain::{Attempt, Delivery, DeliveryId, DeliveryStatus, Endpoint, EndpointId, Timestamp},
    service::endpoints::{read_new, read_patch, read_since},
    web::{
        Admin, Body, Code, Id, Problem, Query, State, answer,
        params::{cursor, limit},
    },
};

const MAX_LIMIT: u32 = 200;
const DEFAULT_LIMIT: u32 = 50;

/// An endpoint; its secrets are never shown again.
#[derive(Serialize, ToSchema)]
#[schema(as = Endpoint)]
#[serde(rename_all = "camelCase")]
struct EndpointResponse<'a> {
    endpoint_id: EndpointId,
    url: &'a str,
    #[schema(schema_with = topics)]
    events: Vec<&'static str>,
    enabled: bool,
    disabled_at: Option<Timestamp>,
    #[schema(schema_with = disabled_by)]
    disabled_by: Option<&'static str>,
    failing_since: Option<Timestamp>,
    lost: i64,
    old_secret_until: Option<Timestamp>,
    created_at: Timestamp,
}

impl<'a> From<&'a Endpoint> for EndpointResponse<'a> {
    fn from(endpoint: &'a Endpoint) -> Self {
        let now = clock::now();
        let old = endpoint.old_secret.as_ref().map(|(_, until)| *until);
        Self {
            endpoint_id: endpoint.endpoint_id,
            url: endpoint.url.as_str(),
            events: endpoint.topics.names(),
            enabled: endpoint.disabled.is_none(),
            disabled_at: endpoint.disabled.map(|(at, _)| at),
            disabled_by: endpoint.disabled.map(|(_, reason)| reason.name()),
            failing_since: endpoint.failing_since,
            lost: endpoint.lost,
            old_secret_until: old.filter(|until| *until > now),
            created_at: endpoint.created_at,
        }
    }
}

/// A message to an endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
#[serde(rename_all = "camelCase")]
struct DeliveryResponse<'a> {
    delivery_id: DeliveryId,
    message_id: &'a str,
    r#type: &'a str,
    #[schema(schema_with = delivery_statuses)]
    status: &'static str,
    tries: u32,
    event_at: Timestamp,
    next_attempt_at: Option<Timestamp>,
    updated_at: Timestamp,
}

impl<'a> From<&'a Delivery> for DeliveryResponse<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        Self {
            delivery_id: delivery.delivery_id,
            message_id: &delivery.message,
            r#type: &delivery.kind,
            status: delivery.status.name(),
            tries: delivery.tries,
            event_at: delivery.event_at,
            next_attempt_at: delivery.next_at,
            updated_at: delivery.updated_at,
        }
    }
}

/// An attempt to deliver, and what was answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
#[serde(rename_all = "camelCase")]
struct AttemptResponse<'a> {
    at: Timestamp,
    status: Option<u16>,
    error: Option<&'a str>,
    millis: u32,
    answer: &'a str,
}

impl<'a> From<&'a Attempt> for AttemptResponse<'a> {
    fn from(attempt: &'a Attempt) -> Self {
        Self {
            at: attempt.at,
            status: attempt.status,
            error: attempt.error.as_deref(),
            millis: attempt.millis,
            answer: &attempt.answer,
        }
    }
}

/// A page of messages to an endpoint, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Deliveries)]
#[serde(rename_all = "camelCase")]
struct DeliveryList<'a> {
    deliveries: Vec<DeliveryResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<DeliveryId>,
}

/// All endpoints.
#[derive(Serialize, ToSchema)]
struct Endpoints<'a> {
    endpoints: Vec<EndpointResponse<'a>>,
}

/// An endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = EndpointAnswer)]
struct Wrapped<'a> {
    endpoint: EndpointResponse<'a>,
}

/// An endpoint with the secret that was made for it: it is told this once.
#[derive(Serialize, ToSchema)]
struct EndpointWithSecret<'a> {
    endpoint: EndpointResponse<'a>,
    secret: &'a str,
}

/// A message.
#[derive(Serialize, ToSchema)]
struct DeliveryAnswer<'a> {
    delivery: DeliveryResponse<'a>,
}

/// A message with the attempts that were made.
#[derive(Serialize, ToSchema)]
struct DeliveryWithAttempts<'a> {
    delivery: DeliveryResponse<'a>,
    attempts: Vec<AttemptResponse<'a>>,
}

/// Since when everything is told again.
#[derive(Serialize, ToSchema)]
struct Replaying {
    since: Timestamp,
}

fn wrapped(endpoint: &Endpoint) -> Wrapped<'_> {
    Wrapped { endpoint: endpoint.into() }
}

fn with_secret(endpoint: &Endpoint) -> EndpointWithSecret<'_> {
    EndpointWithSecret { endpoint: endpoint.into(), secret: endpoint.secret.reveal() }
}

fn delivery(delivery: &Delivery) -> DeliveryAnswer<'_> {
    DeliveryAnswer { delivery: delivery.into() }
}

/// The two ids of a path.
fn ids(request: &HttpRequest) -> Result<(EndpointId, DeliveryId), Problem> {
    let id = |name| request.match_info().get(name).unwrap_or_default();
    let ids = EndpointId::parse(id("endpointId")).zip(DeliveryId::parse(id("deliveryId")));
    ids.ok_or_else(Problem::not_found)
}

/// List endpoints.
#[utoipa::path(
    get, path = "/api/admin/endpoints",
    security(("admin" = [])),
    responses((status = 200, body = Endpoints<'static>)),
)]
pub(super) async fn list(state: State, _: Admin) -> Result<HttpResponse, Problem> {
    let found = state.endpoints.list().await?;
    Ok(answer::ok(&Endpoints { endpoints: found.iter().map(EndpointResponse::from).collect() }))
}

/// Make an endpoint.
///
/// The secret is told this once.
#[utoipa::path(
    post, path = "/api/admin/endpoints",
    security(("admin" = [])),
    request_body = requests::NewEndpoint,
    responses((status = 201, body = EndpointWithSecret<'static>, headers(("Location")))),
    extensions(("x-refusals" = json!([Code::TooManyEndpoints]))),
)]
pub(super) async fn create(state: State, admin: Admin, body: Body) -> Result<HttpResponse, Problem> {
    let (url, topics) = read_new(body.fields().await?)?;
    let endpoint = state.endpoints.create(Some(admin.actor()), url, topics, clock::now()).await?;
    let mut response = answer::private(StatusCode::CREATED, &with_secret(&endpoint));
    if let Ok(place) = HeaderValue::from_str(&format!("/api/admin/endpoints/{}", endpoint.endpoint_id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// Show an endpoint.
#[utoipa::path(
    get, path = "/api/admin/endpoints/{endpointId}",
    security(("admin" = [])),
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn show(state: State, _: Admin, id: Id) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(&wrapped(&state.endpoints.get(id.read(EndpointId::parse)?).await?)))
}

/// Change an endpoint.
#[utoipa::path(
    patch, path = "/api/admin/endpoints/{endpointId}",
    security(("admin" = [])),
    request_body = requests::EndpointChange,
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn change(state: State, admin: Admin, id: Id, body: Body) -> Result<HttpResponse, Problem> {
    let id = id.read(EndpointId::parse)?;
    let patch = read_patch(body.fields().await?)?;
    Ok(answer::ok(&wrapped(&state.endpoints.change(Some(admin.actor()), id, patch, clock::now()).await?)))
}

/// Remove an endpoint.
#[utoipa::path(
    delete, path = "/api/admin/endpoints/{endpointId}",
    security(("admin" = [])),
    responses((status = 204)),
)]
pub(super) async fn remove(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    state.endpoints.remove(Some(admin.actor()), id.read(EndpointId::parse)?, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Make another secret.
///
/// Messages are signed with both for a while.
#[utoipa::path(
    post, path = "/api/admin/endpoints/{endpointId}/rotate",
    security(("admin" = [])),
    responses((status = 200, body = EndpointWithSecret<'static>)),
)]
pub(super) async fn rotate(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    let id = id.read(EndpointId::parse)?;
    let endpoint = state.endpoints.rotate(Some(admin.actor()), id, clock::now()).await?;
    Ok(answer::ok(&with_secret(&endpoint)))
}

/// Tell everything since a time again.
#[utoipa::path(
    post, path = "/api/admin/endpoints/{endpointId}/replay",
    security(("admin" = [])),
    request_body = requests::Replay,
    responses((status = 202, body = Replaying)),
    extensions(("x-refusals" = json!([Code::EndpointDisabled, Code::TooOld]))),
)]
pub(super) async fn replay(state: State, admin: Admin, id: Id, body: Body) -> Result<HttpResponse, Problem> {
    let id = id.read(EndpointId::parse)?;
    let since = read_since(body.fields().await?)?;
    state.endpoints.replay(Some(admin.actor()), id, since, clock::now()).await?;
    Ok(answer::private(StatusCode::ACCEPTED, &Replaying { since }))
}

/// Send a test event.
#[utoipa::path(
    post, path = "/api/admin/endpoints/{endpointId}/test",
    security(("admin" = [])),
    responses((status = 202, body = DeliveryAnswer<'static>)),
    extensions(("x-refusals" = json!([Code::EndpointDisabled]))),
)]
pub(super) async fn test(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    let id = id.read(EndpointId::parse)?;
    let queued = state.endpoints.test(Some(admin.actor()), id, clock::now()).await?;
    Ok(answer::private(StatusCode::ACCEPTED, &delivery(&queued)))
}

/// List messages to an endpoint.
#[utoipa::path(
    get, path = "/api/admin/endpoints/{endpointId}/deliveries",
    security(("admin" = [])),
    params(requests::DeliveryPage),
    responses((status = 200, body = DeliveryList<'static>)),
)]
pub(super) async fn deliveries(
    state: State,
    _: Admin,
    id: Id,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let id = id.read(EndpointId::parse)?;
    let fields = query.0;
    let status = fields.optional("status", DeliveryStatus::parse);
    let before = fields.optional("cursor", cursor(DeliveryId::parse));
    let limit = fields.optional("limit", limit(MAX_LIMIT));
    let (status, before, limit) = fields.finish((status, before, limit))?;
    let page = state.endpoints.deliveries(id, status, before, limit.unwrap_or(DEFAULT_LIMIT)).await?;
    let deliveries = page.items.iter().map(DeliveryResponse::from).collect();
    Ok(answer::ok(&DeliveryList { deliveries, next_cursor: page.next }))
}

/// Show a message and its attempts.
#[utoipa::path(
    get, path = "/api/admin/endpoints/{endpointId}/deliveries/{deliveryId}",
    security(("admin" = [])),
    responses((status = 200, body = DeliveryWithAttempts<'static>)),
)]
pub(super) async fn show_delivery(
    state: State,
    _: Admin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (id, which) = ids(&request)?;
    let (found, attempts) = state.endpoints.delivery(id, which).await?;
    let attempts = attempts.iter().map(AttemptResponse::from).collect();
    Ok(answer::ok(&DeliveryWithAttempts { delivery: (&found).into(), attempts }))
}

/// Send a message again.
#[utoipa::path(
    post, path = "/api/admin/endpoints/{endpointId}/deliveries/{deliveryId}/resend",
    security(("admin" = [])),
    responses((status = 202, body = DeliveryAnswer<'static>)),
    extensions(("x-refusals" = json!([Code::EndpointDisabled, Code::TooOld]))),
)]
pub(super) async fn resend(
    state: State,
    admin: Admin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (id, which) = ids(&request)?;
    let queued = state.endpoints.resend(Some(admin.actor()), id, which, clock::now()).await?;
    Ok(answer::private(StatusCode::ACCEPTED, &delivery(&queued)))
}
