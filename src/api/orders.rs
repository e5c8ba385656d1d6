//! `/api/orders`: placing an order, taking it back, and one's own orders.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::{
    clock,
    domain::{Order, OrderId},
    service::orders::OrderRequest,
    web::{
        Body, CurrentUser, Id, Problem, Query, State, answer,
        params::{cursor, limit},
    },
};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const MOST: u32 = 100;
const USUAL: u32 = 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    orders: Vec<Order>,
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
    // Bytes that are no text are no key either.
    let key = request.headers().get(IDEMPOTENCY_KEY).map(|key| key.to_str().unwrap_or_default());
    let wanted = OrderRequest::read(body.fields().await?, key)?;
    let placed = state.orders.place(member.user().user_id, wanted, clock::now()).await?;
    let mut response = answer::private(StatusCode::CREATED, &json!({ "order": placed.order }));
    if placed.replayed {
        let name = actix_web::http::header::HeaderName::from_static("idempotent-replayed");
        let value = actix_web::http::header::HeaderValue::from_static("true");
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

pub(super) async fn list(state: State, member: CurrentUser, query: Query) -> Result<HttpResponse, Problem> {
    let fields = query.0;
    let before = fields.optional("cursor", cursor(OrderId::parse));
    let limit = fields.optional("limit", limit(MOST));
    let (before, limit) = fields.finish((before, limit))?;
    let page = state.orders.list(member.user().user_id, before, limit.unwrap_or(USUAL)).await?;
    Ok(answer::ok(&List { orders: page.items, next_cursor: page.next }))
}

pub(super) async fn show(state: State, member: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    let order = state.orders.get(member.user().user_id, id.read(OrderId::parse)?).await?;
    Ok(answer::ok(&json!({ "order": order })))
}

pub(super) async fn cancel(state: State, member: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    let order = state.orders.cancel(member.user(), id.read(OrderId::parse)?, clock::now()).await?;
    Ok(answer::ok(&json!({ "order": order })))
}
