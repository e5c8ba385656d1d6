//! `/api/users`: registering, and one's own account.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::SET_COOKIE},
};
use serde_json::json;

use crate::{
    clock,
    domain::Role,
    service::accounts::{Change, Registration},
    web::{Body, CurrentUser, Problem, State, answer, auth::Via, client, cookie},
};

pub(super) async fn register(state: State, body: Body) -> Result<HttpResponse, Problem> {
    let wanted = Registration::read(body.fields().await?)?;
    state.accounts.register(wanted, Role::Member, clock::now()).await?;
    Ok(answer::private(StatusCode::CREATED, &json!({ "message": "The account was created." })))
}

/// With a good header it sets the cookie again: a page that keeps its token in localStorage never lacks the cookie
/// that its socket needs.
pub(super) async fn show(
    state: State,
    member: CurrentUser,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut response = answer::ok(&json!({ "user": member.user() }));
    if member.via == Via::Header {
        let secure = client::is_https(&state.settings, request.peer_addr(), request.headers());
        let left = member.login.expires_at.as_millis() - clock::now().as_millis();
        let left = std::time::Duration::from_millis(u64::try_from(left).unwrap_or_default());
        response.headers_mut().append(SET_COOKIE, cookie::keep(&member.token, left, secure));
    }
    Ok(response)
}

pub(super) async fn change(
    state: State,
    member: CurrentUser,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let wanted = Change::read(body.fields().await?)?;
    let address = client::address(&state.settings, request.peer_addr(), request.headers());
    let user = state.accounts.change(&member.login, wanted, address, clock::now()).await?;
    Ok(answer::ok(&json!({ "user": user })))
}
