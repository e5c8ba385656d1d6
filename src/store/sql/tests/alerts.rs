//! Categories that are never told stay so whatever another process does to them, and when the rules of text change.

use std::collections::BTreeMap;

use super::*;
use crate::store::{
    AlertStore as _,
    contract_tests::alerts::{change, goods_of},
};

async fn silence(store: &SqlStore, category: &str) {
    store.change_alerts(change(BTreeMap::new(), Some(&[category])), None, NOW).await.unwrap();
}

#[tokio::test]
async fn a_category_that_another_process_makes_or_renames_stays_silent() {
    let (store, folder) = fresh().await;
    let kim = a_user(&store, "kim").await.user_id;
    silence(&store, "Gifts").await;
    let tea = some_goods(&store, "tea", None).await.goods_id;
    assert!(buy(&store, kim, lines(&[(tea, 1)])).await.unwrap().notification.is_some());
    let other = open(&folder.path().join("shop.db")).await.unwrap();
    let voucher = goods_of(&other, "GIFTS").await;
    assert_eq!(buy(&store, kim, lines(&[(voucher, 1)])).await.unwrap().notification, None);
    other.delete_goods(voucher, None, None, NOW).await.unwrap();
    let voucher = goods_of(&other, "gifts").await;
    assert_eq!(buy(&store, kim, lines(&[(voucher, 1)])).await.unwrap().notification, None);
}

#[tokio::test]
async fn the_keys_of_silent_categories_follow_the_rules_of_text() {
    let (store, folder) = fresh().await;
    silence(&store, "Gifts").await;
    store.close().await;
    let path = folder.path().join("shop.db");
    let mut before = raw(&path).await;
    before.execute("update silent_categories set key = 'of old'").await.unwrap();
    before.execute("update settings set value = 'old' where key = 'text_rules'").await.unwrap();
    before.close().await.unwrap();
    let store = open(&path).await.unwrap();
    let kim = a_user(&store, "kim").await.user_id;
    let voucher = goods_of(&store, "GIFTS").await;
    assert_eq!(buy(&store, kim, lines(&[(voucher, 1)])).await.unwrap().notification, None);
}
