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

/// The most cookies of one name that are looked at: a browser may hold one for each path and domain, not more.
const MAX_OF_ONE_NAME: usize = 8;

/// The tokens in a request's cookies, in their order. There may be several: a stale one of another path, or one that
/// another host of the same domain has set.
#[must_use]
pub fn tokens(headers: &HeaderMap) -> Vec<&str> {
    values(headers, NAME).take(MAX_OF_ONE_NAME).collect()
}

/// The values of a name in all `Cookie` headers (RFC 6265 §5.4), read one by one: others write into the same header, and
/// what they write (raw UTF-8, no `=`, anything) hides none of ours. A quoted value counts as its content.
pub fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let pairs = headers.get_all(COOKIE).flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let value = pair.trim_ascii().strip_prefix(name.as_bytes())?.trim_ascii_start().strip_prefix(b"=")?;
        let value = value.trim_ascii();
        let content = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
        std::str::from_utf8(content.unwrap_or(value)).ok()
    })
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
        assert_eq!(tokens(&headers(&[("cookie", "a=b; shopbell_token=x.y.z; c=d")])), ["x.y.z"]);
        let none: [&str; 0] = [];
        assert_eq!(
            tokens(&headers(&[("cookie", "xshopbell_token=1; shopbell_token; shopbell_tokens=1; ;=;")])),
            none
        );
        assert_eq!(tokens(&HeaderMap::new()), none);
    }

    #[test]
    fn no_cookie_of_others_hides_ours() {
        for others in [
            &b"name=Ren\xc3\xa9"[..],
            b"name=\xff\xfe",
            b"novalue",
            b"=",
            b"a=\"x",
            b"a=\"x; y\"",
            b"a=b=c",
            b" , ",
            b"$Version=1",
            b"json={\"a\":1}",
        ] {
            for (before, after) in [(&b""[..], others), (others, &b""[..]), (others, others)] {
                let value = [before, b"; shopbell_token=x.y.z ;", after].concat();
                let mut map = HeaderMap::new();
                map.insert(COOKIE, HeaderValue::from_bytes(&value).unwrap());
                assert_eq!(tokens(&map), ["x.y.z"], "{}", String::from_utf8_lossy(&value));
            }
        }
    }

    #[test]
    fn quotes_are_no_part_of_a_value_and_all_of_our_name_are_found() {
        let several = headers(&[
            ("cookie", "shopbell_token=stale; a=b; shopbell_token=\"x.y.z\""),
            ("cookie", "shopbell_token=third"),
        ]);
        assert_eq!(tokens(&several), ["stale", "x.y.z", "third"]);
        let many = headers(&[("cookie", &"shopbell_token=x;".repeat(100))]);
        assert_eq!(tokens(&many).len(), MAX_OF_ONE_NAME);
    }
}
