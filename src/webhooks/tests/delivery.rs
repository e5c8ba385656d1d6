//! What endpoints are told, in which order, and what becomes of it, over real sockets and days that pass at once.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    super::signature::signatures,
    receiver::{Act, Received, Receiver},
    shop::{ALL, Shop, eventually, until},
};
use crate::domain::{
    Delivery, DeliveryStatus, DisabledBy, EndpointId, EndpointPatch, EndpointSecret, GoodsId, GoodsPatch,
    Price, StockChange, Timestamp, UserId,
};

const DAY: Duration = Duration::from_hours(24);

/// A shop with an endpoint that is told of orders, someone who orders, and something to order.
struct Scene {
    shop: Shop,
    receiver: Receiver,
    endpoint: EndpointId,
    kim: UserId,
    water: GoodsId,
}

impl Scene {
    async fn set(topics: &str) -> Self {
        let shop = Shop::serving().await;
        let receiver = Receiver::start().await;
        let kim = shop.user("kim", false).await;
        let water = shop.goods("Water", None).await;
        let endpoint = shop.endpoint(&receiver.url(), topics).await.endpoint_id;
        Self { shop, receiver, endpoint, kim, water }
    }

    async fn order(&self) {
        self.shop.order(self.kim, self.water, 1).await;
    }

    async fn received(&self, count: usize) -> Vec<Received> {
        until(&format!("{count} messages"), async || {
            Some(self.receiver.received()).filter(|received| received.len() >= count)
        })
        .await
    }

    /// The deliveries, once they stand like this.
    async fn stand(&self, expected: &[DeliveryStatus]) -> Vec<Delivery> {
        until(&format!("{expected:?}"), async || {
            let found = self.shop.deliveries(self.endpoint).await;
            (found.iter().map(|delivery| delivery.status).collect::<Vec<_>>() == expected).then_some(found)
        })
        .await
    }
}

fn body(received: &Received) -> Value {
    serde_json::from_str(&received.body).unwrap()
}

fn types(received: &[Received]) -> Vec<String> {
    received.iter().map(|one| body(one)["type"].as_str().unwrap().to_owned()).collect()
}

fn ids(received: &[Received]) -> Vec<&str> {
    received.iter().map(|one| one.header("webhook-id")).collect()
}

/// The head was written in small letters for the comparison: so is the signature.
fn is_signed(received: &Received, secrets: &[&str]) -> bool {
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

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test]
async fn orders_are_told_in_their_order_also_of_those_who_hide_them() {
    let scene = Scene::set("order.placed,order.canceled").await;
    let lee = scene.shop.user("lee", true).await;
    let first = scene.shop.order(scene.kim, scene.water, 2).await;
    scene.shop.order(lee, scene.water, 1).await;
    scene.shop.pass(Duration::from_secs(60));
    scene.shop.store.cancel_order(first, None, scene.shop.now()).await.unwrap();
    let received = scene.received(3).await;
    assert_eq!(types(&received), ["order.placed", "order.placed", "order.canceled"]);
    let placed = body(&received[0]);
    assert_eq!(placed["timestamp"], "2025-11-21T00:54:21.123Z");
    let data = json!({
        "orderId": 1, "status": "placed", "total": 12.4, "currency": "USD", "buyer": "kim",
        "createdAt": "2025-11-21T00:54:21.123Z",
        "items": [{"goodsId": scene.water, "name": "Water", "price": 6.2, "quantity": 2}],
    });
    for (member, value) in data.as_object().unwrap() {
        assert_eq!(&placed["data"][member], value, "{member} in {placed}");
    }
    assert_eq!(body(&received[1])["data"]["buyer"], Value::Null);
    let canceled = body(&received[2]);
    assert_eq!(
        (&canceled["data"]["status"], &canceled["timestamp"]),
        (&json!("canceled"), &json!("2025-11-21T00:55:21.123Z"))
    );
    assert!(received.iter().all(|one| is_signed(one, &[SECRET])));
    assert_eq!(received[0].header("content-type"), "application/json");
    let delivered = scene.stand(&[DeliveryStatus::Delivered; 3]).await;
    assert_eq!(delivered.iter().map(|d| d.message.as_str()).collect::<Vec<_>>(), ids(&received));
    let attempts = scene.shop.attempts(&delivered[0]).await;
    assert_eq!((attempts.len(), attempts[0].status, attempts[0].error.as_deref()), (1, Some(200), None));
}

#[tokio::test]
async fn goods_are_told_as_they_were_and_a_low_stock_once() {
    let scene = Scene::set("goods.updated,stock.low").await;
    let store = &scene.shop.store;
    let tea = scene.shop.goods("Tea", Some(8)).await;
    let dearer = Price { minor: 700, currency: "USD".parse().unwrap() };
    let patch = GoodsPatch { price: Some(dearer), ..GoodsPatch::default() };
    store.change_goods(tea, patch, None, None, scene.shop.now()).await.unwrap();
    // 8, 6: not low. 5: low. 3: it was. 9 and 4: again.
    for pieces in [2, 1, 2] {
        scene.shop.order(scene.kim, tea, pieces).await;
    }
    for pieces in [6, -5] {
        let change = StockChange { pieces, reason: None };
        store.change_stock(tea, change, None, scene.shop.now()).await.unwrap();
    }
    store.delete_goods(tea, None, None, scene.shop.now()).await.unwrap();
    let received = scene.received(7).await;
    let told: Vec<_> = received
        .iter()
        .map(|one| {
            let body = body(one);
            let data = &body["data"];
            (
                body["type"].clone(),
                data["action"].clone(),
                data["goods"]["stock"].clone(),
                data["goods"]["price"].clone(),
            )
        })
        .collect();
    let updated = |action: &str, stock: i64, price: f64| {
        (
            json!("goods.updated"),
            json!(action),
            json!(stock),
            if price == 7.0 { json!(7) } else { json!(price) },
        )
    };
    let low = |stock: i64| (json!("stock.low"), Value::Null, json!(stock), json!(7));
    assert_eq!(
        told,
        [
            updated("create", 8, 6.2),
            updated("update", 8, 7.0),
            low(5),
            updated("update", 9, 7.0),
            low(4),
            updated("update", 4, 7.0),
            updated("delete", 4, 7.0),
        ]
    );
    assert_eq!(body(&received[2])["data"]["threshold"], 5);
    scene.stand(&[DeliveryStatus::Delivered; 7]).await;
}

#[tokio::test]
async fn an_endpoint_is_told_what_it_asked_for_from_its_making_on() {
    let scene = Scene::set("order.canceled").await;
    let order = scene.shop.order(scene.kim, scene.water, 1).await;
    scene.shop.store.cancel_order(order, None, scene.shop.now()).await.unwrap();
    let late = Receiver::start().await;
    scene.shop.endpoint(&late.url(), ALL).await;
    scene.order().await;
    let told =
        until("the late one hears", async || Some(late.received()).filter(|told| !told.is_empty())).await;
    assert_eq!(
        (types(&told), body(&told[0])["data"]["orderId"].clone()),
        (vec!["order.placed".into()], json!(2))
    );
    assert_eq!(types(&scene.received(1).await), ["order.canceled"]);
    // What it is not told is behind it all the same: nothing of the log is held for it.
    scene.shop.pass(Duration::from_secs(2));
    eventually("the cursor is kept", async || scene.shop.reload(scene.endpoint).await.place.orders == 3)
        .await;
}

#[tokio::test]
async fn what_was_not_taken_is_sent_again_under_the_same_name_and_holds_nothing_up() {
    let scene = Scene::set("order.placed").await;
    let elsewhere = Receiver::start().await;
    scene.receiver.script([
        Act::status(500),
        Act::answer(302, &format!("location: {}\r\n", elsewhere.url()), ""),
        Act::SayAndClose("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".into()),
        Act::Close,
    ]);
    use DeliveryStatus::{Delivered, Waiting};
    for _ in 0..4 {
        scene.order().await;
    }
    let all = scene.stand(&[Waiting, Waiting, Delivered, Waiting]).await;
    assert!(all.iter().all(|one| one.tries == 1 && one.next_at.is_some() == (one.status == Waiting)));
    let errors: Vec<_> = [
        scene.shop.attempts(&all[0]).await.remove(0),
        scene.shop.attempts(&all[1]).await.remove(0),
        scene.shop.attempts(&all[2]).await.remove(0),
        scene.shop.attempts(&all[3]).await.remove(0),
    ]
    .into_iter()
    .map(|attempt| (attempt.status, attempt.error.is_some(), attempt.answer))
    .collect();
    assert_eq!(errors[0], (Some(500), true, String::new()));
    assert_eq!(errors[1], (Some(302), true, String::new()));
    assert_eq!(errors[2], (Some(200), false, "half".into()));
    assert_eq!((errors[3].0, errors[3].1), (None, true));
    scene.shop.pass(Duration::from_secs(7));
    scene.stand(&[Delivered; 4]).await;
    let received = scene.received(7).await;
    let names = ids(&received);
    let (mut expected, mut again) = ([names[0], names[1], names[3]], names[4..].to_vec());
    expected.sort_unstable();
    again.sort_unstable();
    assert_eq!(again, expected);
    assert!(received[4..].iter().all(|one| received[..4].iter().any(|first| first.body == one.body)));
    assert_eq!(elsewhere.connections(), 0);
    assert_eq!(scene.shop.reload(scene.endpoint).await.failing_since, None);
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off() {
    let scene = Scene::set("order.placed").await;
    scene.receiver.script([
        Act::NoEnd("HTTP/1.1 200 OK\r\n\r\n".into()),
        Act::NoEnd("HTTP/1.1 503 x\r\ncontent-type: text/html\r\n\r\n\0".into()),
    ]);
    scene.order().await;
    scene.order().await;
    let all = scene.stand(&[DeliveryStatus::Delivered, DeliveryStatus::Waiting]).await;
    assert_eq!(scene.shop.attempts(&all[0]).await[0].answer, "x".repeat(1000));
    let attempt = scene.shop.attempts(&all[1]).await.remove(0);
    assert_eq!((attempt.status, attempt.answer), (Some(503), format!("\u{fffd}{}", "x".repeat(999))));
}

#[tokio::test]
async fn five_days_of_failure_disable_an_endpoint_that_goes_on_when_it_is_switched_on() {
    let scene = Scene::set("order.placed").await;
    scene.receiver.always(Act::status(500));
    scene.order().await;
    for tries in 1..=4 {
        until("another attempt", async || {
            let found = scene.shop.deliveries(scene.endpoint).await;
            found.first().is_some_and(|delivery| delivery.tries == tries).then_some(())
        })
        .await;
        scene.shop.pass(DAY * 3 / 2);
    }
    let endpoint = until("it is disabled", async || {
        Some(scene.shop.reload(scene.endpoint).await).filter(|endpoint| endpoint.disabled.is_some())
    })
    .await;
    assert_eq!(endpoint.disabled.map(|(_, reason)| reason), Some(DisabledBy::Failing));
    let told = scene.receiver.received().len();
    scene.order().await;
    scene.shop.pass(DAY);
    // Switched on again, it is told what waits and what is new.
    scene.receiver.always(Act::status(204));
    let on = EndpointPatch { enabled: Some(true), ..EndpointPatch::default() };
    assert_eq!(scene.receiver.received().len(), told, "a disabled endpoint is told nothing");
    scene.shop.store.change_endpoint(scene.endpoint, on, None, scene.shop.now()).await.unwrap();
    scene.stand(&[DeliveryStatus::Delivered; 2]).await;
}

#[tokio::test]
async fn the_schedule_ends_after_ten_attempts() {
    let scene = Scene::set("order.placed").await;
    scene.receiver.always(Act::status(500));
    scene.order().await;
    let hours = |n: u64| n * 3600;
    for (tries, wait) in
        (1..).zip([5, 300, 1800, hours(2), hours(5), hours(10), hours(14), hours(20), hours(24)])
    {
        let delivery = until("another attempt", async || {
            let found = scene.shop.deliveries(scene.endpoint).await;
            found.into_iter().find(|delivery| delivery.tries == tries)
        })
        .await;
        let wait = Duration::from_secs(wait);
        let at = delivery.next_at.unwrap();
        assert!(
            at >= delivery.updated_at.plus(wait) && at <= delivery.updated_at.plus(wait * 6 / 5),
            "{tries}"
        );
        scene.shop.pass(wait * 6 / 5);
    }
    let delivery = scene.stand(&[DeliveryStatus::Failed]).await.remove(0);
    assert_eq!((delivery.tries, delivery.next_at), (10, None));
    assert_eq!(scene.shop.attempts(&delivery).await.len(), 10);
    assert!(scene.shop.reload(scene.endpoint).await.disabled.is_none());
    // By hand it is sent again, and retried as a new one.
    let shop = &scene.shop;
    shop.store.resend(scene.endpoint, delivery.delivery_id, None, shop.now()).await.unwrap();
    let again = until("another attempt", async || {
        Some(shop.deliveries(scene.endpoint).await.remove(0)).filter(|again| again.tries == 1)
    })
    .await;
    assert_eq!(again.status, DeliveryStatus::Waiting);
    scene.receiver.always(Act::status(200));
    shop.pass(Duration::from_secs(7));
    scene.stand(&[DeliveryStatus::Delivered]).await;
    let received = scene.receiver.received();
    assert!(ids(&received).iter().all(|id| *id == delivery.message));
}

#[tokio::test]
async fn retry_after_holds_back_what_is_new_too() {
    let scene = Scene::set("order.placed").await;
    scene.receiver.script([Act::answer(429, "retry-after: 120\r\n", "slow down")]);
    scene.order().await;
    let waiting = scene.stand(&[DeliveryStatus::Waiting]).await.remove(0);
    assert!(waiting.next_at.unwrap() >= waiting.updated_at.plus(Duration::from_mins(2)));
    scene.order().await;
    scene.shop.pass(Duration::from_secs(110));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(scene.receiver.received().len(), 1, "nothing is sent before the time that was asked for");
    scene.shop.pass(Duration::from_secs(20));
    scene.stand(&[DeliveryStatus::Delivered; 2]).await;
}

#[tokio::test]
async fn what_is_gone_is_disabled_at_once() {
    let scene = Scene::set("order.placed").await;
    scene.receiver.script([Act::status(410)]);
    scene.order().await;
    scene.order().await;
    let endpoint = until("it is disabled", async || {
        Some(scene.shop.reload(scene.endpoint).await).filter(|endpoint| endpoint.disabled.is_some())
    })
    .await;
    assert_eq!(endpoint.disabled, Some((scene.shop.now(), DisabledBy::Gone)));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(scene.receiver.received().len(), 1);
    let refused = scene.shop.store.test_endpoint(scene.endpoint, "x".into(), None, scene.shop.now()).await;
    assert_eq!(refused.unwrap_err().to_string(), "the endpoint is disabled");
}

#[tokio::test]
async fn two_secrets_sign_while_one_takes_over() {
    let scene = Scene::set("order.placed").await;
    let fresh = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let until_when = scene.shop.now().plus(DAY);
    let secret = EndpointSecret::trusted(fresh.to_owned());
    scene
        .shop
        .store
        .rotate_endpoint(scene.endpoint, secret, until_when, None, scene.shop.now())
        .await
        .unwrap();
    // Until the dispatcher has seen it.
    tokio::time::sleep(Duration::from_millis(100)).await;
    scene.order().await;
    assert!(is_signed(&scene.received(1).await[0], &[fresh, SECRET]));
    scene.shop.pass(DAY);
    scene.order().await;
    assert!(is_signed(&scene.received(2).await[1], &[fresh]));
}

#[tokio::test]
async fn a_replay_tells_everything_again_since_a_moment() {
    let scene = Scene::set(ALL).await;
    scene.order().await;
    scene.shop.pass(Duration::from_hours(1));
    let since = scene.shop.now();
    scene.receiver.script([Act::status(200), Act::status(500)]);
    scene.order().await;
    let tea = scene.shop.goods("Tea", None).await;
    scene.order().await;
    use DeliveryStatus::{Delivered, Waiting};
    let before = scene.stand(&[Delivered, Waiting, Delivered, Delivered]).await;
    scene.shop.store.replay(scene.endpoint, since, None, scene.shop.now()).await.unwrap();
    let received = scene.received(7).await;
    assert_eq!(types(&received[4..]), ["order.placed", "goods.updated", "order.placed"]);
    assert_eq!(body(&received[5])["data"]["goods"]["goodsId"], tea.0);
    assert_eq!(ids(&received[4..]), ids(&received[1..4]));
    // What waited was told by that: it is not sent a second time when its retry would have been.
    let after = scene.stand(&[Delivered; 4]).await;
    assert_eq!(
        after.iter().map(|d| d.delivery_id).collect::<Vec<_>>(),
        before.iter().map(|d| d.delivery_id).collect::<Vec<_>>()
    );
    scene.shop.pass(Duration::from_secs(30));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(scene.receiver.received().len(), 7);
}

#[tokio::test]
async fn a_test_is_sent_once_and_says_nothing_of_the_endpoint() {
    let scene = Scene::set("order.placed").await;
    scene.receiver.script([Act::status(410)]);
    for name in ["test_1", "test_2"] {
        scene.shop.store.test_endpoint(scene.endpoint, name.into(), None, scene.shop.now()).await.unwrap();
    }
    let all = scene.stand(&[DeliveryStatus::Failed, DeliveryStatus::Delivered]).await;
    assert_eq!(types(&scene.receiver.received()), ["endpoint.test"; 2]);
    assert_eq!(all[0].next_at, None);
    let endpoint = scene.shop.reload(scene.endpoint).await;
    assert_eq!((endpoint.disabled, endpoint.failing_since), (None, None));
}

#[tokio::test]
async fn a_hanging_endpoint_costs_others_nothing() {
    let scene = Scene::set("order.placed").await;
    let hanging = Receiver::start().await;
    hanging.always(Act::Hang);
    scene.shop.endpoint(&hanging.url(), ALL).await;
    let began = Instant::now();
    for told in 1..=50 {
        scene.order().await;
        scene.received(told).await;
    }
    assert!(began.elapsed() < Duration::from_secs(10), "one attempt of the other takes 15 s");
    assert_eq!(hanging.received().len(), 1);
}

#[tokio::test]
async fn what_is_under_way_ends_and_the_next_start_goes_on() {
    let mut scene = Scene::set("order.placed").await;
    for _ in 0..30 {
        scene.order().await;
    }
    scene.received(3).await;
    assert!(scene.shop.stop().await, "it ends in time");
    let told = scene.receiver.received().len();
    let recorded = scene.shop.deliveries(scene.endpoint).await.len();
    assert_eq!(told, recorded, "what was sent is recorded");
    scene.order().await;
    scene.shop.start();
    let received = scene.received(31).await;
    scene.stand(&[DeliveryStatus::Delivered; 31]).await;
    let numbers: Vec<_> = received.iter().map(|one| body(one)["data"]["orderId"].as_i64().unwrap()).collect();
    assert_eq!(numbers, Vec::from_iter(1..=31), "nothing is left out, repeated or out of order");
}

#[tokio::test]
async fn the_log_is_not_pruned_before_it_was_told_or_five_days_have_passed() {
    let mut scene = Scene::set(ALL).await;
    scene.order().await;
    scene.stand(&[DeliveryStatus::Delivered]).await;
    scene.shop.stop().await;
    for _ in 0..3 {
        scene.order().await;
    }
    let tea = scene.shop.goods("Tea", None).await;
    let store = &scene.shop.store;
    let long_ago = scene.shop.now().minus(Duration::from_hours(1));
    let now = scene.shop.now().plus(Duration::from_hours(1));
    assert_eq!(store.prune_log(now, 0, long_ago).await.unwrap(), 1, "what was told goes");
    assert_eq!(store.prune_goods_events(now, long_ago).await.unwrap(), 0);
    assert_eq!(store.prune_log(now, 0, now).await.unwrap(), 3, "after five days the rest goes, too");
    assert_eq!(store.prune_goods_events(now, now).await.unwrap(), 1);
    scene.order().await;
    scene.shop.start();
    let received = scene.received(2).await;
    assert_eq!(body(&received[1])["data"]["orderId"], 5);
    assert_ne!(tea, scene.water);
    scene.shop.pass(Duration::from_secs(2));
    eventually("what was lost is counted", async || scene.shop.reload(scene.endpoint).await.lost >= 3).await;
}

#[tokio::test]
async fn what_waits_for_its_retry_holds_its_event() {
    let scene = Scene::set("order.placed").await;
    scene.receiver.script([Act::status(500)]);
    scene.order().await;
    scene.stand(&[DeliveryStatus::Waiting]).await;
    scene.order().await;
    scene.stand(&[DeliveryStatus::Waiting, DeliveryStatus::Delivered]).await;
    let later = scene.shop.now().plus(DAY);
    assert_eq!(scene.shop.store.prune_log(later, 0, Timestamp::from_millis(0)).await.unwrap(), 0);
    scene.shop.pass(Duration::from_secs(7));
    scene.stand(&[DeliveryStatus::Delivered; 2]).await;
    assert_eq!(scene.shop.store.prune_log(later, 0, Timestamp::from_millis(0)).await.unwrap(), 2);
    let delivery = scene.shop.deliveries(scene.endpoint).await.remove(0);
    let refused = scene.shop.store.resend(scene.endpoint, delivery.delivery_id, None, later).await;
    assert_eq!(refused.unwrap_err().to_string(), "the log no longer has this event");
}

#[tokio::test]
async fn attempts_are_forgotten_after_their_time_and_with_their_endpoint() {
    let scene = Scene::set("order.placed").await;
    scene.order().await;
    scene.stand(&[DeliveryStatus::Delivered]).await;
    let store = &scene.shop.store;
    assert_eq!(store.forget_attempts(scene.shop.now()).await.unwrap(), 0);
    assert_eq!(store.forget_attempts(scene.shop.now().plus(DAY)).await.unwrap(), 2);
    assert!(scene.shop.deliveries(scene.endpoint).await.is_empty());
    scene.order().await;
    scene.stand(&[DeliveryStatus::Delivered]).await;
    store.remove_endpoint(scene.endpoint, None, scene.shop.now()).await.unwrap();
    assert!(scene.shop.deliveries(scene.endpoint).await.is_empty());
    assert!(store.remove_endpoint(scene.endpoint, None, scene.shop.now()).await.is_err());
}
