//! All orders: found by what a shopkeeper knows of them, with why they did not ring, taken back, and as a file.

use serde_json::{Value, json};

use super::{list, say, shop, source};
use crate::support::{As, Person, TestApp, Ws};

fn ids(orders: &[Value]) -> Vec<i64> {
    orders.iter().map(|order| order["orderId"].as_i64().unwrap()).collect()
}

/// The ids of a filter's orders.
async fn found(app: &TestApp, admin: &Person, query: &str) -> Vec<i64> {
    ids(&list(app, admin, "orders", query).await)
}

fn paid(number: &str, buyer: &str, goods: &str) -> Value {
    json!({"type": "order.paid", "data": {
        "orderId": number, "buyer": buyer,
        "items": [{"name": goods, "quantity": 2, "price": 1500, "currency": "KRW"}],
    }})
}

#[tokio::test]
async fn orders_are_found_by_number_buyer_and_goods_wherever_they_came_from() {
    let (app, admin, kim) = shop().await;
    let lee = app.member("Émile").await;
    let tea = app.goods(&admin, "Green tea", 6.2, None).await;
    let cup = app.goods(&admin, "Cup", 3.0, None).await;
    let theirs = source(&app, &admin, "Their shop").await;
    for (buyer, goods) in [(&kim, tea), (&lee, cup)] {
        app.order(buyer, goods, 1).await;
    }
    assert_eq!(say(&app, &theirs, &paid("A-1001", "Park Min", "Kimchi")).await, 3);
    let both = json!({"items": [{"goodsId": cup, "quantity": 1}, {"goodsId": tea, "quantity": 3}]});
    app.post("/api/orders").by(&kim).json(&both).send().await.expect(201);
    app.post("/api/admin/orders/2/cancel").by(&admin).send().await.expect(200);
    // A name of once, and goods that are gone, are found, too.
    let renamed = json!({"name": "Jasmine tea"});
    app.patch(&format!("/api/goods/{tea}")).by(&admin).json(&renamed).send().await.expect(200);
    app.delete(&format!("/api/goods/{cup}")).by(&admin).send().await.expect(204);
    for (query, expected) in [
        ("", vec![4, 3, 2, 1]),
        ("status=canceled", vec![2]),
        ("status=placed", vec![4, 3, 1]),
        ("source=own", vec![4, 2, 1]),
        ("source=own&status=canceled", vec![2]),
        (&format!("source={}", theirs.0), vec![3]),
        (&format!("source={}&status=canceled", theirs.0), vec![]),
        ("source=src_222222222222222222222222", vec![]),
        ("q=kim", vec![4, 3, 1]),
        ("q=KIM&source=own", vec![4, 1]),
        ("q=%C3%89MI", vec![2]),
        ("q=tea%20green", vec![4, 1]),
        ("q=jasmine", vec![4, 1]),
        ("q=cup", vec![4, 2]),
        ("q=cup&status=canceled", vec![2]),
        ("q=cup&limit=1", vec![4]),
        ("q=2", vec![2]),
        ("q=%232", vec![2]),
        ("q=A-1001", vec![3]),
        ("q=park", vec![3]),
        ("q=nobody", vec![]),
        ("q=%25", vec![]),
        ("q=", vec![4, 3, 2, 1]),
        ("to=2020-01-01T00:00:00Z", vec![]),
        ("from=2020-01-01T00:00:00Z", vec![4, 3, 2, 1]),
        ("q=tea&to=2020-01-01T00:00:00%2B09:00", vec![]),
    ] {
        assert_eq!(found(&app, &admin, query).await, expected, "{query}");
    }
    for (query, field) in [
        ("status=lost", "status"),
        ("source=theirs", "source"),
        ("from=yesterday", "from"),
        ("limit=1001", "limit"),
        ("cursor=x", "cursor"),
        ("format=xls", "format"),
    ] {
        app.get(&format!("/api/admin/orders?{query}")).by(&admin).send().await.invalid(&[field]);
    }
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    while seen.len() < 9 {
        let path = format!("/api/admin/orders?limit=3{cursor}");
        let page = app.get(&path).by(&admin).send().await.expect(200).json;
        seen.extend(ids(page["orders"].as_array().unwrap()));
        let Some(next) = page["nextCursor"].as_i64() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, [4, 3, 2, 1], "page by page");
}

#[tokio::test]
async fn an_order_says_who_bought_it_where_and_why_it_did_not_ring() {
    let (app, admin, kim) = shop().await;
    let tea = app.goods(&admin, "Green tea", 6.2, None).await;
    let quiet =
        json!({"name": "Gift", "thumbnailUrl": "/a.svg", "category": "x", "price": 1, "announce": false});
    let quiet = app.post("/api/goods").by(&admin).json(&quiet).send().await.expect(201);
    let quiet = quiet.json["goods"]["goodsId"].as_i64().unwrap();
    let theirs = source(&app, &admin, "Their shop").await;
    let alert = app.order(&kim, tea, 2).await["orderId"].clone();
    let goods = app.order(&kim, quiet, 1).await["orderId"].clone();
    let hides = json!({"hidePurchases": true});
    app.patch("/api/users/me").by(&kim).json(&hides).send().await.expect(200);
    let hidden = app.order(&kim, tea, 1).await["orderId"].clone();
    let mut body = paid("7", "Park", "Kimchi");
    let told = say(&app, &theirs, &body).await;
    body["data"]["orderId"] = json!("8");
    body["data"]["orderedAt"] = json!("2020-01-01T00:00:00Z");
    let late = say(&app, &theirs, &body).await;
    body["data"]["orderId"] = json!("9");
    body["data"]["test"] = json!(true);
    let test = say(&app, &theirs, &body).await;
    for (order, silence, notification) in [
        (&alert, Value::Null, json!(1)),
        (&goods, json!("goods"), Value::Null),
        (&hidden, json!("hidden"), Value::Null),
        (&told, Value::Null, json!(2)),
        (&late, json!("late"), Value::Null),
        (&test, json!("test"), Value::Null),
    ] {
        let shown = app.get(&format!("/api/admin/orders/{order}")).by(&admin).send().await.expect(200);
        let shown = &shown.json["order"];
        assert_eq!(
            (&shown["silence"], &shown["announced"], &shown["notificationId"]),
            (&silence, &json!(silence.is_null()), &notification),
            "{shown}"
        );
    }
    let own = app.get(&format!("/api/admin/orders/{hidden}")).by(&admin).send().await.expect(200).json;
    let user = app.id_of(&kim).await.0;
    assert_eq!(own["order"]["buyer"], json!({"userId": user, "nickname": "kim"}), "who sends it must know");
    let order = app.get(&format!("/api/admin/orders/{late}")).by(&admin).send().await.expect(200).json;
    let order = &order["order"];
    let source = json!({"sourceId": theirs.0, "name": "Their shop", "kind": "standard"});
    for (member, value) in [
        ("buyer", Value::Null),
        ("buyerName", json!("Park")),
        ("source", source),
        ("number", json!("8")),
        ("orderedAt", json!("2020-01-01T00:00:00.000Z")),
        ("canceledAt", Value::Null),
        ("currency", json!("KRW")),
        ("total", json!(3000)),
        ("history", json!([{"status": "placed", "date": order["createdAt"]}])),
    ] {
        assert_eq!(order[member], value, "{member}: {order}");
    }
    // A source that is removed, and an account that is erased, leave the orders.
    app.delete(&format!("/api/admin/sources/{}", theirs.0)).by(&admin).send().await.expect(204);
    let password = json!({"password": crate::support::PASSWORD});
    app.delete("/api/users/me").by(&kim).json(&password).send().await.expect(204);
    let orders = list(&app, &admin, "orders", "").await;
    assert_eq!(orders.len(), 6);
    assert_eq!((&orders[0]["source"]["name"], &orders[5]["buyer"]), (&json!("Their shop"), &Value::Null));
    assert!(list(&app, &admin, "orders", "q=kim").await.iter().all(|order| order["buyer"].is_null()));
    app.get("/api/admin/orders/99").by(&admin).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn an_administrator_takes_any_order_back() {
    let (app, admin, kim) = shop().await;
    let tea = app.goods(&admin, "Green tea", 6.2, Some(9)).await;
    let theirs = source(&app, &admin, "Their shop").await;
    let mut ws = Ws::open(&app, As::Header(&kim)).await;
    app.order(&kim, tea, 2).await;
    say(&app, &theirs, &paid("7", "Park", "Kimchi")).await;
    for order in [1, 2] {
        let path = format!("/api/admin/orders/{order}/cancel");
        app.post(&path).by(&kim).send().await.refused(403, "forbidden");
        let answer = app.post(&path).by(&admin).send().await.expect(200).json;
        let order = &answer["order"];
        assert_eq!(order["status"], "canceled");
        let steps: Vec<_> = order["history"].as_array().unwrap().iter().map(|step| &step["status"]).collect();
        assert_eq!(steps, ["placed", "canceled"]);
        assert_eq!(order["history"][1]["date"], order["canceledAt"]);
        assert!(order["canceledAt"].is_string(), "{order}");
        app.post(&path).by(&admin).send().await.refused(409, "already_canceled");
    }
    assert_eq!(app.stock(tea).await, 9);
    for offset in [1, 2] {
        assert_eq!(ws.expect("BUY_CANCELED").await["canceled"], offset);
    }
    app.post("/api/admin/orders/99/cancel").by(&admin).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn a_file_holds_all_orders_of_a_filter_and_no_formula() {
    let (app, admin, kim) = shop().await;
    let tea = app.goods(&admin, "=HYPERLINK(\"http://x\", 1)", 6.2, None).await;
    let theirs = source(&app, &admin, "+Their, shop").await;
    // More than are read at once.
    for _ in 0..503 {
        app.order(&kim, tea, 2).await;
    }
    say(&app, &theirs, &paid("=7", "@Park", "Kimchi")).await;
    let file = app.get("/api/admin/orders?limit=1").by(&admin).header("Accept", "text/csv").send().await;
    let file = file.expect(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<_> = file.text.split("\r\n").collect();
    assert_eq!(lines.len(), 1 + 504 + 1, "a head, all orders, the end of the last line");
    assert!(lines[0].starts_with("orderId,status,"), "{}", lines[0]);
    assert!(lines[1].starts_with("504,placed,"), "{}", lines[1]);
    assert!(lines[1].ends_with(",\"'+Their, shop\",'=7,'@Park,2 × Kimchi,2,3000,KRW,true,"), "{}", lines[1]);
    let bought = ",,kim,\"2 × =HYPERLINK(\"\"http://x\"\", 1)\",2,12.4,USD,true,";
    assert!(lines[2].ends_with(bought), "{}", lines[2]);
    assert!(lines[504].starts_with("1,placed,"), "{}", lines[504]);
    let file = app.get("/api/admin/orders?format=csv&q=%40Park").by(&admin).send().await.expect(200);
    assert!(file.text.starts_with('\u{feff}'), "spreadsheets are told that it is UTF-8");
    assert_eq!(file.text.lines().count(), 2);
    let json = "application/json, text/csv";
    let list =
        app.get("/api/admin/orders?limit=2").by(&admin).header("Accept", json).send().await.expect(200);
    assert_eq!(list.json["orders"].as_array().unwrap().len(), 2);
    let asked = app.get("/api/admin/orders?format=json&limit=2").by(&admin).header("Accept", "text/csv");
    let list = asked.send().await.expect(200);
    assert_eq!(list.json["orders"].as_array().unwrap().len(), 2, "the address says more than the header");
    app.get("/api/admin/orders?format=csv").by(&kim).send().await.refused(403, "forbidden");
}
