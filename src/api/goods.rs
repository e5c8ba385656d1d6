//! `/api/goods`: the catalog.

use std::time::Duration;

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
use utoipa::ToSchema;

use super::{
    catalog_cache::{self, CatalogCache},
    requests,
};
use crate::{
    clock,
    domain::{
        Currency, FieldError, Fields, Goods, GoodsId, GoodsSort, Invalid, Sku, fields::flag,
        goods::parse_price,
    },
    protocol::shapes::GoodsResponse,
    service::Page,
    store::{GoodsQuery, Precondition, StoreError},
    web::{
        Admin, Body, Code, Id, Problem, Query, State, answer,
        etag::{self, Document, IfMatch},
        params::{cursor, limit, search},
    },
};

/// Some pages ask once and want all there is.
const MAX_LIMIT: u32 = 1000;

/// How far back orders of goods are counted for who looks at them, and how many at most: it is for being told, and nobody
/// tells thousands apart.
const LATELY: Duration = Duration::from_secs(3600);
const MOST_ORDERS: u32 = 1000;

/// Goods, and what goes on with them.
#[derive(Serialize, ToSchema)]
#[schema(as = GoodsShown)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    goods: GoodsResponse<'a>,
    /// In how many orders that were announced, and not canceled since.
    #[serde(skip_serializing_if = "is_nothing")]
    #[schema(required = false)]
    ordered_last_hour: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_nothing(count: &u32) -> bool {
    *count == 0
}

/// A page of goods.
#[derive(Serialize, ToSchema)]
#[schema(as = GoodsList)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    goods: Vec<GoodsResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<requests::GoodsCursor>)]
    next_cursor: Option<&'a GoodsSort>,
}

impl<'a> From<&'a Page<Goods, GoodsSort>> for List<'a> {
    fn from(page: &'a Page<Goods, GoodsSort>) -> Self {
        let goods = page.items.iter().map(GoodsResponse::from).collect();
        Self { goods, next_cursor: page.next.as_ref() }
    }
}

/// List goods.
///
/// Of an unknown category there are none.
#[utoipa::path(
    get, path = "/api/goods",
    params(requests::GoodsSearch),
    responses((status = 200, body = List<'static>, headers(("ETag")))),
)]
pub(super) async fn list(
    state: State,
    cache: Data<CatalogCache>,
    request: HttpRequest,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let wanted = wanted(query.0, state.settings.currency)?;
    let read = state.catalog.list(wanted.clone()).map_ok(|page| Some(etag::document(&List::from(&page))));
    // Searches for text differ too much from each other to be worth keeping.
    let found = if wanted.text.is_some() {
        read.await?
    } else {
        cache.get(catalog_cache::Request::List(wanted), read).await?
    };
    respond(&request, found)
}

/// List all goods, also those that are not sold here.
#[utoipa::path(
    get, path = "/api/admin/goods", security(("admin" = [])),
    params(requests::GoodsSearch),
    responses((status = 200, body = List<'static>)),
)]
pub(super) async fn list_all(state: State, _admin: Admin, query: Query) -> Result<HttpResponse, Problem> {
    let wanted = GoodsQuery { unlisted: true, ..wanted(query.0, state.settings.currency)? };
    Ok(answer::ok(&List::from(&state.catalog.list(wanted).await?)))
}

/// Reads what is asked for. An empty field of a search form asks for nothing.
fn wanted(fields: Fields, currency: Currency) -> Result<GoodsQuery, Vec<FieldError>> {
    let price = |text: &str| parse_price(text, currency).map(|price| price.minor);
    let category = fields.optional("category", search).map(Option::flatten);
    let text = fields.optional("q", search).map(Option::flatten);
    let sort = fields.optional("sort", filled(GoodsSort::parse)).map(Option::flatten);
    let min_price = fields.optional("minPrice", filled(price)).map(Option::flatten);
    let max_price = fields.optional("maxPrice", filled(price)).map(Option::flatten);
    let in_stock = fields.optional("inStock", filled(flag)).map(Option::flatten);
    let sort = sort.map(Option::unwrap_or_default);
    // A cursor is one of an order; without a good one it is not looked at.
    let sort = sort.and_then(|sort| {
        let going_on = fields.optional("cursor", cursor(|text| sort.going_on(text)))?;
        Ok(going_on.unwrap_or(sort))
    });
    let limit = fields.optional("limit", limit(MAX_LIMIT));
    let (category, text, sort, min_price, max_price, in_stock, limit) =
        fields.finish((category, text, sort, min_price, max_price, in_stock, limit))?;
    let limit = limit.unwrap_or(MAX_LIMIT);
    Ok(GoodsQuery { sort, category, text, min_price, max_price, in_stock, unlisted: false, limit })
}

fn filled<T>(
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> impl FnOnce(&str) -> Result<Option<T>, Invalid> {
    |text| if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

fn respond(request: &HttpRequest, found: Option<Document>) -> Result<HttpResponse, Problem> {
    Ok(etag::public(request.headers(), &found.ok_or_else(Problem::not_found)?))
}

/// Show goods.
#[utoipa::path(
    get, path = "/api/goods/{goodsId}",
    responses((status = 200, body = Shown<'static>, headers(("ETag")))),
)]
pub(super) async fn show(
    state: State,
    cache: Data<CatalogCache>,
    request: HttpRequest,
    id: Id,
) -> Result<HttpResponse, Problem> {
    let id = id.read(GoodsId::parse)?;
    let read = async {
        let Some(goods) = state.store.goods(id).await? else { return Ok(None) };
        Ok(Some(shown(&state, &goods).await?))
    };
    respond(&request, cache.get(catalog_cache::Request::Goods(id), read).await?)
}

/// Goods and what goes on with them, with the validator of both.
async fn shown(state: &State, goods: &Goods) -> Result<Document, StoreError> {
    let since = clock::now().minus(LATELY);
    let ordered_last_hour = state.store.count_orders_of(goods.goods_id, since, MOST_ORDERS).await?;
    let shown = Shown { goods: GoodsResponse::from(goods), ordered_last_hour };
    Ok(etag::document_of(&wrapped(goods), &shown, ordered_last_hour))
}

/// Goods.
#[derive(Serialize, ToSchema)]
#[schema(as = GoodsAnswer)]
pub(super) struct Wrapped<'a> {
    goods: GoodsResponse<'a>,
}

pub(super) fn wrapped(goods: &Goods) -> Wrapped<'_> {
    Wrapped { goods: goods.into() }
}

/// The categories of all goods that are listed.
#[derive(Serialize, ToSchema)]
struct Categories<'a> {
    categories: Vec<CategoryResponse<'a>>,
}

/// A category, and how many goods are listed in it.
#[derive(Serialize, ToSchema)]
#[schema(as = Category)]
struct CategoryResponse<'a> {
    name: &'a str,
    count: i64,
}

/// List categories.
#[utoipa::path(
    get, path = "/api/categories",
    responses((status = 200, body = Categories<'static>, headers(("ETag")))),
)]
pub(super) async fn categories(
    state: State,
    cache: Data<CatalogCache>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let read = state.store.categories().map_ok(|found| {
        let categories = found.iter().map(|(name, count)| CategoryResponse { name, count: *count });
        Some(etag::document(&Categories { categories: categories.collect() }))
    });
    respond(&request, cache.get(catalog_cache::Request::Categories, read).await?)
}

/// Make goods.
#[utoipa::path(
    post, path = "/api/goods",
    security(("admin" = [])),
    request_body = requests::NewGoods,
    responses((status = 201, body = Wrapped<'static>, headers(("Location"), ("ETag")))),
    extensions(("x-refusals" = json!([Code::GoodsExists]))),
)]
pub(super) async fn create(state: State, admin: Admin, body: Body) -> Result<HttpResponse, Problem> {
    let goods = state.catalog.create(admin.actor(), body.fields().await?, clock::now()).await?;
    Ok(created(&state, &goods).await)
}

async fn created(state: &State, goods: &Goods) -> HttpResponse {
    let mut response = answer::private(StatusCode::CREATED, &wrapped(goods));
    if let Ok(location) = HeaderValue::from_str(&format!("/api/goods/{}", goods.goods_id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    tagged(response, state, goods).await
}

/// Make goods, or change them, by the number that another system knows them by.
#[utoipa::path(
    put, path = "/api/goods/by-sku/{sku}",
    security(("admin" = [])),
    request_body = requests::GoodsChange,
    responses(
        (status = 200, body = Wrapped<'static>, headers(("ETag"))),
        (status = 201, body = Wrapped<'static>, headers(("Location"), ("ETag"))),
    ),
    extensions(("x-refusals" = json!([Code::GoodsExists]))),
)]
pub(super) async fn put(state: State, admin: Admin, sku: Id, body: Body) -> Result<HttpResponse, Problem> {
    let sku = sku.text().and_then(|text| Sku::parse(&text).ok()).ok_or_else(Problem::not_found)?;
    let fields = body.fields().await?;
    let (goods, is_new) = state.catalog.put(admin.actor(), sku, fields, clock::now()).await?;
    Ok(if is_new {
        created(&state, &goods).await
    } else {
        tagged(answer::ok(&wrapped(&goods)), &state, &goods).await
    })
}

/// Change goods.
#[utoipa::path(
    patch, path = "/api/goods/{goodsId}",
    security(("admin" = [])),
    params(requests::Precondition),
    request_body = requests::GoodsChange,
    responses((status = 200, body = Wrapped<'static>, headers(("ETag")))),
    extensions(("x-refusals" = json!([Code::GoodsExists, Code::PreconditionFailed]))),
)]
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
    Ok(tagged(answer::ok(&wrapped(&goods)), &state, &goods).await)
}

/// Delete goods.
#[utoipa::path(
    delete, path = "/api/goods/{goodsId}",
    security(("admin" = [])),
    params(requests::Precondition),
    responses((status = 204)),
    extensions(("x-refusals" = json!([Code::PreconditionFailed]))),
)]
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

/// The validator that `GET` of the goods has now, so that the next change can name what it is based on. What was written
/// is written: where the number of orders cannot be read, the tag of the goods alone is as good for that.
async fn tagged(mut response: HttpResponse, state: &State, goods: &Goods) -> HttpResponse {
    let document = shown(state, goods).await;
    let tag = document.map_or_else(|_| etag::document(&wrapped(goods)).tag, |document| document.tag);
    if let Ok(tag) = HeaderValue::from_maybe_shared(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// What `If-Match` says, to be asked of the goods by the job that changes them.
fn precondition(request: &HttpRequest) -> Option<Precondition> {
    let expected = IfMatch::of(request.headers())?;
    Some(Box::new(move |goods| expected.holds_for(&etag::document(&wrapped(goods)).tag)))
}
