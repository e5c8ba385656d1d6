//! A shop with an endpoint, and what to look at of what was sent to it.

use std::time::Duration;

use serde_json::Value;

use super::{
    super::signature::signatures,
    receiver::{Received, Receiver},
    shop::{Shop, until},
};
use crate::domain::{Delivery, DeliveryStatus, EndpointId, EndpointSecret, GoodsId, Timestamp, UserId};

pub(super) const DAY: Duration = Duration::from_hours(24);
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A shop with an endpoint that is told of orders, someone who orders, and something to order.
pub(super) struct Scene {
    pub(super) shop: Shop,
    pub(super) receiver: Receiver,
    pub(super) endpoint: EndpointId,
    pub(super) kim: UserId,
    pub(super) water: GoodsId,
}

impl Scene {
    pub(super) async fn set(topics: &str) -> Self {
        let shop = Shop::serving().await;
        let receiver = Receiver::start().await;
        let kim = shop.user("kim", false).await;
        let water = shop.goods("Water", None).await;
        let endpoint = shop.endpoint(&receiver.url(), topics).await.endpoint_id;
        Self { shop, receiver, endpoint, kim, water }
    }

    pub(super) async fn order(&self) {
        self.shop.order(self.kim, self.water, 1).await;
    }

    pub(super) async fn received(&self, count: usize) -> Vec<Received> {
        until(&format!("{count} messages"), async || {
            Some(self.receiver.received()).filter(|received| received.len() >= count)
        })
        .await
    }

    /// The deliveries, once they stand like this.
    pub(super) async fn stand(&self, expected: &[DeliveryStatus]) -> Vec<Delivery> {
        until(&format!("{expected:?}"), async || {
            let found = self.shop.deliveries(self.endpoint).await;
            (found.iter().map(|delivery| delivery.status).collect::<Vec<_>>() == expected).then_some(found)
        })
        .await
    }
}

pub(super) fn body(received: &Received) -> Value {
    serde_json::from_str(&received.body).unwrap()
}

pub(super) fn types(received: &[Received]) -> Vec<String> {
    received.iter().map(|one| body(one)["type"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn ids(received: &[Received]) -> Vec<&str> {
    received.iter().map(|one| one.header("webhook-id")).collect()
}

/// The head was written in small letters for the comparison: so is the signature.
pub(super) fn is_signed(received: &Received, secrets: &[&str]) -> bool {
    let at = received.header("webhook-timestamp").parse::<i64>().unwrap();
    let secrets: Vec<_> = secrets.iter().map(|text| EndpointSecret::trusted((*text).to_owned())).collect();
    let expected = signatures(
        &secrets,
        received.header("webhook-id"),
        Timestamp::from_millis(at * 1000),
        received.body.as_bytes(),
    );
    received.header("webhook-signature") == expected.to_lowercase()
}
