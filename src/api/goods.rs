//! `/api/goods`: the catalog.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{ETAG, HeaderValue, LOCATION},
    },
    web::Data,
};
use futures_util::TryFutureExt as _;
use serde::Serialize;
use serde_json::{Value, json};

use super::catalog_cache::{self, CatalogCache};
use crate::{
    clock,
    domain::{Goods, GoodsId, Invalid, Sku},
    protocol::shapes::GoodsResponse,
    service::Page,
    store::{GoodsQuery, Precondition},
    web::{
        Admin, Body, Id, Problem, Query, State, answer,
        etag::{self, Document, IfMatch},
        params::{cursor, limit},
    },
};

/// Some pages ask once and want all there is.
const MAX_LIMIT: u32 = 1000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    goods: Vec<GoodsResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<GoodsId>,
}

impl<'a> From<&'a Page<Goods, GoodsId>> for List<'a> {
    fn from(page: &'a Page<Goods, GoodsId>) -> Self {
        Self { goods: page.items.iter().map(GoodsResponse::from).collect(), next_cursor: page.next }
    }
}

pub(super) async fn list(
    state: State,
    cache: Data<CatalogCache>,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let fields = query.0;
    let category = fields.optional("category", search).map(Option::flatten);
    let text = fields.optional("q", search).map(Option::flatten);
    let before = fields.optional("cursor", cursor(GoodsId::parse));
    let limit = fields.optional("limit", limit(MAX_LIMIT));
    let (category, text, before, limit) = fields.finish((category, text, before, limit))?;
    let wanted = GoodsQuery { category, text, before, unlisted: false, limit: limit.unwrap_or(MAX_LIMIT) };
    let read = state.catalog.list(wanted.clone()).map_ok(|page| Some(etag::document(&List::from(&page))));
    // Searches for text differ too much from each other to be worth keeping.
    let found = if wanted.text.is_some() {
        read.await?
    } else {
        cache.get(catalog_cache::Request::List(wanted), read).await?
    };
    respond(&request, found)
}

/// An empty field of a search form searches for nothing.
fn search(text: &str) -> Result<Option<String>, Invalid> {
    match text.chars().count() {
        0 => Ok(None),
        1..=200 => Ok(Some(text.to_owned())),
        _ => Err(Invalid::new("too_long", "a search has at most 200 characters")),
    }
}

fn respond(request: &HttpRequest, found: Option<Document>) -> Result<HttpResponse, Problem> {
    Ok(etag::public(request.headers(), &found.ok_or_else(Problem::not_found)?))
}

pub(super) async fn show(
    state: State,
    cache: Data<CatalogCache>,
    request: HttpRequest,
    id: Id,
) -> Result<HttpResponse, Problem> {
    let id = id.read(GoodsId::parse)?;
    let read = state.store.goods(id).map_ok(|goods| goods.map(|goods| etag::document(&wrapped(&goods))));
    respond(&request, cache.get(catalog_cache::Request::Goods(id), read).await?)
}

pub(super) fn wrapped(goods: &Goods) -> Value {
    json!({ "goods": GoodsResponse::from(goods) })
}

pub(super) async fn categories(
    state: State,
    cache: Data<CatalogCache>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let read = state.store.categories().map_ok(|found| {
        let categories: Vec<_> =
            found.iter().map(|(name, count)| json!({ "name": name, "count": count })).collect();
        Some(etag::document(&json!({ "categories": categories })))
    });
    respond(&request, cache.get(catalog_cache::Request::Categories, read).await?)
}

pub(super) async fn create(state: State, admin: Admin, body: Body) -> Result<HttpResponse, Problem> {
    let goods = state.catalog.create(admin.actor(), body.fields().await?, clock::now()).await?;
    Ok(created(&goods))
}

fn created(goods: &Goods) -> HttpResponse {
    let mut response = answer::private(StatusCode::CREATED, &wrapped(goods));
    if let Ok(location) = HeaderValue::from_str(&format!("/api/goods/{}", goods.goods_id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    tagged(response, goods)
}

pub(super) async fn put(state: State, admin: Admin, sku: Id, body: Body) -> Result<HttpResponse, Problem> {
    let sku = sku.text().and_then(|text| Sku::parse(&text).ok()).ok_or_else(Problem::not_found)?;
    let fields = body.fields().await?;
    let (goods, is_new) = state.catalog.put(admin.actor(), sku, fields, clock::now()).await?;
    Ok(if is_new { created(&goods) } else { tagged(answer::ok(&wrapped(&goods)), &goods) })
}

pub(super) async fn change(
    state: State,
    admin: Admin,
    request: HttpRequest,
    id: Id,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (id, only_if) = (id.read(GoodsId::parse)?, precondition(&request));
    let fields = body.fields().await?;
    let goods = state.catalog.change(admin.actor(), id, fields, only_if, clock::now()).await?;
    Ok(tagged(answer::ok(&wrapped(&goods)), &goods))
}

pub(super) async fn delete(
    state: State,
    admin: Admin,
    request: HttpRequest,
    id: Id,
) -> Result<HttpResponse, Problem> {
    let id = id.read(GoodsId::parse)?;
    state.catalog.delete(admin.actor(), id, precondition(&request), clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The validator that `GET` of the goods has now, so that the next change can name what it is based on.
fn tagged(mut response: HttpResponse, goods: &Goods) -> HttpResponse {
    if let Ok(tag) = HeaderValue::from_maybe_shared(etag::document(&wrapped(goods)).tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// What `If-Match` says, to be asked of the goods by the job that changes them.
fn precondition(request: &HttpRequest) -> Option<Precondition> {
    let expected = IfMatch::of(request.headers())?;
    Some(Box::new(move |goods| expected.holds(&etag::document(&wrapped(goods)).tag)))
}
