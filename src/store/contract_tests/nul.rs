//! U+0000, which SQLite keeps in a text and PostgreSQL does not: whoever sends one harms nobody.

use std::sync::Arc;

use super::*;
use crate::{
    domain::{GoodsSort, NewReport, Said, Speaker},
    store::{GoodsQuery, LedgerQuery, PeopleQuery},
};

pub(in crate::store) async fn whoever_looks_for_it_finds_nothing(store: &dyn Store) {
    a_user(store, "kim").await;
    some_goods(store, "water", None).await;
    for text in ["\u{0}", "kim\u{0}", "wat\u{0}er", "\u{0}\\u0000"] {
        assert!(store.user_by_login(text).await.unwrap().is_none());
        assert_eq!(store.users_with_address(text).await.unwrap(), []);
        let people = PeopleQuery { text: Some(text.into()), limit: 9, ..PeopleQuery::default() };
        assert_eq!(store.people(people, NOW).await.unwrap().len(), 0, "{text:?}");
        let orders = LedgerQuery { text: Some(text.into()), limit: 9, ..LedgerQuery::default() };
        assert_eq!(store.ledger(orders).await.unwrap(), []);
        let sort = GoodsSort::Name(Some((text.into(), GoodsId(1))));
        let goods = GoodsQuery { text: Some(text.into()), sort, limit: 9, ..GoodsQuery::default() };
        store.goods_list(goods).await.unwrap();
    }
}

pub(in crate::store) async fn what_was_said_with_it_is_kept(store: &dyn Store) {
    let speaker = Speaker::Guest { visitor: 7, network: None };
    for n in 0..2 {
        let said = Said { at: NOW, speaker, nickname: "k\u{0}m".into(), message: format!("{n}\u{0}").into() };
        let report = NewReport { room: "\u{0}".into(), said: Arc::new(said), by: speaker, at: NOW };
        store.report(report.clone(), 9).await.unwrap();
        store.report(report, 9).await.unwrap();
    }
    assert_eq!(store.reports(None, None, 9).await.unwrap().len(), 2);
}
