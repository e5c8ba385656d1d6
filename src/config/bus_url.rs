//! Where the bus is.

use std::fmt;

use serde::Deserialize;
use url::Url;

use super::Secret;

/// One or several servers of a bus, as `nats://user:password@host:4222` or `tls://…`, with commas between them. What stands
/// before the hosts is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct BusUrl(String);

/// A server of the bus.
#[derive(Debug)]
pub struct BusServer {
    /// Without the login.
    pub url: String,
    /// What the URL says of who connects.
    pub login: Option<BusLogin>,
}

/// Who connects to a bus.
#[derive(Debug)]
pub struct BusLogin {
    /// The user; a token, where there is no password.
    pub user: String,
    /// The password.
    pub password: Option<Secret>,
}

impl BusUrl {
    /// The servers, at least one.
    ///
    /// # Errors
    /// It is no such URL; the text is the reason, without the URL.
    pub fn servers(&self) -> Result<Vec<BusServer>, String> {
        self.0.split(',').map(server).collect()
    }

    /// As it may be shown.
    #[must_use]
    pub fn redacted(&self) -> String {
        // A password may hold an unescaped comma: then it is no list, and all before the last host is hidden.
        if self.0.split(',').all(|part| part.contains("://")) {
            return self.0.split(',').map(hidden).collect::<Vec<_>>().join(",");
        }
        hidden(&self.0)
    }
}

/// Without what stands before the host.
fn hidden(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else { return url.to_owned() };
    let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
    format!("{scheme}://(hidden)@{host}")
}

fn server(text: &str) -> Result<BusServer, String> {
    let bad = || "must be the URL of a NATS server, such as nats://127.0.0.1:4222 or tls://…".to_owned();
    let mut url = Url::parse(text.trim()).map_err(|_| bad())?;
    if !matches!(url.scheme(), "nats" | "tls") || url.host_str().is_none_or(str::is_empty) {
        return Err(bad());
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(bad());
    }
    let plain = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
    let login = (!url.username().is_empty()).then(|| BusLogin {
        user: plain(url.username()),
        password: url.password().map(|password| Secret(plain(password))),
    });
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| bad())?;
    Ok(BusServer { url: url.into(), login })
}

impl fmt::Debug for BusUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.redacted().fmt(f)
    }
}

impl From<String> for BusUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_from_who_connects_to_them() {
        let servers = BusUrl("nats://shop:p%40ss@bus-1:4222, tls://bus-2".to_owned()).servers().unwrap();
        assert_eq!((servers[0].url.as_str(), servers[1].url.as_str()), ("nats://bus-1:4222", "tls://bus-2"));
        let login = servers[0].login.as_ref().unwrap();
        assert_eq!((login.user.as_str(), login.password.as_ref().unwrap().0.as_str()), ("shop", "p@ss"));
        assert!(servers[1].login.is_none());
        let token = BusUrl("nats://t0k3n@bus".to_owned()).servers().unwrap().remove(0).login.unwrap();
        assert!(token.user == "t0k3n" && token.password.is_none());
        for bad in [
            "",
            "bus",
            "bus:4222",
            "redis://bus",
            "nats://",
            "nats://bus/shop",
            "nats://bus,",
            "nats://bus?x",
        ] {
            assert!(BusUrl(bad.to_owned()).servers().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            (
                "nats://shop:hunter2@bus:4222,tls://shop:hunter2@bus-2",
                "nats://(hidden)@bus:4222,tls://(hidden)@bus-2",
            ),
            ("nats://hunter2@bus", "nats://(hidden)@bus"),
            ("nats://bus", "nats://bus"),
            ("shop:hunter2@bus", "://(hidden)@bus"),
            ("nats://shop:hun,ter2@bus", "nats://(hidden)@bus"),
        ] {
            let url = BusUrl(url.to_owned());
            assert_eq!((url.redacted().as_str(), format!("{url:?}")), (shown, format!("{shown:?}")));
        }
    }
}
