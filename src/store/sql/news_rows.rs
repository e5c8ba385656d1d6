//! The rows of news, endpoints, deliveries and attempts: as `rows`, of which this is a part.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::rows::{GoodsRow, corrupt};
use crate::{
    domain::{
        Attempt, Currency, Delivery, DeliveryId, DeliveryStatus, DisabledBy, Endpoint, EndpointId,
        EndpointSecret, EndpointUrl, GoodsAction, GoodsEvent, GoodsId, NewsItem, Order, OrderStatus, Place,
        Subject, Timestamp, Told, Topic, Topics,
        delivery::{goods_message, order_message},
    },
    store::StoreError,
};

/// What is kept of a goods event: the goods as they were.
#[derive(Serialize, Deserialize)]
pub(super) struct GoodsData {
    pub(super) action: Option<Action>,
    pub(super) threshold: Option<i64>,
    pub(super) goods: GoodsRow,
}

/// How an action is kept.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    Create,
    Update,
    Delete,
}

impl From<GoodsAction> for Action {
    fn from(action: GoodsAction) -> Self {
        match action {
            GoodsAction::Create => Self::Create,
            GoodsAction::Update => Self::Update,
            GoodsAction::Delete => Self::Delete,
        }
    }
}

impl From<Action> for GoodsAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Create => Self::Create,
            Action::Update => Self::Update,
            Action::Delete => Self::Delete,
        }
    }
}

/// One event of all news: of an order, or of goods where `goods_event` is there. `subject` is the order or the goods.
#[derive(FromRow)]
pub(super) struct NewsRow {
    pub(super) order_event: i64,
    pub(super) goods_event: Option<i64>,
    kind: String,
    subject: i64,
    data: Option<String>,
    nickname: Option<String>,
    source: Option<String>,
    created_at: i64,
}

impl NewsRow {
    /// The order that it is about.
    pub(super) fn order(&self) -> Option<i64> {
        self.goods_event.is_none().then_some(self.subject)
    }

    pub(super) fn item(
        self,
        place: Place,
        order: Option<Order>,
        currency: Currency,
    ) -> Result<NewsItem, StoreError> {
        let at = Timestamp::from_millis(self.created_at);
        let Some(event) = self.goods_event else {
            let order = order.ok_or_else(|| corrupt("an event without its order", self.subject))?;
            return Ok(self.order_item(place, order, at));
        };
        let data: GoodsData = serde_json::from_str(&self.data.unwrap_or_default())
            .map_err(|error| corrupt("a goods event", error))?;
        let goods = data.goods.goods(currency)?;
        let (topic, subject) = match (data.action, data.threshold) {
            (Some(action), None) => {
                let event = GoodsEvent { action: action.into(), goods };
                (Topic::GoodsUpdated, Subject::Goods(Box::new(event)))
            }
            (None, Some(threshold)) => {
                (Topic::StockLow, Subject::LowStock { goods: Box::new(goods), threshold })
            }
            _ => return Err(corrupt("a goods event", event)),
        };
        let message = goods_message(GoodsId(self.subject), event, at);
        Ok(NewsItem { place, message, topic, at, subject })
    }

    fn order_item(self, place: Place, mut order: Order, at: Timestamp) -> NewsItem {
        // As it was then: a repeat of the first message says the same after the order was canceled.
        let (topic, status) = match self.kind.as_str() {
            "placed" => (Topic::OrderPlaced, OrderStatus::Placed),
            _ => (Topic::OrderCanceled, OrderStatus::Canceled),
        };
        order.status = status;
        let message = order_message(order.order_id, status, at);
        let buyer = self.nickname.or_else(|| order.origin.as_ref()?.buyer.clone());
        let subject = Subject::Order { order: Box::new(order), buyer, source: self.source };
        NewsItem { place, message, topic, at, subject }
    }
}

#[derive(FromRow)]
pub(super) struct EndpointRow {
    endpoint_id: i64,
    url: String,
    topics: String,
    secret: String,
    old_secret: Option<String>,
    old_secret_until: Option<i64>,
    disabled_at: Option<i64>,
    disabled_by: Option<String>,
    failing_since: Option<i64>,
    place_orders: i64,
    place_goods: i64,
    lost: i64,
    generation: i64,
    revision: i64,
    created_at: i64,
}

impl EndpointRow {
    pub(super) fn endpoint(self) -> Result<Endpoint, StoreError> {
        let url =
            EndpointUrl::parse(&self.url).map_err(|_| corrupt("an endpoint's URL", self.endpoint_id))?;
        let topics =
            Topics::parse(&self.topics).map_err(|_| corrupt("an endpoint's topics", &self.topics))?;
        let reason = match self.disabled_by.as_deref() {
            Some(name) => Some(DisabledBy::of(name).ok_or_else(|| corrupt("an endpoint's state", name))?),
            None => None,
        };
        Ok(Endpoint {
            endpoint_id: EndpointId(self.endpoint_id),
            url,
            topics,
            secret: EndpointSecret::trusted(self.secret),
            old_secret: self
                .old_secret
                .map(EndpointSecret::trusted)
                .zip(self.old_secret_until.map(Timestamp::from_millis)),
            disabled: self.disabled_at.map(Timestamp::from_millis).zip(reason),
            failing_since: self.failing_since.map(Timestamp::from_millis),
            place: Place { orders: self.place_orders, goods: self.place_goods },
            lost: self.lost,
            generation: self.generation,
            revision: self.revision,
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

#[derive(FromRow)]
pub(super) struct DeliveryRow {
    delivery_id: i64,
    endpoint_id: i64,
    order_event: Option<i64>,
    goods_event: Option<i64>,
    message: String,
    kind: String,
    event_at: i64,
    status: String,
    tries: i64,
    next_at: Option<i64>,
    updated_at: i64,
}

impl DeliveryRow {
    pub(super) fn delivery(self) -> Result<Delivery, StoreError> {
        let status = DeliveryStatus::of(&self.status).ok_or_else(|| corrupt("a delivery", &self.status))?;
        Ok(Delivery {
            delivery_id: DeliveryId(self.delivery_id),
            endpoint_id: EndpointId(self.endpoint_id),
            told: match (self.order_event, self.goods_event) {
                (Some(event), _) => Told::Order(event),
                (None, Some(event)) => Told::Goods(event),
                (None, None) => Told::Test,
            },
            message: self.message,
            kind: self.kind,
            event_at: Timestamp::from_millis(self.event_at),
            status,
            tries: u32::try_from(self.tries).unwrap_or(u32::MAX),
            next_at: self.next_at.map(Timestamp::from_millis),
            updated_at: Timestamp::from_millis(self.updated_at),
        })
    }
}

#[derive(FromRow)]
pub(super) struct AttemptRow {
    at: i64,
    status: Option<i64>,
    error: Option<String>,
    millis: i64,
    answer: String,
}

impl AttemptRow {
    pub(super) fn attempt(self) -> Attempt {
        Attempt {
            at: Timestamp::from_millis(self.at),
            status: self.status.and_then(|status| u16::try_from(status).ok()),
            error: self.error,
            millis: u32::try_from(self.millis).unwrap_or(u32::MAX),
            answer: self.answer,
        }
    }
}
