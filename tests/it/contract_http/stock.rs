//! Stock and money: what is taken and given back, changes on a known state, whole numbers, sums.

use serde_json::{Value, json};

use super::{goods, shop, with};
use crate::support::{Answer, Person, TestApp};

async fn set_stock(app: &TestApp, admin: &Person, id: i64, stock: Value) {
    let call = app.patch(&format!("/api/goods/{id}")).by(admin).json(&json!({"stock": stock}));
    call.send().await.expect(200);
}

async fn cancel(app: &TestApp, who: &Person, order: &Value) {
    app.post(&format!("/api/orders/{}/cancel", order["orderId"])).by(who).send().await.expect(200);
}

#[tokio::test]
async fn an_order_gives_back_what_it_took() {
    let (app, admin, kim) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, None).await;
    let uncounted = app.order(&kim, id, 3).await;
    set_stock(&app, &admin, id, json!(5)).await;
    let counted = app.order(&kim, id, 2).await;
    cancel(&app, &kim, &uncounted).await;
    assert_eq!(app.stock(id).await, 3);
    cancel(&app, &admin, &counted).await;
    assert_eq!(app.stock(id).await, 5);
    let forgotten = app.order(&kim, id, 1).await;
    set_stock(&app, &admin, id, Value::Null).await;
    cancel(&app, &kim, &forgotten).await;
    assert_eq!(app.stock(id).await, Value::Null);
}

#[tokio::test]
async fn a_number_of_goods_never_means_a_second_thing() {
    let (app, admin, kim) = shop().await;
    let chosen = |id: Value| with(with(goods("Water"), "goodsId", id), "stock", json!(9));
    let make = |id: Value| app.post("/api/goods").by(&admin).json(&chosen(id)).send();
    make(json!(70)).await.expect(201);
    let order = app.order(&kim, 70, 4).await;
    app.delete("/api/goods/70").by(&admin).send().await.expect(204);
    make(json!(70)).await.refused(409, "goods_exists");
    make(json!("70.0")).await.refused(409, "goods_exists");
    make(json!(12)).await.expect(201);
    cancel(&app, &kim, &order).await;
    assert_eq!(app.stock(12).await, 9);
    // One that was given, not chosen.
    let given = app.goods(&admin, "Tea", 3.0, None).await;
    app.delete(&format!("/api/goods/{given}")).by(&admin).send().await.expect(204);
    make(json!(given)).await.refused(409, "goods_exists");
    assert_eq!(app.goods(&admin, "Cola", 3.0, None).await, given + 1);
}

#[tokio::test]
async fn a_change_holds_only_for_what_was_seen() {
    let (app, admin, kim) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, Some(10)).await;
    let path = format!("/api/goods/{id}");
    let change =
        |tag: &str, body: Value| app.patch(&path).by(&admin).header("If-Match", tag).json(&body).send();
    let seen = app.get(&path).send().await.expect(200).header("etag").to_owned();
    assert!(seen.starts_with('"'), "a strong tag: {seen}");
    app.order(&kim, id, 3).await;
    change(&seen, json!({"stock": 15})).await.refused(412, "precondition_failed");
    app.delete(&path).by(&admin).header("If-Match", &seen).send().await.refused(412, "precondition_failed");
    assert_eq!(app.stock(id).await, 7);
    let now = app.get(&path).send().await.expect(200).header("etag").to_owned();
    for stale in [format!("W/{now}"), "\"x\"".into(), "nonsense".into(), String::new(), "*, \"x\"".into()] {
        change(&stale, json!({"stock": 15})).await.refused(412, "precondition_failed");
    }
    let answer = change(&format!("\"x\", {now}"), json!({"stock": 15})).await.expect(200);
    assert_eq!(answer.json["goods"]["stock"], 15);
    let tag = answer.header("etag").to_owned();
    assert_eq!(app.get(&path).send().await.header("etag"), tag, "the tag of what was made");
    let answer = change(&tag, json!({"price": 7})).await.expect(200);
    change("*", json!({"price": 8})).await.expect(200);
    change(answer.header("etag"), json!({"price": 9})).await.refused(412, "precondition_failed");
    // A body that is no good, and goods that are not there, are that first.
    change("\"x\"", json!({"price": -1})).await.invalid(&["price"]);
    let missing = app.patch("/api/goods/99").by(&admin).header("If-Match", "*").json(&json!({"price": 1}));
    missing.send().await.refused(404, "not_found");
    app.patch(&path).by(&kim).header("If-Match", "*").json(&json!({})).send().await.refused(403, "forbidden");
    app.delete(&path).by(&admin).header("If-Match", "*").send().await.expect(204);
    let made = app.post("/api/goods").by(&admin).json(&goods("Tea")).send().await.expect(201);
    assert_eq!(made.header("etag"), app.get(made.header("location")).send().await.header("etag"));
}

#[tokio::test]
async fn a_stock_changes_by_pieces_whatever_was_sold_meanwhile() {
    let (app, admin, kim) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, Some(10)).await;
    let path = format!("/api/goods/{id}/stock");
    let change = |body: Value| app.post(&path).by(&admin).json(&body).send();
    app.order(&kim, id, 3).await;
    let changed = change(json!({"change": 5, "reason": "delivery, 5 boxes"})).await.expect(200);
    assert_eq!(
        (&changed.json["goods"]["stock"], &changed.json["goods"]["goodsId"]),
        (&json!(12), &json!(id))
    );
    for (body, stock) in
        [(json!({"change": -2}), 10), (json!({"change": "-3.0", "reason": ""}), 7), (json!({"change": 0}), 7)]
    {
        assert_eq!(change(body).await.expect(200).json["goods"]["stock"], stock);
    }
    app.post(&path).by(&admin).form("change=1&reason=found+one").send().await.expect(200);
    let refused = change(json!({"change": -9})).await.refused(409, "out_of_stock");
    assert_eq!(refused.json["goodsId"], id);
    for bad in
        [json!("+5"), json!(" 5"), json!("5e3"), json!(2.5), json!(""), json!(true), json!([1]), Value::Null]
    {
        change(json!({"change": bad})).await.invalid(&["change"]);
    }
    change(json!({"change": 2_000_000_000})).await.invalid(&["change"]);
    change(json!({"change": 1_000_000_000})).await.invalid(&["change"]);
    change(json!({"change": 1, "reason": "<b>"})).await.invalid(&["reason"]);
    change(json!({"change": 1, "raeson": "x"})).await.invalid(&["raeson"]);
    change(json!({"chnage": 1})).await.invalid(&["change", "chnage"]);
    assert_eq!(app.stock(id).await, 8);
    let uncounted = app.goods(&admin, "Air", 6.2, None).await;
    let call = app.post(&format!("/api/goods/{uncounted}/stock")).by(&admin).json(&json!({"change": 1}));
    assert_eq!(call.send().await.invalid(&["change"]).json["errors"][0]["code"], "not_counted");
    app.post("/api/goods/99/stock")
        .by(&admin)
        .json(&json!({"change": 1}))
        .send()
        .await
        .refused(404, "not_found");
    app.post(&path).by(&kim).json(&json!({"change": 1})).send().await.refused(403, "forbidden");
    // Many at once, and buyers: nothing is lost.
    let adds = (0..20).map(|_| change(json!({"change": 2})));
    let buys = (0..20).map(|_| app.order(&kim, id, 1));
    tokio::join!(futures_util::future::join_all(adds), futures_util::future::join_all(buys));
    assert_eq!(app.stock(id).await, 28);
}

#[tokio::test]
async fn a_misspelled_field_or_number_changes_nothing() {
    let (app, admin, _) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, Some(10)).await;
    let path = format!("/api/goods/{id}");
    let change = |body: Value| app.patch(&path).by(&admin).json(&body).send();
    change(json!({"stok": 99})).await.invalid(&["stok"]);
    change(json!({"Stock": 99})).await.invalid(&["Stock"]);
    change(json!({"goodsId": 7, "price": 7})).await.invalid(&["goodsId"]);
    change(json!({"price": -1, "zzz": null, "aaa": 1})).await.invalid(&["price", "aaa", "zzz"]);
    app.patch(&path).by(&admin).form("stok=99").send().await.invalid(&["stok"]);
    for bad in [
        json!("+5"),
        json!(" 5"),
        json!("5 "),
        json!("5e3"),
        json!("0x5"),
        json!("5,0"),
        json!(2.5),
        json!("2."),
        json!(true),
    ] {
        change(json!({"stock": bad})).await.invalid(&["stock"]);
    }
    let now = app.get(&path).send().await.expect(200).json["goods"].clone();
    assert_eq!((&now["stock"], &now["price"], &now["goodsId"]), (&json!(10), &json!(6.2), &json!(id)));
}

#[tokio::test]
async fn a_misspelled_field_makes_and_orders_nothing() {
    let (app, admin, kim) = shop().await;
    for (member, value) in [("stok", json!(9)), ("Stock", json!(9)), ("goods_id", Value::Null)] {
        let body = with(goods("Tea"), member, value);
        app.post("/api/goods").by(&admin).json(&body).send().await.invalid(&[member]);
    }
    let form = "name=Tea&thumbnailUrl=/a.svg&category=drink&price=1&stok=9";
    app.post("/api/goods").by(&admin).form(form).send().await.invalid(&["stok"]);
    let id = app.goods(&admin, "Water", 6.2, Some(10)).await;
    let items = json!([{"goodsId": id, "quantity": 1}]);
    let order = |body: Value| app.post("/api/orders").by(&kim).json(&body).send();
    order(json!({"items": items, "expectedtotal": 1})).await.invalid(&["expectedtotal"]);
    order(json!({"items": items, "expected_total": 1, "fromcart": true}))
        .await
        .invalid(&["expected_total", "fromcart"]);
    assert_eq!(app.stock(id).await, 10);
    let me = |body: Value| app.patch("/api/users/me").by(&kim).json(&body).send();
    me(json!({"hidepurchases": true})).await.invalid(&["hidepurchases"]);
    me(json!({"nickname": "kimmy", "role": "admin"})).await.invalid(&["role"]);
    let listed = app.get("/api/goods").send().await.expect(200).json["goods"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    // Pages made for other servers send more than is needed where nothing can be missed.
    app.put(&format!("/api/goods/{id}/cart")).by(&kim).form("quantity=1&goodsId=4").send().await.expect(200);
}

#[tokio::test]
async fn the_history_of_a_stock_says_who_changed_it_when_and_why() {
    let (app, admin, kim) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, Some(10)).await;
    let path = format!("/api/goods/{id}/stock");
    app.order(&kim, id, 3).await;
    let change = json!({"change": 5, "reason": "a delivery"});
    app.post(&path).by(&admin).json(&change).send().await.expect(200);
    set_stock(&app, &admin, id, json!(2)).await;
    set_stock(&app, &admin, id, Value::Null).await;
    let read = |query: &str| app.get(&format!("{path}{query}")).by(&admin).send();
    let history = read("").await.expect(200).json;
    let changes = history["changes"].as_array().unwrap();
    let told: Vec<_> = changes
        .iter()
        .map(|one| json!([one["kind"], one["change"], one["stock"], one["reason"], one["by"]["nickname"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["set", -2, null, null, "admin"]),
            json!(["set", -10, 2, null, "admin"]),
            json!(["change", 5, 12, "a delivery", "admin"]),
            json!(["set", 10, 10, null, "admin"]),
        ]
    );
    let admin_id = app.get("/api/users/me").by(&admin).send().await.json["user"]["userId"].clone();
    for one in changes {
        assert_eq!(one["by"]["userId"], admin_id);
        assert!(super::is_a_moment(&one["createdAt"]) && one["changeId"].is_i64(), "{one}");
        assert_eq!(one.as_object().unwrap().len(), 7, "{one}");
    }
    assert!(history["nextCursor"].is_null());
    let first = read("?limit=3").await.expect(200).json;
    assert_eq!(first["nextCursor"], changes[2]["changeId"]);
    let rest = read(&format!("?limit=3&cursor={}", first["nextCursor"])).await.expect(200).json;
    assert_eq!(rest, json!({"changes": [changes[3]]}));
    for bad in ["?limit=0", "?limit=101", "?limit=x"] {
        read(bad).await.invalid(&["limit"]);
    }
    read("?cursor=0").await.invalid(&["cursor"]);
    app.get(&path).by(&kim).send().await.refused(403, "forbidden");
    app.get("/api/goods/99/stock").by(&admin).send().await.refused(404, "not_found");
    let empty = app.goods(&admin, "Air", 1.0, None).await;
    let none = app.get(&format!("/api/goods/{empty}/stock")).by(&admin).send().await.expect(200).json;
    assert_eq!(none, json!({"changes": []}));
    // It outlives the goods.
    app.delete(&format!("/api/goods/{id}")).by(&admin).send().await.expect(204);
    assert_eq!(read("").await.expect(200).json["changes"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn whole_numbers_are_written_in_four_ways() {
    let (app, admin, kim) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, Some(100)).await;
    for (n, two) in [json!(2), json!(2.0), json!("2"), json!("2.0")].into_iter().enumerate() {
        let made = with(with(goods("Tea"), "stock", two.clone()), "goodsId", json!(format!("{}.0", 50 + n)));
        let made = app.post("/api/goods").by(&admin).json(&made).send().await.expect(201);
        assert_eq!(
            (&made.json["goods"]["stock"], &made.json["goods"]["goodsId"]),
            (&json!(2), &json!(50 + n))
        );
        app.put(&format!("/api/goods/{id}/cart"))
            .by(&kim)
            .json(&json!({"quantity": two}))
            .send()
            .await
            .expect(200);
        let body = json!({"items": [{"goodsId": format!("{id}.0"), "quantity": two}]});
        let order = app.post("/api/orders").by(&kim).json(&body).send().await.expect(201);
        assert_eq!(
            order.json["order"]["items"][0],
            json!({"goodsId": id, "name": "Water", "price": 6.2, "quantity": 2})
        );
        let limit = two.as_str().map_or(two.to_string(), str::to_owned);
        let page = app.get(&format!("/api/goods?limit={limit}")).send().await.expect(200);
        assert_eq!(page.json["goods"].as_array().unwrap().len(), 2);
    }
    // What a JSON number is written like means nothing; a string is what someone typed.
    for two in ["2.00", "2e0", "20e-1", "0.2E+1"] {
        let exact = format!("{{\"items\": [{{\"goodsId\": {id}.0, \"quantity\": {two}}}]}}");
        let order = app.post("/api/orders").by(&kim).body("application/json", exact).send().await.expect(201);
        assert_eq!(order.json["order"]["items"][0]["quantity"], 2, "{two}");
        let stock = format!("{{\"stock\": {two}}}");
        let path = format!("/api/goods/{id}");
        let set = app.patch(&path).by(&admin).body("application/json", stock).send().await.expect(200);
        assert_eq!(set.json["goods"]["stock"], 2, "{two}");
        set_stock(&app, &admin, id, json!(100)).await;
        if two != "2.00" {
            let typed = app.patch(&path).by(&admin).json(&json!({"stock": two}));
            typed.send().await.invalid(&["stock"]);
            let typed = app.patch(&path).by(&admin).form(&format!("stock={}", two.replace('+', "%2B")));
            typed.send().await.invalid(&["stock"]);
        }
    }
    let half = "{\"items\": [{\"goodsId\": 1, \"quantity\": 25e-1}]}".to_owned();
    app.post("/api/orders").by(&kim).body("application/json", half).send().await.invalid(&["items"]);
    for bad in [json!("+5"), json!(" 5"), json!("1e1"), json!(2.5), json!("２"), json!("2.")] {
        let body = json!({"items": [{"goodsId": id, "quantity": bad}]});
        app.post("/api/orders").by(&kim).json(&body).send().await.invalid(&["items"]);
        app.put(&format!("/api/goods/{id}/cart"))
            .by(&kim)
            .json(&json!({"quantity": bad}))
            .send()
            .await
            .invalid(&["quantity"]);
    }
    for bad in ["%2B5", "%205", "1e1", "2.5"] {
        app.get(&format!("/api/goods?limit={bad}")).send().await.invalid(&["limit"]);
    }
}

#[tokio::test]
async fn an_order_comes_to_what_the_page_said() {
    let (app, admin, kim) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, Some(10)).await;
    let order = |total: Value| {
        let body = json!({"items": [{"goodsId": id, "quantity": 3}], "expectedTotal": total});
        app.post("/api/orders").by(&kim).json(&body).send()
    };
    let told = |answer: Answer| (answer.json["expectedTotal"].clone(), answer.json["total"].clone());
    for (total, said) in [(json!(18.5), json!(18.5)), (json!("18.70"), json!(18.7)), (json!(0), json!(0))] {
        assert_eq!(told(order(total).await.refused(409, "price_changed")), (said, json!(18.6)));
    }
    for bad in [json!(18.605), json!(-18.6), json!("much"), json!("+18.6"), json!([18.6])] {
        order(bad).await.invalid(&["expectedTotal"]);
    }
    assert_eq!(app.stock(id).await, 10);
    for total in [json!(18.6), json!("18.60"), Value::Null] {
        assert_eq!(order(total).await.expect(201).json["order"]["total"], 18.6);
    }
    app.put(&format!("/api/goods/{id}/cart")).by(&kim).form("quantity=1").send().await.expect(200);
    app.post("/api/orders")
        .by(&kim)
        .form("fromCart=true&expectedTotal=6.3")
        .send()
        .await
        .refused(409, "price_changed");
    let cart = app.get("/api/goods/cart").by(&kim).send().await.expect(200);
    assert_eq!(cart.json["cart"][0]["quantity"], 1, "a refused order leaves the cart");
    app.post("/api/orders").by(&kim).form("fromCart=true&expectedTotal=6.20").send().await.expect(201);
}

#[tokio::test]
async fn one_source_says_how_many_decimals_there_are() {
    let app = TestApp::spawn_in(|common, serve| {
        common.currency = Some("HUF".parse().unwrap());
        serve.nickname_display = Some(shopbell::config::NicknameStyle::Masked);
    })
    .await;
    let shop = app.get("/api/shop").send().await.expect(200).json;
    assert_eq!((&shop["currency"], &shop["currencyDecimals"]), (&json!("HUF"), &json!(2)));
    assert_eq!((&shop["audience"], &shop["nicknameDisplay"]), (&json!("members"), &json!("masked")));
    assert_eq!(shop["links"], json!({"openapi": "/api/openapi.json", "asyncapi": "/api/asyncapi.json"}));
    assert!(super::is_a_moment(&shop["time"]), "{shop}");
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let id = app.goods(&admin, "Gulyás", 199.5, None).await;
    assert_eq!(app.order(&kim, id, 3).await["total"], 598.5);
    for (currency, decimals) in [("KRW", 0), ("USD", 2), ("KWD", 3), ("ISK", 0)] {
        let app = TestApp::spawn_in(|common, _| common.currency = Some(currency.parse().unwrap())).await;
        assert_eq!(app.get("/api/shop").send().await.json["currencyDecimals"], decimals, "{currency}");
    }
}

#[tokio::test]
async fn all_categories_are_listed_whatever_their_size() {
    let (app, admin, _) = shop().await;
    let empty = app.get("/api/categories").send().await.expect(200);
    assert_eq!(empty.json, json!({"categories": []}));
    let rare = with(goods("Scarf"), "category", json!("rare"));
    app.post("/api/goods").by(&admin).json(&rare).send().await.expect(201);
    let many = (0..1001).map(|n| {
        let body = with(goods(&format!("Water {n}")), "category", json!("drink"));
        app.post("/api/goods").by(&admin).json(&body).send()
    });
    // A hundred at a time: from one address come no more than 1,000 connections.
    let made = futures_util::StreamExt::buffer_unordered(futures_util::stream::iter(many), 100);
    for answer in futures_util::StreamExt::collect::<Vec<_>>(made).await {
        answer.expect(201);
    }
    let found = app.get("/api/categories").send().await.expect(200);
    assert_eq!(
        found.json["categories"],
        json!([{"name": "drink", "count": 1001}, {"name": "rare", "count": 1}])
    );
    let tag = found.header("etag").to_owned();
    app.get("/api/categories").header("If-None-Match", &tag).send().await.expect(304);
    app.delete("/api/goods/1").by(&admin).send().await.expect(204);
    let found = app.get("/api/categories").header("If-None-Match", &tag).send().await.expect(200);
    assert_eq!(found.json["categories"], json!([{"name": "drink", "count": 1001}]));
}
