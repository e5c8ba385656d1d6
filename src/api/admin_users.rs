//! `/api/admin/users`: all accounts, who of them may do what, and whose log-ins end.

use std::time::Instant;

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::{names::roles, requests};
use crate::{
    clock,
    domain::{Person, Role, Speaker, Timestamp, UserId, fields::flag},
    service::people::read_patch,
    store::PeopleQuery,
    web::{
        Admin, Body, Code, Id, Problem, Query, State, answer,
        params::{cursor, limit, search},
    },
};

const MAX_LIMIT: u32 = 1000;
const DEFAULT_LIMIT: u32 = 50;

/// An account as administrators see it.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
#[serde(rename_all = "camelCase")]
struct PersonResponse<'a> {
    user_id: UserId,
    email: &'a str,
    nickname: &'a str,
    #[schema(schema_with = roles)]
    role: &'static str,
    banned: bool,
    /// Whether it may not speak in rooms.
    muted: bool,
    hide_purchases: bool,
    created_at: Timestamp,
    orders: i64,
    sessions: i64,
}

/// A page of accounts, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = People)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    users: Vec<PersonResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<UserId>,
}

impl<'a> PersonResponse<'a> {
    fn of(person: &'a Person, state: &State) -> Self {
        let user = &person.user;
        let speaker = Speaker::Member(user.user_id);
        Self {
            user_id: user.user_id,
            email: user.email.as_str(),
            nickname: user.nickname.as_str(),
            role: user.role.name(),
            banned: person.banned_at.is_some(),
            muted: state.moderation.is_muted(speaker, Instant::now()),
            hide_purchases: user.hide_purchases,
            created_at: user.created_at,
            orders: person.orders,
            sessions: person.log_ins,
        }
    }
}

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(as = PersonAnswer)]
struct Wrapped<'a> {
    user: PersonResponse<'a>,
}

fn wrapped<'a>(person: &'a Person, state: &State) -> Wrapped<'a> {
    Wrapped { user: PersonResponse::of(person, state) }
}

/// List all accounts.
#[utoipa::path(
    get, path = "/api/admin/users", security(("admin" = [])),
    params(requests::PeopleSearch),
    responses((status = 200, body = List<'static>)),
)]
pub(super) async fn list(state: State, _admin: Admin, query: Query) -> Result<HttpResponse, Problem> {
    let fields = query.0;
    let read = (
        fields.optional("q", search),
        fields.optional("role", Role::parse),
        fields.optional("banned", flag),
        fields.optional("cursor", cursor(UserId::parse)),
        fields.optional("limit", limit(MAX_LIMIT)),
    );
    let (text, role, banned, before, limit) = fields.finish(read)?;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let query = PeopleQuery { text: text.flatten(), role, banned, before, limit };
    let page = state.people.list(query, clock::now()).await?;
    let users = page.items.iter().map(|person| PersonResponse::of(person, &state)).collect();
    Ok(answer::ok(&List { users, next_cursor: page.next }))
}

/// Show any account.
#[utoipa::path(
    get, path = "/api/admin/users/{userId}", security(("admin" = [])),
    responses((status = 200, body = Wrapped<'static>)),
)]
pub(super) async fn show(state: State, _admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    let person = state.people.get(id.read(UserId::parse)?, clock::now()).await?;
    Ok(answer::ok(&wrapped(&person, &state)))
}

/// Change what an account may do.
#[utoipa::path(
    patch, path = "/api/admin/users/{userId}", security(("admin" = [])),
    request_body = requests::PersonChange,
    responses((status = 200, body = Wrapped<'static>)),
    extensions(("x-refusals" = json!([Code::LastAdmin]))),
)]
pub(super) async fn change(state: State, admin: Admin, id: Id, body: Body) -> Result<HttpResponse, Problem> {
    let id = id.read(UserId::parse)?;
    let patch = read_patch(body.fields().await?)?;
    let person = state.people.change(id, patch, admin.actor(), clock::now()).await?;
    if patch.muted.is_some() {
        state.moderation.refresh().await?;
    }
    Ok(answer::ok(&wrapped(&person, &state)))
}

/// Log an account out everywhere.
#[utoipa::path(
    delete, path = "/api/admin/users/{userId}/sessions", security(("admin" = [])),
    responses((status = 204)),
)]
pub(super) async fn log_out(state: State, admin: Admin, id: Id) -> Result<HttpResponse, Problem> {
    state.people.log_out(id.read(UserId::parse)?, admin.actor(), clock::now()).await?;
    Ok(answer::nothing())
}
