//! `/api/goods/cart` and `/api/goods/{goodsId}/cart`: one's own cart.

use actix_web::{HttpResponse, http::StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::{
    domain::{CartLine, GoodsId, Quantity},
    protocol::shapes::GoodsResponse,
    web::{Body, CurrentUser, Id, Problem, State, answer},
};

#[derive(Serialize)]
pub(super) struct CartLineResponse<'a> {
    quantity: i64,
    goods: GoodsResponse<'a>,
}

impl<'a> From<&'a CartLine> for CartLineResponse<'a> {
    fn from(line: &'a CartLine) -> Self {
        Self { quantity: line.quantity.get(), goods: (&line.goods).into() }
    }
}

pub(super) async fn list(state: State, member: CurrentUser) -> Result<HttpResponse, Problem> {
    let cart = state.store.cart(member.user().user_id).await?;
    let cart: Vec<_> = cart.iter().map(CartLineResponse::from).collect();
    Ok(answer::ok(&json!({ "cart": cart })))
}

pub(super) async fn put(
    state: State,
    member: CurrentUser,
    id: Id,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (id, quantity) = (id.read(GoodsId::parse)?, quantity(body).await?);
    state.store.put_in_cart(member.user().user_id, id, quantity).await?;
    Ok(answer::ok(&json!({})))
}

pub(super) async fn add(
    state: State,
    member: CurrentUser,
    id: Id,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (id, quantity) = (id.read(GoodsId::parse)?, quantity(body).await?);
    state.store.add_to_cart(member.user().user_id, id, quantity).await?;
    Ok(answer::private(StatusCode::CREATED, &json!({})))
}

pub(super) async fn remove(state: State, member: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    state.store.remove_from_cart(member.user().user_id, id.read(GoodsId::parse)?).await?;
    Ok(answer::ok(&json!({})))
}

async fn quantity(body: Body) -> Result<Quantity, Problem> {
    Ok(body.fields().await?.required("quantity", Quantity::parse)?)
}
