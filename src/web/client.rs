//! Who is at the other end: the client's address and whether it came by HTTPS. Proxies are believed only when the
//! settings name them, because anyone can write `X-Forwarded-For`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::http::header::HeaderMap;

use crate::config::Settings;

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The client's address: the peer's, or what trusted proxies say, read from the right. The first address that is no
/// proxy of ours is the client; what stands left of it, the client may have made up.
#[must_use]
pub fn address(settings: &Settings, peer: Option<SocketAddr>, headers: &HeaderMap) -> IpAddr {
    let mut address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
    let hops: Vec<_> = headers
        .get_all(FORWARDED_FOR)
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .collect();
    for hop in hops.into_iter().rev() {
        if !is_trusted(settings, address) {
            break;
        }
        // A proxy that writes no address hides what is behind it.
        let Some(before) = parse(hop) else { break };
        address = before;
    }
    address
}

/// Whether the browser speaks HTTPS: by `--public-url`, or because a trusted proxy says so.
#[must_use]
pub fn is_https(settings: &Settings, peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    if settings.public_url.as_ref().is_some_and(|url| url.starts_with("https://")) {
        return true;
    }
    let proto = headers.get(FORWARDED_PROTO).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let https = proto.split(',').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("https"));
    https && is_proxy(settings, peer)
}

/// Whether it is a trusted proxy at the other end, which brings many clients on one connection.
#[must_use]
pub fn is_proxy(settings: &Settings, peer: Option<SocketAddr>) -> bool {
    peer.is_some_and(|peer| is_trusted(settings, peer.ip().to_canonical()))
}

fn is_trusted(settings: &Settings, address: IpAddr) -> bool {
    settings.trusted_proxy.iter().any(|proxy| proxy.to_canonical() == address)
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn parse(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
pub(crate) mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;
    use crate::config::{CommonLayer, ServeLayer};

    pub(crate) fn settings() -> Settings {
        Settings::resolve(CommonLayer::default(), ServeLayer::default(), None).unwrap()
    }

    pub(crate) fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in list {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn behind_proxies() -> Settings {
        let trusted_proxy = vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        Settings { trusted_proxy, ..settings() }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxy: SocketAddr = "10.0.0.1:4000".parse().unwrap();
        let stranger: SocketAddr = "192.0.2.9:4000".parse().unwrap();
        let of = |peer, value: &str| {
            address(&behind_proxies(), Some(peer), &headers(&[(FORWARDED_FOR, value)])).to_string()
        };
        assert_eq!(of(stranger, "1.1.1.1"), "192.0.2.9");
        assert_eq!(of(proxy, "1.1.1.1"), "1.1.1.1");
        assert_eq!(of(proxy, "6.6.6.6, 1.1.1.1"), "1.1.1.1");
        assert_eq!(of(proxy, "6.6.6.6, 1.1.1.1, 10.0.0.2"), "1.1.1.1");
        assert_eq!(of(proxy, "[2001:db8::1]:99"), "2001:db8::1");
        assert_eq!(of(proxy, "::ffff:1.2.3.4"), "1.2.3.4");
        assert_eq!(of(proxy, "1.1.1.1, unknown"), "10.0.0.1");
        let mapped: SocketAddr = "[::ffff:10.0.0.1]:4000".parse().unwrap();
        assert_eq!(of(mapped, "1.1.1.1"), "1.1.1.1");
    }

    #[test]
    fn https_is_told_by_the_settings_or_a_trusted_proxy() {
        let proto = headers(&[(FORWARDED_PROTO, "https")]);
        let proxy = Some("10.0.0.1:1".parse().unwrap());
        let stranger = Some("192.0.2.9:1".parse().unwrap());
        assert!(is_https(&behind_proxies(), proxy, &proto));
        assert!(!is_https(&behind_proxies(), stranger, &proto));
        assert!(!is_https(&behind_proxies(), proxy, &HeaderMap::new()));
        let public = Settings { public_url: Some("https://shop.example".into()), ..settings() };
        assert!(is_https(&public, stranger, &HeaderMap::new()));
    }
}
