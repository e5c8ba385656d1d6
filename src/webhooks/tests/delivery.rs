//! What endpoints are told, in which order, over real sockets.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    receiver::{Act, Receiver},
    scene::{DAY, SECRET, Scene, body, ids, is_signed, types},
    shop::{ALL, eventually, until},
};
use crate::domain::{DeliveryStatus, EndpointSecret, GoodsPatch, Price, StockChange};

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
