//! The rows of orders, see `rows`.

use sqlx::FromRow;

use super::rows::{corrupt, currency, quantity};
use crate::{
    domain::{
        Currency, GoodsId, Offset, Order, OrderId, OrderItem, OrderOrigin, OrderRecord, OrderStatus, Price,
        Silence, SourceId, Timestamp, UserId,
    },
    store::{OrderEvent, OrderEventKind, Sequence, StoreError},
};

#[derive(FromRow)]
pub(super) struct OrderRow {
    pub(super) order_id: i64,
    user_id: Option<i64>,
    status: String,
    total: i64,
    created_at: i64,
    source_id: Option<String>,
    currency: Option<String>,
    ordered_at: Option<i64>,
    buyer: Option<String>,
}

impl OrderRow {
    /// `shop` is the currency of the shop, in which its own orders are.
    pub(super) fn order(self, mut items: Vec<OrderItem>, shop: Currency) -> Result<Order, StoreError> {
        let currency = currency(self.currency.as_deref(), shop)?;
        for item in &mut items {
            item.price.currency = currency;
        }
        let origin = self.source_id.map(|id| OrderOrigin {
            source_id: SourceId::trusted(id),
            ordered_at: self.ordered_at.map(Timestamp::from_millis),
            buyer: self.buyer,
        });
        Ok(Order {
            order_id: OrderId(self.order_id),
            user_id: self.user_id.map(UserId),
            origin,
            status: OrderStatus::parse(&self.status).map_err(|_| corrupt("an order", &self.status))?,
            items,
            total: Price { minor: self.total, currency },
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

#[derive(FromRow)]
pub(super) struct ItemRow {
    pub(super) order_id: i64,
    goods_id: i64,
    name: String,
    price: i64,
    quantity: i64,
}

impl ItemRow {
    pub(super) fn item(self, currency: Currency) -> Result<OrderItem, StoreError> {
        Ok(OrderItem {
            goods_id: GoodsId(self.goods_id),
            name: self.name,
            price: Price { minor: self.price, currency },
            quantity: quantity(self.quantity)?,
        })
    }
}

#[derive(FromRow)]
pub(super) struct EventRow {
    sequence: i64,
    order_id: i64,
    kind: String,
    created_at: i64,
    announced_as: Option<i64>,
}

impl EventRow {
    pub(super) fn event(self) -> Result<OrderEvent, StoreError> {
        Ok(OrderEvent {
            sequence: Sequence(self.sequence),
            order_id: OrderId(self.order_id),
            kind: match self.kind.as_str() {
                "placed" => OrderEventKind::Placed,
                "canceled" => OrderEventKind::Canceled,
                other => return Err(corrupt("an order event", other)),
            },
            at: Timestamp::from_millis(self.created_at),
            announced_as: self.announced_as.map(Offset),
        })
    }
}

/// An order and what stands beside it.
#[derive(FromRow)]
pub(super) struct RecordRow {
    #[sqlx(flatten)]
    pub(super) order: OrderRow,
    silence: Option<String>,
    canceled_at: Option<i64>,
    nickname: Option<String>,
    source_name: Option<String>,
    source_kind: Option<String>,
    number: Option<String>,
    announced_as: Option<i64>,
}

impl RecordRow {
    pub(super) fn record(self, items: Vec<OrderItem>, shop: Currency) -> Result<OrderRecord, StoreError> {
        let silence = self.silence.map(|name| {
            let known = Silence::ALL.into_iter().find(|silence| silence.name() == name);
            known.ok_or_else(|| corrupt("why an order is not told", name))
        });
        let order = self.order.order(items, shop)?;
        Ok(OrderRecord {
            buyer: order.user_id.zip(self.nickname),
            order,
            source: self.source_name.zip(self.source_kind),
            number: self.number,
            announced_as: self.announced_as.map(Offset),
            silence: silence.transpose()?,
            canceled_at: self.canceled_at.map(Timestamp::from_millis),
        })
    }
}
