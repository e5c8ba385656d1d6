//! Orders: what was bought, at which price, and what a request for one may say.

use serde_json::Value;

use super::{
    Fields, GoodsId, Invalid, Offset, OrderId, Price, Quantity, SessionId, SourceId, Timestamp, TraceContext,
    UserId,
};

/// The most lines of one order.
pub const MAX_LINES: usize = 100;

/// So many pieces of some goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which goods.
    pub goods_id: GoodsId,
    /// How many pieces.
    pub quantity: Quantity,
}

/// What is to be ordered. Prices and names are never in it: they come from the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basket {
    /// These lines: 1 to [`MAX_LINES`], each goods once.
    Lines(Vec<Line>),
    /// What the stored cart holds, which is emptied.
    Cart,
    /// The stored cart, if it still holds so many lines with these goods among them: what an unmodified page orders that
    /// names the first goods and counts the others.
    CartOf {
        /// Goods that must be in the cart.
        goods_id: GoodsId,
        /// The number of lines that it must have.
        lines: usize,
    },
    /// These goods as an unmodified page's `BUY` means them: the cart's line when it is the only one (the cart
    /// is emptied then), one piece otherwise.
    Single(GoodsId),
}

impl Basket {
    /// Reads the `items` of a request: an array of `{goodsId, quantity}`. Lines of the same goods are added up.
    ///
    /// # Errors
    /// No or too many lines, or a line that is not one.
    pub fn parse_items(items: &Value) -> Result<Self, Invalid> {
        const BAD: Invalid = Invalid::new("invalid", "items is a list of {goodsId, quantity}");
        let items = items.as_array().ok_or(BAD)?;
        if items.is_empty() || items.len() > MAX_LINES {
            return Err(Invalid::new("out_of_range", "an order has 1 to 100 lines"));
        }
        let mut lines: Vec<Line> = Vec::with_capacity(items.len());
        for item in items {
            let fields = Fields::new(item.as_object().ok_or(BAD)?.clone());
            let goods_id = fields.required("goodsId", super::goods::parse_goods_id).or(Err(BAD))?;
            let quantity = fields
                .required("quantity", Quantity::parse)
                .or(Err(Invalid::new("out_of_range", "quantity is a whole number from 1 to 999")))?;
            match lines.iter_mut().find(|line| line.goods_id == goods_id) {
                Some(line) => {
                    line.quantity = Quantity::new(line.quantity.get() + quantity.get()).ok_or(
                        Invalid::new("out_of_range", "an order has at most 999 pieces of one goods"),
                    )?;
                }
                None => lines.push(Line { goods_id, quantity }),
            }
        }
        Ok(Self::Lines(lines))
    }

    /// A text that is the same for two baskets exactly when they ask for the same, kept with an idempotency key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Lines(lines) => {
                let mut lines: Vec<_> =
                    lines.iter().map(|line| (line.goods_id, line.quantity.get())).collect();
                lines.sort_unstable();
                lines.iter().map(|(goods_id, quantity)| format!("{goods_id}x{quantity} ")).collect()
            }
            Self::Cart => "cart".to_owned(),
            Self::CartOf { goods_id, lines } => format!("cart of {lines} with {goods_id}"),
            Self::Single(goods_id) => format!("{goods_id}"),
        }
    }
}

/// A client's own name for an order, so that a repeat is told from a second order: 1–255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks the characters.
    ///
    /// # Errors
    /// Empty, too long, or characters other than `!` to `~`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new("invalid", "an idempotency key has 1 to 255 visible ASCII characters"))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An order to place.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// Who buys.
    pub user_id: UserId,
    /// By which log-in, which must hold when the order is placed; `None` where something else vouches for the buyer.
    pub session: Option<SessionId>,
    /// What.
    pub basket: Basket,
    /// What the buyer was told that it comes to.
    pub expected_total: Option<Price>,
    /// The client's name for it.
    pub key: Option<IdempotencyKey>,
    /// The step of a trace that it came by.
    pub trace: Option<TraceContext>,
    /// Now.
    pub at: Timestamp,
}

/// What an account is told of an order of its own, whatever others hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnOrder {
    /// Whose order it is.
    pub user_id: UserId,
    /// Which.
    pub order_id: OrderId,
    /// The notification that tells others; `None` when nobody else is told.
    pub announced_as: Option<Offset>,
    /// Placed, or canceled just now.
    pub status: OrderStatus,
}

/// Why nobody is told of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Its buyer hides purchases.
    Hidden,
    /// Orders of these goods are never told.
    Goods,
    /// Orders of goods of these categories are never told.
    Category,
    /// It was no news any more when its source told of it.
    Late,
    /// Its source says that it is a test.
    Test,
}

impl Silence {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Hidden, Self::Goods, Self::Category, Self::Late, Self::Test];

    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Goods => "goods",
            Self::Category => "category",
            Self::Late => "late",
            Self::Test => "test",
        }
    }
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderStatus {
    /// It holds.
    Placed,
    /// It was taken back, its stock returned.
    Canceled,
}

impl OrderStatus {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Canceled => "canceled",
        }
    }

    /// Reads its name.
    ///
    /// # Errors
    /// Any other text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "placed" => Ok(Self::Placed),
            "canceled" => Ok(Self::Canceled),
            _ => Err(Invalid::new("invalid", "status is placed or canceled")),
        }
    }
}

/// A line of an order, with name and price as they were when it was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderItem {
    /// Which goods (they may be gone since).
    pub goods_id: GoodsId,
    /// What they were called.
    pub name: String,
    /// What one piece cost.
    pub price: Price,
    /// How many pieces.
    pub quantity: Quantity,
}

/// Where an order of another shop was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderOrigin {
    /// Which source told of it.
    pub source_id: SourceId,
    /// When it was placed there, if the source says so.
    pub ordered_at: Option<Timestamp>,
    /// The buyer's name as far as the source may tell it.
    pub buyer: Option<String>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its number.
    pub order_id: OrderId,
    /// Whose it is; `None` for an order of another shop.
    pub user_id: Option<UserId>,
    /// Where it was placed, if that was not here.
    pub origin: Option<OrderOrigin>,
    /// Where it stands.
    pub status: OrderStatus,
    /// What was bought, in the order in which it was asked for; never empty.
    pub items: Vec<OrderItem>,
    /// The sum of all lines.
    pub total: Price,
    /// When it was placed.
    pub created_at: Timestamp,
}

/// An order as administrators see it: with who bought, where, and what was told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// The order.
    pub order: Order,
    /// Its buyer's account, with the nickname of today; `None` for an order of another shop, and for an account that was
    /// erased.
    pub buyer: Option<(UserId, String)>,
    /// What the source is called that told of it, and of which kind that is.
    pub source: Option<(String, String)>,
    /// The source's own number for it.
    pub number: Option<String>,
    /// Its alert; `None` also for one that was pruned.
    pub announced_as: Option<Offset>,
    /// Why nobody was told.
    pub silence: Option<Silence>,
    /// When it was canceled, as far as that is known.
    pub canceled_at: Option<Timestamp>,
}

impl OrderRecord {
    /// When it was placed, wherever that was.
    #[must_use]
    pub fn ordered_at(&self) -> Timestamp {
        let there = self.order.origin.as_ref().and_then(|origin| origin.ordered_at);
        there.unwrap_or(self.order.created_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_lines_does_not_make_another_request() {
        let items =
            |json: &str| Basket::parse_items(&serde_json::from_str(json).unwrap()).unwrap().fingerprint();
        assert_eq!(
            items(r#"[{"goodsId": 1, "quantity": 2}, {"goodsId": 3, "quantity": 4}]"#),
            items(r#"[{"goodsId": 3, "quantity": 4}, {"goodsId": 1, "quantity": 2}]"#)
        );
    }
}
