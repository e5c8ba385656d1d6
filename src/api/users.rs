//! `/api/users`: registering, and one's own account.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::SET_COOKIE},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    clock,
    domain::{Timestamp, User, UserId},
    service::account_forms::{AccountChange, Registration, read_erasure},
    web::{Body, CurrentUser, Problem, State, answer, auth::Via, client, cookie},
};

/// An account as its owner sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserResponse<'a> {
    user_id: UserId,
    email: &'a str,
    nickname: &'a str,
    role: &'static str,
    hide_purchases: bool,
    created_at: Timestamp,
}

impl<'a> From<&'a User> for UserResponse<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            user_id: user.user_id,
            email: user.email.as_str(),
            nickname: user.nickname.as_str(),
            role: user.role.name(),
            hide_purchases: user.hide_purchases,
            created_at: user.created_at,
        }
    }
}

fn wrapped(user: &User) -> Value {
    json!({ "user": UserResponse::from(user) })
}

pub(super) async fn register(
    state: State,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let wanted = Registration::read(body.fields().await?)?;
    let address = client::address(&state.settings, request.peer_addr(), request.headers());
    state.accounts.sign_up(wanted, address, clock::now()).await?;
    Ok(answer::private(StatusCode::CREATED, &json!({ "message": "The account was created." })))
}

/// With a good header it sets the cookie again: a page that keeps its token in localStorage never lacks the cookie
/// that its socket needs.
pub(super) async fn show(
    state: State,
    member: CurrentUser,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut response = answer::ok(&wrapped(member.user()));
    if member.via == Via::Header {
        let secure = client::is_https(&state.settings, request.peer_addr(), request.headers());
        let left = member.login.expires_at.as_millis() - clock::now().as_millis();
        let left = std::time::Duration::from_millis(u64::try_from(left).unwrap_or_default());
        response.headers_mut().append(SET_COOKIE, cookie::keep(&member.token, left, secure));
    }
    Ok(response)
}

/// With a new password all earlier log-ins end, the caller's too: the answer brings another.
pub(super) async fn change(
    state: State,
    member: CurrentUser,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let wanted = AccountChange::read(body.fields().await?)?;
    let (peer, headers) = (request.peer_addr(), request.headers());
    let address = client::address(&state.settings, peer, headers);
    let changed = state.accounts.change(&member.login, wanted, address, clock::now()).await?;
    let Some(login) = changed.login else { return Ok(answer::ok(&wrapped(&changed.user))) };
    let user = UserResponse::from(&changed.user);
    let body = json!({ "user": user, "token": login.token, "expiresAt": login.expires_at });
    let mut response = answer::ok(&body);
    let secure = client::is_https(&state.settings, peer, headers);
    let kept = cookie::keep(&login.token, state.settings.token_ttl, secure);
    response.headers_mut().append(SET_COOKIE, kept);
    Ok(response)
}

/// Erases the account, and the cookie with it.
pub(super) async fn erase(
    state: State,
    member: CurrentUser,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let password = read_erasure(&body.fields().await?)?;
    let (peer, headers) = (request.peer_addr(), request.headers());
    let address = client::address(&state.settings, peer, headers);
    state.accounts.erase(&member.login, password, address, clock::now()).await?;
    let secure = client::is_https(&state.settings, peer, headers);
    let mut response = answer::nothing();
    response.headers_mut().append(SET_COOKIE, cookie::forget(secure));
    Ok(response)
}

/// Logs out everywhere but here.
pub(super) async fn log_out_elsewhere(state: State, member: CurrentUser) -> Result<HttpResponse, Problem> {
    state.accounts.log_out_elsewhere(&member.login, clock::now()).await?;
    Ok(answer::nothing())
}
