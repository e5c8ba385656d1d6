//! JSON shapes that REST answers and events share, made from domain types field by field, so that a new field of the
//! domain is not published by accident.

use serde::{Serialize, Serializer};
use utoipa::{ToSchema, openapi::Object};

use crate::domain::{
    Goods, GoodsAction, GoodsEvent, GoodsId, Offset, OrderId, OrderStatus, OwnOrder, PageUrl, Price, Sku,
    Timestamp, schema::one_of,
};

/// An amount as clients see it: a JSON number of the currency's major unit (`6.2`).
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = f64, examples(6.2))]
pub struct Amount(pub Price);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Price { minor, currency } = self.0;
        let scale = 10_i64.pow(u32::from(currency.decimals()));
        if minor % scale == 0 {
            return serializer.serialize_i64(minor / scale);
        }
        // Exact enough: the shortest decimal that reads back as this double has the currency's decimals.
        #[expect(clippy::cast_precision_loss, reason = "amounts stay far below 2^53 minor units")]
        serializer.serialize_f64(minor as f64 / scale as f64)
    }
}

/// Goods as everyone sees them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Goods)]
#[serde(rename_all = "camelCase")]
pub struct GoodsResponse<'a> {
    goods_id: GoodsId,
    sku: Option<&'a str>,
    name: &'a str,
    description: &'a str,
    thumbnail_url: &'a str,
    url: Option<&'a str>,
    category: &'a str,
    price: Amount,
    currency: &'a str,
    stock: Option<i64>,
    announce: bool,
    listed: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> From<&'a Goods> for GoodsResponse<'a> {
    fn from(goods: &'a Goods) -> Self {
        Self {
            goods_id: goods.goods_id,
            sku: goods.about.sku.as_ref().map(Sku::as_str),
            name: goods.name.as_str(),
            description: goods.about.description.as_str(),
            url: goods.about.url.as_ref().map(PageUrl::as_str),
            announce: goods.about.announce,
            listed: goods.about.listed,
            thumbnail_url: goods.thumbnail_url.as_str(),
            category: goods.category.as_str(),
            price: Amount(goods.price),
            currency: goods.price.currency.code(),
            stock: goods.stock,
            created_at: goods.created_at,
            updated_at: goods.updated_at,
        }
    }
}

/// An order's status by its name.
#[must_use]
pub fn status(status: OrderStatus) -> &'static str {
    status.name()
}

/// The names of [`status`], for the documents of the contract.
#[must_use]
pub fn order_statuses() -> Object {
    one_of([OrderStatus::Placed, OrderStatus::Canceled].map(status))
}

/// The payload of the event `ORDER`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderTold {
    order_id: OrderId,
    id: Option<Offset>,
    #[schema(schema_with = order_statuses)]
    status: &'static str,
    own: bool,
}

impl From<&OwnOrder> for OrderTold {
    fn from(order: &OwnOrder) -> Self {
        let OwnOrder { order_id, announced_as, status: now, .. } = *order;
        Self { order_id, id: announced_as, status: status(now), own: true }
    }
}

/// The payload of the event `gap`: what came after an offset and before another can no longer be told.
#[derive(Debug, Serialize, ToSchema)]
pub struct Gap {
    /// The last that the session has.
    pub after: Offset,
    /// The oldest that there is.
    pub oldest: Offset,
}

/// The payload of the event `goods`.
#[derive(Debug, Serialize, ToSchema)]
pub struct GoodsChanged<'a> {
    #[schema(schema_with = actions)]
    action: &'static str,
    goods: GoodsResponse<'a>,
}

impl<'a> From<&'a GoodsEvent> for GoodsChanged<'a> {
    fn from(event: &'a GoodsEvent) -> Self {
        let action = match event.action {
            GoodsAction::Create => "create",
            GoodsAction::Update => "update",
            GoodsAction::Delete => "delete",
        };
        Self { action, goods: (&event.goods).into() }
    }
}

fn actions() -> Object {
    one_of(["create", "update", "delete"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_in_the_major_unit() {
        let show = |minor| {
            serde_json::to_string(&Amount(Price { minor, currency: "USD".parse().unwrap() })).unwrap()
        };
        assert_eq!(show(620), "6.2");
        assert_eq!(show(600), "6");
        assert_eq!(show(1), "0.01");
        assert_eq!(show(1999), "19.99");
    }
}
