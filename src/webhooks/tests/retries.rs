//! What becomes of what an endpoint does not take, over real sockets and days that pass at once.

use std::time::{Duration, Instant};

use super::{
    receiver::{Act, Receiver},
    scene::{DAY, Scene, ids},
    shop::{ALL, until},
};
use crate::domain::{DeliveryStatus, DisabledBy, EndpointPatch};

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
