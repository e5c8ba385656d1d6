//! The catalogue that everyone reads comes from memory: nobody may see it older than what was acknowledged, and nobody
//! for long as it was before another program wrote into the same file.

use std::time::Instant;

use serde_json::{Value, json};
use shopbell::{
    domain::{About, Category, GoodsName, NewGoods, Price, ThumbnailUrl},
    store,
};

use crate::support::{DEADLINE, Person, TestApp};

/// What the list, the list of the category and the goods' own address say of its stock; all must agree.
async fn seen(app: &TestApp, id: i64) -> Value {
    let mut found = Vec::new();
    for path in ["/api/goods", "/api/goods?category=drink", "/api/goods?limit=100"] {
        let list = app.get(path).send().await.expect(200).json["goods"].clone();
        let this = list.as_array().unwrap().iter().find(|goods| goods["goodsId"] == id).cloned();
        found.push(this.unwrap_or(Value::Null));
    }
    found.push(app.get(&format!("/api/goods/{id}")).send().await.json["goods"].clone());
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{found:?}");
    found[0]["stock"].clone()
}

async fn set_stock(app: &TestApp, admin: &Person, id: i64, stock: i64) {
    let path = format!("/api/goods/{id}");
    app.patch(&path).by(admin).json(&json!({"stock": stock})).send().await.expect(200);
}

#[tokio::test]
async fn every_kind_of_write_is_seen_at_once() {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    assert_eq!(app.get("/api/goods").send().await.expect(200).json["goods"], json!([]));
    app.get("/api/goods/1").send().await.refused(404, "not_found");
    let id = app.goods(&admin, "Water", 6.2, Some(9)).await;
    assert_eq!(seen(&app, id).await, 9);
    set_stock(&app, &admin, id, 7).await;
    assert_eq!(seen(&app, id).await, 7);
    let order = app.order(&kim, id, 2).await;
    assert_eq!(seen(&app, id).await, 5);
    let cancel = format!("/api/orders/{}/cancel", order["orderId"]);
    app.post(&cancel).by(&kim).send().await.expect(200);
    assert_eq!(seen(&app, id).await, 7);
    app.delete(&format!("/api/goods/{id}")).by(&admin).send().await.expect(204);
    assert_eq!(seen(&app, id).await, Value::Null);
    app.get(&format!("/api/goods/{id}")).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn whoever_wrote_reads_it_while_others_read_and_write() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let (mine, others) =
        (app.goods(&admin, "Mine", 1.0, Some(0)).await, app.goods(&admin, "Theirs", 1.0, Some(0)).await);
    let write = async {
        for stock in 1..=200 {
            set_stock(&app, &admin, mine, stock).await;
            let list = app.get("/api/goods").send().await.expect(200).json["goods"].clone();
            let this = list.as_array().unwrap().iter().find(|goods| goods["goodsId"] == mine).unwrap();
            assert_eq!((&this["stock"], app.stock(mine).await), (&json!(stock), json!(stock)));
        }
    };
    let disturb = async {
        for stock in 0.. {
            set_stock(&app, &admin, others, stock).await;
            assert_eq!(app.stock(others).await, stock);
        }
    };
    let read = async {
        let mut newest = 0;
        loop {
            let stock = app.stock(mine).await.as_i64().unwrap();
            assert!(stock >= newest, "{stock} after {newest}");
            newest = stock;
        }
    };
    tokio::select! {
        () = write => {}
        () = disturb => {}
        () = read => {}
    }
}

#[tokio::test]
async fn who_has_it_is_told_so_until_it_changes() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let id = app.goods(&admin, "Water", 6.2, Some(9)).await;
    for path in ["/api/goods".to_owned(), format!("/api/goods/{id}")] {
        let tag = app.get(&path).send().await.expect(200).header("etag").to_owned();
        for _ in 0..2 {
            let known = app.get(&path).header("If-None-Match", &tag).send().await.expect(304);
            assert_eq!((known.header("etag"), known.header("cache-control")), (tag.as_str(), "no-cache"));
        }
        let head = app.request("HEAD", &path).send().await.expect(200);
        assert_eq!(head.header("etag"), tag);
        app.order(&admin, id, 1).await;
        let changed = app.get(&path).header("If-None-Match", &tag).send().await.expect(200);
        assert_ne!(changed.header("etag"), tag);
    }
}

#[tokio::test]
async fn what_another_program_writes_is_seen_soon() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    app.goods(&admin, "Water", 6.2, None).await;
    let url = app.database.clone();
    let other = store::open(&url, "USD".parse().unwrap()).await.unwrap();
    let count =
        async || app.get("/api/goods").send().await.expect(200).json["goods"].as_array().unwrap().len();
    assert_eq!(count().await, 1);
    let tea = NewGoods {
        goods_id: None,
        name: GoodsName::parse("Tea").unwrap(),
        thumbnail_url: ThumbnailUrl::parse_url("/images/b.svg").unwrap(),
        category: Category::parse("drink").unwrap(),
        price: Price { minor: 100, currency: "USD".parse().unwrap() },
        stock: None,
        about: About::default(),
    };
    other.create_goods(tea, None, shopbell::clock::now()).await.unwrap();
    let written = Instant::now();
    while count().await != 2 {
        assert!(written.elapsed() < DEADLINE, "still the old catalogue");
    }
    other.close().await;
}
