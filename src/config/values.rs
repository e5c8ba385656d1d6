//! The kinds of values that settings have, and how they are read from text.

use std::{fmt, str::FromStr, time::Duration};

use serde::Deserialize;

use crate::domain::NicknameDisplay;

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
    let lower = url.trim_end_matches('/').to_ascii_lowercase();
    let (scheme, host) = lower.split_once("://").ok_or_else(bad)?;
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return Err(bad()),
    };
    let host = host.strip_suffix(default_port).unwrap_or(host);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || !host.chars().all(plain) {
        return Err(bad());
    }
    Ok(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_no_default_port_and_no_path() {
        assert_eq!(origin("x", "HTTPS://Shop.example:443/").unwrap(), "https://shop.example");
        assert_eq!(origin("x", "http://127.0.0.1:3000").unwrap(), "http://127.0.0.1:3000");
        assert!(origin("x", "https://shop.example/path").is_err());
    }
}
