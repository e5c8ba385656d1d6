//! The catalog.

use super::{
    Category, Currency, GoodsId, GoodsName, Invalid, Price, ThumbnailUrl, Timestamp, money::PriceError,
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
    text.parse().ok().filter(|n| (0..=MAX_STOCK).contains(n)).ok_or(BAD)
}

/// Reads the number of goods.
///
/// # Errors
/// Not a whole number from 1 to 2^53 - 1.
pub fn parse_goods_id(text: &str) -> Result<GoodsId, Invalid> {
    GoodsId::parse(text).ok_or(Invalid::new("out_of_range", "goodsId is a whole number from 1 up"))
}

/// Reads a number that an administrator chose for goods: at most 2^52, so that the numbers given after it have room.
///
/// # Errors
/// Not a whole number from 1 to 2^52.
pub fn parse_chosen_id(text: &str) -> Result<GoodsId, Invalid> {
    let fits = |id: &GoodsId| id.0 <= 1 << 52;
    let bad = Invalid::new("out_of_range", "a chosen goodsId is a whole number from 1 to 4503599627370496");
    GoodsId::parse(text).filter(fits).ok_or(bad)
}

/// Reads a price in the shop's currency.
///
/// # Errors
/// As [`Price::parse`].
pub fn parse_price(text: &str, currency: Currency) -> Result<Price, Invalid> {
    Price::parse(text, currency).map_err(|error| match error {
        PriceError::NotANumber => Invalid::new("invalid", "a price is a plain decimal number from 0 up"),
        PriceError::TooManyDecimals => {
            Invalid::new("too_many_decimals", "the price has more decimals than the currency")
        }
        PriceError::TooLarge => Invalid::new("out_of_range", "the price is too high"),
    })
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
    /// Since when it is sold.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
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
