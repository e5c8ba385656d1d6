//! One node at a time.

use std::time::Duration;

use super::{
    endpoints::{an_endpoint, found},
    *,
};
use crate::domain::{Attempt, AttemptRecord, DeliveryStatus, Endpoint, Place, Told};

const TTL: Duration = Duration::from_secs(60);

async fn take(store: &dyn Store, names: &str, holder: &str) -> String {
    let names: Vec<_> = names.split_whitespace().map(str::to_owned).collect();
    let mut taken = store.take_leases(&names, holder, TTL).await.unwrap();
    taken.sort_unstable();
    taken.join(" ")
}

async fn release(store: &dyn Store, names: &str, holder: &str) {
    let names: Vec<_> = names.split_whitespace().map(str::to_owned).collect();
    store.release_leases(&names, holder).await.unwrap();
}

pub(in crate::store) async fn what_one_node_has_no_other_gets(store: &dyn Store) {
    assert_eq!(take(store, "endpoint:1 endpoint:2", "a").await, "endpoint:1 endpoint:2");
    assert_eq!(take(store, "endpoint:1 endpoint:2", "b").await, "");
    assert_eq!(take(store, "endpoint:1 source:1", "a").await, "endpoint:1 source:1", "kept, and one more");
    assert_eq!(take(store, "source:1", "b").await, "");
}

pub(in crate::store) async fn what_is_released_is_anyones(store: &dyn Store) {
    assert_eq!(take(store, "endpoint:1 endpoint:2", "a").await, "endpoint:1 endpoint:2");
    release(store, "endpoint:1 endpoint:2", "b").await;
    assert_eq!(take(store, "endpoint:1", "b").await, "", "only who has it releases it");
    release(store, "endpoint:1 endpoint:2", "a").await;
    assert_eq!(take(store, "endpoint:1 endpoint:2", "b").await, "endpoint:1 endpoint:2");
    assert_eq!(take(store, "endpoint:1", "a").await, "");
}

pub(in crate::store) async fn who_says_late_what_was_told_moves_no_place_back(store: &dyn Store) {
    let Endpoint { endpoint_id, generation, .. } = an_endpoint(store).await;
    let at = |orders| Place { orders, goods: 0 };
    let place = async || found(store, endpoint_id).await.place;
    let told = |orders| AttemptRecord {
        endpoint_id,
        generation,
        told: Told::Test,
        message: format!("msg_{orders}"),
        kind: "order.placed".to_owned(),
        event_at: NOW,
        attempt: Attempt { at: NOW, status: Some(200), error: None, millis: 1, answer: String::new() },
        status: DeliveryStatus::Delivered,
        tries: 1,
        next_at: None,
        place: Some(at(orders)),
        failing_since: None,
        disables: None,
    };
    store.record_attempts(vec![told(5)]).await.unwrap();
    store.pass_over(endpoint_id, generation, at(7), 0).await.unwrap();
    assert_eq!(place().await, at(7));
    store.record_attempts(vec![told(6)]).await.unwrap();
    store.pass_over(endpoint_id, generation, at(6), 0).await.unwrap();
    assert_eq!(place().await, at(7));
    assert_eq!(
        store.deliveries(endpoint_id, None, None, 9).await.unwrap().len(),
        2,
        "it is kept all the same"
    );
    store.record_attempts(vec![told(8)]).await.unwrap();
    assert_eq!(place().await, at(8));
}
