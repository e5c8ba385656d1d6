//! `/api/auth`: logging in and out.

use actix_web::{HttpRequest, HttpResponse, http::header::SET_COOKIE};
use serde_json::json;

use super::users::UserResponse;
use crate::{
    clock,
    service::account_forms::Credentials,
    web::{Body, Code, CurrentUser, Problem, State, answer, client, cookie, origin::Origin},
};

pub(super) async fn log_in(state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let (peer, headers) = (request.peer_addr(), request.headers());
    let origin = Origin::of_log_in(&state.settings, headers);
    if origin == Origin::Forbidden {
        return Err(Problem::new(Code::OriginForbidden, "pages of this origin may not log anyone in here"));
    }
    let who = Credentials::read(body.fields().await?)?;
    let address = client::address(&state.settings, peer, headers);
    let login = state.accounts.log_in(who, address, clock::now()).await?;
    let secure = client::is_https(&state.settings, peer, headers);
    let user = UserResponse::from(&login.user);
    let mut response =
        answer::ok(&json!({ "token": login.token, "expiresAt": login.expires_at, "user": user }));
    // Where any page may call (`*`), cookies don't count, and none is set.
    if origin != Origin::Anyone {
        let kept = cookie::keep(&login.token, state.settings.token_ttl, secure);
        response.headers_mut().append(SET_COOKIE, kept);
    }
    Ok(response)
}

pub(super) async fn log_out(
    state: State,
    member: CurrentUser,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    state.accounts.log_out(&member.login.id, clock::now()).await?;
    let secure = client::is_https(&state.settings, request.peer_addr(), request.headers());
    let mut response = answer::nothing();
    response.headers_mut().append(SET_COOKIE, cookie::forget(secure));
    Ok(response)
}
