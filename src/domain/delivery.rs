//! What endpoints are told: news, deliveries and attempts.

use super::{
    DeliveryId, EndpointId, Goods, GoodsEvent, GoodsId, Invalid, Order, OrderId, OrderStatus, Timestamp,
    endpoint::{DisabledBy, Place, Topic},
};

/// One piece of news, as the log has it.
#[derive(Clone, Debug)]
pub struct NewsItem {
    /// Its place: what is told after it lies behind.
    pub place: Place,
    /// The name of the message, the same whenever it is sent.
    pub message: String,
    /// Of which kind.
    pub topic: Topic,
    /// When it happened.
    pub at: Timestamp,
    /// What is told.
    pub subject: Subject,
}

/// What a piece of news is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// An order, as it was placed or canceled.
    Order {
        /// The order; its status is that of the event.
        order: Box<Order>,
        /// Its buyer's name, unless that is hidden.
        buyer: Option<String>,
        /// The name of the source that told of it, if it was placed elsewhere.
        source: Option<String>,
    },
    /// What was done to goods.
    Goods(Box<GoodsEvent>),
    /// A stock that fell.
    LowStock {
        /// The goods.
        goods: Box<Goods>,
        /// It fell to this number, or below it.
        threshold: i64,
    },
}

/// Which event of the log a delivery tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// An order event.
    Order(i64),
    /// A goods event.
    Goods(i64),
    /// None: it is a test.
    Test,
}

impl NewsItem {
    /// Which event of the log it is.
    #[must_use]
    pub fn told(&self) -> Told {
        match self.subject {
            Subject::Order { .. } => Told::Order(self.place.orders),
            Subject::Goods(_) | Subject::LowStock { .. } => Told::Goods(self.place.goods),
        }
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It waits for its next attempt.
    Waiting,
    /// It was taken.
    Delivered,
    /// It is not tried any more, unless by hand.
    Failed,
}

impl DeliveryStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The status of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Reads its name in a query.
    ///
    /// # Errors
    /// There is no such status.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::of(text).ok_or(Invalid::new("invalid", "status is waiting, delivered or failed"))
    }
}

/// One message to one endpoint.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its number.
    pub delivery_id: DeliveryId,
    /// To whom.
    pub endpoint_id: EndpointId,
    /// What it tells.
    pub told: Told,
    /// Its `webhook-id`, the same on every attempt.
    pub message: String,
    /// Its `type`.
    pub kind: String,
    /// When what it tells happened.
    pub event_at: Timestamp,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Attempts since it was first due, or was asked for by hand.
    pub tries: u32,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
    /// When it was last tried or asked for.
    pub updated_at: Timestamp,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// The status of the answer; `None` when there was none.
    pub status: Option<u16>,
    /// Why there was none, or why it counts as a failure.
    pub error: Option<String>,
    /// How long it took.
    pub millis: u32,
    /// The beginning of the answer.
    pub answer: String,
}

/// What an attempt changes: about the delivery, about the endpoint.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// To whom, and by which state of it.
    pub endpoint_id: EndpointId,
    /// As [`Endpoint::generation`](super::Endpoint::generation).
    pub generation: i64,
    /// What it tells.
    pub told: Told,
    /// Its `webhook-id`.
    pub message: String,
    /// Its `type`.
    pub kind: String,
    /// When what it tells happened.
    pub event_at: Timestamp,
    /// The attempt.
    pub attempt: Attempt,
    /// Where the delivery stands now.
    pub status: DeliveryStatus,
    /// As [`Delivery::tries`].
    pub tries: u32,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
    /// Where the endpoint's cursor is now; `None` for a retry, which does not move it.
    pub place: Option<Place>,
    /// As [`Endpoint::failing_since`](super::Endpoint::failing_since).
    pub failing_since: Option<Timestamp>,
    /// Why the endpoint is told nothing from now on.
    pub disables: Option<DisabledBy>,
}

/// The name of the message of an order event: the same in a copy of the database, and never that of another event.
#[must_use]
pub fn order_message(order: OrderId, status: OrderStatus, at: Timestamp) -> String {
    let word = match status {
        OrderStatus::Placed => "placed",
        OrderStatus::Canceled => "canceled",
    };
    format!("order_{order}_{word}_{:x}", at.as_millis())
}

/// The name of the message of a goods event.
#[must_use]
pub fn goods_message(goods: GoodsId, event: i64, at: Timestamp) -> String {
    format!("goods_{goods}_{event}_{:x}", at.as_millis())
}
