//! `/api/goods/cart` and `/api/goods/{goodsId}/cart`: one's own cart.

use actix_web::{HttpResponse, http::StatusCode};
use serde_json::json;

use crate::{
    domain::{GoodsId, Quantity},
    web::{Body, CurrentUser, Id, Problem, State, answer},
};

pub(super) async fn list(state: State, member: CurrentUser) -> Result<HttpResponse, Problem> {
    let cart = state.carts.list(member.user().user_id).await?;
    Ok(answer::ok(&json!({ "cart": cart })))
}

pub(super) async fn put(
    state: State,
    member: CurrentUser,
    id: Id,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (id, quantity) = (id.read(GoodsId::parse)?, quantity(body).await?);
    state.carts.put(member.user().user_id, id, quantity).await?;
    Ok(answer::ok(&json!({})))
}

pub(super) async fn add(
    state: State,
    member: CurrentUser,
    id: Id,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (id, quantity) = (id.read(GoodsId::parse)?, quantity(body).await?);
    state.carts.add(member.user().user_id, id, quantity).await?;
    Ok(answer::private(StatusCode::CREATED, &json!({})))
}

pub(super) async fn remove(state: State, member: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    state.carts.remove(member.user().user_id, id.read(GoodsId::parse)?).await?;
    Ok(answer::ok(&json!({})))
}

async fn quantity(body: Body) -> Result<Quantity, Problem> {
    Ok(body.fields().await?.required("quantity", Quantity::parse)?)
}
