//! What is kept until it was told, and for how long; over real sockets and days that pass at once.

use std::time::Duration;

use super::{
    receiver::Act,
    scene::{DAY, Scene, body},
    shop::{ALL, eventually},
};
use crate::domain::{DeliveryStatus, Timestamp};

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
