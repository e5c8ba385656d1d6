//! Categories that are never told stay so whatever another process does to them, and when the rules of text change.

use serde_json::{Map, json};

use super::*;
use crate::{
    domain::{Category, GoodsId, NewGoods},
    store::{AlertChange, AlertStore as _, Deed, contract_tests::new_goods},
};

async fn silence(store: &SqlStore, category: &str) {
    let deed = Deed { action: "alerts.change", subject: String::new(), details: json!(Map::new()) };
    let never = Some(vec![Category::parse(category).unwrap()]);
    let change = AlertChange { values: Default::default(), never, deed };
    store.change_alerts(change, None, NOW).await.unwrap();
}

async fn goods_of(store: &SqlStore, category: &str) -> GoodsId {
    let category = Category::parse(category).unwrap();
    let goods = NewGoods { category, ..new_goods("voucher", 620, None) };
    store.create_goods(goods, None, NOW).await.unwrap().goods_id
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
