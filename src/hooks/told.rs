//! What a source said, in the words of the shop.

use super::{ForeignId, WebUrl, foreign, json::Object};
use crate::domain::{GoodsName, Price, ThumbnailUrl, Timestamp};

/// The most lines of an order that are read.
pub(super) const MAX_LINES: usize = 500;

/// What a source said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// How an order stands now.
    Order(Box<ToldOrder>),
    /// An order no longer holds, and nothing else is said of it. It may never have been heard of: then what comes later of
    /// it is withdrawn, too.
    Withdrawn {
        /// Which.
        number: ForeignId,
        /// Why, as a sentence without a period.
        why: String,
    },
    /// Money of an order was given back. The order is withdrawn if that is all of it.
    Refund {
        /// Of which order.
        number: ForeignId,
        /// How much; `None` where it is not said.
        amount: Option<Price>,
    },
    /// Goods are new or changed.
    Goods(Box<ToldGoods>),
    /// Goods are no longer sold. One of the two is there.
    GoodsGone {
        /// Their number in the source.
        foreign_id: Option<ForeignId>,
        /// Their SKU.
        sku: Option<String>,
    },
    /// What the law asks to be done with what is kept of people.
    Privacy(Privacy),
    /// The source asks whether somebody is there. It may be unsigned.
    Ping,
    /// Nothing that matters here; why, as a sentence without a period.
    Nothing(String),
}

/// An order as a source tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldOrder {
    /// The source's own number for it: what is the same in everything that the source says of this order.
    pub number: ForeignId,
    /// How it stands.
    pub state: State,
    /// Who bought; `None` where the source does not say, or no longer.
    pub buyer: Option<Buyer>,
    /// When it was placed, not after now; `None` where the source does not say.
    pub ordered_at: Option<Timestamp>,
    /// When it was paid, not after now, where the source says so. A bank transfer may take days.
    pub paid_at: Option<Timestamp>,
    /// Whether it was made to try the shop.
    pub test: bool,
    /// What it comes to, in the currency of the order; `None` where the source does not say, or in a currency that
    /// ISO 4217 does not know.
    pub total: Option<Price>,
    /// What was bought; never empty. A source that does not say what was bought says one line without a name.
    pub lines: Vec<ToldLine>,
}

impl ToldOrder {
    /// The moment since which it is news: when it was paid, else when it was placed.
    #[must_use]
    pub fn news_since(&self) -> Option<Timestamp> {
        self.paid_at.or(self.ordered_at)
    }
}

/// How an order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is paid: this is told.
    Paid,
    /// It is not paid, or not yet; how one sees that, as a sentence without a period.
    Unpaid(String),
    /// A payment failed: it no longer holds if it did, and may still be paid; why, as a sentence without a period.
    Failed(String),
    /// It was canceled, refunded in whole, or failed; why, as a sentence without a period.
    Withdrawn(String),
}

/// A buyer's name in its parts, as far as the source says them; one of them is there. Nothing in them can become markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buyer {
    /// The given name, or all that is known of the name.
    pub first_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
}

impl Buyer {
    pub(super) fn of(first_name: Option<String>, last_name: Option<String>) -> Option<Self> {
        (first_name.is_some() || last_name.is_some()).then_some(Self { first_name, last_name })
    }

    /// Of a name in one piece: its first word is the given name, as far as anyone knows.
    pub(super) fn whole(name: &str) -> Option<Self> {
        let (first, last) = name.split_once(' ').map_or((name, None), |(first, last)| (first, Some(last)));
        Self::of(foreign::person(first), last.and_then(foreign::person))
    }
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldLine {
    /// The SKU of what was bought, which may be that of one variant of the goods. 1–100 characters.
    pub sku: Option<String>,
    /// The goods' number in the source.
    pub foreign_id: Option<ForeignId>,
    /// What it is called; `None` where the source does not say.
    pub name: Option<GoodsName>,
    /// How many pieces, 1 to 1,000,000.
    pub quantity: i64,
    /// What one piece costs.
    pub price: Option<Price>,
    /// Where the goods are shown.
    pub url: Option<WebUrl>,
    /// Their picture, on the web.
    pub thumbnail: Option<ThumbnailUrl>,
}

impl ToldLine {
    /// One piece of something that the source does not name.
    pub(super) fn nameless(price: Option<Price>) -> Self {
        Self { sku: None, foreign_id: None, name: None, quantity: 1, price, url: None, thumbnail: None }
    }
}

/// The lines of an order, of which there is at least one.
pub(super) fn lines(lines: Vec<ToldLine>, total: Option<Price>) -> Vec<ToldLine> {
    if lines.is_empty() { vec![ToldLine::nameless(total)] } else { lines }
}

/// How many pieces a line has; one that has none is no line.
pub(super) fn quantity(item: &Object<'_>) -> Option<i64> {
    if item.has("quantity") { item.read_as("quantity", foreign::pieces) } else { Some(1) }
}

/// The number of an order or of goods, where it is not the 0 that stands for none.
pub(super) fn whole(of: &Object<'_>, name: &str) -> Option<ForeignId> {
    of.read_as(name, ForeignId::parse).filter(|id| id.as_str() != "0")
}

/// Goods as a source tells them. What is `None` is not said and stays as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldGoods {
    /// Their number in the source; this or `sku` is there.
    pub foreign_id: Option<ForeignId>,
    /// Their SKU; `None` where several variants have several.
    pub sku: Option<String>,
    /// What they are called.
    pub name: Option<GoodsName>,
    /// What one piece costs.
    pub price: Option<Price>,
    /// Where they are shown.
    pub url: Option<WebUrl>,
    /// Their picture, on the web.
    pub thumbnail: Option<ThumbnailUrl>,
}

/// What the law asks to be done with what is kept of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Forget who placed these orders.
    ForgetBuyer {
        /// Numbers of orders, at most 10,000.
        orders: Vec<ForeignId>,
    },
    /// Say what is kept of who placed these orders.
    Report {
        /// Numbers of orders, at most 10,000.
        orders: Vec<ForeignId>,
    },
    /// Forget who placed all orders of this source.
    ForgetShop,
}
