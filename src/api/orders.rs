//! `/api/orders`: placing an order, taking it back, and one's own orders.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    clock,
    domain::{GoodsId, Order, OrderId, OrderItem, Timestamp},
    protocol::shapes::{Amount, status},
    service::orders::OrderRequest,
    web::{
        Body, CurrentUser, Id, Problem, Query, State, answer,
        params::{cursor, limit},
    },
};

/// An order as its buyer sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderResponse<'a> {
    order_id: OrderId,
    status: &'static str,
    items: Vec<ItemResponse<'a>>,
    total: Amount,
    currency: &'a str,
    created_at: Timestamp,
}

#[derive(Serialize)]
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

fn wrapped(order: &Order) -> Value {
    json!({ "order": OrderResponse::from(order) })
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const MAX_LIMIT: u32 = 100;
const DEFAULT_LIMIT: u32 = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    orders: Vec<OrderResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<OrderId>,
}

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
    let wanted = OrderRequest::read(body.fields().await?, key, state.settings.currency)?;
    let placed = state.orders.place((&member.login).into(), wanted, clock::now()).await?;
    let mut told = wrapped(&placed.order);
    told["id"] = json!(placed.notification);
    let mut response = answer::private(StatusCode::CREATED, &told);
    if placed.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

pub(super) async fn list(state: State, member: CurrentUser, query: Query) -> Result<HttpResponse, Problem> {
    let fields = query.0;
    let before = fields.optional("cursor", cursor(OrderId::parse));
    let limit = fields.optional("limit", limit(MAX_LIMIT));
    let (before, limit) = fields.finish((before, limit))?;
    let page = state.orders.list(member.user().user_id, before, limit.unwrap_or(DEFAULT_LIMIT)).await?;
    let orders = page.items.iter().map(OrderResponse::from).collect();
    Ok(answer::ok(&List { orders, next_cursor: page.next }))
}

pub(super) async fn show(state: State, member: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    let order = state.orders.get(member.user().user_id, id.read(OrderId::parse)?).await?;
    Ok(answer::ok(&wrapped(&order)))
}

pub(super) async fn cancel(state: State, member: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    let id = id.read(OrderId::parse)?;
    let order = state.orders.cancel((&member.login).into(), id, clock::now()).await?;
    Ok(answer::ok(&wrapped(&order)))
}
