//! The orders in which goods are listed, and where a list goes on.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Serialize, Serializer};

use super::{Goods, GoodsId, Invalid};

/// The order of a list of goods, and behind what it goes on; `None` begins at the beginning. What two goods have alike is
/// ordered by their ids, so that every list has one order and a cursor one place in it, whatever was changed meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GoodsSort {
    /// The newest id first.
    Newest(Option<GoodsId>),
    /// The cheapest first. The place: minor units and id.
    PriceAsc(Option<(i64, GoodsId)>),
    /// The dearest first.
    PriceDesc(Option<(i64, GoodsId)>),
    /// By [`GoodsName::sort_key`](super::GoodsName::sort_key): code point by code point, whatever the script.
    Name(Option<(String, GoodsId)>),
}

impl Default for GoodsSort {
    fn default() -> Self {
        Self::Newest(None)
    }
}

impl GoodsSort {
    /// Reads its name; the list begins at the beginning.
    ///
    /// # Errors
    /// Another name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const BAD: Invalid = Invalid::new("invalid", "sort is newest, priceAsc, priceDesc or name");
        match text {
            "newest" => Ok(Self::Newest(None)),
            "priceAsc" => Ok(Self::PriceAsc(None)),
            "priceDesc" => Ok(Self::PriceDesc(None)),
            "name" => Ok(Self::Name(None)),
            _ => Err(BAD),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Newest(_) => "newest",
            Self::PriceAsc(_) => "priceAsc",
            Self::PriceDesc(_) => "priceDesc",
            Self::Name(_) => "name",
        }
    }

    /// The same order, going on where a cursor says. `None` for a cursor of another order, and for what is none.
    #[must_use]
    pub fn going_on(&self, cursor: &str) -> Option<Self> {
        if let Self::Newest(_) = self {
            return GoodsId::parse(cursor).map(|id| Self::Newest(Some(id)));
        }
        let (key, id) = cursor.strip_prefix(self.name())?.strip_prefix('-')?.rsplit_once('-')?;
        let id = GoodsId::parse(id)?;
        let price = || key.parse().ok().filter(|price: &i64| *price >= 0 && price.to_string() == key);
        match self {
            Self::Newest(_) => None,
            Self::PriceAsc(_) => Some(Self::PriceAsc(Some((price()?, id)))),
            Self::PriceDesc(_) => Some(Self::PriceDesc(Some((price()?, id)))),
            Self::Name(_) => {
                let bytes = BASE64_URL_SAFE_NO_PAD.decode(key).ok()?;
                Some(Self::Name(Some((String::from_utf8(bytes).ok()?, id))))
            }
        }
    }

    /// The same order, going on behind these goods.
    #[must_use]
    pub fn behind(&self, goods: &Goods) -> Self {
        let (price, id) = (goods.price.minor, goods.goods_id);
        match self {
            Self::Newest(_) => Self::Newest(Some(id)),
            Self::PriceAsc(_) => Self::PriceAsc(Some((price, id))),
            Self::PriceDesc(_) => Self::PriceDesc(Some((price, id))),
            Self::Name(_) => Self::Name(Some((goods.name.sort_key(), id))),
        }
    }
}

/// As the cursor that [`GoodsSort::going_on`] reads: a number where the newest come first, else a text of letters, digits,
/// `-` and `_`.
impl Serialize for GoodsSort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.name();
        match self {
            Self::Newest(place) => place.serialize(serializer),
            Self::PriceAsc(place) | Self::PriceDesc(place) => {
                place.map(|(price, id)| format!("{name}-{price}-{id}")).serialize(serializer)
            }
            Self::Name(place) => {
                let text = |(key, id): &(String, GoodsId)| {
                    format!("{name}-{}-{id}", BASE64_URL_SAFE_NO_PAD.encode(key))
                };
                place.as_ref().map(text).serialize(serializer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_by_its_own_order_alone() {
        let places = [
            GoodsSort::Newest(Some(GoodsId(7))),
            GoodsSort::PriceAsc(Some((620, GoodsId(7)))),
            GoodsSort::PriceDesc(Some((0, GoodsId(7)))),
            GoodsSort::Name(Some(("- tee/물".to_owned(), GoodsId(7)))),
            GoodsSort::Name(Some((String::new(), GoodsId(7)))),
        ];
        let written = places.each_ref().map(|place| match serde_json::to_value(place).unwrap() {
            serde_json::Value::String(text) => text,
            number => number.to_string(),
        });
        for (text, place) in written.iter().zip(&places) {
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{text}");
            for sort in ["newest", "priceAsc", "priceDesc", "name"] {
                let read = GoodsSort::parse(sort).unwrap().going_on(text);
                assert_eq!(read.as_ref(), (sort == place.name()).then_some(place), "{text} as {sort}");
            }
        }
    }

    #[test]
    fn nothing_else_is_a_cursor() {
        for (sort, bad) in [
            ("newest", "0"),
            ("newest", "+7"),
            ("priceAsc", "priceAsc"),
            ("priceAsc", "priceAsc-620"),
            ("priceAsc", "priceAsc--1-7"),
            ("priceAsc", "priceAsc-+1-7"),
            ("priceAsc", "priceAsc-01-7"),
            ("priceAsc", "priceAsc-9223372036854775808-7"),
            ("priceDesc", "priceDesc-6.2-7"),
            ("name", "name-%-7"),
            ("name", "name-_w-7"),
            ("name", "name-dGVl-0"),
            ("name", "name-dGVl=-7"),
            ("name", "7"),
        ] {
            assert_eq!(GoodsSort::parse(sort).unwrap().going_on(bad), None, "{bad}");
        }
        for bad in ["", "price", "Newest", "name ", "priceasc"] {
            assert!(GoodsSort::parse(bad).is_err(), "{bad}");
        }
    }
}
