//! Requests with a listen key, `?key=lk_…`, from the pages of another shop (docs/contract.md, "Listen keys").
//!
//! Where there is a key, it alone decides: no cookie, no `Authorization` of the visitor counts, so that what a page of
//! another shop hears never depends on who is logged in here.

use std::{borrow::Cow, sync::Arc};

use actix_web::http::header::HeaderMap;

use super::{Code, event_stream, origin::Origin, problem::Problem};
use crate::{
    domain::{ListenKey, ListenKeyId, PageOrigin},
    state::AppState,
};

/// The parameter that brings a key.
const PARAMETER: &str = "key";

/// The key that a request brings, if it brings one and may use it.
///
/// # Errors
/// 401 `unknown_listen_key`: it is none, was revoked, or there are several. 403 `origin_forbidden`, see
/// [`check_origin`].
pub fn by_key(app: &AppState, query: &str, headers: &HeaderMap) -> Result<Option<Arc<ListenKey>>, Problem> {
    let Some(text) = parameter(query)? else { return Ok(None) };
    let key = find(app, &text)?;
    check_origin(&key, Origin::named(headers).as_ref())?;
    Ok(Some(key))
}

/// The key of a text.
///
/// # Errors
/// 401 `unknown_listen_key`.
pub fn find(app: &AppState, text: &str) -> Result<Arc<ListenKey>, Problem> {
    let key = ListenKeyId::parse(text).and_then(|id| app.listen_keys.find(id));
    key.ok_or_else(|| unknown("there is no such listen key, or it was revoked"))
}

fn unknown(detail: &'static str) -> Problem {
    Problem::new(Code::UnknownListenKey, detail)
}

/// A key is for the pages of its origins. Browsers name the page's in every request that another site's page can make
/// here; a program, which may say what it likes, has to name one of them as well.
///
/// # Errors
/// 403 `origin_forbidden`.
pub fn check_origin(key: &ListenKey, origin: Option<&PageOrigin>) -> Result<(), Problem> {
    match origin {
        Some(origin) if key.is_for(origin) => Ok(()),
        Some(_) => {
            Err(Problem::new(Code::OriginForbidden, "this listen key is not for pages of this origin"))
        }
        None => Err(Problem::new(
            Code::OriginForbidden,
            "a listen key needs an Origin that it is for; a program sends one itself",
        )),
    }
}

/// The origin that a request names, if some key holds for its pages.
#[must_use]
pub fn page(app: &AppState, headers: &HeaderMap) -> Option<PageOrigin> {
    if app.listen_keys.is_empty() {
        return None;
    }
    Origin::named(headers).filter(|origin| app.listen_keys.has_origin(origin))
}

/// Whether a request comes from a page of another shop that may read its answer, by a key that names the page's origin.
/// Socket.IO brings its key only with CONNECT, so that there any key's origin will do until then.
#[must_use]
pub fn is_page(app: &AppState, path: &str, query: &str, headers: &HeaderMap) -> bool {
    match path {
        event_stream::PATH | "/api/notifications" | "/api/shop" | "/api/widget/counts" => {
            matches!(by_key(app, query, headers), Ok(Some(_)))
        }
        "/socket.io/" | "/socket.io" => page(app, headers).is_some(),
        _ => false,
    }
}

/// What a query (without its `?`) says of a key.
fn parameter(query: &str) -> Result<Option<Cow<'_, str>>, Problem> {
    let mut keys = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == PARAMETER);
    match (keys.next(), keys.next()) {
        (None, _) => Ok(None),
        (Some((_, text)), None) => Ok(Some(text)),
        (Some(_), Some(_)) => Err(unknown("a request brings one listen key")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_counts_however_it_is_written_and_only_alone() {
        let key =
            |query| parameter(query).map(|key| key.map(Cow::into_owned)).map_err(|problem| problem.code());
        assert_eq!(key("after=1"), Ok(None));
        assert_eq!(key("after=1&monkey=lk_1"), Ok(None));
        assert_eq!(key("after=1&key=lk_1"), Ok(Some("lk_1".to_owned())));
        assert_eq!(key("%6bey=%6Ck_1"), Ok(Some("lk_1".to_owned())));
        // Present and empty is present: nothing else may decide then.
        assert_eq!(key("key="), Ok(Some(String::new())));
        assert_eq!(key("key"), Ok(Some(String::new())));
        assert_eq!(key("key=lk_1&key=lk_1"), Err(Code::UnknownListenKey));
    }
}
