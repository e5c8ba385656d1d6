//! Where a request comes from: the `Origin` header (RFC 6454 §7, Fetch standard) against the site's own and the allowed
//! ones. Cookies travel with requests from anywhere, so that what they may do depends on this.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

use crate::config::Settings;

/// What the `Origin` of a request is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// There is none: no browser, or a plain navigation.
    Missing,
    /// This site.
    Same,
    /// One of `--allowed-origin`.
    Allowed,
    /// Any, because of `--allowed-origin '*'`: served, but no cookie counts.
    Anyone,
    /// None of these.
    Forbidden,
}

impl Origin {
    /// What a request's headers say.
    #[must_use]
    pub fn of(settings: &Settings, headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(ORIGIN);
        let Some(value) = values.next() else { return Self::Missing };
        let listed = |wanted: &str| settings.allowed_origin.iter().any(|allowed| allowed == wanted);
        // `null` (a sandboxed frame, a file) and what is no origin match no entry but `*`.
        let origin = value.to_str().ok().and_then(parse).filter(|_| values.next().is_none());
        match origin {
            Some((scheme, authority)) if is_same(settings, headers, scheme, &authority) => Self::Same,
            Some((scheme, authority)) if listed(&format!("{}://{authority}", scheme.name)) => Self::Allowed,
            _ if listed("*") => Self::Anyone,
            _ => Self::Forbidden,
        }
    }

    /// Whether a cookie may stand for its owner in a write, or open a socket.
    #[must_use]
    pub fn may_use_cookies(self) -> bool {
        matches!(self, Self::Same | Self::Allowed)
    }
}

#[derive(Clone, Copy)]
struct Scheme {
    name: &'static str,
    default_port: &'static str,
}

const SCHEMES: [Scheme; 2] =
    [Scheme { name: "http", default_port: ":80" }, Scheme { name: "https", default_port: ":443" }];

/// Scheme and authority in lower case, without the default port.
fn parse(origin: &str) -> Option<(Scheme, String)> {
    let (name, authority) = origin.split_once("://")?;
    let scheme = SCHEMES.into_iter().find(|scheme| scheme.name.eq_ignore_ascii_case(name))?;
    (!authority.is_empty()).then(|| (scheme, normal(authority, scheme)))
}

fn normal(authority: &str, scheme: Scheme) -> String {
    let lower = authority.to_ascii_lowercase();
    lower.strip_suffix(scheme.default_port).unwrap_or(&lower).to_owned()
}

/// With `--public-url` exactly that. Without, what the browser called us: the authority of `Host`. The scheme is not
/// compared then: behind a TLS proxy that no setting names, it would be the wrong one.
fn is_same(settings: &Settings, headers: &HeaderMap, scheme: Scheme, authority: &str) -> bool {
    if let Some(url) = &settings.public_url {
        return *url == format!("{}://{authority}", scheme.name);
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    !host.is_empty() && normal(host, scheme) == authority
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::client::tests::{headers, settings};

    fn of(settings: &Settings, origin: &str, host: &str) -> Origin {
        Origin::of(settings, &headers(&[("origin", origin), ("host", host)]))
    }

    #[test]
    fn without_a_public_url_the_host_is_the_site() {
        let settings = settings();
        assert_eq!(Origin::of(&settings, &headers(&[("host", "shop.example")])), Origin::Missing);
        for (origin, host, expected) in [
            ("http://127.0.0.1:3000", "127.0.0.1:3000", Origin::Same),
            ("https://Shop.example", "shop.example", Origin::Same),
            ("https://shop.example:443", "shop.example", Origin::Same),
            ("http://shop.example", "shop.example:80", Origin::Same),
            ("http://shop.example:8080", "shop.example", Origin::Forbidden),
            ("https://evil.example", "shop.example", Origin::Forbidden),
            ("https://shop.example.evil", "shop.example", Origin::Forbidden),
            ("null", "shop.example", Origin::Forbidden),
            ("", "", Origin::Forbidden),
            ("https://", "", Origin::Forbidden),
            ("ftp://shop.example", "shop.example", Origin::Forbidden),
        ] {
            assert_eq!(of(&settings, origin, host), expected, "{origin} {host}");
        }
    }

    #[test]
    fn with_a_public_url_only_that_is_the_site() {
        let settings = Settings { public_url: Some("https://shop.example".into()), ..settings() };
        assert_eq!(of(&settings, "https://shop.example", "10.0.0.1:3000"), Origin::Same);
        assert_eq!(of(&settings, "http://shop.example", "shop.example"), Origin::Forbidden);
        assert_eq!(of(&settings, "http://10.0.0.1:3000", "10.0.0.1:3000"), Origin::Forbidden);
    }

    #[test]
    fn others_are_allowed_by_name_or_all_without_cookies() {
        let one = Settings { allowed_origin: vec!["https://blog.example".into()], ..settings() };
        assert_eq!(of(&one, "https://blog.example", "shop.example"), Origin::Allowed);
        assert_eq!(of(&one, "http://blog.example", "shop.example"), Origin::Forbidden);
        let all = Settings { allowed_origin: vec!["*".into()], ..settings() };
        assert_eq!(of(&all, "https://any.example", "shop.example"), Origin::Anyone);
        assert_eq!(of(&all, "https://shop.example", "shop.example"), Origin::Same);
        assert!(!Origin::Anyone.may_use_cookies() && !Origin::Missing.may_use_cookies());
        let twice = headers(&[("origin", "https://blog.example"), ("origin", "https://evil.example")]);
        assert_eq!(Origin::of(&one, &twice), Origin::Forbidden);
    }
}
