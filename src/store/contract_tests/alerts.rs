//! Settings of alerts, and categories that are never told.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::*;
use crate::store::{AlertChange, AlertError, Deed, Denied};

pub(in crate::store) fn change(
    values: BTreeMap<&'static str, serde_json::Value>,
    never: Option<&[&str]>,
) -> AlertChange {
    let categories = |names: &[&str]| names.iter().map(|name| Category::parse(name).unwrap()).collect();
    let deed = Deed { action: "alerts.change", subject: String::new(), details: json!(Map::new()) };
    AlertChange { values, never: never.map(categories), deed }
}

pub(in crate::store) async fn goods_of(store: &dyn Store, category: &str) -> GoodsId {
    let category = Category::parse(category).unwrap();
    let goods = NewGoods { category, ..new_goods("voucher", 620, None) };
    store.create_goods(goods, None, NOW).await.unwrap().goods_id
}

pub(in crate::store) async fn settings_are_kept_until_they_are_changed(store: &dyn Store) {
    let admin = logged_in(store, "boss", Role::Admin, 1).await;
    let kim = logged_in(store, "kim", Role::Member, 2).await;
    let set = |values, never, by| store.change_alerts(change(values, never), Some(by), NOW);
    set(BTreeMap::from([("sound", json!(true)), ("text", json!("a \"b\" \u{0}"))]), None, admin)
        .await
        .unwrap();
    set(BTreeMap::from([("sound", json!(null)), ("rate", json!(5))]), Some(&["Tea", "Gifts"]), admin)
        .await
        .unwrap();
    let refused = set(BTreeMap::new(), Some(&[]), kim).await;
    assert!(matches!(refused, Err(AlertError::Denied(Denied::NotAdmin))), "{refused:?}");
    let kept = store.kept_alerts().await.unwrap();
    let values = [("rate", json!(5)), ("sound", json!(null)), ("text", json!("a \"b\" \u{0}"))];
    assert_eq!(kept.values, values.map(|(name, value)| (name.to_owned(), value)).into());
    assert_eq!(kept.never, ["Gifts", "Tea"]);
    set(BTreeMap::new(), Some(&["tea", "TEA"]), admin).await.unwrap();
    assert_eq!(store.kept_alerts().await.unwrap().never, ["tea"]);
}

pub(in crate::store) async fn orders_of_silent_categories_are_not_told(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let (voucher, tea) = (goods_of(store, "Gifts").await, goods_of(store, "Tea").await);
    let told = async |goods| buy(store, kim, lines(&[(goods, 1)])).await.unwrap().notification.is_some();
    assert!(told(voucher).await && told(tea).await);
    store.change_alerts(change(BTreeMap::new(), Some(&["GIFTS"])), None, NOW).await.unwrap();
    assert!(!told(voucher).await && told(tea).await);
    store.change_alerts(change(BTreeMap::new(), Some(&["tea"])), None, NOW).await.unwrap();
    assert!(told(voucher).await && !told(tea).await);
}
