//! What the events of clients carry, as the AsyncAPI document tells it. They are read by
//! [`ClientEvent::read`](super::events::ClientEvent::read) and, `BUY`, field by field where orders are; these types are never
//! made.

use utoipa::ToSchema;

use crate::domain::GoodsId;

/// An order. Buyer, names and prices come from the database, never from the message. Without `quantity` and `items` it is
/// one piece, or, for pages that know of neither, the cart (docs/contract.md, "`BUY` rules").
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", examples(json!({"goodsId": 4, "quantity": 2})))]
pub struct Buy {
    /// Which goods; needed where there are no `items`.
    pub goods_id: Option<GoodsId>,
    /// How many pieces, 1 to 999.
    #[schema(minimum = 1, maximum = 999)]
    pub quantity: Option<i64>,
    /// Goods and pieces, instead of the two above.
    #[schema(min_items = 1)]
    pub items: Option<Vec<BuyLine>>,
    /// What the page shows; `<first> 외 N개의 상품` stands for a cart of N + 1 lines.
    pub goods_name: Option<String>,
    /// Not looked at.
    pub nickname: Option<String>,
    /// A name of the client's own for the order: the same again gets the same answer.
    #[schema(min_length = 1, max_length = 255)]
    pub idempotency_key: Option<String>,
}

/// Some pieces of some goods.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct BuyLine {
    /// Which goods.
    pub goods_id: GoodsId,
    /// How many pieces, 1 to 999.
    #[schema(minimum = 1, maximum = 999)]
    pub quantity: i64,
}

/// A log-in.
#[derive(Debug, ToSchema)]
pub struct Authenticate {
    /// Its token.
    pub token: String,
}

/// A room, or a guest's name.
#[derive(Debug, ToSchema)]
#[schema(as = Named)]
pub struct NamedRoom {
    /// Its name.
    pub payload: String,
}

/// Something to say.
#[derive(Debug, ToSchema)]
pub struct NewMessage {
    /// What, at most 2,000 characters.
    pub message: String,
    /// In which room; one has to be in it.
    pub room: String,
}
