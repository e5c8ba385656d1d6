//! `/api/goods/cart` and `/api/goods/{goodsId}/cart`: one's own cart.

use actix_web::{HttpResponse, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::requests;
use crate::{
    domain::{CartLine, GoodsId, Quantity},
    protocol::shapes::GoodsResponse,
    web::{Body, Code, CurrentUser, Id, Problem, State, answer},
};

/// Goods in a cart, and how many pieces.
#[derive(Serialize, ToSchema)]
#[schema(as = CartLine)]
pub(super) struct CartLineResponse<'a> {
    quantity: i64,
    goods: GoodsResponse<'a>,
}

impl<'a> From<&'a CartLine> for CartLineResponse<'a> {
    fn from(line: &'a CartLine) -> Self {
        Self { quantity: line.quantity.get(), goods: (&line.goods).into() }
    }
}

/// A cart.
#[derive(Serialize, ToSchema)]
struct Cart<'a> {
    cart: Vec<CartLineResponse<'a>>,
}

/// Done.
#[derive(Serialize, ToSchema)]
struct Done {}

/// Show one's cart.
#[utoipa::path(
    get, path = "/api/goods/cart",
    security(("member" = [])),
    responses((status = 200, body = Cart<'static>)),
)]
pub(super) async fn list(state: State, member: CurrentUser) -> Result<HttpResponse, Problem> {
    let cart = state.store.cart(member.user().user_id).await?;
    Ok(answer::ok(&Cart { cart: cart.iter().map(CartLineResponse::from).collect() }))
}

/// Put goods into the cart, or change how many.
#[utoipa::path(
    put, path = "/api/goods/{goodsId}/cart",
    security(("member" = [])),
    request_body = requests::CartQuantity,
    responses((status = 200, body = Done)),
)]
pub(super) async fn put(
    state: State,
    member: CurrentUser,
    id: Id,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (id, quantity) = (id.read(GoodsId::parse)?, quantity(body).await?);
    state.store.put_in_cart(member.user().user_id, id, quantity).await?;
    Ok(answer::ok(&Done {}))
}

/// Put goods into the cart that are not in it.
#[utoipa::path(
    post, path = "/api/goods/{goodsId}/cart",
    security(("member" = [])),
    request_body = requests::CartQuantity,
    responses((status = 201, body = Done)),
    extensions(("x-refusals" = json!([Code::AlreadyInCart]))),
)]
pub(super) async fn add(
    state: State,
    member: CurrentUser,
    id: Id,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (id, quantity) = (id.read(GoodsId::parse)?, quantity(body).await?);
    state.store.add_to_cart(member.user().user_id, id, quantity).await?;
    Ok(answer::private(StatusCode::CREATED, &Done {}))
}

/// Take goods out of the cart, in it or not.
#[utoipa::path(
    delete, path = "/api/goods/{goodsId}/cart",
    security(("member" = [])),
    responses((status = 200, body = Done)),
)]
pub(super) async fn remove(state: State, member: CurrentUser, id: Id) -> Result<HttpResponse, Problem> {
    state.store.remove_from_cart(member.user().user_id, id.read(GoodsId::parse)?).await?;
    Ok(answer::ok(&Done {}))
}

async fn quantity(body: Body) -> Result<Quantity, Problem> {
    Ok(body.fields().await?.required("quantity", Quantity::parse)?)
}
