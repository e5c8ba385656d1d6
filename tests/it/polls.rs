//! Orders that are read over REST, from a WooCommerce shop on loopback: found, told once, and never twice.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::support::{Person, TestApp, eventually, until};

/// A shop that answers with all its orders, after it was let to.
pub struct Woo {
    pub url: String,
    orders: Arc<Mutex<Vec<Value>>>,
    asked: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
}

impl Woo {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let woo = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            orders: Arc::default(),
            asked: Arc::default(),
            gate: Arc::new(Semaphore::new(1000)),
        };
        let (orders, asked, gate) = (woo.orders.clone(), woo.asked.clone(), woo.gate.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(answer(socket, orders.clone(), asked.clone(), gate.clone()));
            }
        });
        woo
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    mut socket: TcpStream,
    orders: Arc<Mutex<Vec<Value>>>,
    asked: Arc<Mutex<Vec<String>>>,
    gate: Arc<Semaphore>,
) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let Ok(byte) = socket.read_u8().await else { return };
        head.push(char::from(byte));
    }
    asked.lock().unwrap().push(head);
    let Ok(_passed) = gate.acquire().await else { return };
    let body = Value::from(orders.lock().unwrap().clone()).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = socket.write_all((head + &body).as_bytes()).await;
}

/// An order of now.
fn order(id: u64, status: &str, goods: &str) -> Value {
    let now = &shopbell::clock::now().to_string()[..19];
    json!({
        "id": id, "status": status, "currency": "EUR", "total": "12.50",
        "date_created_gmt": now, "date_modified_gmt": now, "date_paid_gmt": now,
        "billing": {"first_name": "Kim"},
        "line_items": [{"name": goods, "product_id": id + 1000, "quantity": 1, "price": 12.5, "sku": ""}],
    })
}

async fn polled_source(app: &TestApp, admin: &Person, woo: &Woo) -> (String, String) {
    let body = json!({
        "kind": "woocommerce", "name": "Their shop", "pollUrl": woo.url, "pollKey": "ck_1:cs_2",
    });
    let made = app.post("/api/admin/sources").by(admin).json(&body).send().await.expect(201).json;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["source"]["sourceId"]), text(&made["secret"]))
}

async fn receipts(app: &TestApp, admin: &Person, source: &str) -> Vec<Value> {
    let path = format!("/api/admin/sources/{source}/receipts");
    app.get(&path).by(admin).send().await.expect(200).json["receipts"].as_array().unwrap().clone()
}

/// Tells of an order by a webhook. Returns what became of it.
async fn webhook(app: &TestApp, (source, secret): &(String, String), order: &Value) -> String {
    let body = order.to_string();
    let answer = app
        .post(&format!("/hooks/{source}"))
        .header("X-WC-Webhook-Topic", "order.updated")
        .header("X-WC-Webhook-Signature", &super::hooks::hmac_base64(secret.as_bytes(), body.as_bytes()))
        .body("application/json", body)
        .send()
        .await
        .expect(200);
    answer.json["outcome"].as_str().unwrap().to_owned()
}

async fn told(app: &TestApp, admin: &Person) -> Vec<String> {
    let log = app.log(admin).await;
    log.iter().filter_map(|entry| entry["data"]["goodsName"].as_str().map(str::to_owned)).collect()
}

fn allowing(common: &mut shopbell::config::ServeLayer) {
    common.allow_private_endpoints = Some(true);
}

#[tokio::test]
async fn an_order_that_no_webhook_told_is_found_and_told_once() {
    let (app, woo) = (TestApp::spawn_with(allowing).await, Woo::open().await);
    let admin = app.admin().await;
    *woo.orders.lock().unwrap() = vec![order(1, "processing", "Tea"), order(2, "pending", "Coffee")];
    let source = polled_source(&app, &admin, &woo).await;
    eventually("the order is told", || async { told(&app, &admin).await == ["Tea"] }).await;
    let asked = woo.asked().remove(0);
    assert!(asked.starts_with("GET /wp-json/wc/v3/orders?modified_after="), "{asked}");
    assert!(asked.contains("Basic Y2tfMTpjc18y"), "{asked}");
    // Each order of an answer has a transaction, and so a receipt, of its own.
    eventually("both are kept", || async { receipts(&app, &admin, &source.0).await.len() == 2 }).await;
    let found = receipts(&app, &admin, &source.0).await;
    let of = |number: &str| found.iter().find(|receipt| receipt["number"] == number).unwrap().clone();
    assert_eq!((of("1")["via"].clone(), of("1")["outcome"].clone()), (json!("poll"), json!("told")));
    assert_eq!(of("2")["outcome"], "kept");
    // The webhooks come late, and the other order is paid.
    assert_eq!(webhook(&app, &source, &order(1, "processing", "Tea")).await, "unchanged");
    assert_eq!(webhook(&app, &source, &order(2, "completed", "Coffee")).await, "told");
    assert_eq!(told(&app, &admin).await, ["Tea", "Coffee"]);
    // What was found can be tried again as what was sent.
    let path = format!("/api/admin/sources/{}/receipts/{}/retry", source.0, of("1")["receiptId"]);
    let again = app.post(&path).by(&admin).send().await.expect(200);
    assert_eq!(again.json["outcome"], "unchanged", "{}", again.json);
}

#[tokio::test]
async fn what_a_webhook_told_is_not_told_again() {
    let (app, woo) = (TestApp::spawn_with(allowing).await, Woo::open().await);
    let admin = app.admin().await;
    woo.gate.forget_permits(1000);
    let source = polled_source(&app, &admin, &woo).await;
    eventually("the shop is asked", || async { !woo.asked().is_empty() }).await;
    let paid = order(7, "processing", "Tea");
    assert_eq!(webhook(&app, &source, &paid).await, "told");
    *woo.orders.lock().unwrap() = vec![paid, order(8, "processing", "Milk")];
    woo.gate.add_permits(10);
    eventually("the other order is told", || async { told(&app, &admin).await == ["Tea", "Milk"] }).await;
    assert_eq!(receipts(&app, &admin, &source.0).await.len(), 2, "what changes nothing leaves no receipt");
}

#[tokio::test]
async fn after_a_restart_it_looks_at_once_and_tells_what_is_new() {
    let woo = Woo::open().await;
    let app = TestApp::spawn_with(allowing).await;
    let admin = app.admin().await;
    *woo.orders.lock().unwrap() = vec![order(1, "processing", "Tea")];
    let (source, _) = polled_source(&app, &admin, &woo).await;
    eventually("the order is told", || async { told(&app, &admin).await == ["Tea"] }).await;
    let cursor = || async {
        let sources = app.store.sources().await.unwrap();
        sources.into_iter().find_map(|source| source.record.poll_cursor)
    };
    eventually("the cursor is kept", || async { cursor().await.is_some() }).await;
    woo.orders.lock().unwrap().push(order(2, "processing", "Milk"));
    woo.orders.lock().unwrap()[0]["status"] = json!("refunded");
    let database = app.database.clone();
    app.shut_down();
    let next = TestApp::spawn_in(|common, serve| {
        common.database_url = Some(database.into());
        allowing(serve);
    })
    .await;
    eventually("what is new is told", || async { told(&next, &admin).await == ["Tea", "Milk"] }).await;
    eventually("what no longer holds is taken back", || async {
        next.log(&admin).await.iter().filter(|entry| entry["event"] == "BUY_CANCELED").count() == 1
    })
    .await;
    let outcomes: Vec<_> =
        receipts(&next, &admin, &source).await.iter().map(|receipt| receipt["outcome"].clone()).collect();
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
}

#[tokio::test]
async fn a_removed_source_is_asked_no_more() {
    let (app, woo) = (TestApp::spawn_with(allowing).await, Woo::open().await);
    let admin = app.admin().await;
    woo.gate.forget_permits(1000);
    let (source, _) = polled_source(&app, &admin, &woo).await;
    eventually("the shop is asked", || async { !woo.asked().is_empty() }).await;
    *woo.orders.lock().unwrap() = vec![order(1, "processing", "Tea")];
    app.delete(&format!("/api/admin/sources/{source}")).by(&admin).send().await.expect(204);
    woo.gate.add_permits(10);
    // Another source, looked at afterwards, shows that enough time has passed.
    let other = Woo::open().await;
    *other.orders.lock().unwrap() = vec![order(2, "processing", "Milk")];
    polled_source(&app, &admin, &other).await;
    eventually("the other order is told", || async { !told(&app, &admin).await.is_empty() }).await;
    assert_eq!(told(&app, &admin).await, ["Milk"]);
}

#[tokio::test]
async fn a_shop_on_a_private_address_is_not_asked_unless_that_is_allowed() {
    let (app, woo) = (TestApp::spawn().await, Woo::open().await);
    let admin = app.admin().await;
    polled_source(&app, &admin, &woo).await;
    let polled = || async {
        let sources = app.get("/api/admin/sources").by(&admin).send().await.expect(200).json;
        sources["sources"][0]["polled"]["why"].as_str().map(str::to_owned)
    };
    let why = until("the look fails", polled).await;
    assert!(why.contains("127.0.0.1 is not a public address"), "{why}");
    assert_eq!(woo.asked(), Vec::<String>::new());
}
