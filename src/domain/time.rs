//! A moment, to the millisecond, as the contract writes it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use super::Invalid;

/// A moment in UTC, in milliseconds since 1970. Written as RFC 3339: `2026-11-21T00:54:21.123Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The end of representable time.
    pub const MAX: Self = Self(i64::MAX);

    /// Reads a moment as RFC 3339 writes it, with any zone.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const BAD: Invalid = Invalid::new("invalid", "a time is written like 2026-11-21T00:54:21Z");
        let read = DateTime::parse_from_rfc3339(text).map_err(|_| BAD)?;
        Ok(Self(read.timestamp_millis()))
    }

    /// From milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, as JWT's `NumericDate` counts them (RFC 7519 §2).
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment moved into the future; it stops at the end of representable time.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This moment moved into the past.
    #[must_use]
    pub fn minus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moment = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_with_milliseconds_and_z() {
        assert_eq!(Timestamp::from_millis(1_763_686_461_123).to_string(), "2025-11-21T00:54:21.123Z");
    }
}
