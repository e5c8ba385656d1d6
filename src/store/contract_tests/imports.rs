//! Goods in bulk.

use super::*;
use crate::{
    domain::{GoodsKey, GoodsPatch, Sku},
    store::{CatalogError, Denied, Imported},
};

fn sku(text: &str) -> GoodsKey {
    GoodsKey::Sku(Sku::parse(text).unwrap())
}

/// All that goods must have.
fn whole(name: &str, minor: i64) -> GoodsPatch {
    let goods = new_goods(name, minor, Some(4));
    GoodsPatch {
        name: Some(goods.name),
        thumbnail_url: Some(goods.thumbnail_url),
        category: Some(goods.category),
        price: Some(goods.price),
        stock: Some(goods.stock),
        ..GoodsPatch::default()
    }
}

fn priced(minor: i64, currency: &str) -> GoodsPatch {
    let price = Price { minor, currency: currency.parse().unwrap() };
    GoodsPatch { price: Some(price), ..GoodsPatch::default() }
}

pub(in crate::store) async fn a_line_makes_changes_or_leaves_goods(store: &dyn Store) {
    // What is foreseen is what is done.
    let import = async |key: GoodsKey, patch: GoodsPatch| {
        let foreseen = store.foresee_import(key.clone(), patch.clone(), NOW).await;
        let done = store.import_goods(key, patch, None, NOW).await;
        let word = |done: &Result<Imported, CatalogError>| match done {
            Ok(Imported::Created) => "created",
            Ok(Imported::Updated(_)) => "updated",
            Ok(Imported::Unchanged(_)) => "unchanged",
            Err(CatalogError::Incomplete) => "incomplete",
            Err(CatalogError::ForeignPrice) => "foreign price",
            Err(CatalogError::GoodsExist) => "goods exist",
            Err(other) => panic!("{other}"),
        };
        assert_eq!(word(&foreseen), word(&done));
        word(&done)
    };
    assert_eq!(import(sku("A-1"), GoodsPatch::default()).await, "incomplete");
    assert_eq!(import(sku("A-1"), whole("water", 620)).await, "created");
    assert_eq!(import(sku("A-1"), whole("water", 620)).await, "unchanged");
    assert_eq!(import(sku("a-1"), whole("soda", 620)).await, "created");
    assert_eq!(import(sku("A-1"), priced(700, "USD")).await, "updated");
    assert_eq!(import(sku("A-1"), priced(700, "EUR")).await, "foreign price");
    let spelled = GoodsPatch { category: Some(Category::parse("DRINK").unwrap()), ..GoodsPatch::default() };
    assert_eq!(import(sku("A-1"), spelled).await, "unchanged");
    let id = GoodsId(77);
    assert_eq!(import(GoodsKey::Id(id), whole("tea", 300)).await, "created");
    assert_eq!(import(GoodsKey::Id(id), priced(310, "USD")).await, "updated");
    store.delete_goods(id, None, None, NOW).await.unwrap();
    assert_eq!(import(GoodsKey::Id(id), whole("tea", 300)).await, "goods exist");
    assert_eq!(import(sku("B-1"), whole("cola", 300)).await, "created");
    let all = store.goods_after(GoodsId(0), 9).await.unwrap();
    let names: Vec<_> = all.iter().map(|goods| (goods.name.as_str(), goods.price.minor)).collect();
    assert_eq!(names, [("water", 700), ("soda", 620), ("cola", 300)]);
    assert!(all[2].goods_id > id, "a number that was chosen is passed over");
    assert_eq!(store.goods_after(all[0].goods_id, 1).await.unwrap(), all[1..2]);
}

pub(in crate::store) async fn only_an_administrator_imports(store: &dyn Store) {
    let kim = logged_in(store, "kim", Role::Member, 1).await;
    let refused = store.import_goods(sku("A-1"), whole("water", 620), Some(kim), NOW).await;
    assert!(matches!(refused, Err(CatalogError::Denied(Denied::NotAdmin))), "{refused:?}");
    let boss = logged_in(store, "boss", Role::Admin, 2).await;
    store.import_goods(sku("A-1"), whole("water", 620), Some(boss), NOW).await.unwrap();
    assert_eq!(store.goods_after(GoodsId(0), 9).await.unwrap().len(), 1);
}
