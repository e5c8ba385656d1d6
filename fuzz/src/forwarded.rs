//! `X-Forwarded-For` and `-Proto`: a stranger is never believed, and what a client writes in front changes nothing.

use std::{net::SocketAddr, sync::LazyLock};

use actix_web::http::header::{HeaderName, HeaderValue};
use shopbell::{
    config::Settings,
    web::client::{address, is_https},
};

use super::headers;

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| Settings {
    trusted_proxy: ["10.0.0.1", "10.0.0.2", "::1"].map(|ip| ip.parse().expect("an address")).to_vec(),
    ..super::settings()
});

/// Checks one input.
pub fn check(input: &[u8]) {
    let forwarded = headers("x-forwarded-for", input);
    let stranger: SocketAddr = "192.0.2.9:4000".parse().expect("an address");
    let proxy: SocketAddr = "10.0.0.1:4000".parse().expect("an address");
    assert_eq!(address(&SETTINGS, Some(stranger), &forwarded), stranger.ip());
    let client = address(&SETTINGS, Some(proxy), &forwarded);
    assert_eq!(client.to_canonical(), client);
    if !SETTINGS.trusted_proxy.contains(&client) {
        let mut spoofed = headers("x-forwarded-for", b"203.0.113.7, 10.0.0.2");
        for value in forwarded.get_all("x-forwarded-for") {
            spoofed.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::clone(value));
        }
        assert_eq!(address(&SETTINGS, Some(proxy), &spoofed), client);
    }
    let proto = headers("x-forwarded-proto", input);
    assert!(!is_https(&SETTINGS, Some(stranger), &proto));
    let said = input.to_ascii_lowercase().windows(5).any(|word| word == b"https");
    assert!(!is_https(&SETTINGS, Some(proxy), &proto) || said);
}
