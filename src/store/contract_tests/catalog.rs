//! Goods.

use super::*;
use crate::{
    domain::{GoodsAction, GoodsPatch, Offset},
    store::{CatalogError, GoodsQuery},
};

async fn names(store: &dyn Store, query: GoodsQuery) -> Vec<String> {
    let found = store.goods_list(query).await.unwrap();
    found.iter().map(|goods| goods.name.as_str().to_owned()).collect()
}

fn query() -> GoodsQuery {
    GoodsQuery { limit: 10, ..GoodsQuery::default() }
}

pub(in crate::store) async fn goods_are_listed_newest_first(store: &dyn Store) {
    assert!(store.is_empty().await.unwrap());
    for name in ["a1", "a2", "a3"] {
        some_goods(store, name, None).await;
    }
    let bread = NewGoods { category: Category::parse("food").unwrap(), ..new_goods("bread", 100, Some(3)) };
    let bread = store.create_goods(bread, NOW).await.unwrap();
    assert!(!store.is_empty().await.unwrap());

    assert_eq!(names(store, query()).await, ["bread", "a3", "a2", "a1"]);
    assert_eq!(names(store, GoodsQuery { limit: 2, ..query() }).await, ["bread", "a3"]);
    let older = GoodsQuery { before: Some(bread.goods_id), limit: 2, ..query() };
    assert_eq!(names(store, older).await, ["a3", "a2"]);
    let of = |category: &str| GoodsQuery { category: Some(category.into()), ..query() };
    assert_eq!(names(store, of("food")).await, ["bread"]);
    assert_eq!(names(store, GoodsQuery { text: Some("A2".into()), ..of("drink") }).await, ["a2"]);
    assert_eq!(names(store, of("unknown")).await, [""; 0]);
    assert_eq!(store.goods(bread.goods_id).await.unwrap(), Some(bread));
}

pub(in crate::store) async fn wildcards_are_searched_for_as_they_are(store: &dyn Store) {
    for name in ["100% juice", "100 juice", r"back\slash", "under_score", "underscore"] {
        some_goods(store, name, None).await;
    }
    for (text, found) in [("%", "100% juice"), ("_", "under_score"), (r"\", r"back\slash")] {
        assert_eq!(names(store, GoodsQuery { text: Some(text.into()), ..query() }).await, [found], "{text}");
    }
}

pub(in crate::store) async fn a_search_goes_on_in_pages_and_within_a_category(store: &dyn Store) {
    for name in ["Thé vert", "the noir", "THÉ rouge au citron", "cafe"] {
        some_goods(store, name, None).await;
    }
    let other =
        NewGoods { category: Category::parse("Food").unwrap(), ..new_goods("vin rouge et thé", 1, None) };
    let other = store.create_goods(other, NOW).await.unwrap().goods_id;
    let text = |text: &str| GoodsQuery { text: Some(text.into()), ..query() };
    assert_eq!(
        names(store, text("the")).await,
        ["vin rouge et thé", "THÉ rouge au citron", "the noir", "Thé vert"]
    );
    let older = GoodsQuery { before: Some(other), limit: 1, ..text("ROUGE thé") };
    assert_eq!(names(store, older).await, ["THÉ rouge au citron"]);
    let food = GoodsQuery { category: Some("FOOD".into()), ..text("the") };
    assert_eq!(names(store, food).await, ["vin rouge et thé"]);
    assert_eq!(names(store, text("au citron rouge the")).await, ["THÉ rouge au citron"]);
    assert_eq!(names(store, text("au citron rouge the vert")).await, [""; 0]);
    assert_eq!(names(store, text(" \u{301} ")).await.len(), 5, "a search for nothing finds all");
}

pub(in crate::store) async fn an_id_is_given_once(store: &dyn Store) {
    let chosen = |id| NewGoods { goods_id: Some(GoodsId(id)), ..new_goods("water", 100, None) };
    store.create_goods(chosen(40), NOW).await.unwrap();
    let again = store.create_goods(chosen(40), NOW).await;
    assert!(matches!(again, Err(CatalogError::GoodsExist)), "{again:?}");
    assert_eq!(some_goods(store, "next", None).await.goods_id, GoodsId(41));
    store.delete_goods(GoodsId(41)).await.unwrap();
    assert!(matches!(store.delete_goods(GoodsId(41)).await, Err(CatalogError::NotFound)));
    assert_eq!(some_goods(store, "after", None).await.goods_id, GoodsId(42), "never reused");
    let told: Vec<_> = store
        .feed()
        .take_news(Offset::START, 0)
        .goods
        .iter()
        .map(|event| (event.goods.goods_id.0, event.action))
        .collect();
    assert_eq!(told, [(40, GoodsAction::Create), (41, GoodsAction::Delete), (42, GoodsAction::Create)]);
}

pub(in crate::store) async fn a_change_touches_only_what_it_names(store: &dyn Store) {
    let water = some_goods(store, "water", Some(5)).await;
    let _ = store.feed().take_news(Offset::START, 0).goods;
    let later = Timestamp::from_millis(NOW.as_millis() + 5);
    let patch = GoodsPatch { name: Some(GoodsName::parse("soda").unwrap()), ..GoodsPatch::default() };
    let soda = store.change_goods(water.goods_id, patch, later).await.unwrap();
    let expected = Goods { name: GoodsName::parse("soda").unwrap(), updated_at: later, ..water.clone() };
    assert_eq!(soda, expected);
    let patch = GoodsPatch { stock: Some(None), ..GoodsPatch::default() };
    assert_eq!(store.change_goods(water.goods_id, patch, later).await.unwrap().stock, None);
    let told = store.feed().take_news(Offset::START, 0).goods;
    assert_eq!((told.len(), told[0].action, told[0].goods.stock), (1, GoodsAction::Update, None));
    let missing = store.change_goods(GoodsId(99), GoodsPatch::default(), NOW).await;
    assert!(matches!(missing, Err(CatalogError::NotFound)), "{missing:?}");
}
