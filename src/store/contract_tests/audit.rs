//! The record of what administrators did.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use super::*;
use crate::{
    domain::AuditId,
    store::{AlertChange, AuditQuery, Deed},
};

/// Something that was done, so many seconds from now.
async fn did(store: &dyn Store, by: Option<Actor>, action: &'static str, subject: &str, second: u64) {
    let deed = Deed { action, subject: subject.to_owned(), details: json!({ "n": second }) };
    let change = AlertChange { values: BTreeMap::new(), never: None, deed };
    store.change_alerts(change, by, NOW.plus(Duration::from_secs(second))).await.unwrap();
}

async fn subjects(store: &dyn Store, query: AuditQuery) -> Vec<String> {
    let found = store.audit(AuditQuery { limit: 9, ..query }).await.unwrap();
    found.into_iter().map(|entry| entry.subject).collect()
}

pub(in crate::store) async fn the_record_is_listed_newest_first_and_searched(store: &dyn Store) {
    let boss = logged_in(store, "Boss", Role::Admin, 1).await;
    did(store, Some(boss), "goods.update", "Sparkling Wasser", 0).await;
    did(store, None, "goods.create", "물 \u{0} 100%", 1).await;
    did(store, None, "goodsroom.open", "tea", 2).await;
    let found = store.audit(AuditQuery { limit: 9, ..AuditQuery::default() }).await.unwrap();
    assert_eq!(found[0].subject, "tea");
    let first = &found[2];
    assert_eq!(first.admin, Some((boss.user_id, "Boss".to_owned())));
    assert_eq!((&*first.action, &first.details, first.at), ("goods.update", &json!({ "n": 0 }), NOW));
    assert_eq!((found[1].admin.as_ref(), found[1].details["n"].as_i64()), (None, Some(1)));
    let text = |text: &str| AuditQuery { text: Some(text.into()), ..AuditQuery::default() };
    let action = |name: &str| AuditQuery { action: Some(name.into()), ..AuditQuery::default() };
    for (query, expected) in [
        (text("WASSER"), &["Sparkling Wasser"][..]),
        (text("bOSS"), &["Sparkling Wasser"]),
        (text("물"), &[&*found[1].subject]),
        (text("100%"), &[&*found[1].subject]),
        (text("%"), &[&*found[1].subject]),
        (text("\u{0}e\u{0}"), &[]),
        (text("nobody"), &[]),
        (action("goods"), &[&*found[1].subject, "Sparkling Wasser"]),
        (action("goods.update"), &["Sparkling Wasser"]),
        (action("goods.updat"), &[]),
        (action("\u{0}"), &[]),
        (AuditQuery { text: Some("wasser".into()), ..action("goods.update") }, &["Sparkling Wasser"]),
        (AuditQuery { text: Some("tea".into()), ..action("goods.update") }, &[]),
        (AuditQuery { before: Some(found[1].id), ..action("goods") }, &["Sparkling Wasser"]),
    ] {
        assert_eq!(subjects(store, query.clone()).await, expected, "{query:?}");
    }
    let newest = store.audit(AuditQuery { limit: 1, ..AuditQuery::default() }).await.unwrap();
    assert_eq!(newest, found[..1]);
}

pub(in crate::store) async fn an_erased_account_did_nothing_that_is_known(store: &dyn Store) {
    logged_in(store, "boss", Role::Admin, 1).await;
    let lee = logged_in(store, "lee", Role::Admin, 2).await;
    did(store, Some(lee), "goods.update", "water", 0).await;
    store.erase_user(lee, NOW).await.unwrap();
    let text = |text: &str| AuditQuery { text: Some(text.into()), ..AuditQuery::default() };
    assert_eq!(subjects(store, text("lee")).await, [""; 0]);
    let found = store.audit(AuditQuery { limit: 9, ..text("water") }).await.unwrap();
    assert_eq!((found.len(), found[0].admin.as_ref()), (1, None));
}

pub(in crate::store) async fn the_record_is_pruned_by_age_and_by_number(store: &dyn Store) {
    for second in 0..6 {
        did(store, None, "goods.update", &second.to_string(), second).await;
    }
    let ids = async || {
        let found = store.audit(AuditQuery { limit: 9, ..AuditQuery::default() }).await.unwrap();
        found.iter().map(|entry| entry.id).collect::<Vec<AuditId>>()
    };
    let all = ids().await;
    let at = |second| NOW.plus(Duration::from_secs(second));
    assert_eq!(store.prune_audit(at(2), 100).await.unwrap(), 2);
    assert_eq!(ids().await, all[..4]);
    assert_eq!(store.prune_audit(at(2), 3).await.unwrap(), 1);
    assert_eq!(ids().await, all[..3]);
    assert_eq!(store.prune_audit(at(9), 100).await.unwrap(), 3);
    assert_eq!(store.prune_audit(at(9), 100).await.unwrap(), 0);
    did(store, None, "goods.update", "later", 9).await;
    assert!(ids().await[0] > all[0], "no number is given twice");
}
