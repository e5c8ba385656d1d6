//! The kinds of values that settings have, and how they are read from text.

use std::{fmt, str::FromStr, time::Duration};

use serde::Deserialize;

use crate::domain::{
    Invalid, NicknameDisplay,
    goods::{MAX_STOCK, parse_stock},
};

/// A setting that cannot be used. Its text is one sentence that names the setting.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// A length of time as people write it: `300ms`, `25s`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HumanDuration(pub Duration);

impl FromStr for HumanDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match humantime::parse_duration(text) {
            Ok(duration) if !duration.is_zero() => Ok(Self(duration)),
            _ => Err(format!("{text:?} is not a length of time such as 300ms, 25s or 7d")),
        }
    }
}

impl TryFrom<String> for HumanDuration {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HumanDuration> for Duration {
    fn from(duration: HumanDuration) -> Self {
        duration.0
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // "7days" and "25s" read back as the same; humantime puts blanks between several units.
        humantime::format_duration(self.0).fmt(f)
    }
}

/// Text that is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Where a database is. Its password is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// As it may be shown: without what stands before the host.
    #[must_use]
    pub fn redacted(&self) -> String {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        // A password may hold unescaped slashes: what stands before the last `@` is none of a file's name.
        let at = if scheme == "sqlite" { rest[..end].rfind('@') } else { rest.rfind('@') };
        match at {
            Some(at) => format!("{scheme}://(hidden)@{}", &rest[at + 1..]),
            None => self.0.clone(),
        }
    }
}

impl std::ops::Deref for DatabaseUrl {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.redacted().fmt(f)
    }
}

impl From<String> for DatabaseUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

/// Reads what a file says of a setting that may be given several times: a list, or one value.
pub(super) fn one_or_many<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Secret>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        One(Secret),
        Many(Vec<Secret>),
    }
    Ok(Option::<Given>::deserialize(deserializer)?.map(|given| match given {
        Given::One(secret) => vec![secret],
        Given::Many(secrets) => secrets,
    }))
}

/// Who receives alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Logged-in sessions only.
    #[default]
    Members,
    /// Guests too.
    Everyone,
}

impl Audience {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Everyone => "everyone",
        }
    }

    /// Reads its name.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "members" => Ok(Self::Members),
            "everyone" => Ok(Self::Everyone),
            _ => Err(Invalid::new("invalid", "audience is members or everyone")),
        }
    }
}

/// How nicknames appear in alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum NicknameStyle {
    /// As they are.
    #[default]
    Full,
    /// `k**`.
    Masked,
}

impl From<NicknameStyle> for NicknameDisplay {
    fn from(nicknames: NicknameStyle) -> Self {
        match nicknames {
            NicknameStyle::Full => Self::Full,
            NicknameStyle::Masked => Self::Masked,
        }
    }
}

impl From<NicknameStyle> for Option<NicknameDisplay> {
    fn from(nicknames: NicknameStyle) -> Self {
        Some(nicknames.into())
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The most threads that serve connections.
pub(super) const MAX_WORKERS: usize = 256;

pub(super) fn workers(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=MAX_WORKERS).contains(n)).ok_or(format!("must be 1 to {MAX_WORKERS}"))
}

/// A whole number above 0.
pub(super) fn above_zero<T: FromStr + Default + PartialOrd>(text: &str) -> Result<T, String> {
    text.parse().ok().filter(|n| *n > T::default()).ok_or_else(|| "must be a whole number above 0".into())
}

/// A share of a whole.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "must be a number from 0 to 1".into())
}

/// A number of pieces.
pub(super) fn stock(text: &str) -> Result<i64, String> {
    parse_stock(text).map_err(|_| format!("must be a whole number from 0 to {MAX_STOCK}"))
}

/// Reads what a file says of a type that is parsed from text.
pub(super) fn from_text<'de, D: serde::Deserializer<'de>, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err = String>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

/// The origin (RFC 6454 §6.2) of a URL: scheme, host and port, in lower case, without a default port.
pub(super) fn origin(setting: &str, url: &str) -> Result<String, ConfigError> {
    let bad = || ConfigError(format!("{setting} {url:?} is not a URL such as https://shop.example"));
    parts(url).filter(|(scheme, _)| matches!(scheme.as_str(), "http" | "https")).map(joined).ok_or_else(bad)
}

/// An origin as a request may name it: a site's, an app's (`capacitor://localhost`, `chrome-extension://…`), or `null`,
/// which sandboxed frames and files have.
pub(super) fn allowed_origin(text: &str) -> Result<String, ConfigError> {
    if matches!(text, "*" | "null") {
        return Ok(text.to_owned());
    }
    parts(text).map(joined).ok_or_else(|| {
        ConfigError(format!("--allowed-origin {text:?} is not an origin such as https://shop.example"))
    })
}

fn joined((scheme, host): (String, String)) -> String {
    format!("{scheme}://{host}")
}

/// Scheme and host with its port. `ws:` is `http:` (RFC 6455 §3).
fn parts(url: &str) -> Option<(String, String)> {
    let lower = url.trim_end_matches('/').to_ascii_lowercase();
    let (scheme, host) = lower.split_once("://")?;
    let (scheme, default_port) = match scheme {
        "http" | "ws" => ("http", ":80"),
        "https" | "wss" => ("https", ":443"),
        other => (other, "\0"),
    };
    let host = host.strip_suffix(default_port).unwrap_or(host);
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    (is_scheme && !host.is_empty() && host.chars().all(plain)).then(|| (scheme.to_owned(), host.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_no_default_port_and_no_path() {
        assert_eq!(origin("x", "HTTPS://Shop.example:443/").unwrap(), "https://shop.example");
        assert_eq!(origin("x", "http://127.0.0.1:3000").unwrap(), "http://127.0.0.1:3000");
        assert!(origin("x", "https://shop.example/path").is_err());
        assert!(origin("x", "capacitor://localhost").is_err());
    }

    #[test]
    fn apps_may_be_allowed_by_name() {
        for (text, origin) in [
            ("capacitor://localhost", "capacitor://localhost"),
            ("tauri://localhost/", "tauri://localhost"),
            ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
            ("wss://Shop.example:443", "https://shop.example"),
            ("null", "null"),
            ("*", "*"),
        ] {
            assert_eq!(allowed_origin(text).unwrap(), origin);
        }
        for bad in ["shop.example", "", "://x", "1x://y", "capacitor://", "https://a b", "NULL "] {
            assert!(allowed_origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://shop:hunter2@db.example/shop", "postgres://(hidden)@db.example/shop"),
            ("ftp://u:hunter2@x", "ftp://(hidden)@x"),
            ("postgres://u:hunter2/@#@x/y", "postgres://(hidden)@x/y"),
            ("sqlite://shop.db", "sqlite://shop.db"),
            ("sqlite:///srv/a@b/shop.db", "sqlite:///srv/a@b/shop.db"),
            ("u:hunter2@x", "://(hidden)@x"),
        ] {
            let url = DatabaseUrl::from(url.to_owned());
            assert_eq!(url.redacted(), shown);
            assert_eq!(format!("{url:?}"), format!("{shown:?}"));
        }
    }
}
