//! `/api/admin/audit`: who of the administrators did what, and when.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::requests;
use crate::{
    domain::{AuditId, Invalid, Timestamp, UserId},
    service::Page,
    store::{AuditEntry, AuditQuery},
    web::{
        Admin, Problem, Query, State, answer,
        params::{cursor, limit, search},
    },
};

const MAX_LIMIT: u32 = 1000;
const DEFAULT_LIMIT: u32 = 50;

/// Something that an administrator did.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
#[serde(rename_all = "camelCase")]
struct EntryResponse<'a> {
    audit_id: AuditId,
    date: Timestamp,
    admin: Option<AdminResponse<'a>>,
    action: &'a str,
    subject: &'a str,
    #[schema(value_type = Object)]
    details: &'a Value,
}

/// Who.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditAdmin)]
#[serde(rename_all = "camelCase")]
struct AdminResponse<'a> {
    user_id: UserId,
    nickname: &'a str,
}

/// A page of the record.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditPage)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    entries: Vec<EntryResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<AuditId>,
}

impl<'a> From<&'a AuditEntry> for EntryResponse<'a> {
    fn from(entry: &'a AuditEntry) -> Self {
        let admin = entry.admin.as_ref();
        Self {
            audit_id: entry.id,
            date: entry.at,
            admin: admin.map(|(user_id, nickname)| AdminResponse { user_id: *user_id, nickname }),
            action: &entry.action,
            subject: &entry.subject,
            details: &entry.details,
        }
    }
}

/// An action, or the first part of several.
fn action(text: &str) -> Result<Option<String>, Invalid> {
    const BAD: Invalid = Invalid::new("invalid", "action is like goods.update, or goods for all of them");
    let fits = |c: char| c.is_ascii_lowercase() || c == '.' || c == '-';
    match text.len() {
        0 => Ok(None),
        1..=40 if text.chars().all(fits) => Ok(Some(text.to_owned())),
        _ => Err(BAD),
    }
}

/// List what administrators did.
#[utoipa::path(
    get, path = "/api/admin/audit", security(("admin" = [])),
    params(requests::AuditSearch),
    responses((status = 200, body = List<'static>)),
)]
pub(super) async fn list(state: State, _admin: Admin, query: Query) -> Result<HttpResponse, Problem> {
    let fields = query.0;
    let read = (
        fields.optional("q", search),
        fields.optional("action", action),
        fields.optional("cursor", cursor(AuditId::parse)),
        fields.optional("limit", limit(MAX_LIMIT)),
    );
    let (text, action, before, limit) = fields.finish(read)?;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let query = AuditQuery { text: text.flatten(), action: action.flatten(), before, limit: limit + 1 };
    let page = Page::cut(state.store.audit(query).await?, limit, |entry| entry.id);
    let entries = page.items.iter().map(EntryResponse::from).collect();
    Ok(answer::ok(&List { entries, next_cursor: page.next }))
}
