//! Who may begin a connection of Socket.IO, and what its requests must bring: the rules of the shop for the engine's
//! [`Door`]. What a client says with CONNECT is in `socketio.rs`.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    rc::Rc,
    time::Instant,
};

use actix_http::RequestHead;
use actix_web::http::header::HeaderMap;

use super::{
    upgrade::refusal,
    visitor::{Visitor, Who},
};
use crate::{
    clock,
    domain::PageOrigin,
    limits::{Claim, SessionPermit},
    protocol::engineio::ErrorCode,
    realtime::{Login, Person},
    service::ServiceError,
    socketio::{Admit, Admitted, Check, Door, Owners, Pay, Rejection},
    state::AppState,
    web::{
        Code,
        auth::{Via, presented},
        client,
        edge::log_cause,
        listen,
        messages::Language,
        origin::Origin,
        problem::Problem,
    },
};

/// What is known of a connection from its handshake.
pub struct Handshake {
    /// Who it is.
    pub(super) party: Party,
    /// In which its refusals are told.
    pub(super) language: Language,
    /// Kept as long as the connection.
    pub(super) permit: Rc<SessionPermit>,
}

/// Who shook hands.
#[derive(Clone)]
pub(super) enum Party {
    /// Someone with a log-in.
    Member(Rc<Login>),
    /// Known by a cookie.
    Guest(u64),
    /// Whoever it is, on a page whose origin some listen key names.
    OnPage(Rc<OnPage>),
}

/// Someone on a page that may have a listen key.
pub(super) struct OnPage {
    /// Of the page.
    pub(super) origin: PageOrigin,
    /// Whether that origin may do nothing here but listen.
    pub(super) is_foreign: bool,
    login: Option<Rc<Login>>,
    guest: u64,
}

impl Party {
    fn of(who: Who, page: Option<(PageOrigin, bool)>) -> Self {
        let guest = match who.person {
            Person::Guest(guest) => guest,
            Person::Member(_) | Person::Listener(_) => 0,
        };
        match (page, who.login) {
            (Some((origin, is_foreign)), login) => {
                Self::OnPage(Rc::new(OnPage { origin, is_foreign, login, guest }))
            }
            (None, Some(login)) => Self::Member(login),
            (None, None) => Self::Guest(guest),
        }
    }

    /// The log-in of the handshake.
    pub(super) fn login(&self) -> Option<&Rc<Login>> {
        match self {
            Self::Member(login) => Some(login),
            Self::Guest(_) => None,
            Self::OnPage(on) => on.login.as_ref(),
        }
    }

    /// Who it is without a log-in.
    pub(super) fn guest(&self) -> Person {
        match self {
            Self::Member(_) => Person::Guest(0),
            Self::Guest(guest) => Person::Guest(*guest),
            Self::OnPage(on) => Person::Guest(on.guest),
        }
    }

    /// The page that may have a listen key.
    pub(super) fn page(&self) -> Option<&OnPage> {
        match self {
            Self::OnPage(on) => Some(on),
            Self::Member(_) | Self::Guest(_) => None,
        }
    }
}

/// What everything must bring that belongs to a connection of a page which may only listen: the page's origin, as a
/// number that is no account's.
fn owner_of(page: &PageOrigin) -> i64 {
    let mut hasher = DefaultHasher::new();
    page.hash(&mut hasher);
    -1 - i64::try_from(hasher.finish() >> 1).unwrap_or_default()
}

/// Who may come in, by the rules of the shop.
#[must_use]
pub(super) fn door(app: &AppState) -> Door<Handshake> {
    Door { admit: admit(app), check: check(app), pay: pay(app) }
}

/// Says who pays for the bodies of polls.
fn pay(app: &AppState) -> Pay {
    let app = app.clone();
    Box::new(move |head: &RequestHead, owners: &[i64]| {
        let address = client::address(&app.settings, head.peer_addr, head.headers());
        // A page that may listen is no account, see `owner_of`.
        app.permits.purse(address, owners.iter().any(|owner| *owner > 0))
    })
}

/// Reads the credentials of a handshake's headers.
fn admit(app: &AppState) -> Admit<Handshake> {
    let app = app.clone();
    Box::new(move |head: &RequestHead| {
        let (app, headers, peer) = (app.clone(), head.headers().clone(), head.peer_addr);
        Box::pin(async move {
            // These clients know no delay before coming back: they would be let in, and sent away again at once.
            if app.readiness.is_draining() {
                return Err(ErrorCode::BadRequest.into());
            }
            let page = listen::page(&app, &headers);
            let visitor = Visitor::of(&app, &headers, peer).await;
            let is_foreign =
                matches!(&visitor, Err(problem) if problem.code() == Code::OriginForbidden) && page.is_some();
            let visitor = if is_foreign {
                // It has to bring a listen key with CONNECT. No cookie of the visitor's counts, and none is set.
                Ok(Visitor { who: Who::guest(Person::Guest(0)), cookie: None })
            } else {
                visitor
            };
            match visitor {
                Ok(Visitor { who, cookie }) => {
                    let login = who.login.as_ref();
                    // A page without the cookie says with CONNECT who it is.
                    let claim = login.map_or(Claim::Pending, |login| Claim::Member(login.user_id));
                    let address = client::address(&app.settings, peer, &headers);
                    let permit = app.permits.acquire_session(address, claim, Instant::now());
                    let permit = permit.map_err(|limit| {
                        let problem = Problem::from(ServiceError::from(limit));
                        Rejection::Other(refusal(&problem, Language::of(&headers)))
                    })?;
                    let is_ours = Origin::of(&app.settings, &headers) == Origin::Same;
                    let other = page.as_ref().filter(|_| !is_ours);
                    let owner = login.map(|login| login.user_id.0).or(other.map(owner_of));
                    let party = Party::of(who, page.map(|page| (page, is_foreign)));
                    let purse = permit.purse();
                    let language = Language::of(&headers);
                    let request = Handshake { party, language, permit: Rc::new(permit) };
                    Ok(Admitted { request, cookie, owner, purse })
                }
                Err(problem) => {
                    log_cause(&problem);
                    let forbidden = problem.status().is_client_error();
                    Err(if forbidden { ErrorCode::Forbidden } else { ErrorCode::BadRequest }.into())
                }
            }
        })
    })
}

/// Reads the credentials of what belongs to a connection, by the rules of its handshake: an origin that may connect, and
/// who the tokens belong to. Whether their log-ins still hold is not asked: the connection ends with its own.
fn check(app: &AppState) -> Check {
    let app = app.clone();
    Box::new(move |head: &RequestHead| {
        let headers = head.headers();
        let origin = Origin::of(&app.settings, headers);
        let page = listen::page(&app, headers);
        if origin == Origin::Forbidden && page.is_none() {
            return Err(ErrorCode::Forbidden.into());
        }
        let mut owners = accounts(&app, origin, headers);
        owners.extend(page.as_ref().map(owner_of));
        Ok(owners)
    })
}

/// The accounts whose tokens a request brings that may use them.
fn accounts(app: &AppState, origin: Origin, headers: &HeaderMap) -> Owners {
    let Some((tokens, via)) = presented(headers) else { return Owners::new() };
    if origin == Origin::Forbidden || (via == Via::Cookie && origin == Origin::Anyone) {
        return Owners::new();
    }
    let now = clock::now();
    let known = tokens.into_iter().filter_map(|token| app.accounts.owner_of(token, now));
    known.map(|user| user.0).collect()
}
