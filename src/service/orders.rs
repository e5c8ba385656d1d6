//! Orders: placing one, whatever way it came in, taking it back, and looking at one's own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Page, ServiceError};
use crate::{
    domain::{
        Actor, Basket, Currency, Fields, IdempotencyKey, Invalid, NewOrder, Order, OrderId, Price, Timestamp,
        TraceContext, UserId, fields::flag, goods::parse_total,
    },
    limits::Rates,
    store::{OrderStore, PlacedOrder},
};

/// What someone wants to order.
#[derive(Clone, Debug)]
pub struct OrderRequest {
    /// What.
    pub basket: Basket,
    /// The client's name for it, so that a repeat is told from a second order.
    pub key: Option<IdempotencyKey>,
    /// What the buyer was told that it comes to. It is a condition and no part of what is ordered: a repeat under the
    /// same key need not say it.
    pub expected_total: Option<Price>,
    /// The step of a trace that it came by.
    pub trace: Option<TraceContext>,
}

impl OrderRequest {
    /// Reads the body of `POST /orders`, either `items` or `fromCart` and perhaps `expectedTotal`, and its header
    /// `Idempotency-Key`.
    ///
    /// # Errors
    /// Fields that are not valid or not known; both or neither.
    pub fn read(fields: Fields, key: Option<&str>, currency: Currency) -> Result<Self, ServiceError> {
        const ONE_OF: Invalid = Invalid::new("invalid", "an order has either items or fromCart");
        let basket = match (fields.raw("items"), fields.optional("fromCart", flag)) {
            (_, Err(error)) => Err(error),
            (Some(items), Ok(None | Some(false))) => {
                Basket::parse_items(items).map_err(|invalid| invalid.in_field("items"))
            }
            (None, Ok(Some(true))) => Ok(Basket::Cart),
            _ => Err(ONE_OF.in_field("items")),
        };
        let key = key.map(IdempotencyKey::parse).transpose();
        let key = key.map_err(|invalid| invalid.in_field("Idempotency-Key"));
        let expected_total = fields.optional("expectedTotal", |text| parse_total(text, currency));
        // A misspelled condition must not be one that was not made.
        let known = fields.only(&["items", "fromCart", "expectedTotal"]);
        let (basket, key, expected_total, ()) = fields.finish((basket, key, expected_total, known))?;
        Ok(Self { basket, key, expected_total, trace: None })
    }
}

/// Seconds' worth of orders that an account may place at once.
const ORDER_BURST: u8 = 4;

/// The use cases of orders.
pub struct Orders {
    store: Arc<dyn OrderStore>,
    rates: Rates<UserId>,
}

impl Orders {
    /// Over a store, for so many orders a second of one account.
    #[must_use]
    pub fn new(store: Arc<dyn OrderStore>, order_rate: u32) -> Self {
        Self { store, rates: Rates::new(order_rate, Duration::from_secs(1), ORDER_BURST) }
    }

    /// Counts an order of an account, whatever way it comes in, before any work is done for it.
    ///
    /// # Errors
    /// [`ServiceError::TooManyOrders`] beyond `--order-rate`.
    pub fn admit(&self, user: UserId) -> Result<(), ServiceError> {
        self.rates.take(user, Instant::now()).map_err(ServiceError::TooManyOrders)
    }

    /// Places an order. Answers when it is durable.
    ///
    /// # Errors
    /// Unknown goods, too little stock, an empty or changed cart, a key that was used for another order, another sum
    /// than the buyer was told, a buyer who may no longer order.
    pub async fn place(
        &self,
        by: Actor,
        request: OrderRequest,
        now: Timestamp,
    ) -> Result<PlacedOrder, ServiceError> {
        let OrderRequest { basket, key, expected_total, trace } = request;
        let Actor { user_id, session } = by;
        let order = NewOrder { user_id, session, basket, expected_total, key, trace, at: now };
        Ok(self.store.record_order(order).await?)
    }

    /// Takes an order back: one's own, or as an administrator anyone's.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::AlreadyCanceled`], someone who may no longer cancel.
    pub async fn cancel(&self, by: Actor, id: OrderId, now: Timestamp) -> Result<Order, ServiceError> {
        Ok(self.store.cancel_order(id, Some(by), now).await?)
    }

    /// Lists someone's orders below an id, newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(
        &self,
        user: UserId,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Page<Order, OrderId>, ServiceError> {
        let found = self.store.orders_of(user, before, limit.saturating_add(1)).await?;
        Ok(Page::cut(found, limit, |order| order.order_id))
    }

    /// Finds someone's order.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], for another's too.
    pub async fn get(&self, user: UserId, id: OrderId) -> Result<Order, ServiceError> {
        self.store.order(id, user).await?.ok_or(ServiceError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, key: Option<&str>) -> Result<OrderRequest, Vec<String>> {
        match OrderRequest::read(
            Fields::new(serde_json::from_str(json).unwrap()),
            key,
            "USD".parse().unwrap(),
        ) {
            Ok(request) => Ok(request),
            Err(ServiceError::Validation(errors)) => Err(errors.into_iter().map(|e| e.field).collect()),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn an_order_has_exactly_one_of_items_and_from_cart() {
        assert!(read(r#"{"items": [{"goodsId": 4, "quantity": 1}]}"#, None).is_ok());
        assert!(read(r#"{"items": [{"goodsId": "4", "quantity": "1"}], "fromCart": "false"}"#, None).is_ok());
        assert_eq!(read(r#"{"fromCart": true}"#, Some("a-1")).unwrap().basket, Basket::Cart);
        for bad in [
            "{}",
            r#"{"fromCart": false}"#,
            r#"{"fromCart": true, "items": [{"goodsId": 4, "quantity": 1}]}"#,
            r#"{"items": []}"#,
        ] {
            assert_eq!(read(bad, None).unwrap_err(), ["items"], "{bad}");
        }
        assert_eq!(read(r#"{"fromCart": "maybe"}"#, None).unwrap_err(), ["fromCart"]);
    }

    #[test]
    fn a_bad_key_is_named_by_its_header() {
        for bad in ["", "a b", "ä", &"x".repeat(256)] {
            assert_eq!(read(r#"{"fromCart": true}"#, Some(bad)).unwrap_err(), ["Idempotency-Key"], "{bad}");
        }
    }
}
