//! The plain WebSocket of CONTRACT §3 and §3b: who hears what, what a message may ask for, and how sessions end.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use shopbell::config::Audience;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::support::{As, Person, TestApp, Ws, eventually, prune_log, within};

struct Shop {
    app: TestApp,
    admin: Person,
    kim: Person,
    lee: Person,
    water: i64,
    tea: i64,
}

async fn shop() -> Shop {
    stocked(TestApp::spawn().await).await
}

async fn stocked(app: TestApp) -> Shop {
    let (admin, kim, lee) = (app.admin().await, app.member("kim").await, app.member("lee").await);
    let (water, tea) =
        (app.goods(&admin, "Water", 6.2, None).await, app.goods(&admin, "Tea", 3.0, None).await);
    Shop { app, admin, kim, lee, water, tea }
}

impl Shop {
    async fn in_cart(&self, goods_id: i64, quantity: i64) {
        let path = format!("/api/goods/{goods_id}/cart");
        self.app.put(&path).by(&self.kim).json(&json!({"quantity": quantity})).send().await.expect(200);
    }

    async fn cart_lines(&self) -> usize {
        let answer = self.app.get("/api/goods/cart").by(&self.kim).send().await.expect(200);
        answer.json["cart"].as_array().unwrap().len()
    }

    /// Pieces of the goods in kim's newest order.
    async fn newest_order(&self) -> Value {
        self.app.get("/api/orders?limit=1").by(&self.kim).send().await.expect(200).json["orders"][0]["items"]
            .clone()
    }
}

// --- the handshake ---

#[tokio::test]
async fn a_session_is_greeted_with_its_name_and_the_newest_offset() {
    let shop = shop().await;
    let guest = Ws::open(&shop.app, As::Guest).await;
    assert_eq!((&guest.hello["user"], &guest.hello["latest"]), (&Value::Null, &json!(0)));
    shop.app.order(&shop.lee, shop.water, 1).await;
    let mut names = vec![guest.hello["session"].as_str().unwrap().to_owned()];
    for who in [As::Cookie(&shop.kim), As::Subprotocol(&shop.kim), As::Header(&shop.kim)] {
        let ws = Ws::open(&shop.app, who).await;
        assert_eq!(ws.hello["user"], json!({"nickname": "kim"}));
        names.push(ws.hello["session"].as_str().unwrap().to_owned());
        eventually("the greeting names the newest offset", async || {
            Ws::open(&shop.app, who).await.hello["latest"] == 1
        })
        .await;
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4, "each session has a name of its own");
}

#[tokio::test]
async fn a_subprotocol_that_carries_a_token_is_not_echoed() {
    let shop = shop().await;
    let ws = Ws::open(&shop.app, As::Subprotocol(&shop.kim)).await;
    assert_eq!(ws.headers.get("sec-websocket-protocol").unwrap(), "shopbell");
}

#[tokio::test]
async fn bad_credentials_open_no_members_session() {
    let shop = shop().await;
    let refused = Ws::handshake(&shop.app, "/ws", As::Guest, &[("authorization", "Bearer null")]).await;
    assert_eq!(
        refused.err().map(|(status, body)| (status, body["code"].clone())),
        Some((401, json!("login_required")))
    );
    // A browser's script sees no status of a handshake, only the close code.
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: shopbell, bearer.x.y.z\r\n\r\n",
        shop.app.addr()
    );
    let (head, rest) = raw_handshake(&shop.app, &request).await;
    assert!(head.starts_with("HTTP/1.1 101") || head.starts_with("HTTP/1.1 401"), "{head}");
    if head.starts_with("HTTP/1.1 101") {
        assert_eq!(close_code(&rest), Some(4001), "{rest:?}");
    }
    // A cookie that no longer holds is a browser's leftover: a guest.
    let stale = Person { cookie: format!("{}x", shop.kim.cookie), ..shop.kim.clone() };
    assert_eq!(Ws::open(&shop.app, As::Cookie(&stale)).await.hello["user"], Value::Null);
}

#[tokio::test]
async fn another_sites_page_opens_no_socket() {
    let friend = "https://friend.example";
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec![friend.to_owned()])).await;
    let kim = app.member("kim").await;
    for bad in ["https://evil.example", "null", "https://friend.example.evil"] {
        let refused = Ws::handshake(&app, "/ws", As::Cookie(&kim), &[("origin", bad)]).await;
        let (status, body) = refused.err().expect("refused");
        assert_eq!((status, &body["code"]), (403, &json!("origin_forbidden")), "{bad}: {body}");
    }
    for good in [friend, &app.url] {
        let ws = Ws::handshake(&app, "/ws", As::Cookie(&kim), &[("origin", good)]).await.expect("allowed");
        assert_eq!(ws.hello["user"]["nickname"], "kim");
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_answered() {
    let app = TestApp::spawn().await;
    let answer = app.get("/ws").send().await.expect(426);
    assert_eq!(answer.header("upgrade"), "websocket");
    for (headers, status) in [
        (
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "426",
        ),
        ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13", "400"),
        ("Connection: Upgrade, close\r\nUpgrade: h2c", "4"),
    ] {
        let request = format!("GET /ws HTTP/1.1\r\nHost: {}\r\n{headers}\r\n\r\n", app.addr());
        let (head, _) = raw_handshake(&app, &request).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{headers}: {head}");
    }
    for path in ["/nothing", "/api/orders", "/ws?after=x", "/ws?after=-1"] {
        let refused = Ws::handshake(&app, path, As::Guest, &[]).await;
        let status = refused.err().map(|(status, _)| status);
        assert!(matches!(status, Some(400 | 404)), "{path}: {status:?}");
    }
}

// --- alerts ---

#[tokio::test]
async fn all_members_hear_of_orders_in_their_order_the_buyer_too() {
    let shop = shop().await;
    let mut sessions = Vec::new();
    for who in [&shop.kim, &shop.kim, &shop.lee, &shop.admin, &shop.lee] {
        sessions.push(Ws::open(&shop.app, As::Subprotocol(who)).await);
    }
    let orders =
        (0..20).map(|n| shop.app.order(if n % 2 == 0 { &shop.kim } else { &shop.lee }, shop.water, 1));
    join_all(orders).await;
    let mut heard = Vec::new();
    for ws in &mut sessions {
        let mut events = Vec::new();
        for _ in 0..20 {
            events.push(ws.expect("BUY_GOODS").await);
        }
        heard.push(events);
    }
    let ids: Vec<_> = heard[0].iter().map(|event| event["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (1..=20).collect::<Vec<_>>());
    assert!(heard.iter().all(|events| *events == heard[0]), "all hear the same");
    let log: Vec<_> =
        shop.app.log(&shop.kim).await.into_iter().map(|mut entry| entry["data"].take()).collect();
    assert_eq!(log, heard[0], "and the log says the same");
}

#[tokio::test]
async fn guests_hear_nothing_unless_everyone_is_the_audience() {
    let only_members = stocked(TestApp::spawn_with(|serve| serve.workers = Some(1)).await).await;
    let mut guest = Ws::open(&only_members.app, As::Guest).await;
    let mut member = Ws::open(&only_members.app, As::Header(&only_members.lee)).await;
    only_members.app.order(&only_members.kim, only_members.water, 1).await;
    member.expect("BUY_GOODS").await;
    guest.has_none("BUY_GOODS").await;
    let everyone =
        stocked(TestApp::spawn_with(|serve| serve.audience = Some(Audience::Everyone)).await).await;
    let mut guest = Ws::open(&everyone.app, As::Guest).await;
    everyone.app.order(&everyone.kim, everyone.water, 1).await;
    assert_eq!(guest.expect("BUY_GOODS").await["nickname"], "kim");
    let mut late = Ws::open_at(&everyone.app, "/ws?after=0", As::Guest).await;
    late.expect("BUY_GOODS").await;
}

#[tokio::test]
async fn guests_read_no_past_either() {
    let shop = stocked(TestApp::spawn_with(|serve| serve.workers = Some(1)).await).await;
    shop.app.order(&shop.kim, shop.water, 1).await;
    let mut guest = Ws::open_at(&shop.app, "/ws?after=0", As::Guest).await;
    guest.has_none("BUY_GOODS").await;
}

#[tokio::test]
async fn a_canceled_order_is_withdrawn_from_all() {
    let shop = shop().await;
    let mut ws = Ws::open(&shop.app, As::Header(&shop.lee)).await;
    let order = shop.app.order(&shop.kim, shop.water, 1).await;
    let alert = ws.expect("BUY_GOODS").await;
    shop.app.post(&format!("/api/orders/{}/cancel", order["orderId"])).by(&shop.kim).send().await.expect(200);
    let withdrawal = ws.expect("BUY_CANCELED").await;
    assert_eq!((&withdrawal["canceled"], &withdrawal["goodsId"]), (&alert["id"], &json!(shop.water)));
    assert_eq!(withdrawal["id"], 2);
    assert!(withdrawal["date"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn the_catalogue_tells_what_changes() {
    let shop = shop().await;
    let mut ws = Ws::open(&shop.app, As::Header(&shop.lee)).await;
    let ice = shop.app.goods(&shop.admin, "Ice", 1.0, Some(5)).await;
    let is = |action: &'static str| {
        move |event: &Value| event["action"] == action && event["goods"]["goodsId"] == ice
    };
    let created = ws.expect_where("goods", is("create")).await;
    assert_eq!((&created["goods"]["name"], &created["goods"]["price"]), (&json!("Ice"), &json!(1)));
    let path = format!("/api/goods/{ice}");
    shop.app.patch(&path).by(&shop.admin).json(&json!({"price": 2})).send().await.expect(200);
    assert_eq!(ws.expect_where("goods", is("update")).await["goods"]["price"], 2);
    shop.app.order(&shop.kim, ice, 2).await;
    ws.expect_where("goods", |event| is("update")(event) && event["goods"]["stock"] == 3).await;
    shop.app.delete(&path).by(&shop.admin).send().await.expect(204);
    ws.expect_where("goods", is("delete")).await;
}

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

// --- viewers ---

#[tokio::test]
async fn viewers_are_people_not_sockets() {
    let shop = shop().await;
    let page = json!("/detail.html?goodsId=4");
    let is = |n: i64| move |count: &Value| *count == json!(n);
    let mut kim = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    kim.send("CHANGED_PAGE", page.clone()).await;
    assert_eq!(kim.expect("SAME_PAGE_VIEWER_COUNT").await, 1, "a bare number, oneself included");
    let mut tab = Ws::open(&shop.app, As::Cookie(&shop.kim)).await;
    tab.send("CHANGED_PAGE", page.clone()).await;
    assert_eq!(tab.expect("SAME_PAGE_VIEWER_COUNT").await, 1, "two tabs are one person");
    let mut lee = Ws::open(&shop.app, As::Header(&shop.lee)).await;
    lee.send("CHANGED_PAGE", page.clone()).await;
    for ws in [&mut kim, &mut tab, &mut lee] {
        ws.expect_where("SAME_PAGE_VIEWER_COUNT", is(2)).await;
    }
    let mut guest = Ws::open(&shop.app, As::Guest).await;
    guest.send("CHANGED_PAGE", page.clone()).await;
    for ws in [&mut kim, &mut tab, &mut lee, &mut guest] {
        ws.expect_where("SAME_PAGE_VIEWER_COUNT", is(3)).await;
    }
    // One of two tabs leaves: still there. Then the other: gone.
    drop(tab);
    lee.send("CHANGED_PAGE", json!("/")).await;
    assert_eq!(lee.expect("SAME_PAGE_VIEWER_COUNT").await, 1);
    kim.expect_where("SAME_PAGE_VIEWER_COUNT", is(2)).await;
    drop(kim);
    guest.expect_where("SAME_PAGE_VIEWER_COUNT", is(1)).await;
}

#[tokio::test]
async fn a_guests_two_tabs_are_one_guest() {
    let app = TestApp::spawn().await;
    let mut first = Ws::open(&app, As::Guest).await;
    let cookie = first.headers.get("set-cookie").expect("a guest gets a cookie").to_str().unwrap().to_owned();
    for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    let mut second = Ws::handshake(&app, "/ws", As::Guest, &[("cookie", pair)]).await.expect("a handshake");
    let mut stranger = Ws::open(&app, As::Guest).await;
    first.send("CHANGED_PAGE", json!("/")).await;
    assert_eq!(first.expect("SAME_PAGE_VIEWER_COUNT").await, 1);
    second.send("CHANGED_PAGE", json!("/")).await;
    assert_eq!(second.expect("SAME_PAGE_VIEWER_COUNT").await, 1);
    stranger.send("CHANGED_PAGE", json!("/")).await;
    for ws in [&mut first, &mut second, &mut stranger] {
        ws.expect_where("SAME_PAGE_VIEWER_COUNT", |count| *count == 2).await;
    }
}

#[tokio::test]
async fn a_page_is_its_path_and_its_sorted_query() {
    let shop = shop().await;
    for (n, (one, same)) in [
        ("/detail.html?goodsId=4&a=1", "/detail?a=1&goodsId=4"),
        ("/goods.html?category=drink", "/goods?category=drink"),
        ("/detail?goodsId=5", "/detail.html?goodsId=5"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut kim = Ws::open(&shop.app, As::Header(&shop.kim)).await;
        let mut lee = Ws::open(&shop.app, As::Header(&shop.lee)).await;
        kim.send("CHANGED_PAGE", json!(one)).await;
        assert_eq!(kim.expect("SAME_PAGE_VIEWER_COUNT").await, 1, "{n}");
        lee.send("CHANGED_PAGE", json!(same)).await;
        assert_eq!(lee.expect("SAME_PAGE_VIEWER_COUNT").await, 2, "{one} and {same}");
    }
    let mut kim = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    let mut lee = Ws::open(&shop.app, As::Header(&shop.lee)).await;
    kim.send("CHANGED_PAGE", json!("/detail.html?goodsId=40")).await;
    kim.expect("SAME_PAGE_VIEWER_COUNT").await;
    lee.send("CHANGED_PAGE", json!("/detail.html?goodsId=41")).await;
    assert_eq!(lee.expect("SAME_PAGE_VIEWER_COUNT").await, 1, "other goods are another page");
}

// --- chat ---

#[tokio::test]
async fn people_in_a_room_hear_each_other() {
    let shop = shop().await;
    let mut kim = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    let mut lee = Ws::open(&shop.app, As::Header(&shop.lee)).await;
    let mut outside = Ws::open(&shop.app, As::Header(&shop.admin)).await;
    assert_eq!(kim.ask("enter_room", json!("tea")).await["ok"], true);
    assert_eq!(lee.ask("enter_room", json!({"payload": "tea"})).await["ok"], true);
    assert_eq!(kim.expect("welcome").await, json!(["lee", 2]));
    assert_eq!(lee.ask("new_message", json!(["hello", "tea"])).await["ok"], true);
    assert_eq!(kim.expect("new_message").await, json!(["lee: hello", 2]));
    lee.has_none("new_message").await;
    outside.has_none("new_message").await;
    assert_eq!(outside.ask("new_message", json!(["hello", "tea"])).await["ok"], false, "not in the room");
    assert_eq!(lee.ask("leave_room", json!("tea")).await["ok"], true);
    assert_eq!(kim.expect("bye").await, json!(["lee", 1]));
    lee.ask("enter_room", json!("tea")).await;
    kim.expect("welcome").await;
    drop(lee);
    assert_eq!(kim.expect("bye").await, json!(["lee", 1]));
}

#[tokio::test]
async fn guests_chat_only_where_they_may() {
    let app = TestApp::spawn().await;
    let mut guest = Ws::open(&app, As::Guest).await;
    assert_eq!(guest.ask("enter_room", json!("tea")).await["ok"], false);
    let app = TestApp::spawn_with(|serve| serve.guest_chat = Some(true)).await;
    app.member("kim").await;
    let (mut guest, mut other) = (Ws::open(&app, As::Guest).await, Ws::open(&app, As::Guest).await);
    assert_eq!(guest.ask("nickname", json!("visitor")).await["ok"], true);
    assert_eq!(guest.ask("nickname", json!("<b>")).await["ok"], false);
    assert_eq!(guest.ask("enter_room", json!("tea")).await["ok"], true);
    assert_eq!(other.ask("enter_room", json!("tea")).await["ok"], true);
    assert_eq!(guest.ask("new_message", json!(["hello", "tea"])).await["ok"], true);
    assert_eq!(other.expect("new_message").await, json!(["visitor: hello", 2]));
    assert_eq!(other.ask("nickname", json!("kim")).await["ok"], false, "that is a member's name");
}

// --- the past ---

#[tokio::test]
async fn a_session_that_comes_back_hears_all_it_missed_once() {
    let shop = shop().await;
    let buying = async {
        for _ in 0..60 {
            shop.app.order(&shop.kim, shop.water, 1).await;
        }
    };
    let listening = async {
        let mut heard: Vec<i64> = Vec::new();
        // Five sessions one after another, each taking up where the one before broke off.
        while heard.len() < 60 {
            let after = heard.last().copied().unwrap_or(0);
            let mut ws = Ws::open_at(&shop.app, &format!("/ws?after={after}"), As::Header(&shop.lee)).await;
            for _ in 0..12.min(60 - heard.len()) {
                heard.push(ws.expect("BUY_GOODS").await["id"].as_i64().unwrap());
            }
        }
        heard
    };
    let ((), heard) = tokio::join!(buying, listening);
    assert_eq!(heard, (1..=60).collect::<Vec<_>>());
    let mut late = Ws::open_at(&shop.app, "/ws?after=58", As::Subprotocol(&shop.lee)).await;
    assert_eq!(late.expect("BUY_GOODS").await["id"], 59);
    assert_eq!(late.expect("BUY_GOODS").await["id"], 60);
    shop.app.order(&shop.kim, shop.water, 1).await;
    assert_eq!(late.expect("BUY_GOODS").await["id"], 61);
}

#[tokio::test]
async fn a_past_that_is_gone_is_a_gap() {
    let shop = shop().await;
    for _ in 0..5 {
        shop.app.order(&shop.kim, shop.water, 1).await;
    }
    prune_log(&shop.app, 4).await;
    // Memory would still reach back: another start has the log alone.
    shop.app.stopper.stop();
    let database = format!("sqlite://{}", shop.app.folder.path().join("shop.db").display());
    let app = TestApp::spawn_in(|common, _| common.database_url = Some(database)).await;
    let mut ws = Ws::open_at(&app, "/ws?after=1", As::Header(&shop.lee)).await;
    let gap = ws.expect("gap").await;
    assert_eq!((&gap["after"], &gap["oldest"]), (&json!(1), &json!(4)));
    assert_eq!(ws.expect("BUY_GOODS").await["id"], 4);
    assert_eq!(ws.expect("BUY_GOODS").await["id"], 5);
}

// --- how sessions end ---

#[tokio::test]
async fn messages_that_break_the_protocol_close_the_socket() {
    let app = TestApp::spawn_with(|serve| serve.max_payload = Some(1000)).await;
    let invalid = Frame::message(Bytes::from_static(b"\xff\xfe{}"), OpCode::Data(Data::Text), true);
    for (message, code) in [
        (Message::binary(vec![1, 2, 3]), 1003),
        (Message::text("x".repeat(1001)), 1009),
        (Message::Frame(invalid), 1007),
    ] {
        let mut ws = Ws::open(&app, As::Guest).await;
        ws.send_message(message).await;
        assert_eq!(ws.closed().await.0, code);
    }
    let mut ws = Ws::open(&app, As::Guest).await;
    let page = format!("/{}", "x".repeat(900));
    assert_eq!(ws.ask("CHANGED_PAGE", json!(page)).await["ok"], true, "what fits is read");
}

#[tokio::test]
async fn frames_that_are_none_are_1002_and_lengths_that_lie_are_1009() {
    let app = TestApp::spawn().await;
    for (frame, code) in [
        // Not masked, RFC 6455 §5.1.
        (vec![0x81, 0x02, b'{', b'}'], 1002),
        // Reserved bits, §5.2.
        (vec![0xf1, 0x82, 0, 0, 0, 0, b'{', b'}'], 1002),
        // A reserved opcode.
        (vec![0x83, 0x80, 0, 0, 0, 0], 1002),
        // A continuation of nothing, §5.4.
        (vec![0x80, 0x82, 0, 0, 0, 0, b'{', b'}'], 1002),
        // A ping in fragments, §5.5.
        (vec![0x09, 0x80, 0, 0, 0, 0], 1002),
        // A petabyte.
        (vec![0x81, 0xff, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1009),
    ] {
        let mut socket = raw_socket(&app).await;
        socket.write_all(&frame).await.unwrap();
        let mut rest = Vec::new();
        read_until(&mut socket, &mut rest, |rest| close_code(rest).is_some()).await;
        assert_eq!(close_code(&rest), Some(code), "{frame:x?}: {rest:x?}");
    }
}

#[tokio::test]
async fn a_flood_is_cut_off() {
    let app = TestApp::spawn_with(|serve| serve.message_rate = Some(20)).await;
    let mut ws = Ws::open(&app, As::Guest).await;
    for _ in 0..500 {
        if !ws.try_send_text("{\"type\":\"CHANGED_PAGE\",\"payload\":\"/\"}").await {
            break;
        }
    }
    assert_eq!(ws.closed().await.0, 4029);
}

#[tokio::test]
async fn a_silent_peer_is_noticed_and_a_living_one_stays() {
    let app = TestApp::spawn_with(|serve| {
        serve.ping_interval = Some("300ms".parse().unwrap());
        serve.ping_timeout = Some("300ms".parse().unwrap());
    })
    .await;
    let mut silent = raw_socket(&app).await;
    let begin = Instant::now();
    let mut living = Ws::open(&app, As::Guest).await;
    let silence = async {
        let mut rest = Vec::new();
        read_until(&mut silent, &mut rest, |rest| close_code(rest).is_some()).await;
        assert!(begin.elapsed() >= Duration::from_millis(450), "it was given time: {:?}", begin.elapsed());
    };
    let life = async {
        loop {
            living.pinged().await;
        }
    };
    tokio::select! {
        () = silence => {}
        () = life => {}
    }
    for _ in 0..2 {
        living.pinged().await;
    }
    assert_eq!(living.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
}

#[tokio::test]
async fn logging_out_closes_the_sockets_of_that_log_in() {
    let shop = shop().await;
    let elsewhere = shop.app.log_in("kim").await;
    let mut ending = Vec::new();
    for who in [As::Cookie(&shop.kim), As::Subprotocol(&shop.kim), As::Header(&shop.kim)] {
        ending.push(Ws::open(&shop.app, who).await);
    }
    let mut staying =
        [Ws::open(&shop.app, As::Header(&elsewhere)).await, Ws::open(&shop.app, As::Header(&shop.lee)).await];
    shop.app.delete("/api/auth").by(&shop.kim).send().await.expect(204);
    let begin = Instant::now();
    for ws in &mut ending {
        assert_eq!(ws.closed().await.0, 4001);
    }
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    for ws in &mut staying {
        assert_eq!(ws.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
    }
}

#[tokio::test]
async fn a_new_password_closes_the_sockets_of_other_log_ins() {
    let shop = shop().await;
    let thief = shop.app.log_in("kim").await;
    let mut theirs = Ws::open(&shop.app, As::Header(&thief)).await;
    let mut own = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    let body = json!({"password": "a better horse", "currentPassword": crate::support::PASSWORD});
    shop.app.patch("/api/users/me").by(&shop.kim).json(&body).send().await.expect(200);
    assert_eq!(theirs.closed().await.0, 4001);
    assert_eq!(own.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
}

#[tokio::test]
async fn a_socket_ends_no_later_than_its_token() {
    let app = TestApp::spawn_with(|serve| serve.token_ttl = Some("1s".parse().unwrap())).await;
    let kim = app.member("kim").await;
    let mut ws = Ws::open(&app, As::Header(&kim)).await;
    assert_eq!(ws.closed().await.0, 4001);
}

#[tokio::test]
async fn a_server_that_goes_away_says_when_to_come_back() {
    let app = TestApp::spawn().await;
    let kim = app.member("kim").await;
    let mut sessions = [Ws::open(&app, As::Header(&kim)).await, Ws::open(&app, As::Guest).await];
    app.stopper.stop();
    for ws in &mut sessions {
        let (code, reason) = ws.closed().await;
        assert_eq!(code, 1001);
        assert!(reason.chars().any(|c| c.is_ascii_digit()), "it names a delay: {reason:?}");
    }
}

/// Shakes hands by hand: the head of the answer, and what follows up to a close frame or the end.
async fn raw_handshake(app: &TestApp, request: &str) -> (String, Vec<u8>) {
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    read_until(&mut socket, &mut read, |read| head_end(read).is_some()).await;
    let end = head_end(&read).expect("an answer with headers");
    let mut rest = read.split_off(end);
    if read.starts_with(b"HTTP/1.1 101") {
        read_until(&mut socket, &mut rest, |rest| close_code(rest).is_some()).await;
    }
    (String::from_utf8_lossy(&read).into_owned(), rest)
}

fn head_end(read: &[u8]) -> Option<usize> {
    read.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4)
}

async fn read_until(socket: &mut TcpStream, read: &mut Vec<u8>, enough: impl Fn(&[u8]) -> bool) {
    while !enough(read) && within("bytes", socket.read_buf(read)).await.is_ok_and(|n| n > 0) {}
}

/// An open WebSocket that nobody speaks for, after its greeting.
async fn raw_socket(app: &TestApp) -> TcpStream {
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        app.addr()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    read_until(&mut socket, &mut read, |read| read.ends_with(b"}}")).await;
    assert!(String::from_utf8_lossy(&read).contains("hello"), "{read:?}");
    socket
}

/// The code of the close frame among a server's frames.
fn close_code(mut frames: &[u8]) -> Option<u16> {
    while let [first, length, rest @ ..] = frames {
        let (length, rest) = match (*length, rest) {
            (126, [high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            (short, rest) => (usize::from(short), rest),
        };
        if let (0x88, [high, low, ..]) = (*first, rest) {
            return Some(u16::from_be_bytes([*high, *low]));
        }
        frames = rest.get(length..)?;
    }
    None
}
