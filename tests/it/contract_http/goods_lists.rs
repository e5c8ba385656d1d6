//! Lists of goods: their orders, filters and cursors, and what is told of goods beside them.

use serde_json::{Value, json};

use super::{goods, shop, with};
use crate::support::{Person, TestApp, eventually};

async fn put(
    app: &TestApp,
    admin: &Person,
    name: &str,
    category: &str,
    price: Value,
    stock: Option<i64>,
) -> i64 {
    let body =
        with(with(with(goods(name), "category", json!(category)), "price", price), "stock", json!(stock));
    let made = app.post("/api/goods").by(admin).json(&body).send().await.expect(201);
    made.json["goods"]["goodsId"].as_i64().unwrap()
}

/// The names that a list has, page by page.
async fn names(app: &TestApp, query: &str) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("/api/goods?{query}{cursor}")).send().await.expect(200).json;
        let goods = page["goods"].as_array().unwrap();
        names.extend(goods.iter().map(|goods| goods["name"].as_str().unwrap().to_owned()));
        cursor = match &page["nextCursor"] {
            Value::Null => return names,
            Value::String(text) => format!("&cursor={text}"),
            number => format!("&cursor={number}"),
        };
    }
}

#[tokio::test]
async fn goods_are_sorted_and_filtered_and_the_pages_go_on() {
    let (app, admin, _) = shop().await;
    for (name, category, price, stock) in [
        ("Tea", "drink", json!(6.2), Some(0)),
        ("bread", "food", json!(3), None),
        ("tea cake", "food", json!(6.2), Some(2)),
        ("물", "drink", json!("1.50"), Some(4)),
    ] {
        put(&app, &admin, name, category, price, stock).await;
    }
    for (query, expected) in [
        ("sort=newest", vec!["물", "tea cake", "bread", "Tea"]),
        ("sort=", vec!["물", "tea cake", "bread", "Tea"]),
        ("sort=priceAsc", vec!["물", "bread", "Tea", "tea cake"]),
        ("sort=priceDesc", vec!["tea cake", "Tea", "bread", "물"]),
        ("sort=name", vec!["bread", "Tea", "tea cake", "물"]),
        ("minPrice=3&sort=name", vec!["bread", "Tea", "tea cake"]),
        ("minPrice=3.0&maxPrice=6.19", vec!["bread"]),
        ("maxPrice=6.20&sort=priceDesc&inStock=true", vec!["tea cake", "bread", "물"]),
        ("inStock=1", vec!["물", "tea cake", "bread"]),
        ("inStock=false", vec!["Tea"]),
        ("minPrice=&maxPrice=&inStock=&q=&category=", vec!["물", "tea cake", "bread", "Tea"]),
        ("q=TEA&category=Food&sort=priceAsc&minPrice=1&maxPrice=7&inStock=true", vec!["tea cake"]),
        ("minPrice=7&maxPrice=3", vec![]),
    ] {
        assert_eq!(names(&app, query).await, expected, "{query}");
        assert_eq!(names(&app, &format!("{query}&limit=1")).await, expected, "{query} in pages");
    }
}

#[tokio::test]
async fn a_list_says_which_of_its_fields_it_does_not_know() {
    let (app, admin, _) = shop().await;
    for name in ["a", "b"] {
        put(&app, &admin, name, "drink", json!(1), None).await;
    }
    let cursor =
        app.get("/api/goods?sort=priceAsc&limit=1").send().await.expect(200).json["nextCursor"].clone();
    let cursor = cursor.as_str().unwrap();
    for (query, field) in [
        ("sort=price".to_owned(), "sort"),
        ("sort=price&cursor=2".to_owned(), "sort"),
        ("minPrice=x".to_owned(), "minPrice"),
        ("minPrice=-1".to_owned(), "minPrice"),
        ("minPrice=1e3".to_owned(), "minPrice"),
        ("maxPrice=6.205".to_owned(), "maxPrice"),
        ("maxPrice=%EF%BC%93".to_owned(), "maxPrice"),
        ("inStock=perhaps".to_owned(), "inStock"),
        (format!("cursor={cursor}"), "cursor"),
        (format!("sort=priceDesc&cursor={cursor}"), "cursor"),
        (format!("sort=name&cursor={cursor}"), "cursor"),
        ("sort=name&cursor=2".to_owned(), "cursor"),
    ] {
        app.get(&format!("/api/goods?{query}")).send().await.invalid(&[field]);
    }
    app.get(&format!("/api/goods?sort=priceAsc&cursor={cursor}")).send().await.expect(200);
}

#[tokio::test]
async fn goods_say_in_how_many_orders_they_were_lately() {
    let (app, admin, kim) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, None).await;
    let path = format!("/api/goods/{id}");
    let shown = || app.get(&path).send();
    let first = shown().await.expect(200);
    assert_eq!(first.json.get("orderedLastHour"), None, "nothing to say");
    let order = app.order(&kim, id, 3).await;
    app.order(&kim, id, 1).await;
    // Orders of what is not counted change nothing of the goods, whose answer is kept for a second.
    let ordered = |count: u32| {
        let shown = shown();
        async move { shown.await.json["orderedLastHour"] == count }
    };
    eventually("both orders are counted", || ordered(2)).await;
    let seen = shown().await.expect(200).header("etag").to_owned();
    assert_ne!(seen, first.header("etag"));
    let cancel = format!("/api/orders/{}/cancel", order["orderId"]);
    app.post(&cancel).by(&kim).send().await.expect(200);
    eventually("one was canceled", || ordered(1)).await;
    // Who saw the goods before may change them: they are what they were.
    let change =
        |tag: &str| app.patch(&path).by(&admin).header("If-Match", tag).json(&json!({"stock": 9})).send();
    let changed = change(&seen).await.expect(200).header("etag").to_owned();
    change(&seen).await.refused(412, "precondition_failed");
    change(&changed).await.expect(200);
}
