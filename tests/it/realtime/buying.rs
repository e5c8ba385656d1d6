//! What a `BUY` may ask for, and how messages are answered.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::shop;
use crate::support::{As, TestApp, Ws, eventually};

// --- BUY ---

#[tokio::test]
async fn a_buy_is_answered_and_told_to_all() {
    let shop = shop().await;
    let mut buyer = Ws::open(&shop.app, As::Cookie(&shop.kim)).await;
    let mut other = Ws::open(&shop.app, As::Header(&shop.lee)).await;
    let ack = buyer.ask("BUY", json!({"goodsId": shop.water, "quantity": 3})).await;
    assert_eq!((&ack["ok"], &ack["id"]), (&json!(true), &json!(1)), "{ack}");
    let items =
        shop.app.get(&format!("/api/orders/{}", ack["orderId"])).by(&shop.kim).send().await.expect(200);
    assert_eq!(items.json["order"]["items"][0]["quantity"], 3);
    let alert = buyer.expect("BUY_GOODS").await;
    assert_eq!(
        (&alert["nickname"], &alert["goodsName"], &alert["quantity"]),
        (&json!("kim"), &json!("Water"), &json!(3))
    );
    assert_eq!((&alert["firstGoodsName"], &alert["otherGoods"]), (&json!("Water"), &json!(0)));
    assert_eq!(other.expect("BUY_GOODS").await, alert);
}

#[tokio::test]
async fn what_a_buy_claims_is_not_believed() {
    let shop = shop().await;
    let mut buyer = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    let lie = json!({
        "goodsId": shop.water, "nickname": "lee", "goodsName": "<script>alert(1)</script>", "price": 0.01, "total": 0,
        "date": "1999-01-01T00:00:00.000Z", "userId": 1, "id": 999, "quantity": 1,
    });
    let before = chrono::Utc::now() - chrono::TimeDelta::seconds(5);
    let ack = buyer.ask("BUY", lie).await;
    assert_eq!(ack["ok"], true, "{ack}");
    let alert = buyer.expect("BUY_GOODS").await;
    assert_eq!(
        (&alert["nickname"], &alert["goodsName"], &alert["id"]),
        (&json!("kim"), &json!("Water"), &json!(1))
    );
    let date = chrono::DateTime::parse_from_rfc3339(alert["date"].as_str().unwrap()).unwrap();
    assert!(date > before, "{date}");
    let order =
        shop.app.get(&format!("/api/orders/{}", ack["orderId"])).by(&shop.kim).send().await.expect(200);
    assert_eq!(order.json["order"]["total"], 6.2);
}

#[tokio::test]
async fn a_buy_without_a_quantity_means_what_the_page_showed() {
    let shop = shop().await;
    let mut ws = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    let line = |id: i64, name: &str, price: Value, quantity: i64| json!({"goodsId": id, "name": name, "price": price, "quantity": quantity});
    let (water, tea) = (shop.water, shop.tea);
    // An empty cart: one piece.
    assert_eq!(ws.ask("BUY", json!({"goodsId": water, "goodsName": "Water"})).await["ok"], true);
    assert_eq!(shop.newest_order().await, json!([line(water, "Water", json!(6.2), 1)]));
    // The only line of the cart: that line, and the cart is empty.
    shop.in_cart(water, 3).await;
    assert_eq!(
        ws.ask("BUY", json!({"goodsId": water.to_string(), "nickname": "kim", "goodsName": "Water"})).await["ok"],
        true
    );
    assert_eq!(shop.newest_order().await, json!([line(water, "Water", json!(6.2), 3)]));
    assert_eq!(shop.cart_lines().await, 0);
    // Other goods in the cart: one piece, and the cart stays.
    shop.in_cart(tea, 2).await;
    assert_eq!(ws.ask("BUY", json!({"goodsId": water})).await["ok"], true);
    assert_eq!(shop.newest_order().await, json!([line(water, "Water", json!(6.2), 1)]));
    assert_eq!(shop.cart_lines().await, 1);
    // One of several lines: one piece.
    shop.in_cart(water, 5).await;
    assert_eq!(ws.ask("BUY", json!({"goodsId": water, "goodsName": "Water"})).await["ok"], true);
    assert_eq!(shop.newest_order().await, json!([line(water, "Water", json!(6.2), 1)]));
    // With a quantity: so many, and the cart stays.
    assert_eq!(ws.ask("BUY", json!({"goodsId": water, "quantity": 7})).await["ok"], true);
    assert_eq!(shop.newest_order().await, json!([line(water, "Water", json!(6.2), 7)]));
    assert_eq!(shop.cart_lines().await, 2);
    // The whole cart by its summary.
    for _ in 0..5 {
        ws.expect("BUY_GOODS").await;
    }
    assert_eq!(ws.ask("BUY", json!({"goodsId": water, "goodsName": "Tea 외 1개의 상품"})).await["ok"], true);
    assert_eq!(
        shop.newest_order().await,
        json!([line(tea, "Tea", json!(3), 2), line(water, "Water", json!(6.2), 5)])
    );
    assert_eq!(shop.cart_lines().await, 0);
    let alert = ws.expect("BUY_GOODS").await;
    assert_eq!((&alert["goodsName"], &alert["goodsId"]), (&json!("Tea 외 1개의 상품"), &json!(tea)));
    assert_eq!((&alert["otherGoods"], &alert["quantity"]), (&json!(1), &json!(7)));
    // Items.
    let items = json!({"items": [{"goodsId": tea, "quantity": 1}, {"goodsId": water, "quantity": 2}]});
    assert_eq!(ws.ask("BUY", items).await["ok"], true);
    assert_eq!(
        shop.newest_order().await,
        json!([line(tea, "Tea", json!(3), 1), line(water, "Water", json!(6.2), 2)])
    );
}

#[tokio::test]
async fn a_cart_that_is_not_what_the_page_showed_is_not_ordered() {
    let shop = shop().await;
    let mut ws = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    let summary = |n: usize| json!({"goodsId": shop.water, "goodsName": format!("Water 외 {n}개의 상품")});
    let changed =
        |ack: Value| assert_eq!((&ack["ok"], &ack["code"]), (&json!(false), &json!("cart_changed")), "{ack}");
    changed(ws.ask("BUY", summary(1)).await);
    shop.in_cart(shop.water, 1).await;
    changed(ws.ask("BUY", summary(1)).await);
    shop.in_cart(shop.tea, 1).await;
    changed(ws.ask("BUY", summary(2)).await);
    let ice = shop.app.goods(&shop.admin, "Ice", 1.0, None).await;
    changed(ws.ask("BUY", json!({"goodsId": ice, "goodsName": "Ice 외 1개의 상품"})).await);
    assert_eq!(shop.cart_lines().await, 2);
    assert_eq!(ws.ask("BUY", summary(1)).await["ok"], true);
    // Goods that are really called so are goods.
    let odd = shop.app.goods(&shop.admin, "Set 외 2개의 상품", 1.0, None).await;
    assert_eq!(ws.ask("BUY", json!({"goodsId": odd, "goodsName": "Set 외 2개의 상품"})).await["ok"], true);
    assert_eq!(shop.newest_order().await[0]["goodsId"], odd);
}

#[tokio::test]
async fn a_buy_that_cannot_be_is_refused_with_a_code() {
    let shop = shop().await;
    let ice = shop.app.goods(&shop.admin, "Ice", 1.0, Some(1)).await;
    let mut ws = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    for (payload, code) in [
        (json!({}), "validation"),
        (Value::Null, "validation"),
        (json!("water"), "validation"),
        (json!([1, 2]), "validation"),
        (json!({"goodsId": {"$gt": 0}}), "validation"),
        (json!({"goodsId": shop.water, "quantity": 0}), "validation"),
        (json!({"goodsId": shop.water, "quantity": 1000}), "validation"),
        (json!({"goodsId": shop.water, "quantity": 1.5}), "validation"),
        (json!({"items": []}), "validation"),
        (json!({"goodsId": shop.water, "quantity": 1, "idempotencyKey": "a b"}), "validation"),
        (json!({"goodsId": 999}), "not_found"),
        (json!({"goodsId": ice, "quantity": 2}), "out_of_stock"),
    ] {
        let ack = ws.ask("BUY", payload.clone()).await;
        assert_eq!((&ack["ok"], &ack["code"]), (&json!(false), &json!(code)), "{payload}: {ack}");
        assert!(ack["message"].as_str().is_some_and(|text| !text.is_empty()), "{ack}");
    }
    let mut guest = Ws::open(&shop.app, As::Guest).await;
    let ack = guest.ask("BUY", json!({"goodsId": shop.water})).await;
    assert_eq!((&ack["ok"], &ack["code"]), (&json!(false), &json!("login_required")), "{ack}");
    assert_eq!(shop.app.log(&shop.kim).await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_order_is_placed_even_if_the_buyer_leaves_at_once() {
    let shop = shop().await;
    let mut ws = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    ws.send("BUY", json!({"goodsId": shop.water, "quantity": 1})).await;
    drop(ws);
    eventually("the order is in the log", async || shop.app.log(&shop.lee).await.len() == 1).await;
}

#[tokio::test]
async fn sockets_sell_the_last_pieces_once_too() {
    let shop = shop().await;
    let ice = shop.app.goods(&shop.admin, "Ice", 1.0, Some(5)).await;
    let buyers = (0..10).map(|n| {
        let (app, who) = (&shop.app, if n % 2 == 0 { &shop.kim } else { &shop.lee });
        async move {
            let mut ws = Ws::open(app, As::Header(who)).await;
            let mut sold = 0;
            for _ in 0..3 {
                sold +=
                    usize::from(ws.ask("BUY", json!({"goodsId": ice, "quantity": 1})).await["ok"] == true);
            }
            sold
        }
    });
    assert_eq!(join_all(buyers).await.into_iter().sum::<usize>(), 5);
    assert_eq!(shop.app.stock(ice).await, 0);
}

// --- answers ---

#[tokio::test]
async fn a_refusal_without_an_id_comes_as_an_error_event() {
    let shop = shop().await;
    let mut ws = Ws::open(&shop.app, As::Guest).await;
    for (event, payload, code) in [
        ("BUY", json!({"goodsId": shop.water}), Some("login_required")),
        ("CHANGED_PAGE", json!({"not": "a page"}), Some("validation")),
        ("no_such_event", Value::Null, None),
    ] {
        ws.send(event, payload).await;
        let error = ws.expect("error").await;
        assert_eq!(error["event"], event);
        assert!(error["code"].is_string() && error["message"].is_string(), "{error}");
        if let Some(code) = code {
            assert_eq!(error["code"], code);
        }
    }
    assert_eq!(ws.ask("no_such_event", Value::Null).await["ok"], false);
}

#[tokio::test]
async fn a_session_survives_what_is_no_message() {
    let app = TestApp::spawn().await;
    let mut ws = Ws::open(&app, As::Guest).await;
    let deep = "[".repeat(100_000);
    for bad in [
        "",
        "not JSON",
        "{",
        "null",
        "4",
        "[]",
        "\"BUY\"",
        "{}",
        "{\"type\":4}",
        "{\"type\":null,\"payload\":{}}",
        "{\"type\":\"BUY\",\"id\":{}}",
        "{\"type\":\"\\ud800\"}",
        deep.as_str(),
    ] {
        ws.send_text(bad).await;
        let error = ws.expect("error").await;
        assert!(error["code"].is_string() && error["message"].is_string(), "{bad}: {error}");
    }
    assert_eq!(ws.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
}

#[tokio::test]
async fn an_answer_carries_the_id_it_was_asked_with() {
    let app = TestApp::spawn().await;
    let mut ws = Ws::open(&app, As::Guest).await;
    for id in [json!(7), json!(0), json!("a-7")] {
        ws.send_text(&json!({"type": "CHANGED_PAGE", "payload": "/", "id": id}).to_string()).await;
        assert_eq!(ws.expect("ack").await["ok"], true, "{id}");
    }
}
