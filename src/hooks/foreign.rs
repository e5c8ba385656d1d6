//! What other systems name things by, cleaned at the edge so that types of the shop can be built of it.

use crate::domain::{GoodsName, Sku, ThumbnailUrl, Timestamp, line};

/// The most characters of a part of a buyer's name.
const MAX_NAME: usize = 60;
/// The most pieces of one line that are believed.
const MAX_PIECES: i64 = 1_000_000;

/// What another system calls an order or goods: 1–200 characters. It means something in that source only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ForeignId(String);

impl ForeignId {
    /// Takes a number or a name. `None` where there is nothing to see, too much, or what cannot be shown in a list.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        line::plain_text(text, 200).ok().map(Self)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ForeignId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where goods are shown in the shop that sells them: an `http(s)` URL that can stand in an attribute, at most 2,000
/// characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl(String);

impl WebUrl {
    /// Checks it as a picture's URL is checked; a path alone would be one of this server.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = ThumbnailUrl::parse_url(text).ok()?;
        (!url.as_str().starts_with('/')).then(|| Self(url.as_str().to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A picture on the web; a path alone would be one of this server.
pub(super) fn picture(text: &str) -> Option<ThumbnailUrl> {
    WebUrl::parse(text).and_then(|url| ThumbnailUrl::parse_url(url.as_str()).ok())
}

/// What goods are called, `‹ ›` for `< >`; `None` where nothing of it can be seen.
pub(super) fn goods_name(text: &str) -> Option<GoodsName> {
    line::cleaned(text, 200).and_then(|name| GoodsName::parse(&name).ok())
}

/// A stock keeping unit; one that is too long is none, because a part of it could be another's.
pub(super) fn sku(text: &str) -> Option<String> {
    Sku::parse(text).ok().map(|sku| sku.as_str().to_owned())
}

/// A part of a person's name; `None` where it is missing, or erased as other systems write that.
pub(super) fn person(text: &str) -> Option<String> {
    let name = line::cleaned(text, MAX_NAME)?;
    let word: String = name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let erased = matches!(word.as_str(), "" | "redacted" | "deleted" | "anonymized" | "anonymised");
    (!erased).then_some(name)
}

/// A word of another system that goes into a sentence.
pub(super) fn word(text: &str) -> String {
    line::cleaned(text, 40).unwrap_or_else(|| "(nothing)".to_owned())
}

/// A number of pieces, 1 to a million; parts of one count as one. `None` for none and for what is no number.
pub(super) fn pieces(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let more = i64::from(fraction.bytes().any(|byte| byte != b'0'));
    let pieces = whole.parse::<i64>().unwrap_or(MAX_PIECES).min(MAX_PIECES) + more;
    (pieces > 0).then(|| pieces.min(MAX_PIECES))
}

/// A moment that may have been: RFC 3339, or without a zone, which is UTC then.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let millis =
        chrono::DateTime::parse_from_rfc3339(text).map(|moment| moment.timestamp_millis()).or_else(|_| {
            chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
                .map(|moment| moment.and_utc().timestamp_millis())
        });
    millis.ok().filter(|millis| *millis >= 0).map(Timestamp::from_millis)
}

/// A moment in seconds since 1970.
pub(super) fn seconds(text: &str) -> Option<Timestamp> {
    let seconds: i64 = text.parse().ok()?;
    (0..=253_402_300_799).contains(&seconds).then(|| Timestamp::from_millis(seconds * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_can_be_shown() {
        let name = |text: &str| goods_name(text).map(|name| name.as_str().to_owned());
        assert_eq!(name(" <b>Tea</b>\n& \u{202e}milk ").as_deref(), Some("‹b›Tea‹/b› & milk"));
        assert_eq!(name("\u{200b}\u{7}"), None);
        assert_eq!(name(&"x".repeat(300)).unwrap().chars().count(), 200);
        assert_eq!(person(" Kim ").as_deref(), Some("Kim"));
        for erased in ["", "  ", "[deleted]", "REDACTED", "***", "-"] {
            assert_eq!(person(erased), None, "{erased}");
        }
    }

    #[test]
    fn addresses_are_of_the_web() {
        assert!(WebUrl::parse("https://shop.example/a?b=c&d=1").is_some());
        for bad in ["/a", "//x/y", "javascript:alert(1)", "ftp://x/y", "https://x/\"y", "https://x/ y", ""] {
            assert!(WebUrl::parse(bad).is_none() && picture(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn pieces_are_counted_in_whole() {
        for (text, count) in [
            ("1", Some(1)),
            ("2.0", Some(2)),
            ("0.5", Some(1)),
            ("1.5", Some(2)),
            ("5000", Some(5000)),
            ("99999999999999999999", Some(MAX_PIECES)),
            ("1000000.5", Some(MAX_PIECES)),
            ("0", None),
            ("-1", None),
            ("1e3", None),
            ("", None),
        ] {
            assert_eq!(pieces(text), count, "{text}");
        }
    }

    #[test]
    fn moments_come_with_and_without_a_zone() {
        let at = Some(Timestamp::from_millis(1_764_061_200_000));
        for text in ["2025-11-25T09:00:00Z", "2025-11-25T04:00:00-05:00", "2025-11-25T09:00:00"] {
            assert_eq!(moment(text), at, "{text}");
        }
        assert_eq!(seconds("1764061200"), at);
        for bad in ["", "now", "2025-13-01T00:00:00Z", "1901-01-01T00:00:00Z"] {
            assert_eq!(moment(bad), None, "{bad}");
        }
        assert_eq!((seconds("-1"), seconds("9999999999999"), seconds("1.5")), (None, None, None));
    }
}
