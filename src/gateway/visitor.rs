//! Who opens a session: the log-in that its headers vouch for, a page of another shop by its listen key, or a guest, known again by a cookie of its own that says
//! nothing else, so that two tabs count as one person.

use std::{net::SocketAddr, rc::Rc};

use ::cookie::{Cookie, SameSite, time::Duration};
use actix_web::http::header::{self, HeaderMap};

use crate::{
    config::Audience,
    domain::{ListenKey, LoginSession, NicknameDisplay},
    realtime::{Login, Person},
    state::AppState,
    web::{
        Code,
        auth::{self, Identity},
        client, cookie,
        origin::Origin,
        problem::Problem,
    },
};

/// Whose a session is.
pub struct Who {
    /// The log-in; `None` for a guest, and for who listens by a key.
    pub login: Option<Rc<Login>>,
    /// Who looks at pages.
    pub person: Person,
    /// Whether names are masked for it, whatever the shop shows its own audience.
    pub is_masked: bool,
}

impl Who {
    /// Someone with a log-in.
    #[must_use]
    pub fn member(login: Rc<Login>) -> Self {
        Self { person: Person::Member(login.user_id), login: Some(login), is_masked: false }
    }

    /// Someone without.
    #[must_use]
    pub fn guest(person: Person) -> Self {
        Self { login: None, person, is_masked: false }
    }

    /// A page of another shop. Whoever looks at it is nobody here, also when their browser has a log-in.
    #[must_use]
    pub fn listener(key: &ListenKey) -> Self {
        let is_masked = key.display == NicknameDisplay::Masked;
        Self { login: None, person: Person::Listener(key.id.session().mark()), is_masked }
    }

    /// Whether it belongs to an audience: a key stands for it.
    #[must_use]
    pub fn is_in(&self, audience: Audience) -> bool {
        self.login.is_some() || self.is_listener() || audience == Audience::Everyone
    }

    fn is_listener(&self) -> bool {
        matches!(self.person, Person::Listener(_))
    }
}

/// Who opens a session.
pub struct Visitor {
    /// Whose it will be.
    pub who: Who,
    /// The cookie by which a guest is known again, when it is new.
    pub cookie: Option<String>,
}

/// A log-in as sessions know it.
#[must_use]
pub fn login(session: LoginSession) -> Rc<Login> {
    Rc::new(Login {
        id: session.id,
        user_id: session.user.user_id,
        nickname: session.user.nickname.as_str().into(),
        expires_at: session.expires_at,
    })
}

impl Visitor {
    /// Someone with a log-in.
    #[must_use]
    pub fn member(session: LoginSession) -> Self {
        Self { who: Who::member(login(session)), cookie: None }
    }

    /// A page of another shop. No cookie is set: that page may be one of many.
    #[must_use]
    pub fn listener(key: &ListenKey) -> Self {
        Self { who: Who::listener(key), cookie: None }
    }

    /// Reads the headers of a handshake. Bad credentials in the header are refused, where a program can see it; a
    /// browser's old cookie makes a guest. Where any page may connect (`*`) the cookie says nothing.
    ///
    /// # Errors
    /// The page may not connect, or `Authorization` does not hold.
    pub async fn of(app: &AppState, headers: &HeaderMap, peer: Option<SocketAddr>) -> Result<Self, Problem> {
        let origin = Origin::of(&app.settings, headers);
        if origin == Origin::Forbidden {
            return Err(Problem::new(
                Code::OriginForbidden,
                "pages of this origin may not connect; see --allowed-origin",
            ));
        }
        let explicit = headers.contains_key(header::AUTHORIZATION);
        if explicit || origin != Origin::Anyone {
            match auth::identify(app, headers, false).await? {
                Identity::Member(member) => return Ok(Self::member(member.login)),
                Identity::Rejected if explicit => return Err(Problem::login_required()),
                Identity::Rejected | Identity::Guest => {}
            }
        }
        let (person, cookie) = identify(headers, client::is_https(&app.settings, peer, headers));
        Ok(Self { who: Who::guest(person), cookie })
    }
}

const NAME: &str = "shopbell_visitor";
const LIFE: Duration = Duration::days(365);

/// The guest behind a request, and the cookie to set when it brought none.
#[must_use]
pub fn identify(headers: &HeaderMap, secure: bool) -> (Person, Option<String>) {
    let known = cookie::values(headers, NAME).find_map(|value| u64::from_str_radix(value, 16).ok());
    if let Some(visitor) = known {
        return (Person::Guest(visitor), None);
    }
    let visitor: u64 = rand::random();
    let cookie = Cookie::build((NAME, format!("{visitor:016x}")))
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(LIFE)
        .build();
    (Person::Guest(visitor), Some(cookie.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_known_by_the_cookie_it_was_given() {
        let (person, cookie) = identify(&HeaderMap::new(), true);
        let cookie = cookie.unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("Secure") && cookie.contains("SameSite=Lax"));
        let mut headers = HeaderMap::new();
        let pair = cookie.split(';').next().unwrap();
        headers.insert(
            header::COOKIE,
            header::HeaderValue::from_bytes(format!("name=René; shopbell_visitor=stale; {pair}").as_bytes())
                .unwrap(),
        );
        assert_eq!(identify(&headers, true), (person, None));
        headers.insert(header::COOKIE, header::HeaderValue::from_static("shopbell_visitor=<script>"));
        assert_ne!(identify(&headers, true).0, person);
    }
}
