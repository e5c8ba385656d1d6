//! Sources: other systems that say when something was bought.

use std::time::Duration;

use super::{Currency, GoodsName, Invalid, NicknameDisplay, SourceName, Timestamp};

/// Which source. It stands in the URL that the source calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(String);

/// Letters and digits that nobody takes for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

impl SourceId {
    /// From 24 random bytes, of which 5 bits each count.
    #[must_use]
    pub fn from_random(bytes: [u8; 24]) -> Self {
        let letter = |byte: u8| char::from(ALPHABET[usize::from(byte % 32)]);
        Self(format!("src_{}", bytes.map(letter).iter().collect::<String>()))
    }

    /// Reads one; `None` for what can be none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("src_")?;
        let fits = rest.len() == 24 && rest.bytes().all(|byte| ALPHABET.contains(&byte));
        fits.then(|| Self(text.to_owned()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From a row that was parsed when it was written.
    #[must_use]
    pub(crate) fn trusted(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Display for SourceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the buyers of a source are named. What is not told is not kept either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuyerDisplay {
    /// Not at all.
    None,
    /// By the first character of their name: `k**`.
    #[default]
    Masked,
    /// By their given name.
    FirstName,
}

impl BuyerDisplay {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::None, Self::Masked, Self::FirstName];

    /// Reads its name.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "none" => Ok(Self::None),
            "masked" => Ok(Self::Masked),
            "first-name" => Ok(Self::FirstName),
            _ => Err(Invalid::new("invalid", "buyer is none, masked or first-name")),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Masked => "masked",
            Self::FirstName => "first-name",
        }
    }

    /// What is kept and told of a buyer's name.
    #[must_use]
    pub fn show(self, first_name: Option<&str>, last_name: Option<&str>) -> Option<String> {
        match self {
            Self::None => None,
            Self::Masked => first_name.or(last_name).map(|name| NicknameDisplay::Masked.show(name)),
            Self::FirstName => first_name.map(str::to_owned),
        }
    }
}

/// The longest time after which an order may still be news.
pub const MAX_ANNOUNCE_WITHIN: Duration = Duration::from_hours(24 * 366);

/// What someone sets about a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// What it is called here.
    pub name: SourceName,
    /// How its buyers are named.
    pub buyer: BuyerDisplay,
    /// What is bought is called so where the source does not say.
    pub goods_name: Option<GoodsName>,
    /// How old an order may be to be news.
    pub announce_within: Duration,
    /// Receipts a second.
    pub rate: u32,
    /// Where its orders are read as well.
    pub poll: Option<Poll>,
}

/// Where the orders of a source are read, and with which key.
#[derive(Clone, PartialEq, Eq)]
pub struct Poll {
    /// The address of the shop.
    pub url: String,
    /// The key, which opens it.
    pub key: String,
}

impl std::fmt::Debug for Poll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poll").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A source but for its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRecord {
    /// Which.
    pub id: SourceId,
    /// What is set about it.
    pub settings: SourceSettings,
    /// Of the last order that named one.
    pub currency: Option<Currency>,
    /// Up to where its orders were read, in the words of who reads them.
    pub poll_cursor: Option<String>,
    /// Since when it is one.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_id_is_read_as_it_is_written() {
        let id = SourceId::from_random([200; 24]);
        assert_eq!(SourceId::parse(id.as_str()), Some(id));
        for other in ["", "src_", "src_aaaaaaaaaaaaaaaaaaaaaaal", "src_AAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(SourceId::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_buyer_is_named_as_the_source_says() {
        let show = |display: BuyerDisplay| display.show(Some("Kim"), Some("Lee"));
        assert_eq!(show(BuyerDisplay::None), None);
        assert_eq!(show(BuyerDisplay::Masked).as_deref(), Some("K**"));
        assert_eq!(show(BuyerDisplay::FirstName).as_deref(), Some("Kim"));
        assert_eq!(BuyerDisplay::Masked.show(None, Some("Lee")).as_deref(), Some("L**"));
        assert_eq!(BuyerDisplay::FirstName.show(None, Some("Lee")), None, "a family name is not told");
    }
}
