//! Endpoints: who they are, and how far each is told.

use std::time::Duration;

use super::*;
use crate::{
    domain::{
        DisabledBy, Endpoint, EndpointId, EndpointPatch, EndpointSecret, EndpointUrl, GoodsPatch,
        NewEndpoint, Place, Subject, Topic, Topics,
    },
    store::{Denied, EndpointError, LOW_STOCK, MAX_ENDPOINTS},
};

pub(super) const LATER: Timestamp = Timestamp::from_millis(NOW.as_millis() + 1000);

pub(super) async fn an_endpoint(store: &dyn Store) -> Endpoint {
    make(store, None).await.unwrap()
}

async fn make(store: &dyn Store, by: Option<Actor>) -> Result<Endpoint, EndpointError> {
    let endpoint = NewEndpoint {
        url: EndpointUrl::parse("https://their.example/hook").unwrap(),
        topics: Topics::parse("order.placed,stock.low").unwrap(),
        secret: EndpointSecret::trusted("whsec_1".into()),
    };
    store.create_endpoint(endpoint, by, NOW).await
}

pub(super) async fn found(store: &dyn Store, id: EndpointId) -> Endpoint {
    store.endpoint(id).await.unwrap().unwrap()
}

async fn rename(store: &dyn Store, goods: GoodsId, name: &str, at: Timestamp) {
    let patch = GoodsPatch { name: Some(GoodsName::parse(name).unwrap()), ..GoodsPatch::default() };
    store.change_goods(goods, patch, None, None, at).await.unwrap();
}

pub(in crate::store) async fn an_endpoint_is_made_changed_and_removed(store: &dyn Store) {
    let boss = logged_in(store, "boss", Role::Admin, 1).await;
    let kim = logged_in(store, "kim", Role::Member, 2).await;
    let refused = make(store, Some(kim)).await;
    assert!(matches!(refused, Err(EndpointError::Denied(Denied::NotAdmin))), "{refused:?}");
    let made = make(store, Some(boss)).await.unwrap();
    let id = made.endpoint_id;
    assert_eq!((made.disabled, made.failing_since, made.place, made.lost), (None, None, Place::default(), 0));
    let change = async |patch| store.change_endpoint(id, patch, Some(boss), NOW).await.unwrap();
    let enabled = |enabled| EndpointPatch { enabled: Some(enabled), ..EndpointPatch::default() };
    let topics = Some(Topics::parse("order.canceled").unwrap());
    let changed = change(EndpointPatch { topics, ..EndpointPatch::default() }).await;
    assert_eq!((changed.topics.names(), changed.url), (vec!["order.canceled"], made.url));
    assert_eq!(change(enabled(false)).await.disabled, Some((NOW, DisabledBy::Hand)));
    let again = store.change_endpoint(id, enabled(false), None, LATER).await.unwrap();
    assert_eq!(again.disabled, Some((NOW, DisabledBy::Hand)), "the first reason stays");
    assert_eq!(change(enabled(true)).await.disabled, None);
    let fresh = EndpointSecret::trusted("whsec_2".into());
    let rotated = store.rotate_endpoint(id, fresh, LATER, None, NOW).await.unwrap();
    assert_eq!(rotated.secret.reveal(), "whsec_2");
    assert_eq!(rotated.old_secret, Some((EndpointSecret::trusted("whsec_1".into()), LATER)));
    assert_eq!(rotated.revision, 5);
    assert_eq!(store.endpoints().await.unwrap().len(), 1);
    store.remove_endpoint(id, Some(boss), NOW).await.unwrap();
    assert!(store.endpoint(id).await.unwrap().is_none());
    let gone = store.remove_endpoint(id, Some(boss), NOW).await;
    assert!(matches!(gone, Err(EndpointError::NotFound)), "{gone:?}");
    let gone = store.change_endpoint(id, EndpointPatch::default(), None, NOW).await;
    assert!(matches!(gone, Err(EndpointError::NotFound)), "{gone:?}");
    for _ in 0..MAX_ENDPOINTS {
        assert!(an_endpoint(store).await.endpoint_id > id, "no number is given twice");
    }
    let one_more = make(store, None).await;
    assert!(matches!(one_more, Err(EndpointError::TooMany)), "{one_more:?}");
}

pub(in crate::store) async fn news_are_orders_and_goods_in_their_order(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let water = some_goods(store, "water", Some(LOW_STOCK + 2)).await.goods_id;
    rename(store, water, "not told", NOW).await;
    buy(store, kim, lines(&[(water, 1)])).await.unwrap();
    let made = an_endpoint(store).await;
    assert_eq!(store.end_of_news().await.unwrap(), made.place, "it is told what happens from now on");
    assert_eq!(store.backlog().await.unwrap().events, 0);
    rename(store, water, "soda", LATER).await;
    rename(store, water, "cola", LATER).await;
    let order = buy(store, kim, lines(&[(water, 1)])).await.unwrap().order;
    store.cancel_order(order.order_id, None, LATER).await.unwrap();
    rename(store, water, "tea", LATER).await;

    let all = store.news_after(made.place, 9).await.unwrap();
    let told: Vec<_> = all.iter().map(|item| item.topic).collect();
    let place = |orders, goods| Place { orders, goods };
    let places: Vec<_> = all.iter().map(|item| item.place).collect();
    use Topic::{GoodsUpdated, OrderCanceled, OrderPlaced, StockLow};
    // The stock fell in the transaction of the order, right before its event.
    assert_eq!(told, [GoodsUpdated, GoodsUpdated, StockLow, OrderPlaced, OrderCanceled, GoodsUpdated]);
    assert_eq!(places, [place(1, 1), place(1, 2), place(1, 3), place(2, 3), place(3, 3), place(3, 4)]);
    let Subject::Order { order: told, buyer, source } = &all[3].subject else { panic!("{:?}", all[3]) };
    assert_eq!((told.order_id, buyer.as_deref(), source.as_deref()), (order.order_id, Some("kim"), None));
    let Subject::Goods(event) = &all[0].subject else { panic!("{:?}", all[0]) };
    assert_eq!(event.goods.name.as_str(), "soda", "as they were");
    assert_eq!(store.end_of_news().await.unwrap(), place(3, 4));
    let backlog = store.backlog().await.unwrap();
    assert_eq!((backlog.events, backlog.oldest), (6, Some(NOW)));

    // In pages it is the same.
    let (mut paged, mut from) = (Vec::new(), made.place);
    while let Some(item) = store.news_after(from, 1).await.unwrap().pop() {
        from = item.place;
        paged.push(item.message);
    }
    assert_eq!(paged, all.iter().map(|item| &*item.message).collect::<Vec<_>>());
}

pub(in crate::store) async fn an_endpoint_is_told_again_from_a_moment(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let water = some_goods(store, "water", None).await.goods_id;
    let id = an_endpoint(store).await.endpoint_id;
    rename(store, water, "soda", NOW).await;
    let order = buy(store, kim, lines(&[(water, 1)])).await.unwrap().order.order_id;
    store.cancel_order(order, None, LATER).await.unwrap();
    rename(store, water, "tea", LATER).await;
    let end = store.end_of_news().await.unwrap();
    store.pass_over(id, 0, end, 7).await.unwrap();
    store.pass_over(id, 1, Place::default(), 1).await.unwrap();
    assert_eq!(
        (found(store, id).await.place, found(store, id).await.lost),
        (end, 7),
        "only of its generation"
    );
    for (since, place) in [
        (LATER.plus(Duration::from_millis(1)), end),
        (LATER, Place { orders: 1, goods: 1 }),
        // Never forward.
        (LATER.plus(Duration::from_millis(1)), Place { orders: 1, goods: 1 }),
        (NOW, Place::default()),
    ] {
        assert_eq!(store.replay(id, since, None, LATER).await.unwrap(), place);
    }
    let told = found(store, id).await;
    assert_eq!((told.place, told.generation), (Place::default(), 4));
    let nobody = store.replay(EndpointId(99), NOW, None, LATER).await;
    assert!(matches!(nobody, Err(EndpointError::NotFound)), "{nobody:?}");
}

pub(in crate::store) async fn goods_events_are_pruned_when_they_were_told_or_are_old(store: &dyn Store) {
    let water = some_goods(store, "water", None).await.goods_id;
    let id = an_endpoint(store).await.endpoint_id;
    for (name, at) in [("soda", NOW), ("tea", NOW), ("cola", LATER)] {
        rename(store, water, name, at).await;
    }
    let prune = |unsent| store.prune_goods_events(LATER, unsent);
    assert_eq!(prune(NOW).await.unwrap(), 0, "they were not told");
    store.pass_over(id, 0, Place { orders: 0, goods: 1 }, 0).await.unwrap();
    assert_eq!(prune(NOW).await.unwrap(), 1);
    assert_eq!(prune(LATER).await.unwrap(), 1, "however little was told");
    let left = store.news_after(Place::default(), 9).await.unwrap();
    assert_eq!(left.iter().map(|item| item.place.goods).collect::<Vec<_>>(), [3]);
    let later = LATER.plus(Duration::from_secs(1));
    assert_eq!(store.prune_goods_events(later, later).await.unwrap(), 1);
    assert_eq!(store.end_of_news().await.unwrap().goods, 3, "numbers go on");
    rename(store, water, "water", LATER).await;
    assert_eq!(store.end_of_news().await.unwrap().goods, 4);
}
