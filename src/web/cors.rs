//! Which other sites' scripts may ask and read (Fetch standard, "CORS protocol"). Headers stand on errors too, or a
//! script could not tell a refusal from a broken network.

use actix_web::{
    HttpResponse,
    http::{
        Method,
        header::{
            ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
            ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN,
            VARY,
        },
    },
};

use super::{Code, messages::Language, origin::Origin, problem::Problem};
use crate::config::Settings;

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// Those of this API, when a preflight names none.
const HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID";
const EXPOSED: &str = "ETag, Location, Retry-After, Idempotent-Replayed";
/// Two hours, the longest that Chromium keeps a preflight.
const MAX_AGE_SECONDS: &str = "7200";

/// What a request's origin is granted on its answer.
#[must_use]
pub fn grants(settings: &Settings, headers: &HeaderMap) -> HeaderMap {
    let mut granted = HeaderMap::new();
    let mut grant = |name, value| granted.insert(name, HeaderValue::from_static(value));
    match Origin::of(settings, headers) {
        Origin::Allowed => {
            grant(ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
            grant(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            // Parsed and found in the list, so that it may be repeated.
            if let Some(origin) = headers.get(ORIGIN) {
                granted.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            }
        }
        Origin::Anyone => {
            grant(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
            grant(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
        Origin::Missing | Origin::Same | Origin::Forbidden => {}
    }
    granted
}

/// What a page of another shop is granted that a listen key names: to read, without credentials.
#[must_use]
pub fn grants_to_listen(headers: &HeaderMap) -> HeaderMap {
    let mut granted = HeaderMap::new();
    if let Some(origin) = headers.get(ORIGIN) {
        // It was found among those of a key, so that it may be repeated.
        granted.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        granted.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
    granted
}

/// Puts the grants on an answer. What an answer grants by itself (a module that everyone may embed) stays.
pub fn decorate(headers: &mut HeaderMap, granted: &HeaderMap) {
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if granted.is_empty() || headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    for (name, value) in granted {
        headers.insert(name.clone(), value.clone());
    }
}

/// The answer to a preflight; `None` when the request is none. `may_listen`: a listen key names the origin for what is
/// asked.
#[must_use]
pub fn preflight(
    settings: &Settings,
    method: &Method,
    headers: &HeaderMap,
    may_listen: bool,
) -> Option<HttpResponse> {
    let asks = method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if !asks {
        return None;
    }
    if !may_listen && Origin::of(settings, headers) == Origin::Forbidden {
        let problem = Problem::new(Code::OriginForbidden, "this origin is not in --allowed-origin");
        return Some(problem.respond(Language::of(headers)));
    }
    let mut response = HttpResponse::NoContent();
    response
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, requested(headers)))
        .append_header((VARY, "Access-Control-Request-Headers"))
        .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS));
    Some(response.finish())
}

/// The headers that a preflight asks for: who may call may send what it likes. (`*` would not do, it does not count for
/// calls with credentials and never for `Authorization`.)
fn requested(headers: &HeaderMap) -> HeaderValue {
    let is_list = |value: &&HeaderValue| {
        value
            .as_bytes()
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~, ".contains(byte))
    };
    let asked = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).filter(|value| !value.is_empty()).filter(is_list);
    asked.cloned().unwrap_or(HeaderValue::from_static(HEADERS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::client::tests::{headers, settings};

    #[test]
    fn credentials_are_granted_to_listed_origins_only() {
        let listed = Settings { allowed_origin: vec!["https://blog.example".into()], ..settings() };
        let granted = grants(&listed, &headers(&[("origin", "https://blog.example")]));
        assert_eq!(granted.get(ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(), "https://blog.example");
        assert_eq!(granted.get(ACCESS_CONTROL_ALLOW_CREDENTIALS).unwrap(), "true");
        assert!(grants(&listed, &headers(&[("origin", "https://evil.example")])).is_empty());
        let all = Settings { allowed_origin: vec!["*".into()], ..settings() };
        let granted = grants(&all, &headers(&[("origin", "https://any.example")]));
        assert_eq!(granted.get(ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(), "*");
        assert!(!granted.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }

    #[test]
    fn a_preflight_is_answered_for_those_who_may() {
        let listed = Settings { allowed_origin: vec!["https://blog.example".into()], ..settings() };
        let ask = |origin| headers(&[("origin", origin), ("access-control-request-method", "POST")]);
        let answer = |origin| preflight(&listed, &Method::OPTIONS, &ask(origin), false).unwrap();
        assert_eq!(answer("https://blog.example").status(), 204);
        assert_eq!(answer("https://evil.example").status(), 403);
        let mut with_headers = ask("https://blog.example");
        with_headers.insert(ACCESS_CONTROL_REQUEST_HEADERS, "authorization,x-my-header".parse().unwrap());
        let granted = preflight(&listed, &Method::OPTIONS, &with_headers, false).unwrap();
        assert_eq!(granted.headers().get(ACCESS_CONTROL_ALLOW_HEADERS).unwrap(), "authorization,x-my-header");
        assert_eq!(
            answer("https://blog.example").headers().get(ACCESS_CONTROL_ALLOW_HEADERS).unwrap(),
            HEADERS
        );
        assert!(preflight(&listed, &Method::POST, &ask("https://blog.example"), false).is_none());
        assert!(preflight(&listed, &Method::OPTIONS, &HeaderMap::new(), false).is_none());
    }
}
