//! Listen keys: what lets the visitors of another shop's pages hear the alerts, and do nothing else
//! (docs/contract.md, "Listen keys").
//!
//! A key is public, because it stands in a page. What it is worth is bound by the origins that it names: a browser says
//! in `Origin` whose page asks, and lets no page say otherwise.

use std::{borrow::Cow, fmt};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde_json::Value;

use super::{Invalid, KeyName, NicknameDisplay, SessionId, Timestamp};

/// Origins that one key may name.
pub const MAX_ORIGINS: usize = 20;

/// A key's text: `lk_` and 128 random bits in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenKeyId([u8; 16]);

impl ListenKeyId {
    const PREFIX: &str = "lk_";

    /// From 16 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads its text; `None` when it is not one's.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(Self::PREFIX)?;
        let key = Self(u128::from_str_radix(digits, 16).ok()?.to_be_bytes());
        // There is one way to write it.
        (key.to_string() == text).then_some(key)
    }

    /// The name under which its sessions end, among those of log-ins: whoever ends sessions needs to know nothing of keys.
    #[must_use]
    pub fn session(&self) -> SessionId {
        SessionId::from_random(self.0)
    }
}

impl fmt::Display for ListenKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:032x}", Self::PREFIX, u128::from_be_bytes(self.0))
    }
}

/// The origin (RFC 6454 §6.2) of pages, as browsers write it in `Origin`: scheme, host and port in lower case, the host in
/// the ASCII of IDNA, no default port. Or an app's, `capacitor://localhost`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageOrigin(String);

impl PageOrigin {
    /// Reads what someone typed; a slash at its end is forgiven.
    ///
    /// # Errors
    /// A path, a user name, a wildcard. And `null`: that is what every sandboxed frame on the web calls itself, so that a
    /// key that named it would be bound to nothing.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const BAD: Invalid = Invalid::new("invalid", "an origin is like https://their.shop, without a path");
        let text = text.trim();
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.len() > 300 {
            return Err(BAD);
        }
        let (scheme, authority) = text.split_once("://").ok_or(BAD)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            // A page's origin has the scheme that the page came by.
            "ws" | "wss" | "file" | "data" | "blob" | "about" | "javascript" => return Err(BAD),
            _ => "\0",
        };
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let (host, port) = host_and_port(authority).ok_or(BAD)?;
        let port = if port == default_port { "" } else { port };
        if is_scheme { Ok(Self(format!("{scheme}://{host}{port}"))) } else { Err(BAD) }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a request says of itself, to be compared with those of keys and for nothing else.
    #[must_use]
    pub fn claimed(text: String) -> Self {
        Self(text)
    }

    /// From a row that was parsed when it was written.
    #[must_use]
    pub(crate) fn trusted(text: String) -> Self {
        Self(text)
    }
}

/// The host in ASCII and lower case, and the port with its colon or nothing.
fn host_and_port(authority: &str) -> Option<(String, &str)> {
    let end = if authority.starts_with('[') { authority.find(']')? + 1 } else { 0 };
    let colon = authority[end..].find(':').map_or(authority.len(), |place| end + place);
    let (host, port) = authority.split_at(colon);
    let digits = port.strip_prefix(':').unwrap_or("1");
    let is_port = digits.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == digits);
    let plain = |host: &String| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    let host = if end > 0 {
        let address: std::net::Ipv6Addr = host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
        format!("[{address}]")
    } else {
        // A dot at the end makes another origin, which browsers keep.
        Uts46::new()
            .to_ascii(host.as_bytes(), AsciiDenyList::URL, Hyphens::Allow, DnsLength::VerifyAllowRootDot)
            .ok()
            .map(Cow::into_owned)
            .filter(plain)?
    };
    is_port.then_some((host, port))
}

/// Reads the origins of a key: a list of texts, or one text.
///
/// # Errors
/// None, more than [`MAX_ORIGINS`], or one that is none.
pub fn parse_origins(value: &Value) -> Result<Vec<PageOrigin>, Invalid> {
    let typed = match value {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    let mut origins = Vec::new();
    for value in typed {
        const NOT_TEXT: Invalid = Invalid::new("invalid", "origins are strings");
        let origin = PageOrigin::parse(value.as_str().ok_or(NOT_TEXT)?)?;
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    match origins.len() {
        0 => Err(Invalid::new("required", "a key needs the origin of the pages that may use it")),
        1..=MAX_ORIGINS => Ok(origins),
        _ => Err(Invalid::new("too_long", "a key names at most 20 origins")),
    }
}

/// Reads how names are shown to those who listen with a key.
///
/// # Errors
/// Neither `masked` nor `full`.
pub fn parse_display(text: &str) -> Result<NicknameDisplay, Invalid> {
    match text {
        "masked" => Ok(NicknameDisplay::Masked),
        "full" => Ok(NicknameDisplay::Full),
        _ => Err(Invalid::new("invalid", "display is masked or full")),
    }
}

/// A key that was made for the pages of another shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenKey {
    /// What stands in the pages.
    pub id: ListenKeyId,
    /// What administrators call it.
    pub name: Option<KeyName>,
    /// Whose pages may use it.
    pub origins: Vec<PageOrigin>,
    /// Masked, or full: as the shop's own audience sees names.
    pub display: NicknameDisplay,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it opens nothing.
    pub revoked_at: Option<Timestamp>,
}

impl ListenKey {
    /// Whether pages of an origin may use it.
    #[must_use]
    pub fn is_for(&self, origin: &PageOrigin) -> bool {
        self.origins.contains(origin)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = ListenKeyId::from_random([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xFF]);
        assert_eq!(key.to_string(), "lk_000102030405060708090a0b0c0d0eff");
        assert_eq!(ListenKeyId::parse(&key.to_string()), Some(key));
        for other in [
            "",
            "lk_",
            "000102030405060708090a0b0c0d0eff",
            "LK_000102030405060708090a0b0c0d0eff",
            "lk_000102030405060708090A0B0C0D0EFF",
            "lk_+00102030405060708090a0b0c0d0eff",
            "lk_000102030405060708090a0b0c0d0eff0",
            "lk_000102030405060708090a0b0c0d0eff ",
        ] {
            assert_eq!(ListenKeyId::parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn an_origin_is_what_a_browser_says_of_the_page() {
        for (typed, origin) in [
            ("https://their.shop", "https://their.shop"),
            (" HTTPS://Their.Shop:443/ ", "https://their.shop"),
            ("http://their.shop:80", "http://their.shop"),
            ("https://their.shop:80", "https://their.shop:80"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[0:0::1]:8080", "http://[::1]:8080"),
            ("https://Bücher.example", "https://xn--bcher-kva.example"),
            ("https://상점.한국", "https://xn--hg4bs7k.xn--3e0b707e"),
            ("https://their.shop.", "https://their.shop."),
            ("https://my_shop.example", "https://my_shop.example"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ] {
            let parsed = PageOrigin::parse(typed).unwrap_or_else(|error| panic!("{typed}: {error:?}"));
            assert_eq!(parsed.as_str(), origin);
            assert_eq!(PageOrigin::parse(origin), Ok(parsed));
        }
        for bad in [
            "",
            "*",
            "null",
            "their.shop",
            "https://",
            "https://*.their.shop",
            "https://*",
            "https://their.shop/page",
            "https://their.shop//",
            "https://kim@their.shop",
            "https://their.shop:0",
            "https://their.shop:080",
            "https://their.shop:99999",
            "https://their.shop:",
            "https://[::1",
            "https://a b",
            "https://their.shop https://evil.example",
            "https://their.shop\u{0}",
            "wss://their.shop",
            "file:///etc",
            "://x",
        ] {
            assert!(PageOrigin::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_key_names_some_origins_each_once() {
        let texts = |value| parse_origins(&value).map(|list| list.len()).map_err(|invalid| invalid.code);
        assert_eq!(texts(json!("https://their.shop")), Ok(1));
        assert_eq!(
            texts(json!(["https://their.shop", "https://THEIR.shop:443", "http://their.shop"])),
            Ok(2)
        );
        assert_eq!(texts(json!([])), Err("required"));
        assert_eq!(texts(json!([5])), Err("invalid"));
        assert_eq!(texts(json!({"0": "https://their.shop"})), Err("invalid"));
        let many: Vec<_> = (0..21).map(|n| format!("https://shop{n}.example")).collect();
        assert_eq!(texts(json!(many)), Err("too_long"));
    }
}
