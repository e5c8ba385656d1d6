//! Links to a new password.

use super::*;
use crate::domain::UserPatch;

fn later(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + millis)
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.to_owned())
}

pub(in crate::store) async fn a_link_gives_a_new_password_once_and_ends_log_ins(store: &dyn Store) {
    let kim = logged_in(store, "kim", Role::Member, 1).await;
    let user = kim.user_id;
    for n in [7, 8] {
        store.keep_reset(log_in(n), user, NOW, later(100)).await.unwrap();
    }
    assert!(store.has_reset(log_in(7), NOW).await.unwrap());
    assert!(!store.has_reset(log_in(7), later(100)).await.unwrap(), "it is over");
    assert!(!store.has_reset(log_in(9), NOW).await.unwrap(), "nobody made it");
    assert_eq!(store.reset_password(log_in(7), hash("late"), later(100)).await.unwrap(), None);
    assert!(store.session(&log_in(1), NOW).await.unwrap().is_some());
    assert_eq!(store.reset_password(log_in(7), hash("new"), NOW).await.unwrap(), Some(user));
    assert_eq!(store.password_of(user).await.unwrap().unwrap().0, "new");
    assert!(store.session(&log_in(1), NOW).await.unwrap().is_none(), "all log-ins end");
    for n in [7, 8] {
        assert_eq!(store.reset_password(log_in(n), hash("again"), NOW).await.unwrap(), None, "{n}");
    }
    assert_eq!(store.password_of(user).await.unwrap().unwrap().0, "new");
}

pub(in crate::store) async fn a_link_ends_when_the_account_changes(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let patches = [
        UserPatch { password: Some(hash("other")), ..UserPatch::default() },
        UserPatch { email: Some(Email::parse("new@example.com").unwrap()), ..UserPatch::default() },
    ];
    for patch in patches {
        store.keep_reset(log_in(7), kim, NOW, later(100)).await.unwrap();
        store.change_user(kim.into(), patch, None, NOW).await.unwrap();
        assert!(!store.has_reset(log_in(7), NOW).await.unwrap());
    }
    store.keep_reset(log_in(7), kim, NOW, later(100)).await.unwrap();
    let renamed = UserPatch { nickname: Some(Nickname::parse("lee").unwrap()), ..UserPatch::default() };
    store.change_user(kim.into(), renamed, None, NOW).await.unwrap();
    assert!(store.has_reset(log_in(7), NOW).await.unwrap(), "a name is nothing that a link depends on");
    store.erase_user(kim.into(), NOW).await.unwrap();
    assert!(!store.has_reset(log_in(7), NOW).await.unwrap());
}
