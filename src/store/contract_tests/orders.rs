//! Orders and their log.

use futures_util::future::join_all;

use super::*;
use crate::{
    domain::{GoodsPatch, Notification, Offset, OrderId, OrderStatus, PersonPatch, Publication, UserPatch},
    store::{CancelError, Denied},
};

async fn shop(store: &dyn Store, stock: Stock) -> (UserId, GoodsId) {
    (a_user(store, "kim").await.user_id, some_goods(store, "water", stock).await.goods_id)
}

async fn log(store: &dyn Store) -> Vec<Publication> {
    store.log_after(Offset::START, 1000).await.unwrap()
}

pub(in crate::store) async fn fifty_who_want_five_pieces_get_five(store: &dyn Store) {
    let (kim, water) = shop(store, Some(5)).await;
    let outcomes = join_all((0..50).map(|_| buy(store, kim, lines(&[(water, 1)])))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 5);
    for refusal in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(matches!(refusal, OrderError::OutOfStock { left: 0, .. }), "{refusal:?}");
    }
    assert_eq!(stock_of(store, water).await, Some(0));
    assert_eq!(log(store).await.len(), 5);
}

pub(in crate::store) async fn twenty_repeats_at_once_are_one_order(store: &dyn Store) {
    let (kim, water) = shop(store, Some(30)).await;
    let outcomes = join_all((0..20).map(|_| buy_as(store, kim, lines(&[(water, 2)]), "k"))).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().filter(|placed| !placed.replayed).count(), 1);
    assert!(outcomes.iter().all(|placed| placed.order == outcomes[0].order));
    assert!(outcomes.iter().all(|placed| placed.notification == Some(Offset(1))));
    assert_eq!(stock_of(store, water).await, Some(28));
    assert_eq!(log(store).await.len(), 1);
}

pub(in crate::store) async fn a_repeat_is_answered_as_the_first_time_even_after_a_cancellation(
    store: &dyn Store,
) {
    let (kim, water) = shop(store, Some(2)).await;
    let first = buy_as(store, kim, lines(&[(water, 2)]), "k").await.unwrap();
    store.cancel_order(first.order.order_id, Some(kim.into()), NOW).await.unwrap();
    store.delete_goods(water, None, None, NOW).await.unwrap();
    let again = buy_as(store, kim, lines(&[(water, 2)]), "k").await.unwrap();
    assert_eq!((again.replayed, again.notification), (true, Some(Offset(1))));
    assert_eq!(again.order, first.order);
    assert_eq!(again.order.status, OrderStatus::Placed);
}

pub(in crate::store) async fn a_key_is_not_taken_for_another_order(store: &dyn Store) {
    let (kim, water) = shop(store, None).await;
    let lee = a_user(store, "lee").await.user_id;
    buy_as(store, kim, lines(&[(water, 2)]), "k").await.unwrap();
    let other = buy_as(store, kim, lines(&[(water, 3)]), "k").await;
    assert!(matches!(other, Err(OrderError::KeyReused)), "{other:?}");
    assert!(!buy_as(store, lee, lines(&[(water, 2)]), "k").await.unwrap().replayed, "keys are per account");
}

pub(in crate::store) async fn a_refused_order_leaves_nothing_behind(store: &dyn Store) {
    let (kim, water) = shop(store, Some(5)).await;
    let scarce = some_goods(store, "scarce", Some(1)).await.goods_id;
    let _ = store.feed().take_news(Offset::START, 0).goods;
    let refused = buy_as(store, kim, lines(&[(water, 1), (scarce, 2)]), "k").await;
    assert!(
        matches!(&refused, Err(OrderError::OutOfStock { goods_id, name, left: 1 }) if *goods_id == scarce && name == "scarce"),
        "{refused:?}"
    );
    assert_eq!(stock_of(store, water).await, Some(5));
    assert_eq!(store.feed().take_news(Offset::START, 0).goods.len(), 0);
    assert_eq!(store.orders_of(kim, None, 10).await.unwrap(), []);
    assert_eq!(reach(store).await, (1, 0));
    let placed = buy_as(store, kim, lines(&[(water, 3)]), "k").await.unwrap();
    assert!(!placed.replayed, "a refusal does not use up its key");
    assert_eq!(placed.notification, Some(Offset(1)), "and leaves no hole in the log");
    assert_eq!(store.feed().take_news(Offset::START, 0).goods[0].goods.stock, Some(2));
}

pub(in crate::store) async fn a_refusal_does_not_undo_its_neighbours(store: &dyn Store) {
    let (kim, water) = shop(store, None).await;
    // Goods 99 do not exist: every third fails, all in the same batch.
    let goods = |n| if n % 3 == 1 { GoodsId(99) } else { water };
    let outcomes = join_all((0..9).map(|n| buy(store, kim, lines(&[(goods(n), 1)])))).await;
    let placed: Vec<_> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(placed, [true, false, true, true, false, true, true, false, true]);
    let orders = store.orders_of(kim, None, 10).await.unwrap();
    assert_eq!(orders.len(), 6);
    let ids: Vec<_> = log(store).await.iter().map(|entry| entry.id.0).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6], "refusals leave no holes");
}

pub(in crate::store) async fn the_feed_tells_in_the_order_of_the_log(store: &dyn Store) {
    let (kim, water) = shop(store, Some(40)).await;
    let placed = join_all((0..60).map(|n| buy(store, kim, lines(&[(water, 1 + n % 2)])))).await;
    let first = placed[0].as_ref().unwrap().order.order_id;
    store.cancel_order(first, None, NOW).await.unwrap();
    let log = log(store).await;
    let told = store.feed().recent_after(Offset::START, 1000).unwrap();
    assert!(log.iter().eq(told.iter().map(|entry| &**entry)));
    assert_eq!(reach(store).await, (1, i64::try_from(log.len()).unwrap()));
    assert!(log.iter().zip(1..).all(|(entry, id)| entry.id.0 == id));
    let page = store.log_after(Offset(3), 2).await.unwrap();
    assert_eq!(page, log[3..5]);
}

pub(in crate::store) async fn who_hides_purchases_alerts_nobody(store: &dyn Store) {
    let (kim, water) = shop(store, None).await;
    let hide = |hide| UserPatch { hide_purchases: Some(hide), ..UserPatch::default() };
    store.change_user(kim.into(), hide(true), Some(log_in(1)), NOW).await.unwrap();
    let hidden = buy_as(store, kim, lines(&[(water, 1)]), "k").await.unwrap();
    assert_eq!(hidden.notification, None);
    store.change_user(kim.into(), hide(false), Some(log_in(1)), NOW).await.unwrap();
    assert_eq!(buy_as(store, kim, lines(&[(water, 1)]), "k").await.unwrap().notification, None);
    let shown = buy(store, kim, lines(&[(water, 1)])).await.unwrap();
    assert_eq!(shown.notification, Some(Offset(1)));
    store.cancel_order(hidden.order.order_id, Some(kim.into()), NOW).await.unwrap();
    assert_eq!(log(store).await.len(), 1, "nothing was told, nothing is withdrawn");
}

pub(in crate::store) async fn an_order_is_canceled_once(store: &dyn Store) {
    let (kim, water) = shop(store, Some(9)).await;
    let lee = a_user(store, "lee").await.user_id;
    let gone = some_goods(store, "gone", Some(3)).await.goods_id;
    let uncounted = some_goods(store, "uncounted", None).await.goods_id;
    let basket = lines(&[(gone, 1), (water, 4), (uncounted, 2)]);
    let id = buy(store, kim, basket).await.unwrap().order.order_id;
    store.delete_goods(gone, None, None, NOW).await.unwrap();
    let _ = store.feed().take_news(Offset::START, 0).goods;

    let lees = store.cancel_order(id, Some(lee.into()), NOW).await;
    assert!(matches!(lees, Err(CancelError::NotFound)), "{lees:?}");
    let canceled = store.cancel_order(id, Some(kim.into()), NOW).await.unwrap();
    assert_eq!(canceled.status, OrderStatus::Canceled);
    for again in
        [store.cancel_order(id, Some(kim.into()), NOW).await, store.cancel_order(id, None, NOW).await]
    {
        assert!(matches!(again, Err(CancelError::AlreadyCanceled)), "{again:?}");
    }
    assert_eq!(stock_of(store, water).await, Some(9));
    assert_eq!(stock_of(store, uncounted).await, None);
    let told: Vec<_> =
        store.feed().take_news(Offset::START, 0).goods.iter().map(|event| event.goods.goods_id).collect();
    assert_eq!(told, [water]);
    let withdrawn = Notification::Cancellation { goods_id: gone, canceled: Offset(1) };
    let log = log(store).await;
    assert_eq!((log.len(), &log[1].notification), (2, &withdrawn));
    assert_eq!(store.order(id, kim).await.unwrap(), Some(canceled));
    assert_eq!(store.order(id, lee).await.unwrap(), None);
}

pub(in crate::store) async fn orders_keep_names_and_prices(store: &dyn Store) {
    let (kim, water) = shop(store, None).await;
    let soda = some_goods(store, "soda", None).await.goods_id;
    let placed = buy(store, kim, lines(&[(soda, 2), (water, 3)])).await.unwrap();
    let patch = GoodsPatch { name: Some(GoodsName::parse("cola").unwrap()), ..GoodsPatch::default() };
    store.change_goods(soda, patch, None, None, NOW).await.unwrap();
    store.delete_goods(water, None, None, NOW).await.unwrap();
    let order = store.order(placed.order.order_id, kim).await.unwrap().unwrap();
    assert_eq!(order, placed.order);
    let items: Vec<_> =
        order.items.iter().map(|i| (i.name.as_str(), i.price.minor, i.quantity.get())).collect();
    assert_eq!(items, [("soda", 620, 2), ("water", 620, 3)]);
    assert_eq!(order.total.minor, 5 * 620);
    let expected = Notification::Purchase {
        nickname: Some("kim".into()),
        goods_id: soda,
        first_goods_name: "soda".into(),
        other_goods: 1,
        quantity: 5,
        elsewhere: None,
    };
    let log = log(store).await;
    assert_eq!((log[0].date, &log[0].notification), (NOW, &expected));
}

pub(in crate::store) async fn an_order_too_dear_to_count_is_refused(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let mut basket = Vec::new();
    for n in 0..91 {
        let dear = new_goods(&format!("dear {n}"), Price::MAX_MINOR, Some(999));
        basket.push((store.create_goods(dear, None, NOW).await.unwrap().goods_id, 999));
    }
    let refused = buy(store, kim, lines(&basket)).await;
    assert!(matches!(refused, Err(OrderError::TooLarge)), "{refused:?}");
    assert_eq!(stock_of(store, basket[0].0).await, Some(999));
    assert!(buy(store, kim, lines(&basket[..90])).await.is_ok());
}

pub(in crate::store) async fn a_cancellation_returns_exactly_what_the_order_took(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let (mut ids, mut stocks) = (Vec::new(), Vec::new());
    for (name, stock) in
        [("counted later", None), ("counted", Some(10)), ("uncounted later", Some(10)), ("uncounted", None)]
    {
        ids.push(some_goods(store, name, stock).await.goods_id);
    }
    let basket: Vec<_> = ids.iter().map(|id| (*id, 3)).collect();
    let first = buy(store, kim, lines(&basket)).await.unwrap().order.order_id;
    let set = async |id, stock| {
        let patch = GoodsPatch { stock: Some(stock), ..GoodsPatch::default() };
        store.change_goods(id, patch, None, None, NOW).await.unwrap();
    };
    set(ids[0], Some(5)).await;
    set(ids[2], None).await;
    let second = buy(store, kim, lines(&basket)).await.unwrap().order.order_id;
    store.cancel_order(first, None, NOW).await.unwrap();
    for id in &ids {
        stocks.push(stock_of(store, *id).await);
    }
    assert_eq!(stocks, [Some(2), Some(7), None, None], "of the first order only the counted pieces return");
    // Counted again: the second order took nothing of it.
    set(ids[2], Some(1)).await;
    store.cancel_order(second, None, NOW).await.unwrap();
    stocks.clear();
    for id in &ids {
        stocks.push(stock_of(store, *id).await);
    }
    assert_eq!(stocks, [Some(5), Some(10), Some(1), None]);
}

pub(in crate::store) async fn an_order_comes_to_what_the_buyer_was_told_or_is_refused(store: &dyn Store) {
    let (kim, water) = shop(store, Some(9)).await;
    let told = |minor| NewOrder {
        expected_total: Some(Price { minor, currency: "USD".parse().unwrap() }),
        ..order(kim, lines(&[(water, 3)]), Some(IdempotencyKey::parse("k").unwrap()))
    };
    for minor in [1859, 1861, 0] {
        let refused = store.record_order(told(minor)).await;
        assert!(
            matches!(&refused, Err(OrderError::PriceChanged { expected, total }) if (expected.minor, total.minor) == (minor, 1860)),
            "{refused:?}"
        );
    }
    assert_eq!((stock_of(store, water).await, reach(store).await), (Some(9), (1, 0)));
    assert!(!store.record_order(told(1860)).await.unwrap().replayed);
    let dearer = GoodsPatch {
        price: Some(Price { minor: 700, currency: "USD".parse().unwrap() }),
        ..GoodsPatch::default()
    };
    store.change_goods(water, dearer, None, None, NOW).await.unwrap();
    assert!(store.record_order(told(1860)).await.unwrap().replayed, "a repeat is the same order");
}

pub(in crate::store) async fn who_lost_the_right_neither_orders_nor_cancels(store: &dyn Store) {
    let kim = logged_in(store, "kim", Role::Member, 1).await;
    let admin = logged_in(store, "boss", Role::Admin, 2).await;
    let water = some_goods(store, "water", Some(9)).await.goods_id;
    let attempt = |by: Actor, at| {
        let order = NewOrder { session: by.session, at, ..order(by.user_id, lines(&[(water, 1)]), None) };
        store.record_order(order)
    };
    let id = attempt(kim, NOW).await.unwrap().order.order_id;
    let later = Timestamp::from_millis(NOW.as_millis() + 1000);
    // In one batch: what comes after the ban is refused.
    let orders = join_all((0..20).map(|_| attempt(kim, NOW)));
    let ban = store.change_person(kim.user_id, PersonPatch::banned(true), None, NOW);
    let (before, banned, after) = tokio::join!(attempt(kim, NOW), ban, orders);
    assert!(before.is_ok() && banned.is_ok());
    for refused in after {
        assert!(matches!(refused, Err(OrderError::Denied(Denied::LoggedOut))), "{refused:?}");
    }
    let by_account = Actor { session: None, ..kim };
    assert!(
        matches!(attempt(by_account, NOW).await, Err(OrderError::Denied(_))),
        "the account itself is banned"
    );
    assert!(matches!(attempt(admin, later).await, Err(OrderError::Denied(_))), "the log-in has expired");
    let of_another = Actor { session: admin.session, ..kim };
    for by in [kim, by_account, of_another] {
        let refused = store.cancel_order(id, Some(by), NOW).await;
        assert!(matches!(refused, Err(CancelError::Denied(Denied::LoggedOut))), "{refused:?}");
    }
    assert_eq!(stock_of(store, water).await, Some(7));
    assert_eq!(reach(store).await, (1, 2), "refusals leave no holes");
    store.cancel_order(id, Some(admin), NOW).await.unwrap();
    assert_eq!(stock_of(store, water).await, Some(8));
}

pub(in crate::store) async fn orders_are_listed_newest_first_with_their_items(store: &dyn Store) {
    let (kim, water) = shop(store, None).await;
    let soda = some_goods(store, "soda", None).await.goods_id;
    let lee = a_user(store, "lee").await.user_id;
    let mut placed = Vec::new();
    for n in 1..=3 {
        placed.insert(0, buy(store, kim, lines(&[(soda, n), (water, 1)])).await.unwrap().order);
        buy(store, lee, lines(&[(water, n)])).await.unwrap();
    }
    assert_eq!(store.orders_of(kim, None, 10).await.unwrap(), placed);
    assert_eq!(store.orders_of(kim, None, 2).await.unwrap(), placed[..2]);
    assert_eq!(store.orders_of(kim, Some(placed[0].order_id), 10).await.unwrap(), placed[1..]);
    assert_eq!(store.orders_of(kim, Some(OrderId(1)), 10).await.unwrap(), []);
}

pub(in crate::store) async fn an_alert_names_goods_that_may_be_told(store: &dyn Store) {
    let (kim, water) = shop(store, None).await;
    let quiet =
        NewGoods { about: About { announce: false, ..About::default() }, ..new_goods("wrapping", 100, None) };
    let quiet = store.create_goods(quiet, None, NOW).await.unwrap().goods_id;
    let alone = buy(store, kim, lines(&[(quiet, 1)])).await.unwrap();
    assert_eq!(alone.notification, None);
    let both = buy(store, kim, lines(&[(quiet, 1), (water, 2)])).await.unwrap();
    assert_eq!(both.notification, Some(Offset(1)));
    store.cancel_order(both.order.order_id, None, NOW).await.unwrap();
    store.cancel_order(alone.order.order_id, None, NOW).await.unwrap();
    let told = log(store).await;
    let Notification::Purchase { goods_id, first_goods_name, other_goods, quantity, .. } =
        &told[0].notification
    else {
        panic!("{told:?}")
    };
    assert_eq!((*goods_id, first_goods_name.as_str(), *other_goods, *quantity), (water, "water", 1, 3));
    let withdrawn = Notification::Cancellation { goods_id: water, canceled: Offset(1) };
    assert_eq!((told.len(), &told[1].notification), (2, &withdrawn));
}

pub(in crate::store) async fn orders_of_goods_are_counted_while_they_are_told(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let water = some_goods(store, "water", None).await.goods_id;
    let tea = some_goods(store, "tea", None).await.goods_id;
    let count = async |goods, since, most| store.count_orders_of(goods, since, most).await.unwrap();
    assert_eq!(count(water, NOW, 9).await, 0);
    let first = buy(store, kim, lines(&[(water, 3)])).await.unwrap().order.order_id;
    buy(store, kim, lines(&[(tea, 1), (water, 1)])).await.unwrap();
    assert_eq!((count(water, NOW, 9).await, count(tea, NOW, 9).await), (2, 1), "orders, not pieces");
    assert_eq!(count(water, NOW, 1).await, 1, "there is an end to it");
    assert_eq!(count(water, Timestamp::from_millis(NOW.as_millis() + 1), 9).await, 0, "earlier than that");
    store.cancel_order(first, None, NOW).await.unwrap();
    assert_eq!(count(water, NOW, 9).await, 1);
    let hide = UserPatch { hide_purchases: Some(true), ..UserPatch::default() };
    store.change_user(kim.into(), hide, Some(log_in(1)), NOW).await.unwrap();
    buy(store, kim, lines(&[(water, 1)])).await.unwrap();
    assert_eq!(count(water, NOW, 9).await, 1, "nobody was told");
}
