//! The cookie that carries a log-in to where no script can put a header: the page's socket.

use std::time::Duration;

use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue};
use cookie::{Cookie, SameSite};

/// Its name.
pub const NAME: &str = "shopbell_token";

/// The value of a `Set-Cookie` that keeps a token for so long. `HttpOnly`, so that no script reads it.
#[must_use]
pub fn keep(token: &str, life: Duration, secure: bool) -> HeaderValue {
    // Rounded up: a cookie that outlives its token by less than a second is refused, one that dies early is missed.
    let seconds = i64::try_from(life.as_millis().div_ceil(1000)).unwrap_or(i64::MAX);
    header(token, seconds, secure)
}

/// The value of a `Set-Cookie` that makes a browser forget the token.
#[must_use]
pub fn forget(secure: bool) -> HeaderValue {
    header("", 0, secure)
}

fn header(value: &str, seconds: i64, secure: bool) -> HeaderValue {
    let cookie = Cookie::build((NAME, value))
        .http_only(true)
        .same_site(SameSite::Lax)
        .path("/")
        .max_age(cookie::time::Duration::seconds(seconds))
        .secure(secure)
        .build();
    // A JWT has only letters, digits and `.-_`, and the rest is fixed.
    HeaderValue::from_str(&cookie.to_string()).unwrap_or(HeaderValue::from_static(""))
}

/// The token in a request's cookies.
#[must_use]
pub fn token(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == NAME)
        .map(|cookie| cookie.value().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::client::tests::headers;

    #[test]
    fn a_cookie_has_the_flags_of_the_contract() {
        let text = keep("a.b-c.d_e", Duration::from_secs(604_800), true);
        let mut parts: Vec<_> = text.to_str().unwrap().split("; ").collect();
        parts.sort_unstable();
        assert_eq!(
            parts,
            ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Lax", "Secure", "shopbell_token=a.b-c.d_e"]
        );
        assert!(!keep("a", Duration::from_secs(1), false).to_str().unwrap().contains("Secure"));
        assert!(keep("a", Duration::from_millis(300), false).to_str().unwrap().contains("Max-Age=1"));
        assert!(forget(false).to_str().unwrap().starts_with("shopbell_token=; "));
        assert!(forget(false).to_str().unwrap().contains("Max-Age=0"));
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let found = token(&headers(&[("cookie", "a=b; shopbell_token=x.y.z; c=d")]));
        assert_eq!(found.as_deref(), Some("x.y.z"));
        assert_eq!(token(&headers(&[("cookie", "xshopbell_token=1; ;=;")])), None);
        assert_eq!(token(&HeaderMap::new()), None);
    }
}
