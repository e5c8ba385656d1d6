//! What is kept about the people behind accounts, and what is forgotten.

use std::time::Duration;

use super::*;
use crate::{
    domain::{Notification, Offset, PersonPatch, Publication, StockChange, UserPatch},
    store::{AccountError, Denied, PersonError},
};

const HOUR: Duration = Duration::from_secs(3600);

fn hide() -> UserPatch {
    UserPatch { hide_purchases: Some(true), ..UserPatch::default() }
}

fn name_in(publication: &Publication) -> Option<&str> {
    match &publication.notification {
        Notification::Purchase { nickname, .. } => nickname.as_deref(),
        Notification::Cancellation { .. } => None,
    }
}

/// The names of the log as the table has them, and as memory has them.
async fn names(store: &dyn Store) -> [Vec<Option<String>>; 2] {
    let own = |name: Option<&str>| name.map(str::to_owned);
    let kept = store.log_after(Offset(0), 100).await.unwrap();
    let recent = store.feed().recent_after(Offset(0), 100).unwrap();
    [kept.iter().map(|one| own(name_in(one))).collect(), recent.iter().map(|one| own(name_in(one))).collect()]
}

pub(in crate::store) async fn who_hides_purchases_is_not_named_in_past_alerts(store: &dyn Store) {
    let (kim, lee) = (a_user(store, "kim").await.user_id, a_user(store, "lee").await.user_id);
    let water = some_goods(store, "water", None).await.goods_id;
    buy(store, kim, lines(&[(water, 1)])).await.unwrap();
    buy(store, lee, lines(&[(water, 1)])).await.unwrap();
    // In one batch: what was committed with it, but before, has lost its name, too.
    let (bought, changed) =
        tokio::join!(buy(store, kim, lines(&[(water, 1)])), store.change_user(kim.into(), hide(), None, NOW));
    assert!(bought.is_ok() && changed.unwrap().hide_purchases);
    let expected = [None, Some("lee".to_owned()), None];
    assert_eq!(names(store).await, [expected.to_vec(), expected.to_vec()]);
    let before = store.log_after(Offset(0), 100).await.unwrap();
    let show = UserPatch { hide_purchases: Some(false), ..UserPatch::default() };
    store.change_user(kim.into(), show, None, NOW).await.unwrap();
    buy(store, kim, lines(&[(water, 1)])).await.unwrap();
    let after = store.log_after(Offset(0), 100).await.unwrap();
    assert_eq!(after[..3], before, "what was taken off does not come back");
    assert_eq!(name_in(&after[3]), Some("kim"));
}

pub(in crate::store) async fn an_erased_account_leaves_figures_without_a_person(store: &dyn Store) {
    let admin = logged_in(store, "boss", Role::Admin, 1).await;
    let kim = logged_in(store, "kim", Role::Member, 2).await;
    let water = some_goods(store, "water", Some(9)).await.goods_id;
    let placed = buy_as(store, kim.user_id, lines(&[(water, 2)]), "key").await.unwrap();
    store.put_in_cart(kim.user_id, water, Quantity::new(1).unwrap()).await.unwrap();
    let more = StockChange { pieces: 1, reason: None };
    store.change_stock(water, more, Some(admin), NOW).await.unwrap();
    drop(store.feed().take_news(Offset::START, 0));

    for user in [kim, admin] {
        store.erase_user(user, NOW).await.unwrap();
        let again = store.erase_user(user, NOW).await;
        assert!(matches!(again, Err(AccountError::Denied(Denied::LoggedOut))), "{again:?}");
    }
    let ended = store.feed().take_news(Offset::START, 0).revoked;
    assert_eq!(ended, [log_in(1), log_in(2)].into());
    assert_eq!(names(store).await, [[None], [None]]);
    for typed in ["kim@example.com", "", "erased:2", "old:", "boss@example.com"] {
        assert!(store.user_by_login(typed).await.unwrap().is_none(), "{typed:?}");
        assert_eq!(store.users_with_address(typed).await.unwrap(), [], "{typed:?}");
    }
    assert!(!store.open_session(&log_in(3), kim.user_id, NOW, NOW.plus(HOUR)).await.unwrap());
    let again = store.change_person(kim.user_id, PersonPatch::banned(false), None, NOW).await;
    assert!(matches!(again, Err(PersonError::NotFound)), "there is nobody to let in");
    let changed = store.change_user(kim.user_id.into(), hide(), None, NOW).await;
    assert!(matches!(changed, Err(AccountError::Denied(Denied::LoggedOut))), "{changed:?}");
    assert!(store.cart(kim.user_id).await.unwrap().is_empty());
    assert_eq!(store.kept_keys(kim.user_id, None, 9).await.unwrap(), []);
    let history = store.stock_history(water, None, 9).await.unwrap();
    assert!(history.iter().all(|change| change.by.is_none()), "{history:?}");
    assert!(store.named_since(Timestamp::from_millis(0)).await.unwrap().is_empty());

    let order = store.order(placed.order.order_id, kim.user_id).await.unwrap().unwrap();
    assert_eq!(order, placed.order, "the figures stay");
    store.cancel_order(order.order_id, None, NOW).await.unwrap();
    assert_eq!(stock_of(store, water).await, Some(10));
    // Address and name are free, and someone else's.
    assert_ne!(a_user(store, "kim").await.user_id, kim.user_id);
}

pub(in crate::store) async fn what_is_kept_is_read_in_pages(store: &dyn Store) {
    let kim = logged_in(store, "kim", Role::Admin, 1).await;
    let lee = logged_in(store, "lee", Role::Admin, 2).await;
    let (user, water) = (kim.user_id, some_goods(store, "water", Some(9)).await.goods_id);
    for n in 3..6 {
        store.open_session(&log_in(n), user, NOW, NOW.plus(HOUR)).await.unwrap();
    }
    store.revoke_session(&log_in(4), NOW).await.unwrap();
    for key in ["a", "b", "c"] {
        buy_as(store, user, lines(&[(water, 1)]), key).await.unwrap();
        buy_as(store, lee.user_id, lines(&[(water, 1)]), key).await.unwrap();
    }
    for by in [kim, lee, kim] {
        store.change_stock(water, StockChange { pieces: 1, reason: None }, Some(by), NOW).await.unwrap();
    }

    let all = store.kept_log_ins(user, None, 9).await.unwrap();
    let mut ids: Vec<_> = all.iter().map(|kept| kept.id).collect();
    assert_eq!(store.kept_log_ins(user, Some(ids[1]), 1).await.unwrap(), all[2..3]);
    assert_eq!(all.iter().filter(|kept| kept.revoked_at == Some(NOW)).count(), 1);
    ids.sort_by_key(ToString::to_string);
    let mut own = [1, 3, 4, 5].map(log_in);
    own.sort_by_key(ToString::to_string);
    assert_eq!(ids, own);

    let orders = store.kept_orders(user, None, 9).await.unwrap();
    let told: Vec<_> = orders.iter().map(|kept| (kept.announced_as, kept.named.as_deref())).collect();
    assert_eq!(told, [5, 3, 1].map(|id| (Some(Offset(id)), Some("kim"))));
    let below = Some(orders[1].order.order_id);
    assert_eq!(store.kept_orders(user, below, 9).await.unwrap(), orders[2..]);
    store.change_user(user.into(), hide(), None, NOW).await.unwrap();
    buy(store, user, lines(&[(water, 1)])).await.unwrap();
    let orders = store.kept_orders(user, None, 2).await.unwrap();
    let told: Vec<_> = orders.iter().map(|kept| (kept.announced_as, kept.named.as_deref())).collect();
    assert_eq!(told, [(None, None), (Some(Offset(5)), None)]);

    let keys = store.kept_keys(user, None, 9).await.unwrap();
    assert_eq!(keys.iter().map(|kept| kept.key.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(store.kept_keys(user, Some("a".to_owned()), 1).await.unwrap(), keys[1..2]);
    let changes = store.kept_stock_changes(user, None, 9).await.unwrap();
    assert_eq!(changes.len(), 2);
    assert_eq!(store.kept_stock_changes(user, Some(changes[0].change_id), 9).await.unwrap(), changes[1..]);
}

pub(in crate::store) async fn an_account_is_changed_by_a_log_in_that_holds(store: &dyn Store) {
    let kim = logged_in(store, "kim", Role::Member, 1).await;
    let lee = logged_in(store, "lee", Role::Member, 2).await;
    for n in [3, 4] {
        store.open_session(&log_in(n), kim.user_id, NOW, NOW.plus(HOUR)).await.unwrap();
    }
    let email = |email| UserPatch { email: Some(Email::parse(email).unwrap()), ..UserPatch::default() };
    let taken = store.change_user(kim, email("LEE@example.com"), kim.session, NOW).await;
    assert!(matches!(taken, Err(AccountError::EmailTaken)), "{taken:?}");
    let changed = store.change_user(kim, email("kim@bücher.example"), kim.session, NOW).await.unwrap();
    assert_eq!(changed.email.as_str(), "kim@xn--bcher-kva.example");
    assert!(store.user_by_login("KIM@BÜCHER.example").await.unwrap().is_some());
    assert!(store.user_by_login("kim@example.com").await.unwrap().is_none());
    assert!(store.session(&log_in(3), NOW).await.unwrap().is_some(), "another address ends nothing");

    store.revoke_other_sessions(kim, NOW).await.unwrap();
    for (n, holds) in [(1, true), (2, true), (3, false), (4, false)] {
        assert_eq!(store.session(&log_in(n), NOW).await.unwrap().is_some(), holds, "{n}");
    }
    let ended = Actor { session: Some(log_in(3)), ..kim };
    let of_another = Actor { session: lee.session, ..kim };
    for by in [ended, of_another] {
        let outcomes = [
            store.change_user(by, email("x@example.com"), None, NOW).await.err(),
            store.revoke_other_sessions(by, NOW).await.err(),
            store.erase_user(by, NOW).await.err(),
        ];
        for error in outcomes {
            assert!(matches!(error, Some(AccountError::Denied(Denied::LoggedOut))), "{error:?}");
        }
    }
    assert!(store.session(&log_in(1), NOW).await.unwrap().is_some());
}
