//! The log of order events, and what the audience sees of it.

use std::time::Duration;

use futures_util::future::join_all;

use super::*;
use crate::{
    domain::{Epoch, Offset, OrderId, UserPatch},
    store::{
        OrderEventKind::{self, Canceled, Placed},
        Sequence,
    },
};

const HOUR: Duration = Duration::from_secs(3600);

async fn shop(store: &dyn Store) -> (UserId, GoodsId) {
    (a_user(store, "kim").await.user_id, some_goods(store, "water", None).await.goods_id)
}

async fn hide(store: &dyn Store, user: UserId, hide: bool) {
    let patch = UserPatch { hide_purchases: Some(hide), ..UserPatch::default() };
    store.change_user(user.into(), patch, Some(log_in(1)), NOW).await.unwrap();
}

async fn order(store: &dyn Store, user: UserId, goods: GoodsId) -> OrderId {
    buy(store, user, lines(&[(goods, 1)])).await.unwrap().order.order_id
}

/// All events: sequence, order, kind, offset.
async fn events(store: &dyn Store) -> Vec<(i64, OrderId, OrderEventKind, Option<i64>)> {
    let found = store.order_events_after(Sequence(0), 1000).await.unwrap();
    found
        .iter()
        .map(|event| {
            assert_eq!(event.at, NOW);
            (event.sequence.0, event.order_id, event.kind, event.announced_as.map(|offset| offset.0))
        })
        .collect()
}

/// The offsets that the audience sees.
async fn offsets(store: &dyn Store) -> Vec<i64> {
    store.log_after(Offset::START, 1000).await.unwrap().iter().map(|entry| entry.id.0).collect()
}

pub(in crate::store) async fn every_order_and_every_cancellation_is_an_event(store: &dyn Store) {
    let (kim, water) = shop(store).await;
    let shown = order(store, kim, water).await;
    hide(store, kim, true).await;
    let hidden = order(store, kim, water).await;
    store.cancel_order(hidden, None, NOW).await.unwrap();
    store.cancel_order(shown, None, NOW).await.unwrap();
    hide(store, kim, false).await;
    let again = order(store, kim, water).await;
    let expected = [
        (1, shown, Placed, Some(1)),
        (2, hidden, Placed, None),
        (3, hidden, Canceled, None),
        (4, shown, Canceled, Some(2)),
        (5, again, Placed, Some(3)),
    ];
    assert_eq!(events(store).await, expected);
    assert_eq!(offsets(store).await, [1, 2, 3]);
    let told = store.feed().recent_after(Offset::START, 10).unwrap();
    assert_eq!(told.iter().map(|entry| entry.id.0).collect::<Vec<_>>(), [1, 2, 3]);
    let page = store.order_events_after(Sequence(2), 2).await.unwrap();
    assert_eq!(page.iter().map(|event| event.sequence.0).collect::<Vec<_>>(), [3, 4]);
}

pub(in crate::store) async fn refusals_leave_no_holes_in_either_count(store: &dyn Store) {
    let (kim, water) = shop(store).await;
    let lee = a_user(store, "lee").await.user_id;
    hide(store, lee, true).await;
    // Every third buyer hides, every third order is refused, all in the same batch.
    let buyer = |n| if n % 3 == 0 { lee } else { kim };
    let goods = |n| if n % 3 == 1 { GoodsId(99) } else { water };
    let outcomes = join_all((0..30).map(|n| buy(store, buyer(n), lines(&[(goods(n), 1)])))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 10);
    let events = events(store).await;
    let sequences: Vec<_> = events.iter().map(|event| event.0).collect();
    assert_eq!(sequences, (1..=20).collect::<Vec<_>>());
    let announced: Vec<_> = events.iter().filter_map(|event| event.3).collect();
    assert_eq!(announced, (1..=10).collect::<Vec<_>>());
}

pub(in crate::store) async fn the_log_is_pruned_from_its_beginning(store: &dyn Store) {
    let (kim, water) = shop(store).await;
    let first = order(store, kim, water).await;
    hide(store, kim, true).await;
    order(store, kim, water).await;
    hide(store, kim, false).await;
    order(store, kim, water).await;
    store.cancel_order(first, None, NOW).await.unwrap();
    assert_eq!(reach(store).await, (1, 3));
    assert_eq!(store.prune_log(NOW, 4, Timestamp::MAX).await.unwrap(), 0, "neither too old nor too many");
    assert_eq!(
        store.prune_log(NOW, 2, Timestamp::MAX).await.unwrap(),
        2,
        "an alert may go before its withdrawal"
    );
    assert_eq!((reach(store).await, offsets(store).await), ((2, 3), vec![2, 3]));
    assert_eq!(store.prune_log(NOW.plus(HOUR), 100, Timestamp::MAX).await.unwrap(), 2, "all are too old");
    assert_eq!((reach(store).await, offsets(store).await), ((4, 3), vec![]));
    assert_eq!(store.prune_log(NOW.plus(HOUR), 0, Timestamp::MAX).await.unwrap(), 0);
}

pub(in crate::store) async fn numbers_go_on_when_all_is_pruned(store: &dyn Store) {
    let (kim, water) = shop(store).await;
    for _ in 0..3 {
        order(store, kim, water).await;
    }
    hide(store, kim, true).await;
    order(store, kim, water).await;
    assert_eq!(store.prune_log(NOW.plus(HOUR), 0, Timestamp::MAX).await.unwrap(), 4);
    assert_eq!(reach(store).await, (4, 3));
    let hidden = order(store, kim, water).await;
    assert_eq!(reach(store).await, (4, 3), "nothing that is not announced is reached");
    hide(store, kim, false).await;
    let shown = order(store, kim, water).await;
    assert_eq!(events(store).await, [(5, hidden, Placed, None), (6, shown, Placed, Some(4))]);
    assert_eq!(reach(store).await, (4, 4));
}

pub(in crate::store) async fn what_lost_its_alert_is_canceled_in_silence(store: &dyn Store) {
    let (kim, water) = shop(store).await;
    let id = order(store, kim, water).await;
    store.prune_log(NOW.plus(HOUR), 0, Timestamp::MAX).await.unwrap();
    store.cancel_order(id, None, NOW).await.unwrap();
    assert_eq!(events(store).await, [(2, id, Canceled, None)]);
    assert_eq!((reach(store).await, offsets(store).await), ((2, 1), vec![]));
}

pub(in crate::store) async fn an_epoch_stays_until_it_is_changed(store: &dyn Store) {
    let (kim, water) = shop(store).await;
    let made = store.reach().await.unwrap().epoch;
    order(store, kim, water).await;
    store.prune_log(NOW.plus(HOUR), 0, Timestamp::MAX).await.unwrap();
    assert_eq!(store.reach().await.unwrap().epoch, made);
    let other = Epoch::from_random([7; 8]);
    store.new_epoch(other).await.unwrap();
    assert_eq!((store.reach().await.unwrap().epoch, reach(store).await), (other, (2, 1)));
}
