//! Where the collector of traces is.

use std::fmt;

use serde::Deserialize;
use url::Url;

use super::Secret;

/// A collector that takes OTLP over HTTP, as `http://user:password@host:4318` or `https://…`. What stands before the host is
/// never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct CollectorUrl(String);

/// Where traces are sent, and as who.
#[derive(Debug)]
pub struct TracesTarget {
    /// Without the login.
    pub url: String,
    /// User and password.
    pub login: Option<(String, Secret)>,
}

impl CollectorUrl {
    /// Where it takes traces: `v1/traces` below the URL (OTLP 1.5, "OTLP/HTTP Request").
    ///
    /// # Errors
    /// It is no such URL; the text is the reason, without the URL.
    pub fn traces(&self) -> Result<TracesTarget, String> {
        let bad = || "must be the URL of a collector, such as http://127.0.0.1:4318 or https://…".to_owned();
        let mut url = Url::parse(self.0.trim()).map_err(|_| bad())?;
        let is_http = matches!(url.scheme(), "http" | "https");
        if !is_http || url.query().is_some() || url.fragment().is_some() {
            return Err(bad());
        }
        let plain = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
        let login = (!url.username().is_empty() || url.password().is_some())
            .then(|| (plain(url.username()), Secret(plain(url.password().unwrap_or_default()))));
        url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| bad())?;
        Ok(TracesTarget { url: format!("{}/v1/traces", url.as_str().trim_end_matches('/')), login })
    }

    /// As it may be shown.
    #[must_use]
    pub fn redacted(&self) -> String {
        let Some((before, host)) = self.0.rsplit_once('@') else { return self.0.clone() };
        let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
        format!("{scheme}://(hidden)@{host}")
    }
}

impl fmt::Debug for CollectorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.redacted().fmt(f)
    }
}

impl From<String> for CollectorUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_go_below_the_url_and_the_login_apart() {
        let target = CollectorUrl("https://shop:p%40ss@collector.example/otlp/".to_owned()).traces().unwrap();
        assert_eq!(target.url, "https://collector.example/otlp/v1/traces");
        let (user, password) = target.login.unwrap();
        assert_eq!((user.as_str(), password.0.as_str()), ("shop", "p@ss"));
        let target = CollectorUrl("http://127.0.0.1:4318".to_owned()).traces().unwrap();
        assert!(target.login.is_none() && target.url == "http://127.0.0.1:4318/v1/traces");
        for bad in ["", "collector:4318", "grpc://collector:4317", "http://", "http://x?y"] {
            assert!(CollectorUrl(bad.to_owned()).traces().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        for (url, shown) in [
            ("https://shop:hunter2@collector:4318", "https://(hidden)@collector:4318"),
            ("http://shop:hunter2/@@collector", "http://(hidden)@collector"),
            ("http://collector:4318", "http://collector:4318"),
        ] {
            let url = CollectorUrl(url.to_owned());
            assert_eq!((url.redacted().as_str(), format!("{url:?}")), (shown, format!("{shown:?}")));
        }
    }
}
