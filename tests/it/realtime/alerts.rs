//! Who gets in, and who hears what.

use futures_util::future::join_all;
use serde_json::{Value, json};
use shopbell::config::Audience;

use super::{
    raw::{close_code, raw_handshake},
    shop, stocked,
};
use crate::support::{As, Person, TestApp, Ws, eventually};

// --- the handshake ---

#[tokio::test]
async fn a_session_is_greeted_with_its_name_and_the_newest_offset() {
    let shop = shop().await;
    let guest = Ws::open(&shop.app, As::Guest).await;
    assert_eq!((&guest.hello["user"], &guest.hello["latest"]), (&Value::Null, &json!(0)));
    assert_eq!(guest.hello["heartbeat"], 25_000, "the ping interval, in milliseconds");
    let time = guest.hello["time"].as_str().unwrap();
    assert!(time.len() == 24 && time.ends_with('Z'), "RFC 3339 with milliseconds: {time}");
    let epoch = guest.hello["epoch"].as_str().unwrap();
    assert_eq!(epoch, Ws::open(&shop.app, As::Guest).await.hello["epoch"]);
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
        assert!(matches!(status, Some(400 | 401 | 404)), "{path}: {status:?}");
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

// --- many at once ---

#[tokio::test]
async fn a_burst_reaches_each_of_many_sessions_once_and_in_order() {
    let app = TestApp::spawn_with(|serve| {
        serve.workers = Some(1);
        serve.audience = Some(Audience::Everyone);
        serve.max_sessions_per_address = Some(1000);
    });
    let shop = stocked(app.await).await;
    let mut sessions = Vec::new();
    for _ in 0..400 {
        sessions.push(Ws::open(&shop.app, As::Guest).await);
    }
    join_all((0..12).map(|_| shop.app.order(&shop.kim, shop.water, 1))).await;
    for ws in &mut sessions {
        for id in 1..=12 {
            assert_eq!(ws.expect("BUY_GOODS").await["id"], id);
        }
        ws.has_none("BUY_GOODS").await;
    }
}

// --- one's own orders ---

#[tokio::test]
async fn each_session_of_an_account_hears_of_its_orders_before_the_alerts_and_nobody_else_does() {
    let shop = shop().await;
    let mut tabs = join_all((0..3).map(|_| Ws::open(&shop.app, As::Cookie(&shop.kim)))).await;
    // One that left in the middle of the account's sessions takes no other with it.
    drop(tabs.remove(1));
    let (mut guest, mut lee) =
        (Ws::open(&shop.app, As::Guest).await, Ws::open(&shop.app, As::Cookie(&shop.lee)).await);
    let order = shop.app.order(&shop.kim, shop.water, 2).await;
    shop.app.order(&shop.lee, shop.water, 1).await;
    for tab in &mut tabs {
        // Reading on drops what came before: an alert that came first would be missed.
        let own = tab.expect("ORDER").await;
        assert_eq!(own, json!({"orderId": order["orderId"], "id": 1, "status": "placed", "own": true}));
        assert_eq!(tab.expect("BUY_GOODS").await["id"], 1);
    }
    // Nothing of kim's reaches lee, whose own order is the first that is told.
    assert_eq!(lee.expect("ORDER").await["id"], 2);
    let path = format!("/api/orders/{}/cancel", order["orderId"]);
    shop.app.post(&path).by(&shop.kim).send().await.expect(200);
    for tab in &mut tabs {
        let own = tab.expect("ORDER").await;
        assert_eq!((&own["status"], &own["id"]), (&json!("canceled"), &json!(3)));
        assert_eq!(tab.expect("BUY_CANCELED").await["canceled"], 1);
    }
    guest.has_none("ORDER").await;
}

#[tokio::test]
async fn an_order_that_alerts_nobody_is_told_to_its_account() {
    let shop = shop().await;
    shop.app
        .patch("/api/users/me")
        .by(&shop.kim)
        .json(&json!({"hidePurchases": true}))
        .send()
        .await
        .expect(200);
    let (mut kim, mut lee) =
        (Ws::open(&shop.app, As::Cookie(&shop.kim)).await, Ws::open(&shop.app, As::Cookie(&shop.lee)).await);
    shop.app.order(&shop.kim, shop.water, 1).await;
    assert_eq!(kim.expect("ORDER").await["id"], Value::Null);
    lee.has_none("ORDER").await;
}
