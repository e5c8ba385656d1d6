//! Who sends a request: the extractors [`CurrentUser`], [`MaybeUser`], [`Listener`] and [`Admin`], over [`identify`], which works on plain
//! headers so that socket upgrades follow the same rules.
//!
//! `Authorization` alone decides when it is present; the cookie counts only when it is absent.

use std::sync::Arc;

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{
        Method,
        header::{AUTHORIZATION, HeaderMap, SET_COOKIE},
    },
    web::Data,
};
use futures_util::future::{FutureExt, LocalBoxFuture};

use super::{Code, client, cookie, listen, origin::Origin, problem::Problem};
use crate::{
    clock,
    config::Audience,
    domain::{Actor, ListenKey, LoginSession, NicknameDisplay, Role, User},
    limits::Purse,
    service::ServiceError,
    state::AppState,
};

/// How a token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// `Authorization: Bearer …`.
    Header,
    /// The cookie.
    Cookie,
}

/// What the credentials of a request prove.
#[derive(Debug)]
pub enum Identity {
    /// There are none.
    Guest,
    /// They are not valid, expired or revoked.
    Rejected,
    /// They belong to this log-in.
    Member(CurrentUser),
}

/// Someone who is logged in. As an extractor: everyone else gets 401 `login_required`.
#[derive(Clone)]
pub struct CurrentUser {
    /// The log-in and its account.
    pub login: LoginSession,
    /// Its token.
    pub token: String,
    /// How the token came.
    pub via: Via,
}

impl CurrentUser {
    /// The account.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.login.user
    }
}

impl std::fmt::Debug for CurrentUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CurrentUser").field("user", &self.user().user_id).field("via", &self.via).finish()
    }
}

/// Reads the credentials of a request from plain headers, so that socket upgrades can use it too.
///
/// # Errors
/// 403 `origin_forbidden` for a write from another site whose only credential is the cookie; a store that
/// failed.
pub async fn identify(state: &AppState, headers: &HeaderMap, is_write: bool) -> Result<Identity, Problem> {
    let Some((tokens, via)) = presented(headers) else { return Ok(Identity::Guest) };
    let mut found = None;
    for token in tokens {
        if let Some(login) = state.accounts.authenticate(token, clock::now()).await? {
            found = Some((login, token.to_owned()));
            break;
        }
    }
    let Some((login, token)) = found else { return Ok(Identity::Rejected) };
    if is_write && via == Via::Cookie && !Origin::of(&state.settings, headers).may_use_cookies() {
        return Err(Problem::new(
            Code::OriginForbidden,
            "a write that only the cookie vouches for needs an Origin of this site or an allowed one",
        ));
    }
    Ok(Identity::Member(CurrentUser { login, token, via }))
}

/// On whose account the body of a request is. Whether a log-in still holds is not asked, only whose token it is: a body is
/// nothing that a member who has just been banned could not have sent before.
#[must_use]
pub fn purse(state: &AppState, request: &HttpRequest) -> Purse {
    let (headers, now) = (request.headers(), clock::now());
    let is_members = |token: &str| state.accounts.owner_of(token, now).is_some();
    let is_member = presented(headers).is_some_and(|(tokens, _)| tokens.into_iter().any(is_members));
    state.permits.purse(client::address(&state.settings, request.peer_addr(), headers), is_member)
}

/// The tokens that a request brings, and how: of the header one at most, of cookies any good one counts. `None` when it
/// brings no credentials.
#[must_use]
pub fn presented(headers: &HeaderMap) -> Option<(Vec<&str>, Via)> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        return Some((bearer(value.to_str().unwrap_or_default()).into_iter().collect(), Via::Header));
    }
    let tokens = cookie::tokens(headers);
    (!tokens.is_empty()).then_some((tokens, Via::Cookie))
}

/// The token of `Bearer <token>` (RFC 6750 §2.1); the scheme's case does not matter.
#[must_use]
pub fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl Identity {
    /// Who it is, where only members may.
    ///
    /// # Errors
    /// 401 `login_required`, which also clears the cookie when credentials were sent that prove nothing.
    pub fn member(self, secure: bool) -> Result<CurrentUser, Problem> {
        match self {
            Self::Member(user) => Ok(user),
            Self::Guest => Err(Problem::login_required()),
            Self::Rejected => Err(Problem::login_required().with_header(SET_COOKIE, cookie::forget(secure))),
        }
    }
}

async fn identity_of(request: HttpRequest) -> Result<(Identity, bool), Problem> {
    let state = request.app_data::<Data<AppState>>().ok_or_else(|| {
        Problem::from(ServiceError::internal("the application has no state", "app_data is missing"))
    })?;
    let is_write = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let secure = client::is_https(&state.settings, request.peer_addr(), request.headers());
    Ok((identify(state, request.headers(), is_write).await?, secure))
}

impl FromRequest for CurrentUser {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let (identity, secure) = identity_of(request).await?;
            identity.member(secure)
        }
        .boxed_local()
    }
}

/// Someone who may be logged in. Bad credentials are the same as none: pages send `Bearer null`.
#[derive(Debug)]
pub struct MaybeUser(pub Option<CurrentUser>);

impl FromRequest for MaybeUser {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let (identity, _) = identity_of(request).await?;
            Ok(Self(match identity {
                Identity::Member(user) => Some(user),
                Identity::Guest | Identity::Rejected => None,
            }))
        }
        .boxed_local()
    }
}

/// Someone of the audience: by a listen key, which decides when there is one; else by `--audience`, a member or anyone.
#[derive(Debug)]
pub enum Listener {
    /// Someone who is logged in.
    Member(CurrentUser),
    /// A guest of a shop that everyone may hear.
    Guest,
    /// A page of another shop.
    Key(Arc<ListenKey>),
}

impl Listener {
    /// Whether names are masked for them, whatever the shop shows its own audience.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        matches!(self, Self::Key(key) if key.display == NicknameDisplay::Masked)
    }
}

impl FromRequest for Listener {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let state = request.app_data::<Data<AppState>>();
            if let Some(state) = state
                && let Some(key) = listen::by_key(state, request.query_string(), request.headers())?
            {
                return Ok(Self::Key(key));
            }
            let everyone = state.is_some_and(|state| state.alerts.audience() == Audience::Everyone);
            let (identity, secure) = identity_of(request.clone()).await?;
            match identity {
                Identity::Guest | Identity::Rejected if everyone => Ok(Self::Guest),
                identity => identity.member(secure).map(Self::Member),
            }
        }
        .boxed_local()
    }
}

/// An administrator. Other members get 403 `forbidden`.
#[derive(Debug)]
pub struct Admin(pub CurrentUser);

impl Admin {
    /// Who acts, for the job that looks again whether they may.
    #[must_use]
    pub fn actor(&self) -> Actor {
        (&self.0.login).into()
    }
}

impl FromRequest for Admin {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let member = CurrentUser::from_request(request, payload);
        async move {
            let member = member.await?;
            if member.user().role == Role::Admin {
                return Ok(Self(member));
            }
            Err(Problem::new(Code::Forbidden, "only administrators may do this"))
        }
        .boxed_local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_is_one() {
        assert_eq!(bearer("Bearer a.b.c"), Some("a.b.c"));
        assert_eq!(bearer("bearer  a.b.c"), Some("a.b.c"));
        assert_eq!(bearer("Basic a2ltOg=="), None);
        assert_eq!(bearer("Bearer"), None);
    }
}
