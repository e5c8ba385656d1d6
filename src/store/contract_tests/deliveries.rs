//! Deliveries to endpoints and what became of their attempts.

use std::time::Duration;

use super::{
    endpoints::{LATER, an_endpoint, found},
    *,
};
use crate::{
    domain::{
        Attempt, AttemptRecord, Delivery, DeliveryId, DeliveryStatus, DisabledBy, EndpointId, EndpointPatch,
        NewsItem, Place, Told,
    },
    store::{EndpointError, Waiting},
};

/// Three order events, and an endpoint that was told none of them.
async fn shop(store: &dyn Store) -> (EndpointId, Vec<NewsItem>) {
    let kim = a_user(store, "kim").await.user_id;
    let water = some_goods(store, "water", None).await.goods_id;
    let id = an_endpoint(store).await.endpoint_id;
    for _ in 0..3 {
        buy(store, kim, lines(&[(water, 1)])).await.unwrap();
    }
    (id, store.news_after(Place::default(), 9).await.unwrap())
}

/// The attempt of an item that failed, was taken (`next_at` is `None`), and so on.
fn tried(id: EndpointId, item: &NewsItem, next_at: Option<Timestamp>) -> AttemptRecord {
    let is_taken = next_at.is_none();
    AttemptRecord {
        endpoint_id: id,
        generation: 0,
        told: item.told(),
        message: item.message.clone(),
        kind: item.topic.name().to_owned(),
        event_at: item.at,
        attempt: Attempt {
            at: NOW,
            status: is_taken.then_some(204),
            error: (!is_taken).then(|| "connection \"refused\"".to_owned()),
            millis: 12,
            answer: "물, 100%; $1".into(),
        },
        status: if is_taken { DeliveryStatus::Delivered } else { DeliveryStatus::Waiting },
        tries: 1,
        next_at,
        place: Some(item.place),
        failing_since: next_at.map(|_| NOW),
        disables: None,
    }
}

/// The second attempt of it.
fn again(first: &AttemptRecord, next_at: Option<Timestamp>, item: &NewsItem) -> AttemptRecord {
    AttemptRecord { tries: 2, place: None, ..tried(first.endpoint_id, item, next_at) }
}

async fn all(store: &dyn Store, id: EndpointId) -> Vec<Delivery> {
    store.deliveries(id, None, None, 9).await.unwrap()
}

pub(in crate::store) async fn what_became_of_many_attempts_is_kept_together(store: &dyn Store) {
    let (id, news) = shop(store).await;
    let removed = an_endpoint(store).await.endpoint_id;
    store.remove_endpoint(removed, None, NOW).await.unwrap();
    let failed = tried(id, &news[1], Some(LATER));
    let records = vec![
        tried(id, &news[0], None),
        failed.clone(),
        tried(removed, &news[0], None),
        again(&failed, None, &news[1]),
        tried(id, &news[2], Some(LATER)),
    ];
    store.record_attempts(records).await.unwrap();
    let deliveries = all(store, id).await;
    let seen = |delivery: &Delivery| (delivery.told, delivery.status, delivery.tries, delivery.next_at);
    assert_eq!(
        deliveries.iter().map(seen).collect::<Vec<_>>(),
        [
            (Told::Order(3), DeliveryStatus::Waiting, 1, Some(LATER)),
            (Told::Order(2), DeliveryStatus::Delivered, 2, None),
            (Told::Order(1), DeliveryStatus::Delivered, 1, None),
        ]
    );
    let (delivery, attempts) = store.delivery(id, deliveries[1].delivery_id).await.unwrap().unwrap();
    assert_eq!((&*delivery.message, &*delivery.kind), (&*news[1].message, "order.placed"));
    assert_eq!(attempts, [failed.attempt, tried(id, &news[1], None).attempt], "the oldest first");
    let endpoint = found(store, id).await;
    assert_eq!((endpoint.place, endpoint.failing_since), (news[2].place, Some(NOW)));
    assert_eq!(all(store, removed).await.len(), 0);
    assert!(store.delivery(removed, deliveries[1].delivery_id).await.unwrap().is_none());
    let waiting = store.deliveries(id, Some(DeliveryStatus::Waiting), None, 9).await.unwrap();
    assert_eq!(waiting.iter().map(|one| one.delivery_id).collect::<Vec<_>>(), [deliveries[0].delivery_id]);
    let page = store.deliveries(id, None, Some(deliveries[0].delivery_id), 1).await.unwrap();
    assert_eq!(page[0].delivery_id, deliveries[1].delivery_id);
}

pub(in crate::store) async fn attempts_of_before_a_replay_move_nothing(store: &dyn Store) {
    let (id, news) = shop(store).await;
    store.record_attempts(vec![tried(id, &news[0], None)]).await.unwrap();
    store.replay(id, NOW, None, NOW).await.unwrap();
    let late = tried(id, &news[1], Some(LATER));
    let told = AttemptRecord { generation: 1, ..tried(id, &news[0], None) };
    store.record_attempts(vec![told, late]).await.unwrap();
    let endpoint = found(store, id).await;
    assert_eq!((endpoint.place, endpoint.failing_since), (news[0].place, None));
    assert_eq!(all(store, id).await.len(), 2, "but they were made");
}

pub(in crate::store) async fn a_delivery_waits_is_due_and_is_given_up(store: &dyn Store) {
    let (id, news) = shop(store).await;
    let due = async |now| {
        let due = store.due_delivery(id, now).await.unwrap();
        due.map(|due| (due.delivery.told, due.item.map(|item| item.message)))
    };
    assert_eq!((due(LATER).await, store.waiting(id).await.unwrap()), (None, Waiting::default()));
    let earlier = tried(id, &news[1], Some(NOW));
    store.record_attempts(vec![tried(id, &news[0], Some(LATER)), earlier]).await.unwrap();
    let waiting = Waiting { deliveries: 2, next_at: Some(NOW) };
    assert_eq!(store.waiting(id).await.unwrap(), waiting);
    let expected = Some((Told::Order(2), Some(news[1].message.clone())));
    assert_eq!((due(NOW).await, due(LATER).await), (expected.clone(), expected));
    store.give_up(all(store, id).await[0].delivery_id, NOW).await.unwrap();
    assert_eq!(all(store, id).await[0].status, DeliveryStatus::Failed);
    assert_eq!((due(NOW).await, due(LATER).await.map(|(told, _)| told)), (None, Some(Told::Order(1))));

    // What was told again anyway is left to the replay.
    store.replay(id, NOW, None, NOW).await.unwrap();
    assert_eq!(due(LATER).await, None);
    assert_eq!(all(store, id).await[1].status, DeliveryStatus::Waiting);
}

pub(in crate::store) async fn a_delivery_is_sent_again_by_hand(store: &dyn Store) {
    let (id, news) = shop(store).await;
    store.record_attempts(vec![tried(id, &news[0], None)]).await.unwrap();
    let first = all(store, id).await[0].delivery_id;
    let again = store.resend(id, first, None, LATER).await.unwrap();
    assert_eq!((again.status, again.tries, again.next_at), (DeliveryStatus::Waiting, 0, Some(LATER)));
    let test = store.test_endpoint(id, "test_1".into(), None, NOW).await.unwrap();
    assert_eq!((test.told, &*test.kind, test.next_at), (Told::Test, "endpoint.test", Some(NOW)));
    let due = store.due_delivery(id, NOW).await.unwrap().unwrap();
    assert!(due.delivery.delivery_id == test.delivery_id && due.item.is_none());
    let nobodys = store.resend(id, DeliveryId(99), None, NOW).await;
    assert!(matches!(nobodys, Err(EndpointError::NotFound)), "{nobodys:?}");

    let gone = AttemptRecord { disables: Some(DisabledBy::Gone), ..tried(id, &news[1], Some(LATER)) };
    store.record_attempts(vec![gone]).await.unwrap();
    assert_eq!(found(store, id).await.disabled, Some((NOW, DisabledBy::Gone)));
    let disabled = store.resend(id, first, None, NOW).await;
    assert!(matches!(disabled, Err(EndpointError::Disabled)), "{disabled:?}");
    let patch = EndpointPatch { enabled: Some(true), ..EndpointPatch::default() };
    let enabled = store.change_endpoint(id, patch, None, NOW).await.unwrap();
    assert_eq!((enabled.disabled, enabled.failing_since), (None, None));

    let soon = LATER.plus(Duration::from_millis(1));
    store.prune_log(soon, 100, soon).await.unwrap();
    let pruned = store.resend(id, first, None, NOW).await;
    assert!(matches!(pruned, Err(EndpointError::Pruned)), "{pruned:?}");
}

pub(in crate::store) async fn old_attempts_are_forgotten_and_deliveries_with_them(store: &dyn Store) {
    let (id, news) = shop(store).await;
    let late = AttemptRecord {
        attempt: Attempt { at: LATER, ..tried(id, &news[2], None).attempt },
        ..tried(id, &news[2], None)
    };
    store
        .record_attempts(vec![tried(id, &news[0], None), tried(id, &news[1], Some(LATER)), late])
        .await
        .unwrap();
    // Two attempts and the delivery of which nothing is left; the one that waits is still tried.
    assert_eq!(store.forget_attempts(LATER).await.unwrap(), 3);
    let left: Vec<_> = all(store, id).await.iter().map(|delivery| delivery.told).collect();
    assert_eq!(left, [Told::Order(3), Told::Order(2)]);
    assert_eq!(store.forget_attempts(LATER).await.unwrap(), 0);
}
