//! `/api/admin/orders`: all orders, whosever and from wherever, what was told of each, and taking one back.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT, HeaderMap},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ledger_csv, names::silences, orders::OrderResponse, requests};
use crate::{
    clock,
    domain::{
        Fields, Invalid, Offset, OrderId, OrderRecord, OrderStatus, Silence, SourceId, Timestamp, UserId,
    },
    store::{LedgerQuery, OrderedAt},
    web::{
        Admin, Code, Id, Problem, Query, State, answer,
        params::{cursor, limit, search},
    },
};

const MAX_LIMIT: u32 = 1000;
const DEFAULT_LIMIT: u32 = 50;

/// An order as administrators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminOrder)]
#[serde(rename_all = "camelCase")]
struct RecordResponse<'a> {
    #[serde(flatten)]
    order: OrderResponse<'a>,
    buyer: Option<Buyer<'a>>,
    buyer_name: Option<&'a str>,
    source: Option<Source<'a>>,
    number: Option<&'a str>,
    ordered_at: Timestamp,
    canceled_at: Option<Timestamp>,
    announced: bool,
    notification_id: Option<Offset>,
    #[schema(schema_with = silences)]
    silence: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<Step>>,
}

/// Whose account bought.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Buyer<'a> {
    user_id: UserId,
    nickname: &'a str,
}

/// Who told of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderSource)]
#[serde(rename_all = "camelCase")]
struct Source<'a> {
    source_id: &'a str,
    name: &'a str,
    kind: &'a str,
}

/// What became of an order, and when that is known.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderStep)]
struct Step {
    status: &'static str,
    date: Option<Timestamp>,
}

/// A page of orders, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminOrders)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    orders: Vec<RecordResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<OrderId>,
}

impl<'a> From<&'a OrderRecord> for RecordResponse<'a> {
    fn from(record: &'a OrderRecord) -> Self {
        let origin = record.order.origin.as_ref();
        let buyer = record.buyer.as_ref();
        let source = origin.zip(record.source.as_ref());
        Self {
            order: OrderResponse::from(&record.order),
            buyer: buyer.map(|(user_id, nickname)| Buyer { user_id: *user_id, nickname }),
            buyer_name: origin.and_then(|origin| origin.buyer.as_deref()),
            source: source.map(|(origin, (name, kind))| Source {
                source_id: origin.source_id.as_str(),
                name,
                kind,
            }),
            number: record.number.as_deref(),
            ordered_at: record.ordered_at(),
            canceled_at: record.canceled_at,
            announced: record.silence.is_none(),
            notification_id: record.announced_as,
            silence: record.silence.map(Silence::name),
            history: None,
        }
    }
}

fn steps(record: &OrderRecord) -> Vec<Step> {
    let step = |status: OrderStatus, date| Step { status: status.name(), date };
    let mut steps = vec![step(OrderStatus::Placed, Some(record.order.created_at))];
    if record.order.status == OrderStatus::Canceled {
        steps.push(step(OrderStatus::Canceled, record.canceled_at));
    }
    steps
}

/// An order with its history.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminOrderAnswer)]
struct Wrapped<'a> {
    order: RecordResponse<'a>,
}

fn wrapped(record: &OrderRecord) -> Wrapped<'_> {
    Wrapped { order: RecordResponse { history: Some(steps(record)), ..record.into() } }
}

/// Reads `status, source, q, from, to, cursor, limit, format`; whether CSV is asked for by the last, too.
fn read(fields: Fields) -> Result<(LedgerQuery, Option<bool>), Problem> {
    const SOURCE: Invalid = Invalid::new("invalid", "source is the sourceId of a source, or own");
    const FORMAT: Invalid = Invalid::new("invalid", "format is json or csv");
    let place = |text: &str| match text {
        "own" => Ok(OrderedAt::Here),
        id => SourceId::parse(id).map(OrderedAt::Source).ok_or(SOURCE),
    };
    let format = |text: &str| match text {
        "csv" => Ok(true),
        "json" => Ok(false),
        _ => Err(FORMAT),
    };
    let read = (
        fields.optional("status", OrderStatus::parse),
        fields.optional("source", place),
        fields.optional("q", search),
        fields.optional("from", Timestamp::parse),
        fields.optional("to", Timestamp::parse),
        fields.optional("cursor", cursor(OrderId::parse)),
        fields.optional("limit", limit(MAX_LIMIT)),
        fields.optional("format", format),
    );
    let (status, place, text, from, to, after, limit, is_csv) = fields.finish(read)?;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let query = LedgerQuery { status, place, text: text.flatten(), from, to, after, limit };
    Ok((query, is_csv))
}

/// Whether CSV is what a client asks for before JSON.
fn prefers_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let mut named = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    named.find(|range| matches!(*range, "text/csv" | "application/json" | "*/*")) == Some("text/csv")
}

/// List all orders.
///
/// As CSV, too, by `format=csv` or `Accept: text/csv`: then all that the filter finds.
#[utoipa::path(
    get, path = "/api/admin/orders", security(("admin" = [])),
    params(requests::LedgerSearch),
    responses((status = 200, content((List<'static> = "application/json"), (String = "text/csv")))),
)]
pub(super) async fn list(
    state: State,
    _admin: Admin,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let (query, asked) = read(query.0)?;
    if asked.unwrap_or_else(|| prefers_csv(request.headers())) {
        return Ok(ledger_csv::answer(state, &request, query, asked == Some(true)));
    }
    let page = state.ledger.list(query).await?;
    let orders = page.items.iter().map(RecordResponse::from).collect();
    Ok(answer::ok(&List { orders, next_cursor: page.next }))
}

/// Show any order, with its history.
#[utoipa::path(
    get, path = "/api/admin/orders/{orderId}", security(("admin" = [])),
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn show(state: State, _admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    let record = state.ledger.get(id.read(OrderId::parse)?).await?;
    Ok(answer::ok(&wrapped(&record)))
}

/// Cancel any order.
#[utoipa::path(
    post, path = "/api/admin/orders/{orderId}/cancel", security(("admin" = [])),
    responses((status = 200, body = Wrapped<'static>)),
    extensions(("x-refusals" = json!([Code::AlreadyCanceled]))),
)]
pub(super) async fn cancel(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    let id = id.read(OrderId::parse)?;
    state.orders.cancel(admin.actor(), id, clock::now()).await?;
    Ok(answer::ok(&wrapped(&state.ledger.get(id).await?)))
}
