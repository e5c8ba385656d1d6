//! `/api/goods`: the catalogue.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION},
    },
};
use serde::Serialize;
use serde_json::json;

use crate::{
    clock,
    domain::{Goods, GoodsId, Invalid},
    service::Page,
    store::GoodsQuery,
    web::{
        Admin, Body, Id, Problem, Query, State, answer, etag,
        params::{cursor, limit},
    },
};

/// Some pages ask once and want all there is.
const MOST: u32 = 1000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    goods: Vec<Goods>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<GoodsId>,
}

pub(super) async fn list(state: State, request: HttpRequest, query: Query) -> Result<HttpResponse, Problem> {
    let fields = query.0;
    let category = fields.optional("category", search).map(Option::flatten);
    let text = fields.optional("q", search).map(Option::flatten);
    let before = fields.optional("cursor", cursor(GoodsId::parse));
    let limit = fields.optional("limit", limit(MOST));
    let (category, text, before, limit) = fields.finish((category, text, before, limit))?;
    let wanted = GoodsQuery { category, text, before, limit: limit.unwrap_or(MOST) };
    let render =
        |page: Page<Goods, GoodsId>| etag::document(&List { goods: page.items, next_cursor: page.next });
    Ok(etag::public(request.headers(), &state.catalog.list(wanted, render).await?))
}

/// An empty field of a search form searches for nothing.
fn search(text: &str) -> Result<Option<String>, Invalid> {
    match text.chars().count() {
        0 => Ok(None),
        1..=200 => Ok(Some(text.to_owned())),
        _ => Err(Invalid::new("too_long", "a search has at most 200 characters")),
    }
}

pub(super) async fn show(state: State, request: HttpRequest, id: Id) -> Result<HttpResponse, Problem> {
    let render = |goods| etag::document(&json!({ "goods": goods }));
    let document = state.catalog.get(id.read(GoodsId::parse)?, render).await?;
    Ok(etag::public(request.headers(), &document))
}

pub(super) async fn create(state: State, _admin: Admin, body: Body) -> Result<HttpResponse, Problem> {
    let goods = state.catalog.create(body.fields().await?, clock::now()).await?;
    let mut response = answer::private(StatusCode::CREATED, &json!({ "goods": goods }));
    if let Ok(location) = HeaderValue::from_str(&format!("/api/goods/{}", goods.goods_id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

pub(super) async fn change(state: State, _admin: Admin, id: Id, body: Body) -> Result<HttpResponse, Problem> {
    let id = id.read(GoodsId::parse)?;
    let goods = state.catalog.change(id, body.fields().await?, clock::now()).await?;
    Ok(answer::ok(&json!({ "goods": goods })))
}

pub(super) async fn delete(state: State, _admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    state.catalog.delete(id.read(GoodsId::parse)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
