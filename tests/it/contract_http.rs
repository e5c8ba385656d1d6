//! CONTRACT §2 row by row: what each route answers when all is well, and each of its refusals. What holds for every
//! answer (problem+json, nosniff, Referrer-Policy, bodiless HEAD) is checked by the request helper itself.

use serde_json::{Value, json};

use crate::support::{Answer, As, PASSWORD, Person, TestApp, Ws, email_of};

fn account(nickname: &str) -> Value {
    json!({"nickname": nickname, "email": email_of(nickname), "password": PASSWORD, "confirmPassword": PASSWORD})
}

fn goods(name: &str) -> Value {
    json!({"name": name, "thumbnailUrl": "/images/a.svg", "category": "drink", "price": 6.2})
}

/// The value with one member changed.
fn with(mut body: Value, member: &str, value: Value) -> Value {
    body[member] = value;
    body
}

fn is_a_moment(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == 24 && text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

async fn shop() -> (TestApp, Person, Person) {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    (app, admin, kim)
}

// --- accounts ---

#[tokio::test]
async fn an_account_is_made_by_json_or_by_form() {
    let app = TestApp::spawn().await;
    let answer = app.post("/api/users").json(&account("kim")).send().await.expect(201);
    assert!(answer.json["message"].is_string(), "{}", answer.text);
    let form = "nickname=%EA%B9%80%EC%B2%A0%EC%88%98&email=chul%40example.com&password=correct+horse&confirmPassword=correct+horse";
    app.post("/api/users").form(form).send().await.expect(201);
    let form = "email=chul%40example.com&password=correct+horse";
    let answer = app.post("/api/auth").form(form).send().await.expect(200);
    assert_eq!(answer.json["user"]["nickname"], "김철수");
}

#[tokio::test]
async fn nicknames_follow_their_rules() {
    let app = TestApp::spawn().await;
    for bad in [
        "",
        "k",
        "x".repeat(21).as_str(),
        "kim lee",
        "<b>kim</b>",
        "a'b",
        "a\"b",
        "a&b",
        "a\u{202e}b",
        "a\u{0}b",
    ] {
        let body = with(account("kim"), "nickname", json!(bad));
        app.post("/api/users").json(&body).send().await.invalid(&["nickname"]);
    }
    for (n, good) in
        ["ab", "x".repeat(20).as_str(), "a-b_c.9", "José", "김철수", "ひろし"].into_iter().enumerate()
    {
        let body =
            with(with(account("kim"), "nickname", json!(good)), "email", json!(format!("a{n}@example.com")));
        app.post("/api/users").json(&body).send().await.expect(201);
    }
    // The composed and the decomposed form are one name.
    let body = with(with(account("kim"), "nickname", json!("Jose\u{301}")), "email", json!("j@example.com"));
    app.post("/api/users").json(&body).send().await.refused(409, "nickname_taken");
}

#[tokio::test]
async fn passwords_and_addresses_follow_their_rules() {
    let app = TestApp::spawn().await;
    for bad in ["", "1234567", "x".repeat(129).as_str()] {
        let body = with(with(account("kim"), "password", json!(bad)), "confirmPassword", json!(bad));
        let answer = app.post("/api/users").json(&body).send().await.refused(400, "validation");
        assert_eq!(answer.json["errors"][0]["field"], "password");
    }
    for bad in ["", "kim", "kim@", "@example.com", "a b@example.com", "<x>@example.com"] {
        let body = with(account("kim"), "email", json!(bad));
        app.post("/api/users").json(&body).send().await.invalid(&["email"]);
    }
    let body = with(account("kim"), "confirmPassword", json!("correct horsf"));
    app.post("/api/users").json(&body).send().await.refused(400, "password_mismatch");
    let long = "ä".repeat(128);
    let body = with(with(account("kim"), "password", json!(long)), "confirmPassword", json!(long));
    app.post("/api/users").json(&body).send().await.expect(201);
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let app = TestApp::spawn().await;
    let answer = app.post("/api/users").json(&json!({})).send().await.refused(400, "validation");
    let named: Vec<_> =
        answer.json["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    for field in ["nickname", "email", "password"] {
        assert!(named.contains(&json!(field)), "{field} is not among {named:?}");
    }
    app.post("/api/users").form("").send().await.refused(400, "validation");
}

#[tokio::test]
async fn addresses_and_nicknames_are_taken_without_regard_to_case() {
    let app = TestApp::spawn().await;
    app.post("/api/users").json(&account("Kim")).send().await.expect(201);
    let body = with(account("other"), "email", json!("KIM@Example.COM"));
    app.post("/api/users").json(&body).send().await.refused(409, "email_taken");
    let body = with(account("kIM"), "email", json!("other@example.com"));
    app.post("/api/users").json(&body).send().await.refused(409, "nickname_taken");
}

#[tokio::test]
async fn a_log_in_answers_token_end_and_account() {
    let (app, _, kim) = shop().await;
    let body = json!({"email": "KIM@example.com", "password": PASSWORD});
    let answer = app.post("/api/auth").json(&body).send().await.expect(200);
    assert!(answer.json["token"].as_str().unwrap().split('.').count() == 3, "a JWT");
    assert!(is_a_moment(&answer.json["expiresAt"]), "{}", answer.text);
    assert_eq!(answer.json["user"]["nickname"], kim.nickname.as_str());
    let body = json!({"email": kim.email, "password": "wrong horse"});
    app.post("/api/auth").json(&body).send().await.refused(401, "bad_credentials");
    let body = json!({"email": "nobody@example.com", "password": PASSWORD});
    app.post("/api/auth").json(&body).send().await.refused(401, "bad_credentials");
    app.post("/api/auth").json(&json!({"email": kim.email})).send().await.refused(400, "validation");
    app.post("/api/auth")
        .json(&json!({"email": {"$gt": ""}, "password": [1]}))
        .send()
        .await
        .refused(400, "validation");
}

#[tokio::test]
async fn an_account_is_shown_to_its_owner_alone() {
    let (app, _, kim) = shop().await;
    let user = app.get("/api/users/me").by(&kim).send().await.expect(200).json["user"].clone();
    assert!(user["userId"].is_i64() && is_a_moment(&user["createdAt"]), "{user}");
    assert_eq!(user["email"], kim.email.as_str());
    assert_eq!((&user["role"], &user["hidePurchases"]), (&json!("member"), &json!(false)));
    let members: Vec<_> = user.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members.len(), 6, "nothing more than the contract says: {members:?}");
}

#[tokio::test]
async fn an_account_changes_what_it_is_asked_to() {
    let (app, _, kim) = shop().await;
    let me = || app.patch("/api/users/me").by(&kim);
    let user = me().json(&json!({"nickname": "kimmy"})).send().await.expect(200).json["user"].clone();
    assert_eq!((&user["nickname"], &user["hidePurchases"]), (&json!("kimmy"), &json!(false)));
    let user = me().form("hidePurchases=true").send().await.expect(200).json["user"].clone();
    assert_eq!((&user["nickname"], &user["hidePurchases"]), (&json!("kimmy"), &json!(true)));
    me().json(&json!({"nickname": "<i>"})).send().await.invalid(&["nickname"]);
    me().json(&json!({"hidePurchases": "perhaps"})).send().await.invalid(&["hidePurchases"]);
    me().json(&json!({"nickname": "ADMIN"})).send().await.refused(409, "nickname_taken");
    me().json(&json!({"nickname": "KIMMY"})).send().await.expect(200);
    me().json(&json!({"role": "admin"})).send().await;
    assert_eq!(app.get("/api/users/me").by(&kim).send().await.json["user"]["role"], "member");
}

// --- goods ---

#[tokio::test]
async fn goods_are_what_the_contract_says() {
    let (app, admin, _) = shop().await;
    let answer = app.post("/api/goods").by(&admin).json(&goods("Water & ice")).send().await.expect(201);
    let made = answer.json["goods"].clone();
    let id = made["goodsId"].as_i64().unwrap();
    assert!(
        answer.header("location").ends_with(&format!("/api/goods/{id}")),
        "{}",
        answer.header("location")
    );
    let shown = app.get(&format!("/api/goods/{id}")).send().await.expect(200).json["goods"].clone();
    assert_eq!(shown, made);
    assert!(is_a_moment(&made["createdAt"]) && is_a_moment(&made["updatedAt"]), "{made}");
    for (member, value) in [
        ("name", json!("Water & ice")),
        ("thumbnailUrl", json!("/images/a.svg")),
        ("category", json!("drink")),
        ("price", json!(6.2)),
        ("currency", json!("USD")),
        ("stock", Value::Null),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    assert_eq!(made.as_object().unwrap().len(), 9);
}

#[tokio::test]
async fn goods_are_made_by_form_and_with_a_chosen_id() {
    let (app, admin, _) = shop().await;
    let form = "name=Tea&thumbnailUrl=https%3A%2F%2Fcdn.example%2Fa.png&category=drink&price=19.99&stock=3&goodsId=77";
    let made = app.post("/api/goods").by(&admin).form(form).send().await.expect(201).json["goods"].clone();
    assert_eq!((&made["goodsId"], &made["price"], &made["stock"]), (&json!(77), &json!(19.99), &json!(3)));
    app.post("/api/goods").by(&admin).form(form).send().await.refused(409, "goods_exists");
}

#[tokio::test]
async fn goods_refuse_markup_and_nonsense() {
    let (app, admin, _) = shop().await;
    let cases = [
        ("name", json!("")),
        ("name", json!("   ")),
        ("name", json!("x".repeat(201))),
        ("name", json!("<img src=x onerror=alert(1)>")),
        ("name", json!("a\"b")),
        ("name", json!("a'b")),
        ("name", json!("a\u{7}b")),
        ("name", json!(["a"])),
        ("name", Value::Null),
        ("category", json!("")),
        ("category", json!("x".repeat(41))),
        ("category", json!("<b>")),
        ("thumbnailUrl", json!("javascript:alert(1)")),
        ("thumbnailUrl", json!("//evil.example/a.png")),
        ("thumbnailUrl", json!("images/a.svg")),
        ("thumbnailUrl", json!("data:image/png;base64,AAAA")),
        ("thumbnailUrl", json!("/a\" onerror=\"alert(1)")),
        ("price", json!(6.205)),
        ("price", json!(-1)),
        ("price", json!("six")),
        ("price", json!("")),
        ("price", json!(1e30)),
        ("price", Value::Null),
        ("price", json!(true)),
        ("stock", json!(-1)),
        ("stock", json!(1.5)),
        ("stock", json!("many")),
        ("goodsId", json!(0)),
        ("goodsId", json!(-4)),
        ("goodsId", json!("x")),
        ("goodsId", json!(9_007_199_254_740_992_u64)),
    ];
    for (field, value) in cases {
        let body = with(goods("Water"), field, value);
        app.post("/api/goods").by(&admin).json(&body).send().await.invalid(&[field]);
    }
    assert_eq!(app.get("/api/goods").send().await.json["goods"], json!([]));
}

#[tokio::test]
async fn prices_have_the_decimals_of_the_currency() {
    let app = TestApp::spawn_in(|common, _| common.currency = Some("KRW".parse().unwrap())).await;
    let admin = app.admin().await;
    let body = with(goods("Water"), "price", json!(1500.5));
    app.post("/api/goods").by(&admin).json(&body).send().await.invalid(&["price"]);
    let body = with(goods("Water"), "price", json!(1500));
    let made = app.post("/api/goods").by(&admin).json(&body).send().await.expect(201).json["goods"].clone();
    assert_eq!((&made["price"], &made["currency"]), (&json!(1500), &json!("KRW")));
}

#[tokio::test]
async fn goods_change_and_go() {
    let (app, admin, kim) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, Some(3)).await;
    let path = format!("/api/goods/{id}");
    let change = |body: Value| app.patch(&path).by(&admin).json(&body).send();
    assert_eq!(change(json!({"price": 7})).await.expect(200).json["goods"]["price"], 7);
    assert_eq!(change(json!({"stock": null})).await.expect(200).json["goods"]["stock"], Value::Null);
    let now =
        app.patch(&path).by(&admin).form("name=Ice&stock=9").send().await.expect(200).json["goods"].clone();
    assert_eq!((&now["name"], &now["stock"], &now["price"]), (&json!("Ice"), &json!(9), &json!(7)));
    change(json!({"name": "<b>"})).await.invalid(&["name"]);
    change(json!({"price": 1.001})).await.invalid(&["price"]);
    app.patch("/api/goods/99").by(&admin).json(&json!({"price": 7})).send().await.refused(404, "not_found");
    app.put(&format!("{path}/cart")).by(&kim).json(&json!({"quantity": 1})).send().await.expect(200);
    let gone = app.delete(&path).by(&admin).send().await.expect(204);
    assert!(gone.text.is_empty());
    app.delete(&path).by(&admin).send().await.refused(404, "not_found");
    app.get(&path).send().await.refused(404, "not_found");
    let cart = app.get("/api/goods/cart").by(&kim).send().await.expect(200).json["cart"].clone();
    assert_eq!(cart, json!([]), "goods that are gone leave the carts");
}

#[tokio::test]
async fn goods_are_listed_newest_first_by_category_text_and_page() {
    let (app, admin, _) = shop().await;
    for n in 1..=5 {
        let body =
            with(goods(&format!("Water {n}")), "category", json!(if n % 2 == 0 { "even" } else { "odd" }));
        app.post("/api/goods").by(&admin).json(&body).send().await.expect(201);
    }
    let names = |answer: Answer| -> Vec<String> {
        let list = answer.expect(200).json["goods"].as_array().unwrap().clone();
        list.iter().map(|goods| goods["name"].as_str().unwrap().replace("Water ", "")).collect()
    };
    for (query, expected) in [
        ("", vec!["5", "4", "3", "2", "1"]),
        ("?category=even", vec!["4", "2"]),
        ("?category=", vec!["5", "4", "3", "2", "1"]),
        ("?category=nothing", vec![]),
        ("?category=%27%20or%201%3D1", vec![]),
        ("?q=water+3", vec!["3"]),
        ("?q=%25", vec![]),
        ("?q=_", vec![]),
        ("?q=ter&category=odd&limit=2", vec!["5", "3"]),
        ("?limit=1", vec!["5"]),
    ] {
        assert_eq!(names(app.get(&format!("/api/goods{query}")).send().await), expected, "{query}");
    }
    let mut seen = Vec::new();
    let mut path = "/api/goods?limit=2".to_owned();
    loop {
        let answer = app.get(&path).send().await.expect(200);
        let next = answer.json.get("nextCursor").filter(|next| !next.is_null()).cloned();
        seen.extend(names(answer));
        let Some(next) = next else { break };
        path = format!("/api/goods?limit=2&cursor={}", next.as_str().map_or(next.to_string(), str::to_owned));
    }
    assert_eq!(seen, ["5", "4", "3", "2", "1"]);
    for bad in ["limit=0", "limit=-1", "limit=x", "limit=1.5", "cursor=x%00", "cursor=%27", "limit="] {
        let answer = app.get(&format!("/api/goods?{bad}")).send().await;
        assert!(bad == "limit=" || answer.status == 400, "{bad}: {}", answer.status);
    }
}

#[tokio::test]
async fn an_unchanged_catalogue_is_not_sent_again() {
    let (app, admin, _) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, None).await;
    let tag = app.get("/api/goods").send().await.expect(200).header("etag").to_owned();
    assert!(tag.trim_start_matches("W/").starts_with('"'), "{tag:?} is no entity tag");
    for matching in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
        let answer = app.get("/api/goods").header("If-None-Match", &matching).send().await.expect(304);
        assert!(answer.text.is_empty());
        assert_eq!(answer.header("etag"), tag);
    }
    app.get("/api/goods").header("If-None-Match", "\"other\"").send().await.expect(200);
    app.request("HEAD", "/api/goods").header("If-None-Match", &tag).send().await.expect(304);
    app.patch(&format!("/api/goods/{id}")).by(&admin).json(&json!({"price": 7})).send().await.expect(200);
    let answer = app.get("/api/goods").header("If-None-Match", &tag).send().await.expect(200);
    assert_ne!(answer.header("etag"), tag);
}

#[tokio::test]
async fn what_is_no_goods_id_is_not_found() {
    let app = TestApp::spawn().await;
    for id in ["0", "-1", "abc", "1.5", "9007199254740992", "99999999999999999999999", "%00", "1%27"] {
        app.get(&format!("/api/goods/{id}")).send().await.refused(404, "not_found");
    }
}

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
    assert_eq!(empty, json!({"notifications": [], "latest": 0}));
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
    let masked = Some(shopbell::config::Nicknames::Masked);
    let app = TestApp::spawn_with(|serve| serve.nickname_display = masked).await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let water = app.goods(&admin, "Water", 6.2, None).await;
    app.order(&kim, water, 1).await;
    assert_eq!(app.log(&admin).await[0]["data"]["nickname"], "k**");
}

// --- for every route ---

/// Method, path and body of the rows that need a member, then of those that need an administrator.
const PRIVATE: &[(&str, &str)] = &[
    ("DELETE", "/api/auth"),
    ("GET", "/api/users/me"),
    ("PATCH", "/api/users/me"),
    ("GET", "/api/goods/cart"),
    ("PUT", "/api/goods/1/cart"),
    ("POST", "/api/goods/1/cart"),
    ("DELETE", "/api/goods/1/cart"),
    ("POST", "/api/orders"),
    ("GET", "/api/orders"),
    ("GET", "/api/orders/1"),
    ("POST", "/api/orders/1/cancel"),
    ("GET", "/api/notifications"),
    ("POST", "/api/goods"),
    ("PATCH", "/api/goods/1"),
    ("DELETE", "/api/goods/1"),
];

#[tokio::test]
async fn private_routes_want_a_log_in_whatever_is_sent() {
    let (app, admin, _) = shop().await;
    app.goods(&admin, "Water", 6.2, None).await;
    for (method, path) in PRIVATE {
        app.request(method, path).send().await.refused(401, "login_required");
        app.request(method, path).token("null").send().await.refused(401, "login_required");
        if !matches!(*method, "GET" | "DELETE") {
            // Who may not come in learns nothing of what a good body would be.
            app.request(method, path)
                .json(&json!({"quantity": "x"}))
                .send()
                .await
                .refused(401, "login_required");
        }
    }
}

#[tokio::test]
async fn only_an_administrator_changes_the_catalogue() {
    let (app, admin, kim) = shop().await;
    app.goods(&admin, "Water", 6.2, None).await;
    app.post("/api/goods").by(&kim).json(&goods("Tea")).send().await.refused(403, "forbidden");
    app.patch("/api/goods/1").by(&kim).json(&json!({"price": 1})).send().await.refused(403, "forbidden");
    app.delete("/api/goods/1").by(&kim).send().await.refused(403, "forbidden");
    app.patch("/api/goods/99").by(&kim).json(&json!({"price": 1})).send().await.refused(403, "forbidden");
}

/// Method and path of the rows with a body.
const WITH_BODY: &[(&str, &str)] = &[
    ("POST", "/api/users"),
    ("POST", "/api/auth"),
    ("PATCH", "/api/users/me"),
    ("POST", "/api/goods"),
    ("PATCH", "/api/goods/1"),
    ("PUT", "/api/goods/1/cart"),
    ("POST", "/api/goods/1/cart"),
    ("POST", "/api/orders"),
];

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let (app, admin, _) = shop().await;
    app.goods(&admin, "Water", 6.2, None).await;
    for (method, path) in WITH_BODY {
        let call = || app.request(method, path).by(&admin);
        for bad in ["{", "{\"a\":1,}", "{'a':1}", "", "nul", "{\"a\":\"\\ud800\"}", "{\"a\":1}{\"b\":2}"] {
            let answer = call().body("application/json", bad).send().await.expect(400);
            let code = answer.json["code"].as_str().unwrap();
            assert!(["malformed_body", "validation"].contains(&code), "{method} {path} {bad}: {code}");
        }
        call()
            .body("application/json", vec![b'{', b'"', 0xff, b'"', b'}'])
            .send()
            .await
            .refused(400, "malformed_body");
        for bad in ["[]", "4", "\"text\"", "null"] {
            call().body("application/json", bad).send().await.expect(400);
        }
        for media_type in [
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "*/*",
            "x",
        ] {
            call().body(media_type, "{}").send().await.refused(415, "unsupported_media_type");
        }
        for media_type in ["application/json", "application/x-www-form-urlencoded"] {
            let large = format!("{{\"name\":\"{}\"}}", "x".repeat(65_536));
            call().body(media_type, large).send().await.refused(413, "body_too_large");
        }
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_setting_says() {
    let app = TestApp::spawn_with(|serve| serve.max_body = Some(200)).await;
    let body = account("kim").to_string();
    let fits = format!("{body}{}", " ".repeat(200 - body.len()));
    app.post("/api/users").body("application/json", fits.clone()).send().await.expect(201);
    app.post("/api/users").body("application/json", fits + " ").send().await.refused(413, "body_too_large");
}

#[tokio::test]
async fn json_by_another_name_is_json() {
    let app = TestApp::spawn().await;
    app.post("/api/users")
        .body("Application/JSON; charset=utf-8", account("kim").to_string())
        .send()
        .await
        .expect(201);
}

#[tokio::test]
async fn head_works_wherever_get_does() {
    let (app, admin, kim) = shop().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    app.order(&kim, water, 1).await;
    for path in [
        "/",
        "/index.html",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/goods",
        "/api/goods/1",
        "/api/goods/cart",
        "/api/users/me",
        "/api/orders",
        "/api/orders/1",
        "/api/notifications",
        "/api/goods/99",
        "/api/nothing",
        "/nothing",
    ] {
        let get = app.get(path).by(&kim).send().await;
        let head = app.request("HEAD", path).by(&kim).send().await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn another_method_is_told_which_ones_there_are() {
    let app = TestApp::spawn().await;
    for (path, wrong, allowed) in [
        ("/api/users", "GET", vec!["POST"]),
        ("/api/users", "DELETE", vec!["POST"]),
        ("/api/auth", "PUT", vec!["POST", "DELETE"]),
        ("/api/users/me", "POST", vec!["GET", "HEAD", "PATCH"]),
        ("/api/goods", "DELETE", vec!["GET", "HEAD", "POST"]),
        ("/api/goods/1", "PUT", vec!["GET", "HEAD", "PATCH", "DELETE"]),
        ("/api/goods/cart", "POST", vec!["GET", "HEAD"]),
        ("/api/goods/1/cart", "PATCH", vec!["PUT", "POST", "DELETE"]),
        ("/api/orders", "DELETE", vec!["GET", "HEAD", "POST"]),
        ("/api/orders/1", "PUT", vec!["GET", "HEAD"]),
        ("/api/orders/1/cancel", "GET", vec!["POST"]),
        ("/api/notifications", "POST", vec!["GET", "HEAD"]),
        ("/healthz", "POST", vec!["GET", "HEAD"]),
        ("/readyz", "DELETE", vec!["GET", "HEAD"]),
        ("/metrics", "POST", vec!["GET", "HEAD"]),
    ] {
        let answer = app.request(wrong, path).send().await.refused(405, "method_not_allowed");
        let allow: Vec<_> = answer.header("allow").split(", ").collect();
        for method in allowed {
            assert!(allow.contains(&method), "{wrong} {path}: Allow: {allow:?} lacks {method}");
        }
    }
    for method in ["TRACE", "BREW", "PROPFIND"] {
        assert!(app.request(method, "/api/goods").send().await.status.is_client_error(), "{method}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::spawn().await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/goods/1/nothing",
        "/api/users/2",
        "/nothing.html",
        "/js/nothing.js",
        "/API/goods",
    ] {
        app.get(path).send().await.refused(404, "not_found");
    }
    app.post("/api/nothing").json(&json!({})).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn errors_speak_the_language_of_the_reader() {
    let app = TestApp::spawn().await;
    let is_korean = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
    for (language, korean) in [
        ("ko", true),
        ("ko-KR,ko;q=0.9,en-US;q=0.8", true),
        ("en;q=0.5, ko;q=0.9", true),
        ("KO", true),
        ("en", false),
        ("en-GB,en;q=0.9,ko;q=0.8", false),
        ("ko;q=0, en", false),
    ] {
        let unknown = app.get("/api/nothing").header("Accept-Language", language).send().await.expect(404);
        let private = app.get("/api/orders").header("Accept-Language", language).send().await.expect(401);
        let call = app.post("/api/users").header("Accept-Language", language).json(&json!({}));
        let invalid = call.send().await.expect(400);
        for answer in [unknown, private, invalid] {
            let sentence = answer.json["errorMessage"].as_str().unwrap();
            assert_eq!(is_korean(sentence), korean, "{language}: {sentence}");
        }
    }
    for odd in ["", "*", "xx", ";;;q=,", "ko;q=x"] {
        app.get("/api/nothing").header("Accept-Language", odd).send().await.expect(404);
    }
}

#[tokio::test]
async fn an_allowed_origin_reads_answers_and_errors_alike() {
    let origin = "https://shop.example";
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec![origin.to_owned()])).await;
    for path in ["/api/goods", "/api/nothing", "/api/orders", "/api/goods/99"] {
        let answer = app.get(path).header("Origin", origin).send().await;
        assert_eq!(answer.header("access-control-allow-origin"), origin, "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "true", "{path}");
        let vary: Vec<_> =
            answer.headers.get_all("vary").iter().map(|v| v.to_str().unwrap().to_lowercase()).collect();
        assert!(vary.join(", ").contains("origin"), "{path}: {vary:?}");
        let exposed = answer.header("access-control-expose-headers").to_lowercase();
        for name in ["etag", "location", "retry-after", "idempotent-replayed"] {
            assert!(exposed.contains(name), "{path}: {name} is not exposed in {exposed:?}");
        }
        let answer = app.get(path).header("Origin", "https://evil.example").send().await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    let large = "x".repeat(70_000);
    for call in [
        app.request("PUT", "/api/goods").header("Origin", origin),
        app.post("/api/users").header("Origin", origin).body("application/json", "{"),
        app.post("/api/users").header("Origin", origin).body("application/json", large),
        app.post("/api/users").header("Origin", origin).body("text/plain", "x"),
    ] {
        let answer = call.send().await;
        assert!(answer.status.is_client_error());
        assert_eq!(answer.header("access-control-allow-origin"), origin, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_browser_may_ask_before_it_calls() {
    let origin = "https://shop.example";
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec![origin.to_owned()])).await;
    let ask = |from: &str, path: &str| {
        app.request("OPTIONS", path)
            .header("Origin", from)
            .header("Access-Control-Request-Method", "PATCH")
            .header("Access-Control-Request-Headers", "authorization,content-type,idempotency-key")
            .send()
    };
    for path in ["/api/users/me", "/api/goods/1/cart", "/api/orders"] {
        let answer = ask(origin, path).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert!(answer.header("access-control-allow-methods").contains("PATCH"), "{:?}", answer.headers);
        let headers = answer.header("access-control-allow-headers").to_lowercase();
        for name in ["authorization", "content-type", "idempotency-key"] {
            assert!(headers.contains(name), "{name} is not allowed: {headers:?}");
        }
    }
    assert_eq!(ask("https://evil.example", "/api/orders").await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn all_origins_may_read_but_without_credentials() {
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec!["*".to_owned()])).await;
    let answer = app.get("/api/goods").header("Origin", "https://any.example").send().await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn pages_have_aliases_and_a_strict_policy() {
    let app = TestApp::spawn().await;
    for path in [
        "/",
        "/index.html",
        "/index",
        "/register.html",
        "/register",
        "/goods.html",
        "/detail.html?goodsId=4",
        "/cart",
        "/order",
    ] {
        let answer = app.get(path).send().await.expect(200);
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src") && !policy.contains("unsafe-inline"), "{path}: {policy:?}");
    }
    // The route of the API wins over the page of the same name.
    assert!(app.get("/goods").send().await.expect(200).header("content-type").starts_with("text/html"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<script>inline()</script>").unwrap();
    let assets = folder.path().to_owned();
    let app = TestApp::spawn_with(|serve| serve.assets = Some(assets)).await;
    let answer = app.get("/").send().await.expect(200);
    assert!(answer.text.contains("inline()"));
    assert_eq!(answer.header("content-security-policy"), "", "foreign pages come without a policy");
    app.get("/register.html").send().await.refused(404, "not_found");
    let assets = folder.path().to_owned();
    let app = TestApp::spawn_with(|serve| {
        serve.assets = Some(assets);
        serve.content_security_policy = Some("default-src 'self'".to_owned());
    })
    .await;
    assert_eq!(app.get("/").send().await.header("content-security-policy"), "default-src 'self'");
}

#[tokio::test]
async fn an_operator_sees_that_it_lives_and_what_it_does() {
    let app = TestApp::spawn().await;
    app.get("/healthz").send().await.expect(200);
    app.get("/readyz").send().await.expect(200);
    let _session = Ws::open(&app, As::Guest).await;
    let metrics = app.get("/metrics").send().await.expect(200);
    assert!(metrics.header("content-type").starts_with("text/plain"), "{}", metrics.header("content-type"));
    for line in ["# TYPE shopbell_sessions gauge", "\nshopbell_sessions{transport=\"websocket\"} "] {
        assert!(metrics.text.contains(line), "{line:?} is not in {}", metrics.text);
    }
}
