//! Listen keys.

use std::time::Duration;

use super::{NOW, logged_in};
use crate::{
    domain::{KeyName, ListenKey, ListenKeyId, NicknameDisplay, Offset, PageOrigin, Role, Timestamp},
    store::{Denied, ListenKeyError, Store},
};

const LATER: Timestamp = Timestamp::from_millis(NOW.as_millis() + 500);

fn key(n: u8) -> ListenKey {
    ListenKey {
        id: ListenKeyId::from_random([n; 16]),
        name: (n == 1).then(|| KeyName::parse("Their shop").unwrap()),
        origins: ["https://their.shop", "http://[::1]:8080"]
            .map(|text| PageOrigin::parse(text).unwrap())
            .to_vec(),
        display: if n == 1 { NicknameDisplay::Full } else { NicknameDisplay::Masked },
        created_at: NOW.plus(Duration::from_millis(n.into())),
        revoked_at: None,
    }
}

async fn create(store: &dyn Store, n: u8, most: u32) -> Result<(), ListenKeyError> {
    store.create_listen_key(key(n), most, NOW, None).await
}

pub(in crate::store) async fn a_key_is_kept_until_it_is_revoked(store: &dyn Store) {
    create(store, 1, 9).await.unwrap();
    create(store, 2, 9).await.unwrap();
    assert_eq!(store.listen_keys().await.unwrap(), [key(2), key(1)], "the newest first");
    for moment in [LATER, LATER.plus(Duration::from_secs(1))] {
        store.revoke_listen_key(key(1).id, None, moment).await.unwrap();
    }
    let revoked = ListenKey { revoked_at: Some(LATER), ..key(1) };
    assert_eq!(store.listen_keys().await.unwrap(), [key(2), revoked]);
    let nobody = store.revoke_listen_key(key(3).id, None, LATER).await;
    assert!(matches!(nobody, Err(ListenKeyError::NotFound)), "{nobody:?}");
}

pub(in crate::store) async fn the_end_of_a_key_is_told_as_that_of_a_log_in(store: &dyn Store) {
    create(store, 1, 9).await.unwrap();
    assert!(store.feed().take_news(Offset::START, 0).revoked.is_empty());
    store.revoke_listen_key(key(1).id, None, LATER).await.unwrap();
    let session = key(1).id.session();
    assert_eq!(store.feed().take_news(Offset::START, 0).revoked, [session].into());
    assert_eq!(store.revoked_since(LATER).await.unwrap(), [session]);
    assert_eq!(store.revoked_since(LATER.plus(Duration::from_millis(1))).await.unwrap(), []);
}

pub(in crate::store) async fn there_are_so_many_keys_and_old_ones_are_forgotten(store: &dyn Store) {
    create(store, 1, 2).await.unwrap();
    create(store, 2, 2).await.unwrap();
    let third = create(store, 3, 2).await;
    assert!(matches!(third, Err(ListenKeyError::TooMany)), "{third:?}");
    store.revoke_listen_key(key(1).id, None, LATER).await.unwrap();
    create(store, 3, 2).await.unwrap();
    assert_eq!(store.listen_keys().await.unwrap().len(), 3, "one that was revoked lately is listed");
    store.revoke_listen_key(key(2).id, None, LATER).await.unwrap();
    let forget_before = LATER.plus(Duration::from_millis(1));
    store.create_listen_key(key(4), 2, forget_before, None).await.unwrap();
    assert_eq!(store.listen_keys().await.unwrap(), [key(4), key(3)]);
}

pub(in crate::store) async fn only_an_administrator_makes_and_revokes_keys(store: &dyn Store) {
    let admin = logged_in(store, "shopkeeper", Role::Admin, 1).await;
    let member = logged_in(store, "kim", Role::Member, 2).await;
    store.create_listen_key(key(1), 9, NOW, Some(admin)).await.unwrap();
    let made = store.create_listen_key(key(2), 9, NOW, Some(member)).await;
    assert!(matches!(made, Err(ListenKeyError::Denied(Denied::NotAdmin))), "{made:?}");
    store.revoke_session(&admin.session.unwrap(), NOW).await.unwrap();
    let revoked = store.revoke_listen_key(key(1).id, Some(admin), NOW).await;
    assert!(matches!(revoked, Err(ListenKeyError::Denied(Denied::LoggedOut))), "{revoked:?}");
    assert_eq!(store.listen_keys().await.unwrap(), [key(1)]);
}
