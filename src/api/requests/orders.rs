//! Bodies and queries about carts, orders and alerts.

use utoipa::{IntoParams, ToSchema};

use crate::domain::{GoodsId, Offset, OrderId};

/// How many pieces are in the cart.
#[derive(Debug, ToSchema)]
#[schema(examples(json!({"quantity": 2})))]
pub struct CartQuantity {
    /// 1 to 999.
    #[schema(minimum = 1, maximum = 999)]
    pub quantity: i64,
}

/// What is ordered: either `items` or `fromCart`.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase", examples(
    json!({"items": [{"goodsId": 4, "quantity": 2}]}), json!({"fromCart": true, "expectedTotal": 13.2})
))]
pub struct OrderRequest {
    /// Goods and pieces. A form writes them as `items[0][goodsId]=4`.
    #[schema(min_items = 1)]
    pub items: Option<Vec<Line>>,
    /// Order what the cart holds, and empty it.
    pub from_cart: Option<bool>,
    /// What the buyer was told that it comes to; another sum is refused with `price_changed`.
    #[schema(minimum = 0)]
    pub expected_total: Option<f64>,
}

/// Some pieces of some goods.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Line {
    /// Which goods.
    pub goods_id: GoodsId,
    /// How many pieces, 1 to 999.
    #[schema(minimum = 1, maximum = 999)]
    pub quantity: i64,
}

/// The client's name for an order.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Idempotency {
    /// 1 to 255 visible ASCII characters of one's own choice. The same key and body again get the same answer, for at least
    /// 24 hours.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    pub idempotency_key: Option<String>,
}

/// Which page of one's orders.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OrderPage {
    /// The `nextCursor` of an earlier answer: what comes after it.
    pub cursor: Option<OrderId>,
    /// At most so many; 20 when it is absent.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// Which alerts.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct NotificationPage {
    /// What came after this one; without it the newest.
    pub after: Option<Offset>,
    /// At most so many; 50 when it is absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// The `epoch` that came with `after`; another database answers `too_old`.
    pub epoch: Option<String>,
}
