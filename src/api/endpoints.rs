//! `/api/admin/endpoints`: systems of others that are told news, and what became of each delivery.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION},
    },
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    clock,
    domain::{Attempt, Delivery, DeliveryId, DeliveryStatus, Endpoint, EndpointId, Timestamp},
    service::endpoints::{read_new, read_patch, read_since},
    web::{
        Admin, Body, Id, Problem, Query, State, answer,
        params::{cursor, limit},
    },
};

const MAX_LIMIT: u32 = 200;
const DEFAULT_LIMIT: u32 = 50;

/// An endpoint; its secrets are never shown again.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointResponse<'a> {
    endpoint_id: EndpointId,
    url: &'a str,
    events: Vec<&'static str>,
    enabled: bool,
    disabled_at: Option<Timestamp>,
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryResponse<'a> {
    delivery_id: DeliveryId,
    message_id: &'a str,
    r#type: &'a str,
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

#[derive(Serialize)]
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryList<'a> {
    deliveries: Vec<DeliveryResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<DeliveryId>,
}

fn wrapped(endpoint: &Endpoint) -> Value {
    json!({ "endpoint": EndpointResponse::from(endpoint) })
}

/// With the secret, which is told this once.
fn with_secret(endpoint: &Endpoint) -> Value {
    json!({ "endpoint": EndpointResponse::from(endpoint), "secret": endpoint.secret.reveal() })
}

fn delivery(delivery: &Delivery) -> Value {
    json!({ "delivery": DeliveryResponse::from(delivery) })
}

/// The two ids of a path.
fn ids(request: &HttpRequest) -> Result<(EndpointId, DeliveryId), Problem> {
    let id = |name| request.match_info().get(name).unwrap_or_default();
    let ids = EndpointId::parse(id("endpointId")).zip(DeliveryId::parse(id("deliveryId")));
    ids.ok_or_else(Problem::not_found)
}

pub(super) async fn list(state: State, _: Admin) -> Result<HttpResponse, Problem> {
    let found = state.endpoints.list().await?;
    let endpoints: Vec<_> = found.iter().map(EndpointResponse::from).collect();
    Ok(answer::ok(&json!({ "endpoints": endpoints })))
}

pub(super) async fn create(state: State, admin: Admin, body: Body) -> Result<HttpResponse, Problem> {
    let (url, topics) = read_new(body.fields().await?)?;
    let endpoint = state.endpoints.create(Some(admin.actor()), url, topics, clock::now()).await?;
    let mut response = answer::private(StatusCode::CREATED, &with_secret(&endpoint));
    if let Ok(place) = HeaderValue::from_str(&format!("/api/admin/endpoints/{}", endpoint.endpoint_id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

pub(super) async fn show(state: State, _: Admin, id: Id) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(&wrapped(&state.endpoints.get(id.read(EndpointId::parse)?).await?)))
}

pub(super) async fn change(state: State, admin: Admin, id: Id, body: Body) -> Result<HttpResponse, Problem> {
    let id = id.read(EndpointId::parse)?;
    let patch = read_patch(body.fields().await?)?;
    Ok(answer::ok(&wrapped(&state.endpoints.change(Some(admin.actor()), id, patch, clock::now()).await?)))
}

pub(super) async fn remove(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    state.endpoints.remove(Some(admin.actor()), id.read(EndpointId::parse)?, clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) async fn rotate(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    let id = id.read(EndpointId::parse)?;
    let endpoint = state.endpoints.rotate(Some(admin.actor()), id, clock::now()).await?;
    Ok(answer::ok(&with_secret(&endpoint)))
}

pub(super) async fn replay(state: State, admin: Admin, id: Id, body: Body) -> Result<HttpResponse, Problem> {
    let id = id.read(EndpointId::parse)?;
    let since = read_since(body.fields().await?)?;
    state.endpoints.replay(Some(admin.actor()), id, since, clock::now()).await?;
    Ok(answer::private(StatusCode::ACCEPTED, &json!({ "since": since })))
}

pub(super) async fn test(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    let id = id.read(EndpointId::parse)?;
    let queued = state.endpoints.test(Some(admin.actor()), id, clock::now()).await?;
    Ok(answer::private(StatusCode::ACCEPTED, &delivery(&queued)))
}

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

pub(super) async fn show_delivery(
    state: State,
    _: Admin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (id, which) = ids(&request)?;
    let (found, attempts) = state.endpoints.delivery(id, which).await?;
    let attempts: Vec<_> = attempts.iter().map(AttemptResponse::from).collect();
    let mut told = delivery(&found);
    told["attempts"] = json!(attempts);
    Ok(answer::ok(&told))
}

pub(super) async fn resend(
    state: State,
    admin: Admin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (id, which) = ids(&request)?;
    let queued = state.endpoints.resend(Some(admin.actor()), id, which, clock::now()).await?;
    Ok(answer::private(StatusCode::ACCEPTED, &delivery(&queued)))
}
