//! `/api/admin/listen-keys`: keys for the pages of other shops.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{names::displays, requests};
use crate::{
    clock,
    domain::{ListenKey, ListenKeyId, Timestamp},
    service::listen_keys::WantedKey,
    web::{Admin, Body, Code, Id, Problem, State, answer},
};

/// A key for the pages of another shop.
#[derive(Serialize, ToSchema)]
#[schema(as = ListenKey)]
#[serde(rename_all = "camelCase")]
struct KeyResponse<'a> {
    key: String,
    name: Option<&'a str>,
    origins: Vec<&'a str>,
    #[schema(schema_with = displays)]
    display: &'static str,
    created_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

impl<'a> From<&'a ListenKey> for KeyResponse<'a> {
    fn from(key: &'a ListenKey) -> Self {
        Self {
            key: key.id.to_string(),
            name: key.name.as_ref().map(|name| name.as_str()),
            origins: key.origins.iter().map(|origin| origin.as_str()).collect(),
            display: key.display.name(),
            created_at: key.created_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// All keys, also those that were revoked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ListenKeys<'a> {
    listen_keys: Vec<KeyResponse<'a>>,
}

/// A key.
#[derive(Serialize, ToSchema)]
#[schema(as = ListenKeyAnswer)]
#[serde(rename_all = "camelCase")]
struct Wrapped<'a> {
    listen_key: KeyResponse<'a>,
}

/// List listen keys.
#[utoipa::path(
    get, path = "/api/admin/listen-keys",
    security(("admin" = [])),
    responses((status = 200, body = ListenKeys<'static>)),
)]
pub(super) async fn list(state: State, _admin: Admin) -> Result<HttpResponse, Problem> {
    let keys = state.listen_keys.list().await?;
    Ok(answer::ok(&ListenKeys { listen_keys: keys.iter().map(KeyResponse::from).collect() }))
}

/// Make a listen key.
#[utoipa::path(
    post, path = "/api/admin/listen-keys",
    security(("admin" = [])),
    request_body = requests::NewListenKey,
    responses((status = 201, body = Wrapped<'static>, headers(("Location")))),
    extensions(("x-refusals" = json!([Code::TooManyListenKeys]))),
)]
pub(super) async fn create(state: State, admin: Admin, body: Body) -> Result<HttpResponse, Problem> {
    let wanted = WantedKey::read(body.fields().await?)?;
    let key = state.listen_keys.create(wanted, Some(admin.actor()), clock::now()).await?;
    let body = Wrapped { listen_key: (&key).into() };
    let mut response = answer::private(StatusCode::CREATED, &body);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/admin/listen-keys/{}", key.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Revoke a listen key.
///
/// Its sessions end within a second.
#[utoipa::path(
    delete, path = "/api/admin/listen-keys/{key}",
    security(("admin" = [])),
    responses((status = 204)),
)]
pub(super) async fn revoke(state: State, admin: Admin, key: Id) -> Result<HttpResponse, Problem> {
    let id = key.read(ListenKeyId::parse)?;
    state.listen_keys.revoke(id, Some(admin.actor()), clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
