//! The catalog.

use super::{
    Category, Currency, Description, GoodsId, GoodsName, Invalid, PageUrl, Price, Sku, ThumbnailUrl,
    Timestamp, id::MAX_SAFE_INTEGER, line::plain_text, money::PriceError, number::whole,
};

/// How many pieces there are; `None` is not counted.
pub type Stock = Option<i64>;

/// The most pieces that can be stocked.
pub const MAX_STOCK: i64 = 1_000_000_000;

/// Reads a number of pieces, 0 to [`MAX_STOCK`].
///
/// # Errors
/// Anything else.
pub fn parse_stock(text: &str) -> Result<i64, Invalid> {
    const BAD: Invalid =
        Invalid::new("out_of_range", "stock is a whole number from 0 to 1000000000, or null");
    whole(text).filter(|n| (0..=MAX_STOCK).contains(n)).ok_or(BAD)
}

/// Why a stock was changed: 1–200 characters that cannot become markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockReason(String);

impl StockReason {
    /// Trims and checks.
    ///
    /// # Errors
    /// As [`GoodsName::parse`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        plain_text(text, 200).map(Self)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A change of a stock by so many pieces, more or less.
#[derive(Clone, Debug)]
pub struct StockChange {
    /// By how many.
    pub pieces: i64,
    /// Why.
    pub reason: Option<StockReason>,
}

/// Reads by how many pieces a stock changes: at most [`MAX_STOCK`] up or down.
///
/// # Errors
/// Anything else.
pub fn parse_stock_change(text: &str) -> Result<i64, Invalid> {
    const BAD: Invalid =
        Invalid::new("out_of_range", "change is a whole number from -1000000000 to 1000000000");
    whole(text).filter(|n| (-MAX_STOCK..=MAX_STOCK).contains(n)).ok_or(BAD)
}

/// Reads the number of goods.
///
/// # Errors
/// Not a whole number from 1 to 2^53 - 1.
pub fn parse_goods_id(text: &str) -> Result<GoodsId, Invalid> {
    goods_id(text).ok_or(Invalid::new("out_of_range", "goodsId is a whole number from 1 up"))
}

/// Reads a number that an administrator chose for goods: at most 2^52, so that the numbers given after it have room.
///
/// # Errors
/// Not a whole number from 1 to 2^52.
pub fn parse_chosen_id(text: &str) -> Result<GoodsId, Invalid> {
    let fits = |id: &GoodsId| id.0 <= 1 << 52;
    let bad = Invalid::new("out_of_range", "a chosen goodsId is a whole number from 1 to 4503599627370496");
    goods_id(text).filter(fits).ok_or(bad)
}

/// The number of goods in a body, where it may be written as any whole number. In an address there is one way.
fn goods_id(text: &str) -> Option<GoodsId> {
    whole(text).filter(|id| (1..=MAX_SAFE_INTEGER).contains(id)).map(GoodsId)
}

/// Reads a price in the shop's currency.
///
/// # Errors
/// As [`Price::parse`].
pub fn parse_price(text: &str, currency: Currency) -> Result<Price, Invalid> {
    Price::parse(text, currency).map_err(no_price)
}

/// Reads the sum of an order in the shop's currency.
///
/// # Errors
/// As [`Price::parse_total`].
pub fn parse_total(text: &str, currency: Currency) -> Result<Price, Invalid> {
    Price::parse_total(text, currency).map_err(no_price)
}

fn no_price(error: PriceError) -> Invalid {
    match error {
        PriceError::NotANumber => Invalid::new("invalid", "a price is a plain decimal number from 0 up"),
        PriceError::TooManyDecimals => {
            Invalid::new("too_many_decimals", "the price has more decimals than the currency")
        }
        PriceError::TooLarge => Invalid::new("out_of_range", "the price is too high"),
    }
}

/// One article of the catalog, as everyone sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goods {
    /// Its number.
    pub goods_id: GoodsId,
    /// Its name.
    pub name: GoodsName,
    /// Its picture.
    pub thumbnail_url: ThumbnailUrl,
    /// What it is sorted under.
    pub category: Category,
    /// What one piece costs.
    pub price: Price,
    /// How many there are.
    pub stock: Stock,
    /// What they are beside their place in the catalog.
    pub about: About,
    /// Since when it is sold.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What goods are known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GoodsKey {
    /// The number of another system.
    Sku(Sku),
    /// Their own.
    Id(GoodsId),
}

impl Goods {
    /// What they are after a change, but for when it was. A category in another spelling is the same.
    #[must_use]
    pub fn with(&self, patch: &GoodsPatch) -> Self {
        let about = &self.about;
        let category = patch.category.clone().filter(|category| category.key() != self.category.key());
        Self {
            goods_id: self.goods_id,
            name: patch.name.clone().unwrap_or_else(|| self.name.clone()),
            thumbnail_url: patch.thumbnail_url.clone().unwrap_or_else(|| self.thumbnail_url.clone()),
            category: category.unwrap_or_else(|| self.category.clone()),
            price: patch.price.unwrap_or(self.price),
            stock: patch.stock.unwrap_or(self.stock),
            about: About {
                sku: patch.sku.clone().unwrap_or_else(|| about.sku.clone()),
                description: patch.description.clone().unwrap_or_else(|| about.description.clone()),
                url: patch.url.clone().unwrap_or_else(|| about.url.clone()),
                announce: patch.announce.unwrap_or(about.announce),
                listed: patch.listed.unwrap_or(about.listed),
            },
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// Goods to put on sale.
#[derive(Clone, Debug)]
pub struct NewGoods {
    /// A number chosen by the administrator; else the next one.
    pub goods_id: Option<GoodsId>,
    /// Their name.
    pub name: GoodsName,
    /// Their picture.
    pub thumbnail_url: ThumbnailUrl,
    /// What they are sorted under.
    pub category: Category,
    /// What one piece costs.
    pub price: Price,
    /// How many there are.
    pub stock: Stock,
    /// The rest.
    pub about: About,
}

/// What goods are beside what a list of them shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// What the shop's other systems know them by.
    pub sku: Option<Sku>,
    /// What is to be said of them.
    pub description: Description,
    /// Where they have a page of their own, if that is not this shop's.
    pub url: Option<PageUrl>,
    /// Whether an order of them is told.
    pub announce: bool,
    /// Whether they are sold here. Goods that are not are known all the same: what was bought elsewhere has a name and a
    /// picture.
    pub listed: bool,
}

impl Default for About {
    fn default() -> Self {
        Self { sku: None, description: Description::default(), url: None, announce: true, listed: true }
    }
}

/// What changes about goods; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct GoodsPatch {
    /// A new name.
    pub name: Option<GoodsName>,
    /// A new picture.
    pub thumbnail_url: Option<ThumbnailUrl>,
    /// A new category.
    pub category: Option<Category>,
    /// A new price.
    pub price: Option<Price>,
    /// A new count; `Some(None)` stops counting.
    pub stock: Option<Stock>,
    /// Another number in other systems; `Some(None)` takes it away.
    pub sku: Option<Option<Sku>>,
    /// Another description.
    pub description: Option<Description>,
    /// Another page elsewhere; `Some(None)` takes it away.
    pub url: Option<Option<PageUrl>>,
    /// Whether an order of them is told from now on.
    pub announce: Option<bool>,
    /// Whether they are sold here from now on.
    pub listed: Option<bool>,
}

impl GoodsPatch {
    /// The goods that it makes of nothing; `None` when it does not say all that goods must have.
    #[must_use]
    pub fn complete(self, goods_id: Option<GoodsId>) -> Option<NewGoods> {
        let usual = About::default();
        Some(NewGoods {
            goods_id,
            name: self.name?,
            thumbnail_url: self.thumbnail_url?,
            category: self.category?,
            price: self.price?,
            stock: self.stock.flatten(),
            about: About {
                sku: self.sku.flatten(),
                description: self.description.unwrap_or_default(),
                url: self.url.flatten(),
                announce: self.announce.unwrap_or(usual.announce),
                listed: self.listed.unwrap_or(usual.listed),
            },
        })
    }
}

/// What happened to goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoodsAction {
    /// They are new.
    Create,
    /// A field or the stock changed.
    Update,
    /// They are no longer sold.
    Delete,
}

/// A change of the catalog, as the event `goods` tells it.
#[derive(Clone, Debug)]
pub struct GoodsEvent {
    /// What happened.
    pub action: GoodsAction,
    /// The goods after it (before it, for a deletion).
    pub goods: Goods,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_and_a_number_of_goods_are_whole_numbers() {
        assert_eq!((parse_stock("5.0"), parse_stock("0")), (Ok(5), Ok(0)));
        assert_eq!((parse_goods_id("4.0"), parse_chosen_id("4")), (Ok(GoodsId(4)), Ok(GoodsId(4))));
        assert_eq!((parse_stock_change("-4"), parse_stock_change("4.0")), (Ok(-4), Ok(4)));
        for bad in ["+5", " 5", "5e3", "1.5", "", "-1000000001", "many"] {
            assert!(parse_stock(bad).is_err() && parse_goods_id(bad).is_err(), "{bad:?}");
            assert!(parse_chosen_id(bad).is_err() && parse_stock_change(bad).is_err(), "{bad:?}");
        }
        for bad in ["0", "-4", "9007199254740992.0"] {
            assert!(parse_goods_id(bad).is_err() && parse_chosen_id(bad).is_err(), "{bad:?}");
        }
        assert!(parse_stock("-1").is_err() && parse_stock("1000000001").is_err());
    }
}
