//! Bodies and queries about the catalog.

use utoipa::{IntoParams, ToSchema};

use crate::{
    api::names::sorts,
    domain::{GoodsId, StockChangeId},
};

/// Which goods are wanted.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct GoodsSearch {
    /// Only goods of this category, whatever its case.
    #[param(max_length = 200, example = "drink")]
    pub category: Option<String>,
    /// Only goods whose name has every one of these words, whatever their case and accents.
    #[param(max_length = 200, example = "sparkling")]
    pub q: Option<String>,
    /// In which order: the newest first when it is absent.
    #[param(schema_with = sorts)]
    pub sort: Option<String>,
    /// Only goods that cost at least this, in the major unit.
    #[param(minimum = 0)]
    pub min_price: Option<f64>,
    /// Only goods that cost at most this.
    #[param(minimum = 0)]
    pub max_price: Option<f64>,
    /// Only goods that there are.
    pub in_stock: Option<bool>,
    /// The `nextCursor` of an earlier answer in the same order: what comes after it.
    pub cursor: Option<String>,
    /// At most so many; all that are allowed when it is absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

/// Where a list goes on: a number in the order of their making, a text in others.
#[derive(Debug, ToSchema)]
#[serde(untagged)]
pub enum GoodsCursor {
    /// Behind these goods.
    Newest(GoodsId),
    /// Behind a place in another order.
    Other(String),
}

/// How a table of goods is taken.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ImportOptions {
    /// Change nothing, and say line by line what would change.
    pub dry_run: Option<bool>,
}

/// A form around a picture.
#[derive(Debug, ToSchema)]
pub struct PictureForm {
    /// The picture: jpeg, png or webp, at most 5 MB.
    #[schema(content_media_type = "application/octet-stream")]
    pub file: Vec<u8>,
}

/// Goods that an administrator puts on sale.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase", examples(json!({
    "name": "Ginger ale", "thumbnailUrl": "/images/placeholder.svg", "category": "drink", "price": 4.5, "stock": 20
})))]
pub struct NewGoods {
    /// 1 to 200 characters.
    #[schema(min_length = 1, examples("Ginger ale"))]
    pub name: String,
    /// A picture: an `http(s)` address or an absolute path.
    #[schema(min_length = 1, examples("/images/placeholder.svg"))]
    pub thumbnail_url: String,
    /// 1 to 40 characters; the first spelling stands.
    #[schema(min_length = 1, examples("drink"))]
    pub category: String,
    /// In the major unit, with no more decimals than the currency has.
    #[schema(minimum = 0, examples(4.5))]
    pub price: f64,
    /// Pieces that there are; `null` or absent: they are not counted.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub stock: Option<i64>,
    /// The number that other systems know them by.
    #[schema(min_length = 1)]
    pub sku: Option<String>,
    /// More about them.
    pub description: Option<String>,
    /// Their page elsewhere.
    pub url: Option<String>,
    /// Whether orders of them alert anyone; they do unless it is `false`.
    pub announce: Option<bool>,
    /// Whether they are sold here; they are unless it is `false`.
    pub listed: Option<bool>,
    /// A number of one's own choice; the next free one when it is absent.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 4_503_599_627_370_496_i64)]
    pub goods_id: Option<GoodsId>,
}

/// What changes about goods; what is absent stays.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase", examples(json!({"price": 4.2})))]
pub struct GoodsChange {
    /// As in `NewGoods`.
    #[schema(min_length = 1)]
    pub name: Option<String>,
    /// As in `NewGoods`.
    #[schema(min_length = 1)]
    pub thumbnail_url: Option<String>,
    /// As in `NewGoods`.
    #[schema(min_length = 1)]
    pub category: Option<String>,
    /// As in `NewGoods`.
    #[schema(minimum = 0)]
    pub price: Option<f64>,
    /// Counted anew; `null` stops counting.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub stock: Option<i64>,
    /// Another number in other systems; `null` takes it away.
    pub sku: Option<String>,
    /// As in `NewGoods`.
    pub description: Option<String>,
    /// Their page elsewhere; `null` takes it away.
    pub url: Option<String>,
    /// Whether orders of them alert anyone.
    pub announce: Option<bool>,
    /// Whether they are sold here.
    pub listed: Option<bool>,
}

/// Which part of the history of a stock.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StockPage {
    /// The `nextCursor` of an earlier answer: what comes after it.
    pub cursor: Option<StockChangeId>,
    /// At most so many; 20 when it is absent.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// A change of a stock by so many pieces; nothing sold meanwhile is overwritten.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"change": 5, "reason": "a delivery"})))]
pub struct StockChange {
    /// So many more, or fewer.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    pub change: i64,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// The validator of what was seen, for a change of just that.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Precondition {
    /// The `ETag` of the goods as they were seen; the change is made only if they still are. `*`: whatever they are.
    #[param(rename = "If-Match")]
    pub if_match: Option<String>,
}
