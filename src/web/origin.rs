//! Where a request comes from: the `Origin` header (RFC 6454 §7, Fetch standard) against the site's own and the allowed
//! ones. Cookies travel with requests from anywhere, so that what they may do depends on this.

use actix_web::http::header::{
    CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERER, USER_AGENT,
};

use crate::{config::Settings, domain::PageOrigin};

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
        // Two of them are none.
        let text = value.to_str().ok().filter(|_| values.next().is_none()).unwrap_or_default();
        match parse(text) {
            Some((scheme, authority)) if is_same(settings, headers, scheme, &authority) => Self::Same,
            Some((scheme, authority)) if listed(&format!("{}://{authority}", scheme.name)) => Self::Allowed,
            // An app's (`capacitor://localhost`), or `null`: a sandboxed frame, a file. They match by name alone.
            None if !text.is_empty() && listed(&text.to_ascii_lowercase()) => Self::Allowed,
            _ if listed("*") => Self::Anyone,
            _ => Self::Forbidden,
        }
    }

    /// The origin that a request names, as [`PageOrigin`] has it; `None` when it names none, or not one alone. An app's
    /// counts by its name.
    #[must_use]
    pub fn named(headers: &HeaderMap) -> Option<PageOrigin> {
        let mut values = headers.get_all(ORIGIN);
        let text = values.next()?.to_str().ok().filter(|_| values.next().is_none())?;
        let normal = parse(text).map(|(scheme, authority)| format!("{}://{authority}", scheme.name));
        let normal = normal.unwrap_or_else(|| text.to_ascii_lowercase());
        // Compared as it is: what a browser writes is normal already, and what is not is of no key.
        normal.contains("://").then(|| PageOrigin::claimed(normal))
    }

    /// Where a log-in comes from: its answer sets a cookie, so that a form of another site would log its visitors in as
    /// someone else. A browser says with each POST where it is from, in `Origin`, `Sec-Fetch-Site` (Fetch Metadata) or,
    /// if it is old, `Referer`; what says nothing of these is a program, whose cookies are its own, unless it calls
    /// itself a browser and sends what a form can.
    #[must_use]
    pub fn of_log_in(settings: &Settings, headers: &HeaderMap) -> Self {
        let origin = Self::of(settings, headers);
        if origin != Self::Missing {
            return origin;
        }
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
            return if matches!(site, "same-origin" | "none") { Self::Same } else { Self::Forbidden };
        }
        if let Some(page) = text(REFERER) {
            let mut of_page = headers.clone();
            of_page.insert(ORIGIN, origin_of(page).and_then(|text| text.parse().ok()).unwrap_or(NO_ORIGIN));
            return Self::of(settings, &of_page);
        }
        // No form can send JSON, and no script of another site may without asking first (Fetch standard, CORS-safelisted).
        let is_json = text(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
        let is_browser = text(USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/"));
        if is_browser && !is_json { Self::Forbidden } else { Self::Missing }
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

const HTTP: Scheme = Scheme { name: "http", default_port: ":80" };
const HTTPS: Scheme = Scheme { name: "https", default_port: ":443" };
/// What matches nothing but `*`.
const NO_ORIGIN: HeaderValue = HeaderValue::from_static("-");

/// Scheme and authority of a web page in lower case, without the default port. Some clients name the address that they
/// connect to instead of a page's: `ws:` is `http:` (RFC 6455 §3).
fn parse(origin: &str) -> Option<(Scheme, String)> {
    let (name, authority) = origin.split_once("://")?;
    let scheme = match name.to_ascii_lowercase().as_str() {
        "http" | "ws" => HTTP,
        "https" | "wss" => HTTPS,
        _ => return None,
    };
    (!authority.is_empty()).then(|| (scheme, normal(authority, scheme)))
}

/// Scheme and authority of an address.
fn origin_of(address: &str) -> Option<&str> {
    let begin = address.find("://")? + "://".len();
    let end = address[begin..].find(['/', '?', '#']).map_or(address.len(), |length| begin + length);
    Some(&address[..end])
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
            ("wss://shop.example", "shop.example", Origin::Same),
            ("WS://Shop.example:80", "shop.example", Origin::Same),
            ("wss://shop.example:80", "shop.example", Origin::Forbidden),
            ("ws://evil.example", "shop.example", Origin::Forbidden),
            ("capacitor://shop.example", "shop.example", Origin::Forbidden),
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
        let apps = Settings {
            allowed_origin: vec![
                "capacitor://localhost".into(),
                "https://blog.example".into(),
                "null".into(),
            ],
            ..settings()
        };
        assert_eq!(of(&apps, "capacitor://localhost", "shop.example"), Origin::Allowed);
        assert_eq!(of(&apps, "Capacitor://LocalHost", "shop.example"), Origin::Allowed);
        assert_eq!(of(&apps, "null", "shop.example"), Origin::Allowed);
        assert_eq!(of(&apps, "wss://blog.example", "shop.example"), Origin::Allowed);
        for other in ["ionic://localhost", "capacitor://localhost.evil", "capacitor://evil", "", "localhost"]
        {
            assert_eq!(of(&apps, other, "shop.example"), Origin::Forbidden, "{other}");
        }
        let twice = headers(&[("origin", "https://blog.example"), ("origin", "https://evil.example")]);
        assert_eq!(Origin::of(&one, &twice), Origin::Forbidden);
    }
    #[test]
    fn a_log_in_by_a_browser_says_where_it_is_from() {
        let from = |list: &[(&'static str, &str)]| {
            let all = [&[("host", "shop.example")], list].concat();
            Origin::of_log_in(&settings(), &headers(&all))
        };
        let browser = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)");
        for (list, expected) in [
            (&[][..], Origin::Missing),
            (&[("user-agent", "curl/8.5.0")], Origin::Missing),
            (&[browser], Origin::Forbidden),
            (&[browser, ("content-type", "application/json")], Origin::Missing),
            (&[browser, ("origin", "https://shop.example")], Origin::Same),
            (
                &[browser, ("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
                Origin::Forbidden,
            ),
            (&[("origin", "null")], Origin::Forbidden),
            (&[browser, ("sec-fetch-site", "same-origin")], Origin::Same),
            (&[browser, ("sec-fetch-site", "same-site")], Origin::Forbidden),
            (&[("sec-fetch-site", "cross-site")], Origin::Forbidden),
            (&[browser, ("referer", "https://shop.example/login.html?next=/")], Origin::Same),
            (&[browser, ("referer", "https://evil.example/?https://shop.example/")], Origin::Forbidden),
            (&[("referer", "https://shop.example.evil")], Origin::Forbidden),
            (&[("referer", "nonsense")], Origin::Forbidden),
        ] {
            assert_eq!(from(list), expected, "{list:?}");
        }
    }
}
