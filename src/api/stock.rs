//! `/api/goods/{goodsId}/stock`: changes of a stock by so many pieces, and who changed it when.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    goods::{Wrapped, wrapped},
    names::stock_changes,
    requests,
};
use crate::{
    clock,
    domain::{GoodsId, Stock, StockChangeId, StockRecord, StockRecordKind, Timestamp, UserId},
    web::{
        Admin, Body, Code, Id, Problem, Query, State, answer,
        params::{cursor, limit},
    },
};

const MAX_LIMIT: u32 = 100;
const DEFAULT_LIMIT: u32 = 20;

/// A page of the history of a stock, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = StockHistory)]
#[serde(rename_all = "camelCase")]
struct History<'a> {
    changes: Vec<ChangeResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<StockChangeId>,
}

/// A change of a stock as administrators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = StockEntry)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChangeResponse<'a> {
    change_id: StockChangeId,
    #[schema(schema_with = stock_changes)]
    kind: &'static str,
    change: i64,
    #[schema(value_type = Option<i64>)]
    stock: Stock,
    reason: Option<&'a str>,
    by: Option<By<'a>>,
    created_at: Timestamp,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct By<'a> {
    user_id: UserId,
    nickname: &'a str,
}

impl<'a> From<&'a StockRecord> for ChangeResponse<'a> {
    fn from(record: &'a StockRecord) -> Self {
        Self {
            change_id: record.change_id,
            kind: match record.kind {
                StockRecordKind::Opening => "opening",
                StockRecordKind::Set => "set",
                StockRecordKind::Change => "change",
            },
            change: record.change,
            stock: record.stock,
            reason: record.reason.as_deref(),
            by: record.by.as_ref().map(|(user_id, nickname)| By { user_id: *user_id, nickname }),
            created_at: record.at,
        }
    }
}

/// Show who changed the stock when, and why.
#[utoipa::path(
    get, path = "/api/goods/{goodsId}/stock",
    security(("admin" = [])),
    params(requests::StockPage),
    responses((status = 200, body = History<'static>)),
)]
pub(super) async fn history(
    state: State,
    _admin: Admin,
    id: Id,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let id = id.read(GoodsId::parse)?;
    let fields = query.0;
    let before = fields.optional("cursor", cursor(StockChangeId::parse));
    let limit = fields.optional("limit", limit(MAX_LIMIT));
    let (before, limit) = fields.finish((before, limit))?;
    let page = state.catalog.stock_history(id, before, limit.unwrap_or(DEFAULT_LIMIT)).await?;
    let changes = page.items.iter().map(ChangeResponse::from).collect();
    Ok(answer::ok(&History { changes, next_cursor: page.next }))
}

/// Change a stock by so many pieces.
///
/// What was sold meanwhile is not overwritten.
#[utoipa::path(
    post, path = "/api/goods/{goodsId}/stock",
    security(("admin" = [])),
    request_body = requests::StockChange,
    responses((status = 200, body = Wrapped<'static>)),
    extensions(("x-refusals" = json!([Code::OutOfStock]))),
)]
pub(super) async fn change(state: State, admin: Admin, id: Id, body: Body) -> Result<HttpResponse, Problem> {
    let id = id.read(GoodsId::parse)?;
    let goods = state.catalog.change_stock(admin.actor(), id, body.fields().await?, clock::now()).await?;
    Ok(answer::ok(&wrapped(&goods)))
}
