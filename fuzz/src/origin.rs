//! `Origin` against `Host` and the allowed ones. The first line of the input is the origin, the second the host.

use std::sync::LazyLock;

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap, HeaderName, HeaderValue,
};
use shopbell::{
    config::Settings,
    web::{cors, origin::Origin},
};

static SETTINGS: LazyLock<[Settings; 3]> = LazyLock::new(|| {
    let usual = super::settings();
    let allowed = vec!["https://blog.example".to_owned()];
    [
        Settings { allowed_origin: allowed, ..usual.clone() },
        Settings { allowed_origin: vec!["*".to_owned()], ..usual.clone() },
        Settings { public_url: Some("https://shop.example".to_owned()), ..usual },
    ]
});

/// Checks one input.
pub fn check(input: &[u8]) {
    let mut headers = HeaderMap::new();
    let mut lines = input.split(|byte| *byte == b'\n');
    for name in ["origin", "host"] {
        if let Ok(value) = HeaderValue::from_bytes(lines.next().unwrap_or_default()) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let origin = headers.get("origin").map(|value| value.as_bytes().to_ascii_lowercase());
    for settings in &*SETTINGS {
        let found = Origin::of(settings, &headers);
        assert_eq!(found == Origin::Missing, origin.is_none());
        if found.may_use_cookies() {
            let text = origin.as_deref().unwrap_or_default();
            assert!(text.starts_with(b"http://") || text.starts_with(b"https://"));
        }
        if found == Origin::Allowed {
            let text = origin.as_deref().unwrap_or_default();
            assert!([&b"https://blog.example"[..], b"https://blog.example:443"].contains(&text));
        }
        if settings.public_url.is_some() && found == Origin::Same {
            let text = origin.as_deref().unwrap_or_default();
            assert!([&b"https://shop.example"[..], b"https://shop.example:443"].contains(&text));
        }
        let granted = cors::grants(settings, &headers);
        assert_eq!(granted.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS), found == Origin::Allowed);
        assert_eq!(
            granted.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN),
            matches!(found, Origin::Allowed | Origin::Anyone)
        );
    }
}
