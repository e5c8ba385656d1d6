//! What an owner does with an account: another address, log-ins elsewhere, all that is kept, and its end.

use serde_json::{Value, json};

use super::{account, is_a_moment, shop, with};
use crate::support::{As, PASSWORD, Person, TestApp, Ws};

/// The names in the log, by `GET /api/notifications`.
async fn names(app: &TestApp, reader: &Person) -> Vec<Value> {
    let log = app.log(reader).await;
    log.iter()
        .map(|one| json!([one["data"]["nickname"], one["data"].get("anonymous").unwrap_or(&json!(false))]))
        .collect()
}

/// What a socket that comes back is told of the past.
async fn replayed(app: &TestApp, reader: &Person, count: usize) -> Vec<Value> {
    let mut socket = Ws::open_at(app, "/ws?after=0", As::Cookie(reader)).await;
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(socket.expect("BUY_GOODS").await["nickname"].clone());
    }
    names
}

#[tokio::test]
async fn a_new_address_needs_the_password_and_is_logged_in_with_from_then_on() {
    let (app, _, kim) = shop().await;
    app.member("lee").await;
    let me = |body: Value| app.patch("/api/users/me").by(&kim).json(&body).send();
    me(json!({"email": "kim@example.org"})).await.invalid(&["currentPassword"]);
    me(json!({"email": "nowhere", "currentPassword": PASSWORD})).await.invalid(&["email"]);
    let wrong = json!({"email": "kim@example.org", "currentPassword": "wrong horse"});
    me(wrong).await.refused(401, "bad_credentials");
    let taken = json!({"email": "LEE@example.com", "currentPassword": PASSWORD});
    me(taken).await.refused(409, "email_taken");
    let log_in =
        |email: &str| app.post("/api/auth").json(&json!({"email": email, "password": PASSWORD})).send();
    log_in(&kim.email).await.expect(200);

    let answer = me(json!({"email": "Kim@BÜCHER.example", "currentPassword": PASSWORD})).await.expect(200);
    assert_eq!(answer.json["user"]["email"], "Kim@xn--bcher-kva.example");
    assert!(answer.json["token"].is_null() && answer.cookies().is_empty(), "the log-in goes on");
    assert_eq!(app.get("/api/users/me").by(&kim).send().await.expect(200).json["user"], answer.json["user"]);
    log_in("kim@bücher.example").await.expect(200);
    log_in(&kim.email).await.refused(401, "bad_credentials");
    app.post("/api/users").json(&account("kim")).send().await.refused(409, "nickname_taken");
    let both = json!({"email": "kim@example.org", "password": "battery staple", "currentPassword": PASSWORD});
    let answer = me(both).await.expect(200);
    assert_eq!(answer.json["user"]["email"], "kim@example.org");
    assert!(answer.json["token"].is_string());
    app.get("/api/users/me").by(&kim).send().await.refused(401, "login_required");
}

#[tokio::test]
async fn hiding_purchases_takes_the_name_off_past_alerts() {
    let (app, admin, kim) = shop().await;
    let (id, lee) = (app.goods(&admin, "Water", 6.2, None).await, app.member("lee").await);
    for buyer in [&kim, &lee, &kim] {
        app.order(buyer, id, 1).await;
    }
    assert_eq!(replayed(&app, &lee, 3).await, ["kim", "lee", "kim"]);
    app.patch("/api/users/me").by(&kim).form("hidePurchases=true").send().await.expect(200);
    let unnamed = json!(["***", true]);
    let expected = [unnamed.clone(), json!(["lee", false]), unnamed];
    assert_eq!(names(&app, &lee).await, expected);
    assert_eq!(replayed(&app, &lee, 3).await, ["***", "lee", "***"]);
    app.patch("/api/users/me").by(&kim).form("hidePurchases=false").send().await.expect(200);
    app.order(&kim, id, 1).await;
    assert_eq!(replayed(&app, &lee, 4).await, ["***", "lee", "***", "kim"]);
}

#[tokio::test]
async fn the_shop_says_what_a_buyer_without_a_name_is_called() {
    let someone = |masked| {
        TestApp::spawn_with(move |serve| {
            serve.unnamed_buyer = Some("어느 고객".into());
            serve.nickname_display = masked;
        })
    };
    for (masked, named) in [(None, "lee"), (Some(shopbell::config::NicknameStyle::Masked), "l**")] {
        let app = someone(masked).await;
        let (admin, kim, lee) = (app.admin().await, app.member("kim").await, app.member("lee").await);
        let id = app.goods(&admin, "Water", 6.2, None).await;
        for buyer in [&kim, &lee] {
            app.order(buyer, id, 1).await;
        }
        app.patch("/api/users/me").by(&kim).form("hidePurchases=true").send().await.expect(200);
        assert_eq!(names(&app, &lee).await, [json!(["어느 고객", true]), json!([named, false])]);
        assert_eq!(replayed(&app, &lee, 2).await, ["어느 고객", named]);
    }
}

#[tokio::test]
async fn an_owner_logs_out_everywhere_else() {
    let (app, _, kim) = shop().await;
    let (phone, lee) = (app.log_in("kim").await, app.member("lee").await);
    let mut here = Ws::open(&app, As::Cookie(&kim)).await;
    let mut there = Ws::open(&app, As::Header(&phone)).await;
    let mut another = Ws::open(&app, As::Cookie(&lee)).await;
    app.delete("/api/users/me/sessions").by(&kim).send().await.expect(204);
    assert_eq!(there.closed().await.0, 4001);
    app.get("/api/users/me").by(&phone).send().await.refused(401, "login_required");
    app.get("/api/users/me").by(&kim).send().await.expect(200);
    here.has_none("error").await;
    another.has_none("error").await;
    app.delete("/api/users/me/sessions").by(&phone).send().await.refused(401, "login_required");
}

#[tokio::test]
async fn an_owner_reads_all_that_is_kept() {
    let (app, admin, kim) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, Some(500)).await;
    app.log_in("kim").await;
    for n in 0..101 {
        let body = json!({"items": [{"goodsId": id, "quantity": 1}]});
        let call = app.post("/api/orders").by(&kim).header("Idempotency-Key", &format!("key-{n:03}"));
        call.json(&body).send().await.expect(201);
    }
    app.put(&format!("/api/goods/{id}/cart")).by(&kim).form("quantity=3").send().await.expect(200);
    let answer = app.get("/api/users/me/export").by(&kim).send().await.expect(200);
    assert!(answer.header("content-type").starts_with("application/json"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("content-disposition").starts_with("attachment"));
    let kept = &answer.json;
    assert!(is_a_moment(&kept["exportedAt"]));
    assert_eq!(kept["account"], app.get("/api/users/me").by(&kim).send().await.json["user"]);
    let list = |name: &str| kept[name].as_array().unwrap_or_else(|| panic!("no {name}")).clone();
    let log_ins = list("logIns");
    assert_eq!(log_ins.len(), 2);
    assert_eq!(log_ins.iter().filter(|one| one["current"] == true).count(), 1);
    assert!(log_ins.iter().all(|one| is_a_moment(&one["createdAt"]) && one["endedAt"].is_null()));
    let orders = list("orders");
    assert_eq!(orders.len(), 101, "more than a page");
    for (order, n) in orders.iter().zip((1..=101).rev()) {
        assert_eq!((&order["notification"], &order["named"]), (&json!(n), &json!("kim")));
        assert_eq!(order["items"], json!([{"goodsId": id, "name": "Water", "price": 6.2, "quantity": 1}]));
    }
    let keys = list("idempotencyKeys");
    assert_eq!((keys.len(), &keys[100]["key"]), (101, &json!("key-100")));
    let cart = list("cart");
    assert_eq!((cart.len(), &cart[0]["quantity"]), (1, &json!(3)));
    assert_eq!(list("stockChanges"), [Value::Null; 0]);
    for secret in [kim.token.as_str(), "password", "argon2"] {
        assert!(!answer.text.contains(secret), "{secret}");
    }
    let of_admin = app.get("/api/users/me/export").by(&admin).send().await.expect(200).json;
    assert_eq!(of_admin["stockChanges"][0]["goodsId"], id);
    assert_eq!(of_admin["orders"], json!([]));
    app.request("HEAD", "/api/users/me/export").by(&kim).send().await.expect(200);
}

#[tokio::test]
async fn an_erased_account_is_gone_everywhere() {
    let (app, admin, kim) = shop().await;
    let (id, lee) = (app.goods(&admin, "Water", 6.2, Some(10)).await, app.member("lee").await);
    let order = app.order(&kim, id, 2).await;
    app.order(&lee, id, 1).await;
    let phone = app.log_in("kim").await;
    let mut socket = Ws::open(&app, As::Cookie(&kim)).await;
    let erase = |body: Value| app.delete("/api/users/me").by(&kim).json(&body).send();
    erase(json!({})).await.invalid(&["password"]);
    erase(json!({"password": "wrong horse"})).await.refused(401, "bad_credentials");
    app.get("/api/users/me").by(&kim).send().await.expect(200);

    let answer = app.delete("/api/users/me").by(&kim).form("password=correct+horse").send().await.expect(204);
    assert!(answer.cookies()[0].contains("Max-Age=0"), "{:?}", answer.cookies());
    assert_eq!(socket.closed().await.0, 4001);
    for person in [&kim, &phone] {
        app.get("/api/users/me").by(person).send().await.refused(401, "login_required");
    }
    let again = json!({"email": kim.email, "password": PASSWORD});
    app.post("/api/auth").json(&again).send().await.refused(401, "bad_credentials");
    assert_eq!(names(&app, &lee).await, [json!(["***", true]), json!(["lee", false])]);
    assert_eq!(replayed(&app, &lee, 2).await, ["***", "lee"]);
    // The order is a figure: the shop can still take it back, and its stock is right.
    app.post(&format!("/api/orders/{}/cancel", order["orderId"])).by(&admin).send().await.expect(200);
    assert_eq!(app.stock(id).await, 9);
    // Whoever comes next may have the name and the address.
    app.post("/api/users").json(&with(account("kim"), "nickname", json!("KIM"))).send().await.expect(201);
    let next = app.log_in("kim").await;
    assert_eq!(app.get("/api/orders").by(&next).send().await.json["orders"], json!([]));
    assert_eq!(app.get("/api/goods/cart").by(&next).send().await.json["cart"], json!([]));
}

#[tokio::test]
async fn an_account_is_not_guessed_open_by_erasing_it() {
    let (app, _, kim) = shop().await;
    for _ in 0..10 {
        let call = app.delete("/api/users/me").by(&kim).json(&json!({"password": "wrong horse"}));
        call.send().await.refused(401, "bad_credentials");
    }
    let call = app.delete("/api/users/me").by(&kim).json(&json!({"password": PASSWORD}));
    call.send().await.refused(429, "too_many_attempts");
}
