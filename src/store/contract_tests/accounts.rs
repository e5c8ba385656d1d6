//! Accounts, log-ins and settings.

use crate::domain::Offset;
use std::time::Duration;

use super::*;
use crate::{
    domain::{PersonPatch, UserPatch},
    store::{AccountError, PersonError},
};

const HOUR: Duration = Duration::from_secs(3600);

pub(in crate::store) async fn an_address_and_a_nickname_are_taken_once(store: &dyn Store) {
    let kim = a_user(store, "Émile").await;
    let again = |email: &str, nickname: &str| NewUser {
        email: Email::parse(email).unwrap(),
        nickname: Nickname::parse(nickname).unwrap(),
        password: PasswordHash(String::new()),
        role: Role::Admin,
        created_at: NOW,
    };
    let email_taken = store.create_user(again("éMILE@example.com", "other")).await;
    assert!(matches!(email_taken, Err(AccountError::EmailTaken)), "{email_taken:?}");
    let nickname_taken = store.create_user(again("other@example.com", "émile")).await;
    assert!(matches!(nickname_taken, Err(AccountError::NicknameTaken)), "{nickname_taken:?}");

    let lee = a_user(store, "lee").await;
    let name = |name| UserPatch { nickname: Some(Nickname::parse(name).unwrap()), ..UserPatch::default() };
    let taken = store.change_user(lee.user_id.into(), name("ÉMILE"), Some(log_in(1)), NOW).await;
    assert!(matches!(taken, Err(AccountError::NicknameTaken)), "{taken:?}");
    let own = store.change_user(kim.user_id.into(), name("ÉMILE"), Some(log_in(1)), NOW).await.unwrap();
    assert_eq!((own.nickname.as_str(), own.email.as_str()), ("ÉMILE", "Émile@example.com"));
    let (found, password) = store.user_by_login("ÉMILE@EXAMPLE.com").await.unwrap().unwrap();
    assert_eq!((found.user_id, password.0.as_str()), (kim.user_id, "hash of Émile"));
}

pub(in crate::store) async fn a_new_password_ends_the_other_log_ins(store: &dyn Store) {
    let (kim, lee) = (a_user(store, "kim").await.user_id, a_user(store, "lee").await.user_id);
    for (n, user) in [(1, kim), (2, kim), (3, kim), (4, lee)] {
        store.open_session(&log_in(n), user, NOW, NOW.plus(HOUR)).await.unwrap();
    }
    store.revoke_session(&log_in(3), NOW).await.unwrap();
    assert_eq!(store.feed().take_news(Offset::START, 0).revoked, [log_in(3)].into());

    let hidden = UserPatch { hide_purchases: Some(true), ..UserPatch::default() };
    assert!(store.change_user(kim.into(), hidden, Some(log_in(1)), NOW).await.unwrap().hide_purchases);
    assert!(store.session(&log_in(2), NOW).await.unwrap().is_some(), "another change ends nothing");

    let password = UserPatch { password: Some(PasswordHash("new".into())), ..UserPatch::default() };
    let changed = store.change_user(kim.into(), password, Some(log_in(1)), NOW).await.unwrap();
    assert!(changed.hide_purchases, "what is not named stays");
    assert_eq!(store.password_of(kim).await.unwrap().unwrap().0, "new");
    assert_eq!(store.feed().take_news(Offset::START, 0).revoked, [log_in(2)].into());
    assert!(store.session(&log_in(1), NOW).await.unwrap().is_some());
    assert!(store.session(&log_in(2), NOW).await.unwrap().is_none());
    assert!(store.session(&log_in(4), NOW).await.unwrap().is_some());
}

pub(in crate::store) async fn a_log_in_ends_when_it_is_revoked_or_expires(store: &dyn Store) {
    let kim = a_user(store, "kim").await;
    store.open_session(&log_in(1), kim.user_id, NOW, NOW.plus(HOUR)).await.unwrap();
    let found = store.session(&log_in(1), NOW).await.unwrap().unwrap();
    assert_eq!((found.user.user_id, found.expires_at), (kim.user_id, NOW.plus(HOUR)));
    assert!(store.session(&log_in(1), NOW.plus(HOUR)).await.unwrap().is_none());
    assert!(store.session(&log_in(2), NOW).await.unwrap().is_none());
    for _ in 0..2 {
        store.revoke_session(&log_in(1), NOW).await.unwrap();
    }
    assert!(store.session(&log_in(1), NOW).await.unwrap().is_none());
    assert_eq!(store.feed().take_news(Offset::START, 0).revoked, [log_in(1)].into());
    assert!(!store.open_session(&log_in(5), UserId(99), NOW, NOW.plus(HOUR)).await.unwrap(), "nobody's");
}

pub(in crate::store) async fn a_setting_keeps_its_first_value(store: &dyn Store) {
    let both = tokio::join!(store.setting("secret", "a"), store.setting("secret", "b"));
    let (first, second) = (both.0.unwrap(), both.1.unwrap());
    assert_eq!(first, second, "two who start at once must agree");
    store.change_setting("secret", "c").await.unwrap();
    assert_eq!(store.setting("secret", "d").await.unwrap(), "c");
}

pub(in crate::store) async fn what_ended_is_forgotten_a_little_at_a_time(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let water = some_goods(store, "water", None).await.goods_id;
    let first = buy_as(store, kim, lines(&[(water, 1)]), "key").await.unwrap();
    store.open_session(&log_in(1), kim, NOW, NOW.plus(HOUR)).await.unwrap();
    store.open_session(&log_in(2), kim, NOW, NOW.plus(2 * HOUR)).await.unwrap();
    store.revoke_session(&log_in(2), NOW).await.unwrap();
    store.open_session(&log_in(3), kim, NOW, NOW.plus(2 * HOUR)).await.unwrap();

    let forget = async |before| {
        (store.forget_keys(before).await.unwrap(), store.forget_sessions(before).await.unwrap())
    };
    assert_eq!(forget(NOW).await, (0, 0));
    assert!(buy_as(store, kim, lines(&[(water, 1)]), "key").await.unwrap().replayed);
    assert_eq!(forget(NOW.plus(HOUR)).await, (1, 1), "the key and what was revoked");
    assert_eq!(forget(NOW.plus(HOUR + HOUR / 2)).await, (0, 1), "what expired");
    assert!(store.session(&log_in(3), NOW).await.unwrap().is_some());
    let second = buy_as(store, kim, lines(&[(water, 1)]), "key").await.unwrap();
    assert_ne!(second.order.order_id, first.order.order_id);
}

pub(in crate::store) async fn a_ban_ends_log_ins_and_allows_none(store: &dyn Store) {
    let kim = a_user(store, "kim").await;
    assert!(store.open_session(&log_in(1), kim.user_id, NOW, NOW.plus(HOUR)).await.unwrap());
    let ban = |id, banned| store.change_person(id, PersonPatch::banned(banned), None, NOW);
    assert_eq!(ban(kim.user_id, true).await.unwrap().banned_at, Some(NOW));
    assert!(store.session(&log_in(1), NOW).await.unwrap().is_none());
    assert!(!store.open_session(&log_in(2), kim.user_id, NOW, NOW.plus(HOUR)).await.unwrap());
    assert_eq!(store.feed().take_news(Offset::START, 0).revoked, [log_in(1)].into());
    assert_eq!(store.revoked_since(NOW).await.unwrap(), [log_in(1)]);
    assert_eq!(store.revoked_since(NOW.plus(HOUR)).await.unwrap(), []);
    assert_eq!(ban(kim.user_id, false).await.unwrap().banned_at, None);
    assert!(store.open_session(&log_in(3), kim.user_id, NOW, NOW.plus(HOUR)).await.unwrap());
    assert!(matches!(ban(UserId(99), true).await, Err(PersonError::NotFound)));
}
