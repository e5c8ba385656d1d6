//! How a guest is known again: a cookie of its own that says nothing else, so that two tabs count as one person.

use actix_web::http::header::{self, HeaderMap};
use cookie::{Cookie, SameSite, time::Duration};

use crate::realtime::Person;

const NAME: &str = "shopbell_visitor";
const LIFE: Duration = Duration::days(365);

/// The guest behind a request, and the cookie to set when it brought none.
pub(super) fn identify(headers: &HeaderMap, secure: bool) -> (Person, Option<String>) {
    let known = headers
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten()
        .find(|cookie| cookie.name() == NAME)
        .and_then(|cookie| u128::from_str_radix(cookie.value(), 16).ok());
    if let Some(visitor) = known {
        return (Person::Guest(visitor), None);
    }
    let visitor: u128 = rand::random();
    let cookie = Cookie::build((NAME, format!("{visitor:032x}")))
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
        headers.insert(header::COOKIE, format!("a=b; {pair}").parse().unwrap());
        assert_eq!(identify(&headers, true), (person, None));
        headers.insert(header::COOKIE, header::HeaderValue::from_static("shopbell_visitor=<script>"));
        assert_ne!(identify(&headers, true).0, person);
    }
}
