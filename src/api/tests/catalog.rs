//! What is sold, carts and orders.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::{shop, with};

#[actix_web::test]
async fn the_catalog_is_listed_in_pages_and_kept_by_caches() {
    let shop = shop(|_| {}).await;
    let boss = shop.log_in("boss").await;
    for name in ["a", "b", "c"] {
        shop.sell(&boss, name, None).await;
    }
    let all = shop.get("/api/goods", "").await;
    assert_eq!(all.body["goods"][0]["name"], "c");
    assert_eq!(all.body["goods"][0]["price"], 6.2);
    assert!(all.body.get("nextCursor").is_none());
    let tag = all.header("etag").to_owned();
    let known = TestRequest::get().uri("/api/goods").insert_header(("if-none-match", tag));
    assert_eq!(shop.send(known).await.status, 304);

    let page = shop.get("/api/goods?limit=2", "").await;
    let next = page.body["nextCursor"].as_i64().unwrap();
    let rest = shop.get(&format!("/api/goods?limit=2&cursor={next}"), "").await;
    assert_eq!(rest.body["goods"].as_array().unwrap().len(), 1);
    assert!(rest.body.get("nextCursor").is_none());
    assert_eq!(shop.get("/api/goods?category=none", "").await.body["goods"], json!([]));
    for bad in ["limit=0", "limit=1001", "cursor=x", "cursor=-1"] {
        assert_eq!(shop.get(&format!("/api/goods?{bad}"), "").await.code(), "validation", "{bad}");
    }
    assert_eq!(shop.get("/api/goods/99", "").await.status, 404);
    assert_eq!(shop.get("/api/goods/abc", "").await.status, 404);
    assert_eq!(
        shop.send(TestRequest::default().method(actix_web::http::Method::HEAD).uri("/api/goods"))
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn an_administrator_keeps_the_catalog() {
    let shop = shop(|_| {}).await;
    let boss = shop.log_in("boss").await;
    let body = json!({"name": "water", "thumbnailUrl": "/a.svg", "category": "drink", "price": "6.2", "goodsId": 40});
    let made = shop.post("/api/goods", &boss, body.clone()).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (201, "/api/goods/40"));
    assert_eq!(shop.post("/api/goods", &boss, body).await.code(), "goods_exists");
    let bad = json!({"name": "<b>", "thumbnailUrl": "x", "category": "", "price": 6.205});
    let bad = shop.post("/api/goods", &boss, bad).await;
    assert_eq!(bad.body["errors"].as_array().unwrap().len(), 4, "{}", bad.body);

    let patch = |body: Value| with(TestRequest::patch().uri("/api/goods/40"), &boss).set_json(body);
    assert_eq!(shop.send(patch(json!({"stock": 3}))).await.body["goods"]["stock"], 3);
    assert_eq!(shop.send(patch(json!({"price": 7}))).await.body["goods"]["stock"], 3);
    assert_eq!(shop.send(patch(json!({"stock": null}))).await.body["goods"]["stock"], Value::Null);
    let delete = || with(TestRequest::delete().uri("/api/goods/40"), &boss);
    assert_eq!(shop.send(delete()).await.status, 204);
    assert_eq!(shop.send(delete()).await.code(), "not_found");
}

#[actix_web::test]
async fn a_cart_is_filled_and_ordered_once() {
    let shop = shop(|_| {}).await;
    let (boss, kim) = (shop.log_in("boss").await, shop.log_in("kim").await);
    let water = shop.sell(&boss, "Sparkling water", Some(3)).await;
    let cart = format!("/api/goods/{water}/cart");
    let add = |n: i64| json!({"quantity": n});
    assert_eq!(shop.post(&cart, &kim, add(2)).await.status, 201);
    assert_eq!(shop.post(&cart, &kim, add(2)).await.code(), "already_in_cart");
    assert_eq!(shop.send(with(TestRequest::put().uri(&cart), &kim).set_json(add(3))).await.body, json!({}));
    assert_eq!(shop.post(&cart, &kim, add(1000)).await.code(), "validation");
    assert_eq!(shop.get("/api/goods/cart", &kim).await.body["cart"][0]["quantity"], 3);

    let order = |key: &str, body: Value| {
        with(TestRequest::post().uri("/api/orders"), &kim)
            .insert_header(("idempotency-key", key))
            .set_json(body)
    };
    let first = shop.send(order("a-1", json!({"fromCart": true}))).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.body["order"]["total"], 18.6);
    let again = shop.send(order("a-1", json!({"fromCart": true}))).await;
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(again.body, first.body);
    assert_eq!(
        shop.send(order("a-2", json!({"fromCart": true}))).await.body["errors"][0]["code"],
        "cart_empty"
    );
    let items = json!({"items": [{"goodsId": water, "quantity": 1}]});
    assert_eq!(shop.send(order("a-1", items.clone())).await.code(), "idempotency_key_reused");
    let out = shop.send(order("a-3", items)).await;
    assert_eq!(out.code(), "out_of_stock");
    assert!(out.body["detail"].as_str().unwrap().contains("Sparkling water"));
    let unknown = json!({"items": [{"goodsId": 999, "quantity": 1}]});
    assert_eq!(shop.send(order("a-4", unknown)).await.code(), "not_found");

    let id = first.body["order"]["orderId"].as_i64().unwrap();
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &boss).await.status, 404);
    assert_eq!(shop.get("/api/orders", &kim).await.body["orders"][0]["orderId"], id);
    let cancel = format!("/api/orders/{id}/cancel");
    let canceled = shop.send(with(TestRequest::post().uri(&cancel), &boss)).await;
    assert_eq!(canceled.body["order"]["status"], "canceled");
    assert_eq!(shop.send(with(TestRequest::post().uri(&cancel), &kim)).await.code(), "already_canceled");

    let log = shop.get("/api/notifications?after=0", &kim).await;
    assert_eq!(log.body["latest"], 2);
    assert_eq!(log.body["notifications"][0]["event"], "BUY_GOODS");
    assert_eq!(log.body["notifications"][1]["data"]["canceled"], 1);
    let newest = shop.get("/api/notifications?limit=1", &kim).await;
    assert_eq!(newest.body["notifications"][0]["id"], 2);
}
