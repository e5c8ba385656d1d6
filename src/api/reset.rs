//! `/api/auth/reset`: a new password for who has forgotten the old one.

use actix_web::{HttpRequest, HttpResponse};

use super::requests;
use crate::{
    clock,
    domain::Language,
    service::resets::{NewPassword, read_address},
    web::{Body, Code, Problem, State, answer, client},
};

/// Ask for a link to a new password.
///
/// It comes by mail. The same answer whether there is such an account or not.
#[utoipa::path(
    post, path = "/api/auth/reset",
    request_body = requests::ForgottenPassword,
    responses((status = 202)),
    extensions(("x-refusals" = json!([Code::MailNotConfigured, Code::TooManyAttempts]))),
)]
pub(super) async fn ask(state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let email = read_address(&body.fields().await?)?;
    let address = client::address(&state.settings, request.peer_addr(), request.headers());
    state.resets.ask(email, address, Language::of(request.headers()), clock::now())?;
    Ok(HttpResponse::Accepted().finish())
}

/// Set a new password by the link of a mail.
///
/// A link works once, for an hour. All log-ins of the account end.
#[utoipa::path(
    post, path = "/api/auth/reset/confirm",
    request_body = requests::NewPassword,
    responses((status = 204)),
    extensions(("x-refusals" = json!([Code::MailNotConfigured, Code::TooManyAttempts]))),
)]
pub(super) async fn confirm(state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let new = NewPassword::read(body.fields().await?)?;
    let address = client::address(&state.settings, request.peer_addr(), request.headers());
    state.resets.confirm(new, address, clock::now()).await?;
    Ok(answer::nothing())
}
