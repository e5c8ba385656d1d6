//! What a message says: `{type, timestamp, data}`. Rendered from the log for each attempt, so that nothing is kept twice and
//! a name that was withdrawn meanwhile is not told.

use bytes::Bytes;
use serde::Serialize;

use crate::{
    domain::{Goods, GoodsId, NewsItem, Order, OrderId, OrderItem, Subject, Timestamp},
    protocol::shapes::{Amount, GoodsChanged, GoodsResponse, status},
};

#[derive(Serialize)]
struct Message<'a, T> {
    r#type: &'a str,
    timestamp: Timestamp,
    data: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderData<'a> {
    order_id: OrderId,
    source: Option<SourceData<'a>>,
    status: &'static str,
    items: Vec<ItemData<'a>>,
    total: Amount,
    currency: &'a str,
    created_at: Timestamp,
    ordered_at: Option<Timestamp>,
    buyer: Option<&'a str>,
}

/// The other shop that an order comes from.
#[derive(Serialize)]
struct SourceData<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemData<'a> {
    goods_id: GoodsId,
    name: &'a str,
    price: Amount,
    quantity: i64,
}

#[derive(Serialize)]
struct LowStock<'a> {
    threshold: i64,
    goods: GoodsResponse<'a>,
}

/// The body of a message.
pub(super) fn render(item: &NewsItem) -> Bytes {
    let (name, at) = (item.topic.name(), item.at);
    match &item.subject {
        Subject::Order { order, buyer, source } => {
            write(name, at, order_data(order, buyer.as_deref(), source.as_deref()))
        }
        Subject::Goods(event) => write(name, at, GoodsChanged::from(&**event)),
        Subject::LowStock { goods, threshold } => write(name, at, low_stock(goods, *threshold)),
    }
}

/// The body of a test.
pub(super) fn render_test(kind: &str, at: Timestamp) -> Bytes {
    write(kind, at, serde_json::json!({ "message": "This is a test of shopbell." }))
}

fn write(name: &str, timestamp: Timestamp, data: impl Serialize) -> Bytes {
    let message = Message { r#type: name, timestamp, data };
    serde_json::to_vec(&message).expect("these types are always JSON").into()
}

fn order_data<'a>(order: &'a Order, buyer: Option<&'a str>, source: Option<&'a str>) -> OrderData<'a> {
    OrderData {
        order_id: order.order_id,
        source: order
            .origin
            .as_ref()
            .map(|origin| SourceData { id: origin.source_id.as_str(), name: source.unwrap_or_default() }),
        status: status(order.status),
        items: order.items.iter().map(item_data).collect(),
        total: Amount(order.total),
        currency: order.total.currency.code(),
        created_at: order.created_at,
        ordered_at: order.origin.as_ref().and_then(|origin| origin.ordered_at),
        buyer,
    }
}

fn item_data(item: &OrderItem) -> ItemData<'_> {
    ItemData {
        goods_id: item.goods_id,
        name: &item.name,
        price: Amount(item.price),
        quantity: item.quantity.get(),
    }
}

fn low_stock(goods: &Goods, threshold: i64) -> LowStock<'_> {
    LowStock { threshold, goods: goods.into() }
}
