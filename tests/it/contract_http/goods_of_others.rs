//! Goods that other systems know, too: numbers, pages elsewhere, what is told of them and what is not sold here.

use serde_json::{Value, json};

use super::{goods, shop, with};

#[tokio::test]
async fn goods_have_a_number_and_a_page_elsewhere() {
    let (app, admin, _) = shop().await;
    let about = json!({
        "sku": "TEA-100", "description": "Green.\nCold.", "url": "https://shop.example/tea", "announce": false,
        "listed": false,
    });
    let mut body = goods("Tea");
    body.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
    let made = app.post("/api/goods").by(&admin).json(&body).send().await.expect(201).json["goods"].clone();
    for (member, value) in about.as_object().unwrap() {
        assert_eq!(&made[member], value, "{member}");
    }
    let path = format!("/api/goods/{}", made["goodsId"]);
    assert_eq!(app.get(&path).send().await.expect(200).json["goods"], made);
    let form = "sku=&url=&description=&announce=true&listed=1";
    let changed = app.patch(&path).by(&admin).form(form).send().await.expect(200).json["goods"].clone();
    let about = |goods: &Value| {
        ["sku", "url", "description", "announce", "listed"].map(|member| goods[member].clone())
    };
    assert_eq!(about(&changed), [Value::Null, Value::Null, json!(""), json!(true), json!(true)]);

    for (field, bad) in [
        ("sku", json!("a<b")),
        ("sku", json!("x".repeat(101))),
        ("description", json!("<b>fresh</b>")),
        ("description", json!("x".repeat(5001))),
        ("url", json!("/tea")),
        ("url", json!("javascript:alert(1)")),
        ("announce", json!("perhaps")),
        ("listed", json!(2)),
    ] {
        app.post("/api/goods")
            .by(&admin)
            .json(&with(goods("Tea"), field, bad.clone()))
            .send()
            .await
            .invalid(&[field]);
        app.patch(&path).by(&admin).json(&json!({field: bad})).send().await.invalid(&[field]);
    }
    app.patch(&path).by(&admin).json(&json!({"skuu": "x"})).send().await.invalid(&["skuu"]);
}

#[tokio::test]
async fn goods_that_are_not_listed_are_known_and_cannot_be_bought() {
    let (app, admin, kim) = shop().await;
    let made =
        app.post("/api/goods").by(&admin).json(&with(goods("Tea"), "listed", json!(false))).send().await;
    let id = made.expect(201).json["goods"]["goodsId"].clone();
    let names =
        async |path: &str| app.get(path).send().await.expect(200).json["goods"].as_array().unwrap().len();
    for path in ["/api/goods", "/api/goods?category=drink", "/api/goods?q=tea"] {
        assert_eq!(names(path).await, 0, "{path}");
    }
    assert_eq!(app.get("/api/categories").send().await.expect(200).json, json!({"categories": []}));
    // Administrators see them, and find them as everyone finds the others.
    for (path, count) in
        [("/api/admin/goods", 1), ("/api/admin/goods?q=tea", 1), ("/api/admin/goods?q=mug", 0)]
    {
        let listed = app.get(path).by(&admin).send().await.expect(200).json;
        assert_eq!(listed["goods"].as_array().unwrap().len(), count, "{path}");
    }
    app.get("/api/admin/goods").by(&kim).send().await.refused(403, "forbidden");
    app.get(&format!("/api/goods/{id}")).send().await.expect(200);
    let body = json!({"items": [{"goodsId": id, "quantity": 1}]});
    app.post("/api/orders").by(&kim).json(&body).send().await.refused(404, "not_found");
    let cart = format!("/api/goods/{id}/cart");
    app.put(&cart).by(&kim).json(&json!({"quantity": 1})).send().await.refused(404, "not_found");
    app.post(&cart).by(&kim).json(&json!({"quantity": 1})).send().await.refused(404, "not_found");
    app.patch(&format!("/api/goods/{id}")).by(&admin).json(&json!({"listed": true})).send().await.expect(200);
    assert_eq!(names("/api/goods?q=tea").await, 1, "from the cache, too");
    app.post("/api/orders").by(&kim).json(&body).send().await.expect(201);
}

#[tokio::test]
async fn an_order_of_goods_that_are_not_told_alerts_nobody() {
    let (app, admin, kim) = shop().await;
    let quiet = with(goods("Gift wrap"), "announce", json!(false));
    let quiet =
        app.post("/api/goods").by(&admin).json(&quiet).send().await.expect(201).json["goods"]["goodsId"]
            .clone();
    let order = json!({"items": [{"goodsId": quiet, "quantity": 1}]});
    let placed = app.post("/api/orders").by(&kim).json(&order).send().await.expect(201);
    assert_eq!(placed.json["id"], Value::Null);
    assert_eq!(app.log(&kim).await.len(), 0);
}

#[tokio::test]
async fn goods_are_made_or_changed_by_the_number_of_another_system() {
    let (app, admin, kim) = shop().await;
    let path = "/api/goods/by-sku/12%2Fa%20%C3%A9";
    app.put(path).by(&admin).json(&json!({"price": 5})).send().await.invalid(&[
        "name",
        "thumbnailUrl",
        "category",
    ]);
    let made = app.put(path).by(&admin).json(&goods("Tea")).send().await.expect(201);
    assert_eq!(made.json["goods"]["sku"], "12/a é");
    assert_eq!(made.header("location"), format!("/api/goods/{}", made.json["goods"]["goodsId"]));
    let again = app.put(path).by(&admin).json(&json!({"price": 5})).send().await.expect(200);
    assert_eq!(again.json["goods"]["goodsId"], made.json["goods"]["goodsId"]);
    assert_eq!((&again.json["goods"]["name"], &again.json["goods"]["price"]), (&json!("Tea"), &json!(5)));
    app.put(path).by(&admin).json(&json!({"nome": "x"})).send().await.invalid(&["nome"]);
    app.put(path).by(&kim).json(&goods("Tea")).send().await.refused(403, "forbidden");
    app.put(path).json(&goods("Tea")).send().await.refused(401, "login_required");
    let other = with(goods("Other"), "sku", json!("12/a é"));
    app.post("/api/goods").by(&admin).json(&other).send().await.refused(409, "goods_exists");
}
