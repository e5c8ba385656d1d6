//! `/api/admin/listen-keys`: keys for the pages of other shops.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, LOCATION},
    },
};
use serde::Serialize;
use serde_json::json;

use crate::{
    clock,
    domain::{ListenKey, ListenKeyId, NicknameDisplay, Timestamp},
    service::listen_keys::WantedKey,
    web::{Admin, Body, Id, Problem, State, answer},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyResponse<'a> {
    key: String,
    name: Option<&'a str>,
    origins: Vec<&'a str>,
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
            display: match key.display {
                NicknameDisplay::Masked => "masked",
                NicknameDisplay::Full => "full",
            },
            created_at: key.created_at,
            revoked_at: key.revoked_at,
        }
    }
}

pub(super) async fn list(state: State, _admin: Admin) -> Result<HttpResponse, Problem> {
    let keys = state.listen_keys.list().await?;
    let keys: Vec<_> = keys.iter().map(KeyResponse::from).collect();
    Ok(answer::ok(&json!({ "listenKeys": keys })))
}

pub(super) async fn create(state: State, admin: Admin, body: Body) -> Result<HttpResponse, Problem> {
    let wanted = WantedKey::read(body.fields().await?)?;
    let key = state.listen_keys.create(wanted, Some(admin.actor()), clock::now()).await?;
    let body = json!({ "listenKey": KeyResponse::from(&key) });
    let mut response = answer::private(StatusCode::CREATED, &body);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/admin/listen-keys/{}", key.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

pub(super) async fn revoke(state: State, admin: Admin, key: Id) -> Result<HttpResponse, Problem> {
    let id = key.read(ListenKeyId::parse)?;
    state.listen_keys.revoke(id, Some(admin.actor()), clock::now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
