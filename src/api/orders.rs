//! `/api/orders`: placing an order, taking it back, and one's own orders.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::requests;
use crate::{
    clock,
    domain::{GoodsId, Offset, Order, OrderId, OrderItem, Timestamp},
    protocol::shapes::{Amount, order_statuses, status},
    service::orders::OrderRequest,
    web::{
        Body, Code, CurrentUser, Id, Problem, Query, State, answer,
        headers::traceparent,
        params::{cursor, limit},
    },
};

/// An order as its buyer sees it, with names and prices as they were when it was placed.
#[derive(Serialize, ToSchema)]
#[schema(as = Order)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderResponse<'a> {
    order_id: OrderId,
    #[schema(schema_with = order_statuses)]
    status: &'static str,
    items: Vec<ItemResponse<'a>>,
    total: Amount,
    currency: &'a str,
    created_at: Timestamp,
}

/// Some pieces of some goods.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderItem)]
#[serde(rename_all = "camelCase")]
struct ItemResponse<'a> {
    goods_id: GoodsId,
    name: &'a str,
    price: Amount,
    quantity: i64,
}

impl<'a> From<&'a Order> for OrderResponse<'a> {
    fn from(order: &'a Order) -> Self {
        Self {
            order_id: order.order_id,
            status: status(order.status),
            items: order.items.iter().map(ItemResponse::from).collect(),
            total: Amount(order.total),
            currency: order.total.currency.code(),
            created_at: order.created_at,
        }
    }
}

impl<'a> From<&'a OrderItem> for ItemResponse<'a> {
    fn from(item: &'a OrderItem) -> Self {
        Self {
            goods_id: item.goods_id,
            name: &item.name,
            price: Amount(item.price),
            quantity: item.quantity.get(),
        }
    }
}

/// An order.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderAnswer)]
struct Wrapped<'a> {
    order: OrderResponse<'a>,
}

/// An order that was placed.
#[derive(Serialize, ToSchema)]
struct Placed<'a> {
    order: OrderResponse<'a>,
    /// The offset of its alert; `null` when nobody is alerted.
    id: Option<Offset>,
}

fn wrapped(order: &Order) -> Wrapped<'_> {
    Wrapped { order: order.into() }
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const MAX_LIMIT: u32 = 100;
const DEFAULT_LIMIT: u32 = 20;

/// A page of orders, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Orders)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    orders: Vec<OrderResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<OrderId>,
}

/// Place an order.
///
/// Nothing is answered and nobody is alerted before it is durable.
#[utoipa::path(
    post, path = "/api/orders",
    security(("member" = [])),
    params(requests::Idempotency),
    request_body = requests::OrderRequest,
    responses((status = 201, body = Placed<'static>, headers(("Idempotent-Replayed")))),
    extensions(("x-refusals" = json!([Code::NotFound, Code::OutOfStock, Code::PriceChanged, Code::CartChanged, Code::IdempotencyKeyReused, Code::TooManyOrders]))),
)]
pub(super) async fn place(
    state: State,
    member: CurrentUser,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    state.readiness.admit()?;
    state.orders.admit(member.user().user_id)?;
    // Bytes that are no text are no key either.
    let key = request.headers().get(IDEMPOTENCY_KEY).map(|key| key.to_str().unwrap_or_default());
    let step = state.traces.begin("POST /api/orders", || traceparent(&request));
    let wanted = OrderRequest::read(body.fields().await?, key, state.settings.currency)?;
    let wanted = OrderRequest { trace: step.context(), ..wanted };
    let placed = state.orders.place((&member.login).into(), wanted, clock::now()).await?;
    let told = Placed { order: (&placed.order).into(), id: placed.notification };
    let mut response = answer::private(StatusCode::CREATED, &told);
    if placed.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// List one's own orders.
#[utoipa::path(
    get, path = "/api/orders",
    security(("member" = [])),
    params(requests::OrderPage),
    responses((status = 200, body = List<'static>)),
)]
pub(super) async fn list(state: State, member: CurrentUser, query: Query) -> Result<HttpResponse, Problem> {
    let fields = query.0;
    let before = fields.optional("cursor", cursor(OrderId::parse));
    let limit = fields.optional("limit", limit(MAX_LIMIT));
    let (before, limit) = fields.finish((before, limit))?;
    let page = state.orders.list(member.user().user_id, before, limit.unwrap_or(DEFAULT_LIMIT)).await?;
    let orders = page.items.iter().map(OrderResponse::from).collect();
    Ok(answer::ok(&List { orders, next_cursor: page.next }))
}

/// Show one of one's own orders.
#[utoipa::path(
    get, path = "/api/orders/{orderId}",
    security(("member" = [])),
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn show(state: State, member: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    let order = state.orders.get(member.user().user_id, id.read(OrderId::parse)?).await?;
    Ok(answer::ok(&wrapped(&order)))
}

/// Cancel an order.
///
/// One's own, or as an administrator anyone's. Exactly the stock that it took returns; if it had alerted, the alert is withdrawn.
#[utoipa::path(
    post, path = "/api/orders/{orderId}/cancel",
    security(("member" = [])),
    responses((status = 200, body = Wrapped<'static>)),
    extensions(("x-refusals" = json!([Code::AlreadyCanceled]))),
)]
pub(super) async fn cancel(state: State, member: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    let id = id.read(OrderId::parse)?;
    let order = state.orders.cancel((&member.login).into(), id, clock::now()).await?;
    Ok(answer::ok(&wrapped(&order)))
}
