//! Orders under pressure: the last pieces, repeated requests, prices that change, and taking things back.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, As, Call, Person, TestApp, Ws};

fn items(goods_id: i64, quantity: i64) -> Value {
    json!({"items": [{"goodsId": goods_id, "quantity": quantity}]})
}

fn place(app: &TestApp, buyer: &Person, body: &Value) -> Call {
    app.post("/api/orders").by(buyer).json(body)
}

async fn shop(stock: Option<i64>) -> (TestApp, Person, Person, i64) {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let water = app.goods(&admin, "Water", 6.2, stock).await;
    (app, admin, kim, water)
}

#[tokio::test]
async fn the_last_five_pieces_are_sold_five_times() {
    let (app, admin, kim, water) = shop(Some(5)).await;
    let answers = join_all((0..50).map(|_| place(&app, &kim, &items(water, 1)).send())).await;
    let (sold, refused): (Vec<Answer>, Vec<Answer>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((sold.len(), refused.len()), (5, 45));
    for answer in refused {
        answer.refused(409, "out_of_stock");
    }
    assert_eq!(app.stock(water).await, 0);
    assert_eq!(app.log(&admin).await.len(), 5);
    assert_eq!(app.get("/api/orders").by(&kim).send().await.json["orders"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_refusal_names_the_goods_and_takes_nothing() {
    let (app, admin, kim, water) = shop(Some(2)).await;
    let tea = app.goods(&admin, "Tea", 3.0, Some(9)).await;
    let body = json!({"items": [{"goodsId": tea, "quantity": 1}, {"goodsId": water, "quantity": 3}]});
    let answer = place(&app, &kim, &body).send().await.refused(409, "out_of_stock");
    assert!(answer.json["errorMessage"].as_str().unwrap().contains("Water"), "{}", answer.text);
    assert_eq!((app.stock(tea).await, app.stock(water).await), (json!(9), json!(2)));
    assert_eq!(app.log(&kim).await, Vec::<Value>::new());
    app.order(&kim, water, 2).await;
}

#[tokio::test]
async fn a_repeat_under_the_same_key_is_the_same_order() {
    let (app, admin, kim, water) = shop(Some(10)).await;
    let body = items(water, 2);
    let first = place(&app, &kim, &body).header("Idempotency-Key", "a").send().await.expect(201);
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = place(&app, &kim, &body).header("Idempotency-Key", "a").send().await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json, first.json);
    // A form that asks for the same is the same request.
    let form = format!("items%5B0%5D%5BgoodsId%5D={water}&items%5B0%5D%5Bquantity%5D=2");
    let again =
        app.post("/api/orders").by(&kim).header("Idempotency-Key", "a").form(&form).send().await.expect(201);
    assert_eq!(again.json, first.json);
    let other = items(water, 3);
    let call = place(&app, &kim, &other).header("Idempotency-Key", "a");
    call.send().await.refused(422, "idempotency_key_reused");
    let theirs = place(&app, &admin, &body).header("Idempotency-Key", "a").send().await.expect(201);
    assert_ne!(theirs.json["order"]["orderId"], first.json["order"]["orderId"], "a key is an account's own");
    assert_eq!(app.stock(water).await, 6);
    assert_eq!(app.log(&kim).await.len(), 2);
}

#[tokio::test]
async fn twenty_repeats_at_once_all_get_the_one_order() {
    let (app, _, kim, water) = shop(Some(10)).await;
    let body = items(water, 1);
    let calls = (0..20).map(|_| place(&app, &kim, &body).header("Idempotency-Key", "once").send());
    let answers = join_all(calls).await;
    let mut ids = BTreeSet::new();
    let mut fresh = 0;
    for answer in answers {
        let answer = answer.expect(201);
        fresh += usize::from(answer.header("idempotent-replayed").is_empty());
        ids.insert(answer.json["order"]["orderId"].as_i64().unwrap());
    }
    assert_eq!((ids.len(), fresh), (1, 1));
    assert_eq!(app.stock(water).await, 9);
}

#[tokio::test]
async fn a_refusal_is_not_remembered() {
    let (app, admin, kim, water) = shop(Some(0)).await;
    let body = items(water, 1);
    let call = || place(&app, &kim, &body).header("Idempotency-Key", "later").send();
    call().await.refused(409, "out_of_stock");
    let path = format!("/api/goods/{water}");
    app.patch(&path).by(&admin).json(&json!({"stock": 1})).send().await.expect(200);
    assert_eq!(call().await.expect(201).header("idempotent-replayed"), "");
}

#[tokio::test]
async fn a_key_holds_across_http_and_sockets() {
    let (app, _, kim, water) = shop(Some(10)).await;
    let first = place(&app, &kim, &items(water, 2)).header("Idempotency-Key", "k").send().await.expect(201);
    let mut ws = Ws::open(&app, As::Subprotocol(&kim)).await;
    let ack = ws.ask("BUY", json!({"goodsId": water, "quantity": 2, "idempotencyKey": "k"})).await;
    assert_eq!((&ack["ok"], &ack["orderId"]), (&json!(true), &first.json["order"]["orderId"]), "{ack}");
    let ack = ws.ask("BUY", json!({"goodsId": water, "quantity": 3, "idempotencyKey": "k"})).await;
    assert_eq!((&ack["ok"], &ack["code"]), (&json!(false), &json!("idempotency_key_reused")), "{ack}");
    let ack = ws.ask("BUY", json!({"goodsId": water, "quantity": 1, "idempotencyKey": "s"})).await;
    let again = place(&app, &kim, &items(water, 1)).header("Idempotency-Key", "s").send().await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.json["order"]["orderId"], ack["orderId"]);
    assert_eq!(app.stock(water).await, 7);
}

#[tokio::test]
async fn orders_keep_names_and_prices_of_their_moment() {
    let (app, admin, kim, water) = shop(None).await;
    let order = app.order(&kim, water, 2).await;
    let path = format!("/api/goods/{water}");
    app.patch(&path).by(&admin).json(&json!({"price": 99, "name": "Ice"})).send().await.expect(200);
    let show = || async {
        app.get(&format!("/api/orders/{}", order["orderId"])).by(&kim).send().await.expect(200).json["order"]
            .clone()
    };
    assert_eq!(show().await, order);
    app.delete(&path).by(&admin).send().await.expect(204);
    assert_eq!(show().await, order);
    assert_eq!(order["total"], 12.4);
}

#[tokio::test]
async fn the_cart_becomes_an_order_and_is_empty() {
    let (app, admin, kim, water) = shop(Some(10)).await;
    let tea = app.goods(&admin, "Tea", 3.0, None).await;
    for (id, quantity) in [(tea, 1), (water, 4)] {
        let body = json!({"quantity": quantity});
        app.put(&format!("/api/goods/{id}/cart")).by(&kim).json(&body).send().await.expect(200);
    }
    let from_cart = json!({"fromCart": true});
    let order = place(&app, &kim, &from_cart).send().await.expect(201).json["order"].clone();
    assert_eq!((&order["items"][0]["goodsId"], &order["items"][1]["quantity"]), (&json!(tea), &json!(4)));
    assert_eq!(app.get("/api/goods/cart").by(&kim).send().await.json["cart"], json!([]));
    let told = app.log(&kim).await[0]["data"].clone();
    assert_eq!(told["goodsName"], "Tea 외 1개의 상품");
    assert_eq!(
        (&told["firstGoodsName"], &told["otherGoods"], &told["quantity"]),
        (&json!("Tea"), &json!(1), &json!(5))
    );
    assert!(place(&app, &kim, &from_cart).send().await.status.is_client_error());
}

#[tokio::test]
async fn a_cart_that_cannot_be_ordered_stays() {
    let (app, _, kim, water) = shop(Some(1)).await;
    app.put(&format!("/api/goods/{water}/cart"))
        .by(&kim)
        .json(&json!({"quantity": 2}))
        .send()
        .await
        .expect(200);
    place(&app, &kim, &json!({"fromCart": true})).send().await.refused(409, "out_of_stock");
    let cart = app.get("/api/goods/cart").by(&kim).send().await.json["cart"].clone();
    assert_eq!(cart[0]["quantity"], 2);
}

#[tokio::test]
async fn an_order_is_its_owners_alone() {
    let (app, admin, kim, water) = shop(Some(3)).await;
    let lee = app.member("lee").await;
    let order = app.order(&kim, water, 1).await;
    let path = format!("/api/orders/{}", order["orderId"]);
    app.get(&path).by(&lee).send().await.refused(404, "not_found");
    app.get(&path).by(&admin).send().await.refused(404, "not_found");
    app.post(&format!("{path}/cancel")).by(&lee).send().await.refused(404, "not_found");
    assert_eq!(app.get("/api/orders").by(&lee).send().await.json["orders"], json!([]));
    for id in ["0", "x", "999", "9007199254740992"] {
        app.get(&format!("/api/orders/{id}")).by(&kim).send().await.refused(404, "not_found");
        app.post(&format!("/api/orders/{id}/cancel")).by(&kim).send().await.refused(404, "not_found");
    }
    assert_eq!(app.stock(water).await, 2);
}

#[tokio::test]
async fn a_canceled_order_returns_its_pieces_once_and_withdraws_its_alert() {
    let (app, admin, kim, water) = shop(Some(5)).await;
    for (canceler, n) in [(&kim, 0), (&admin, 1)] {
        let order = app.order(&kim, water, 2).await;
        assert_eq!(app.stock(water).await, 3);
        let path = format!("/api/orders/{}/cancel", order["orderId"]);
        let answers = join_all((0..5).map(|_| app.post(&path).by(canceler).send())).await;
        let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(done.len(), 1, "canceled once");
        assert_eq!(done[0].json["order"]["status"], "canceled");
        for answer in refused {
            answer.refused(409, "already_canceled");
        }
        assert_eq!(app.stock(water).await, 5);
        let log = app.log(&kim).await;
        assert_eq!(log.len(), 2 * n + 2);
        let withdrawal = &log[2 * n + 1];
        assert_eq!(withdrawal["event"], "BUY_CANCELED");
        assert_eq!(
            (&withdrawal["data"]["canceled"], &withdrawal["data"]["goodsId"]),
            (&log[2 * n]["id"], &json!(water))
        );
    }
}

#[tokio::test]
async fn canceling_after_the_goods_are_gone_still_works() {
    let (app, admin, kim, water) = shop(Some(5)).await;
    let order = app.order(&kim, water, 2).await;
    app.delete(&format!("/api/goods/{water}")).by(&admin).send().await.expect(204);
    app.post(&format!("/api/orders/{}/cancel", order["orderId"])).by(&kim).send().await.expect(200);
}

#[tokio::test]
async fn who_hides_purchases_orders_in_silence() {
    let (app, admin, kim, water) = shop(Some(5)).await;
    app.patch("/api/users/me").by(&kim).json(&json!({"hidePurchases": true})).send().await.expect(200);
    let order = app.order(&kim, water, 1).await;
    let mut ws = Ws::open(&app, As::Subprotocol(&kim)).await;
    let ack = ws.ask("BUY", json!({"goodsId": water, "quantity": 1})).await;
    assert_eq!((&ack["ok"], ack.get("id").unwrap_or(&Value::Null)), (&json!(true), &Value::Null), "{ack}");
    app.post(&format!("/api/orders/{}/cancel", order["orderId"])).by(&kim).send().await.expect(200);
    app.order(&admin, water, 1).await;
    let log = app.log(&admin).await;
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!((&log[0]["id"], &log[0]["data"]["nickname"]), (&json!(1), &json!("admin")));
}
