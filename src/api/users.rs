//! `/api/users`: registering, and one's own account.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::SET_COOKIE},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{names::roles, requests};
use crate::{
    clock,
    domain::{Timestamp, User, UserId},
    service::account_forms::{AccountChange, Registration, read_erasure},
    web::{Body, Code, CurrentUser, Problem, State, answer, auth::Via, client, cookie},
};

/// An account as its owner sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserResponse<'a> {
    user_id: UserId,
    email: &'a str,
    nickname: &'a str,
    #[schema(schema_with = roles)]
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

/// An account; with a new password, the log-in that takes the place of all earlier ones.
#[derive(Serialize, ToSchema)]
#[schema(as = UserAnswer)]
#[serde(rename_all = "camelCase")]
struct Wrapped<'a> {
    user: UserResponse<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// A log-in as whoever made it is told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogIn<'a> {
    /// For the header `Authorization: Bearer …`.
    pub(super) token: &'a str,
    pub(super) expires_at: Timestamp,
}

/// A sentence.
#[derive(Serialize, ToSchema)]
struct Message {
    message: &'static str,
}

fn wrapped(user: &User) -> Wrapped<'_> {
    Wrapped { user: user.into(), token: None, expires_at: None }
}

/// Register an account.
#[utoipa::path(
    post, path = "/api/users",
    request_body = requests::Registration,
    responses((status = 201, body = Message)),
    extensions(("x-refusals" = json!([Code::PasswordMismatch, Code::EmailTaken, Code::NicknameTaken, Code::TooManyRegistrations]))),
)]
pub(super) async fn register(
    state: State,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let wanted = Registration::read(body.fields().await?)?;
    let address = client::address(&state.settings, request.peer_addr(), request.headers());
    state.accounts.sign_up(wanted, address, clock::now()).await?;
    Ok(answer::private(StatusCode::CREATED, &Message { message: "The account was created." }))
}

/// Show one's own account.
///
/// With a good header it sets the cookie again: a page that keeps its token in localStorage never lacks the cookie
/// that its socket needs.
#[utoipa::path(
    get, path = "/api/users/me",
    security(("member" = [])),
    responses((status = 200, body = Wrapped<'static>, headers(("Set-Cookie")))),
)]
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

/// Change one's own account.
///
/// With a new password all earlier log-ins end, the caller's too: the answer brings another.
#[utoipa::path(
    patch, path = "/api/users/me",
    security(("member" = [])),
    request_body = requests::AccountChange,
    responses((status = 200, body = Wrapped<'static>, headers(("Set-Cookie")))),
    extensions(("x-refusals" = json!([Code::BadCredentials, Code::EmailTaken, Code::NicknameTaken, Code::TooManyAttempts]))),
)]
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
    let (token, expires_at) = (Some(login.token.as_str()), Some(login.expires_at));
    let mut response = answer::ok(&Wrapped { user: (&changed.user).into(), token, expires_at });
    let secure = client::is_https(&state.settings, peer, headers);
    let kept = cookie::keep(&login.token, state.settings.token_ttl, secure);
    response.headers_mut().append(SET_COOKIE, kept);
    Ok(response)
}

/// Erase one's own account.
///
/// Its e-mail and nickname are gone everywhere, its orders stay as figures without a person, its sessions end.
#[utoipa::path(
    delete, path = "/api/users/me",
    security(("member" = [])),
    request_body = requests::Erasure,
    responses((status = 204, headers(("Set-Cookie")))),
    extensions(("x-refusals" = json!([Code::BadCredentials, Code::TooManyAttempts]))),
)]
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

/// Log out everywhere but here.
#[utoipa::path(
    delete, path = "/api/users/me/sessions",
    security(("member" = [])),
    responses((status = 204)),
)]
pub(super) async fn log_out_elsewhere(state: State, member: CurrentUser) -> Result<HttpResponse, Problem> {
    state.accounts.log_out_elsewhere(&member.login, clock::now()).await?;
    Ok(answer::nothing())
}
