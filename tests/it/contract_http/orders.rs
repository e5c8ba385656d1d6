//! Carts, orders, and the log of what was bought.

use serde_json::{Value, json};

use super::{is_a_moment, shop};
use crate::support::{Answer, TestApp};

// --- carts ---

#[tokio::test]
async fn a_cart_is_filled_changed_and_emptied() {
    let (app, admin, kim) = shop().await;
    let (water, tea) =
        (app.goods(&admin, "Water", 6.2, None).await, app.goods(&admin, "Tea", 3.0, None).await);
    let line = |id: i64| format!("/api/goods/{id}/cart");
    let added = app.post(&line(water)).by(&kim).form("quantity=2").send().await.expect(201);
    assert_eq!(added.json, json!({}));
    app.post(&line(water))
        .by(&kim)
        .json(&json!({"quantity": 2}))
        .send()
        .await
        .refused(409, "already_in_cart");
    assert_eq!(
        app.put(&line(tea)).by(&kim).json(&json!({"quantity": "4"})).send().await.expect(200).json,
        json!({})
    );
    app.put(&line(water)).by(&kim).form("quantity=999").send().await.expect(200);
    let cart = app.get("/api/goods/cart").by(&kim).send().await.expect(200).json["cart"].clone();
    assert_eq!(cart.as_array().unwrap().len(), 2, "{cart}");
    assert_eq!((&cart[0]["quantity"], &cart[0]["goods"]["name"]), (&json!(999), &json!("Water")));
    assert_eq!((&cart[1]["quantity"], &cart[1]["goods"]["goodsId"]), (&json!(4), &json!(tea)));
    for bad in [json!(0), json!(1000), json!(-1), json!(1.5), json!("x"), Value::Null, json!([1])] {
        app.put(&line(tea)).by(&kim).json(&json!({"quantity": bad})).send().await.invalid(&["quantity"]);
        app.post(&line(tea)).by(&kim).json(&json!({"quantity": bad})).send().await.invalid(&["quantity"]);
    }
    for method in ["PUT", "POST"] {
        let call = app.request(method, "/api/goods/99/cart").by(&kim).json(&json!({"quantity": 1}));
        call.send().await.refused(404, "not_found");
    }
    for _ in 0..2 {
        assert_eq!(app.delete(&line(water)).by(&kim).send().await.expect(200).json, json!({}));
    }
    app.delete("/api/goods/99/cart").by(&kim).send().await.expect(200);
    let other = app.member("lee").await;
    assert_eq!(app.get("/api/goods/cart").by(&other).send().await.json["cart"], json!([]));
}

// --- orders ---

#[tokio::test]
async fn an_order_is_what_the_contract_says() {
    let (app, admin, kim) = shop().await;
    let (water, tea) =
        (app.goods(&admin, "Water", 6.2, None).await, app.goods(&admin, "Tea", 3.05, Some(9)).await);
    let body =
        json!({"items": [{"goodsId": water, "quantity": 1}, {"goodsId": tea.to_string(), "quantity": "3"}]});
    let order = app.post("/api/orders").by(&kim).json(&body).send().await.expect(201).json["order"].clone();
    assert!(order["orderId"].is_i64() && is_a_moment(&order["createdAt"]), "{order}");
    assert_eq!(order["status"], "placed");
    assert_eq!((&order["total"], &order["currency"]), (&json!(15.35), &json!("USD")));
    assert_eq!(
        order["items"],
        json!([
            {"goodsId": water, "name": "Water", "price": 6.2, "quantity": 1},
            {"goodsId": tea, "name": "Tea", "price": 3.05, "quantity": 3},
        ])
    );
    assert_eq!(app.stock(tea).await, 6);
    let path = format!("/api/orders/{}", order["orderId"]);
    assert_eq!(app.get(&path).by(&kim).send().await.expect(200).json["order"], order);
    assert_eq!(app.get("/api/orders").by(&kim).send().await.expect(200).json["orders"], json!([order]));
}

#[tokio::test]
async fn an_order_comes_as_jquery_writes_it() {
    let (app, admin, kim) = shop().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    let tea = app.goods(&admin, "Tea", 3.0, None).await;
    for form in [
        format!(
            "items%5B0%5D%5BgoodsId%5D={water}&items%5B0%5D%5Bquantity%5D=2&items%5B1%5D%5BgoodsId%5D={tea}&items%5B1%5D%5Bquantity%5D=1"
        ),
        format!(
            "items[0][goodsId]={water}&items[0][quantity]=2&items[1][goodsId]={tea}&items[1][quantity]=1"
        ),
    ] {
        let order =
            app.post("/api/orders").by(&kim).form(&form).send().await.expect(201).json["order"].clone();
        assert_eq!(order["items"][0]["quantity"], 2, "{form}");
        assert_eq!(order["items"][1]["goodsId"], tea, "{form}");
    }
    app.put(&format!("/api/goods/{tea}/cart")).by(&kim).form("quantity=5").send().await.expect(200);
    let order =
        app.post("/api/orders").by(&kim).form("fromCart=true").send().await.expect(201).json["order"].clone();
    assert_eq!(order["items"][0]["quantity"], 5);
}

#[tokio::test]
async fn what_is_no_order_is_refused() {
    let (app, admin, kim) = shop().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    let item = |quantity: Value| json!({"items": [{"goodsId": water, "quantity": quantity}]});
    let lines: Vec<_> = (1..=101).map(|id| json!({"goodsId": id, "quantity": 1})).collect();
    for bad in [
        json!({}),
        json!({"items": []}),
        json!({"items": "4"}),
        json!({"items": [4]}),
        json!({"items": [{"quantity": 1}]}),
        json!({"items": [{"goodsId": "x", "quantity": 1}]}),
        json!({"items": lines}),
        item(json!(0)),
        item(json!(1000)),
        item(json!(-1)),
        item(json!(1.5)),
        item(Value::Null),
        json!({"fromCart": false}),
    ] {
        app.post("/api/orders").by(&kim).json(&bad).send().await.refused(400, "validation");
    }
    let answer = app.post("/api/orders").by(&kim).json(&json!({"fromCart": true})).send().await;
    assert_eq!(answer.status, 400, "an empty cart: {}", answer.text);
    let body = json!({"items": [{"goodsId": 99, "quantity": 1}]});
    app.post("/api/orders").by(&kim).json(&body).send().await.refused(404, "not_found");
    let long = "x".repeat(256);
    for bad in ["", "a b", long.as_str()] {
        let call = app.post("/api/orders").by(&kim).header("Idempotency-Key", bad).json(&item(json!(1)));
        assert_eq!(call.send().await.status, 400, "{bad:?}");
    }
    assert_eq!(app.get("/api/orders").by(&kim).send().await.json["orders"], json!([]));
}

#[tokio::test]
async fn orders_are_listed_newest_first_by_page() {
    let (app, admin, kim) = shop().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    for _ in 0..5 {
        app.order(&kim, water, 1).await;
    }
    let mut seen: Vec<i64> = Vec::new();
    let mut path = "/api/orders?limit=2".to_owned();
    loop {
        let page = app.get(&path).by(&kim).send().await.expect(200).json;
        seen.extend(
            page["orders"].as_array().unwrap().iter().map(|order| order["orderId"].as_i64().unwrap()),
        );
        let Some(next) = page.get("nextCursor").filter(|next| !next.is_null()) else { break };
        path =
            format!("/api/orders?limit=2&cursor={}", next.as_str().map_or(next.to_string(), str::to_owned));
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    for bad in ["limit=0", "limit=x", "cursor=%27"] {
        assert_eq!(app.get(&format!("/api/orders?{bad}")).by(&kim).send().await.status, 400, "{bad}");
    }
}

// --- notifications ---

#[tokio::test]
async fn the_log_is_read_from_an_offset() {
    let (app, admin, kim) = shop().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    let empty = app.get("/api/notifications").by(&kim).send().await.expect(200).json;
    assert_eq!((&empty["notifications"], &empty["latest"]), (&json!([]), &json!(0)));
    assert!(empty["epoch"].is_string(), "offsets are of a log: {empty}");
    for _ in 0..4 {
        app.order(&kim, water, 1).await;
    }
    let ids = |answer: Answer| -> Vec<i64> {
        let answer = answer.expect(200);
        assert_eq!(answer.json["latest"], 4);
        answer.json["notifications"].as_array().unwrap().iter().map(|n| n["id"].as_i64().unwrap()).collect()
    };
    for (query, expected) in [
        ("", vec![1, 2, 3, 4]),
        ("?after=0", vec![1, 2, 3, 4]),
        ("?after=2", vec![3, 4]),
        ("?after=4", vec![]),
        ("?after=1&limit=2", vec![2, 3]),
        ("?limit=2", vec![3, 4]),
    ] {
        assert_eq!(
            ids(app.get(&format!("/api/notifications{query}")).by(&kim).send().await),
            expected,
            "{query}"
        );
    }
    let first = app.log(&kim).await[0].clone();
    assert_eq!(first["event"], "BUY_GOODS");
    assert_eq!((&first["data"]["nickname"], &first["data"]["goodsName"]), (&json!("kim"), &json!("Water")));
    assert_eq!((&first["data"]["id"], &first["data"]["quantity"]), (&json!(1), &json!(1)));
    for bad in ["after=-1", "after=x", "limit=0", "limit=x", "after=1.5"] {
        assert_eq!(app.get(&format!("/api/notifications?{bad}")).by(&kim).send().await.status, 400, "{bad}");
    }
    app.get("/api/notifications").send().await.refused(401, "login_required");
}

#[tokio::test]
async fn history_that_is_gone_is_said_to_be_gone() {
    let (app, admin, kim) = shop().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    for _ in 0..4 {
        app.order(&kim, water, 1).await;
    }
    crate::support::prune_log(&app, 3).await;
    let answer = app.get("/api/notifications?after=0").by(&kim).send().await.refused(410, "too_old");
    assert_eq!(answer.json["oldest"], 3);
    let rest = app.get("/api/notifications?after=2").by(&kim).send().await.expect(200).json;
    assert_eq!(rest["notifications"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn everyone_reads_the_log_when_the_audience_is_everyone() {
    let app = TestApp::spawn_with(|serve| serve.audience = Some(shopbell::config::Audience::Everyone)).await;
    app.get("/api/notifications").send().await.expect(200);
}

#[tokio::test]
async fn nicknames_are_masked_when_asked_for() {
    let masked = Some(shopbell::config::NicknameStyle::Masked);
    let app = TestApp::spawn_with(|serve| serve.nickname_display = masked).await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let water = app.goods(&admin, "Water", 6.2, None).await;
    app.order(&kim, water, 1).await;
    assert_eq!(app.log(&admin).await[0]["data"]["nickname"], "k**");
}
