//! `/api/auth`: logging in and out.

use actix_web::{HttpRequest, HttpResponse, http::header::SET_COOKIE};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    requests,
    users::{LogIn, UserResponse},
};
use crate::{
    clock,
    service::account_forms::Credentials,
    web::{Body, Code, CurrentUser, Problem, State, answer, client, cookie, origin::Origin},
};

/// A log-in and whose it is.
#[derive(Serialize, ToSchema)]
struct LoggedIn<'a> {
    #[serde(flatten)]
    login: LogIn<'a>,
    user: UserResponse<'a>,
}

/// Log in.
///
/// The token goes into `Authorization: Bearer …`; pages of this site can go by the cookie alone.
#[utoipa::path(
    post, path = "/api/auth",
    request_body = requests::Credentials,
    responses((status = 200, body = LoggedIn<'static>, headers(("Set-Cookie")))),
    extensions(("x-refusals" = json!([Code::BadCredentials, Code::Banned, Code::OriginForbidden, Code::TooManyAttempts]))),
)]
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
    let told = LogIn { token: &login.token, expires_at: login.expires_at };
    let mut response = answer::ok(&LoggedIn { login: told, user: (&login.user).into() });
    // Where any page may call (`*`), cookies don't count, and none is set.
    if origin != Origin::Anyone {
        let kept = cookie::keep(&login.token, state.settings.token_ttl, secure);
        response.headers_mut().append(SET_COOKIE, kept);
    }
    Ok(response)
}

/// Log out.
///
/// The session is revoked, its cookie cleared, its sockets closed.
#[utoipa::path(
    delete, path = "/api/auth",
    security(("member" = [])),
    responses((status = 204, headers(("Set-Cookie")))),
)]
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
