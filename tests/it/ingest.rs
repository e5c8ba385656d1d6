//! docs/contract.md §4 over the socket: who may say that something was bought elsewhere, what is told of it, and what those
//! who look after it see.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Answer, As, Call, Person, TestApp, Ws, eventually};

/// A source as its owner knows it.
struct Source {
    id: String,
    secret: String,
}

async fn add(app: &TestApp, admin: &Person, body: Value) -> Source {
    let made = app.post("/api/admin/sources").by(admin).json(&body).send().await.expect(201);
    let id = made.json["source"]["sourceId"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("/api/admin/sources/{id}"));
    let secret = made.json["secret"].as_str().or(body["secret"].as_str()).unwrap().to_owned();
    Source { id, secret }
}

async fn standard(app: &TestApp, admin: &Person) -> Source {
    add(app, admin, json!({"kind": "standard", "name": "Their shop", "buyer": "first-name"})).await
}

fn hmac(key: &[u8], bytes: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(bytes);
    STANDARD.encode(mac.finalize().into_bytes())
}

impl Source {
    fn path(&self) -> String {
        format!("/hooks/{}", self.id)
    }

    /// Signed as Standard Webhooks 1.0 says.
    fn signed(&self, app: &TestApp, body: &Value) -> Call {
        let (body, at) = (body.to_string(), shopbell::clock::now().as_secs().to_string());
        let key = STANDARD.decode(self.secret.strip_prefix("whsec_").unwrap()).unwrap();
        let signature = hmac(&key, format!("msg_1.{at}.{body}").as_bytes());
        app.post(&self.path())
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", &at)
            .header("webhook-signature", &format!("v1,{signature}"))
            .body("application/json", body)
    }

    /// As a script sends it.
    fn bearer(&self, app: &TestApp, body: &Value) -> Call {
        app.post(&self.path()).token(&self.secret).body("text/plain", body.to_string())
    }
}

fn paid(number: &str) -> Value {
    json!({"type": "order.paid", "data": {
        "orderId": number, "buyer": "Kim Lee",
        "items": [
            {"sku": "TEA-1", "name": "Green <tea>", "quantity": 2, "price": 7.5, "currency": "EUR",
             "url": "https://shop.example/tea", "thumbnailUrl": "https://shop.example/tea.png"},
            {"name": "Cup", "price": 3},
        ],
    }})
}

fn canceled(number: &str) -> Value {
    json!({"type": "order.canceled", "data": {"orderId": number}})
}

async fn receipts(app: &TestApp, admin: &Person, source: &Source) -> Vec<Value> {
    let path = format!("/api/admin/sources/{}/receipts", source.id);
    app.get(&path).by(admin).send().await.expect(200).json["receipts"].as_array().unwrap().clone()
}

async fn shop() -> (TestApp, Person, Person, Source) {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let source = standard(&app, &admin).await;
    (app, admin, kim, source)
}

#[tokio::test]
async fn a_signed_order_rings_everywhere_once_and_is_withdrawn_once() {
    let (app, _, kim, source) = shop().await;
    let mut ws = Ws::open(&app, As::Header(&kim)).await;
    let first = source.signed(&app, &paid("1001")).send().await.expect(200);
    assert_eq!((&first.json["outcome"], &first.json["id"]), (&json!("told"), &json!(1)));
    let alert = ws.expect("BUY_GOODS").await;
    for (member, value) in [
        ("nickname", json!("Kim")),
        ("goodsName", json!("Green ‹tea› 외 1개의 상품")),
        ("firstGoodsName", json!("Green ‹tea›")),
        ("otherGoods", json!(1)),
        ("quantity", json!(3)),
        ("goodsUrl", json!("https://shop.example/tea")),
        ("thumbnailUrl", json!("https://shop.example/tea.png")),
        ("anonymous", Value::Null),
    ] {
        assert_eq!(alert[member], value, "{member}: {alert}");
    }
    let again = source.signed(&app, &paid("1001")).send().await.expect(200);
    assert_eq!(
        (&again.json["outcome"], &again.json["orderId"]),
        (&json!("unchanged"), &first.json["orderId"])
    );
    for outcome in ["withdrawn", "unchanged"] {
        let answer = source.signed(&app, &canceled("1001")).send().await.expect(200);
        assert_eq!(answer.json["outcome"], outcome);
    }
    let withdrawal = ws.expect("BUY_CANCELED").await;
    assert_eq!((&withdrawal["canceled"], &withdrawal["goodsId"]), (&alert["id"], &alert["goodsId"]));
    let log = app.log(&kim).await;
    assert_eq!((log.len(), &log[0]["data"]), (2, &alert), "replayed as it was told");
    let goods = app.get(&format!("/api/goods/{}", alert["goodsId"])).send().await.expect(200);
    assert_eq!(
        (&goods.json["goods"]["listed"], &goods.json["goods"]["currency"]),
        (&json!(false), &json!("EUR"))
    );
    assert_eq!(app.get("/api/goods").send().await.expect(200).json["goods"], json!([]));
}

#[tokio::test]
async fn whoever_does_not_sign_is_refused_and_writes_nothing() {
    let (app, admin, kim, source) = shop().await;
    let body = paid("1");
    let other = Source { id: source.id.clone(), secret: format!("whsec_{}", STANDARD.encode([9; 32])) };
    other.signed(&app, &body).send().await.refused(401, "bad_signature");
    other.bearer(&app, &body).send().await.refused(401, "bad_signature");
    app.post(&source.path()).json(&body).send().await.refused(401, "bad_signature");
    // Who is logged in, and where a page is, proves nothing here.
    app.post(&source.path()).by(&admin).json(&body).send().await.refused(401, "bad_signature");
    let cookie = app.post(&source.path()).header("cookie", &admin.cookie).header("origin", &app.url);
    cookie.json(&body).send().await.refused(401, "bad_signature");
    assert_eq!(receipts(&app, &admin, &source).await, [] as [Value; 0]);
    let shown = app.get(&format!("/api/admin/sources/{}", source.id)).by(&admin).send().await.expect(200);
    assert_eq!(shown.json["source"]["badSignatures"]["count"], 5);
    for unknown in ["/hooks/src_aaaaaaaaaaaaaaaaaaaaaaaa", "/hooks/x", "/hooks/%00"] {
        app.post(unknown).json(&body).send().await.refused(404, "not_found");
    }
    app.get(&source.path()).send().await.refused(405, "method_not_allowed");
    assert_eq!(app.log(&kim).await.len(), 0);
}

#[tokio::test]
async fn what_is_signed_and_makes_no_sense_says_why() {
    let (app, admin, _, source) = shop().await;
    for (body, why) in [
        (json!({"type": "order.paid", "data": {"orderId": "1"}}), "items is a list"),
        (json!({"type": "order.paid", "data": {"orderId": "", "items": [{"name": "x"}]}}), "orderId"),
        (json!([]), ""),
        (json!("x"), ""),
    ] {
        let refused = source.bearer(&app, &body).send().await.refused(400, "malformed_body");
        assert!(refused.json["detail"].as_str().unwrap().contains(why), "{}", refused.text);
    }
    let strange = source.bearer(&app, &json!({"type": "moon.rose", "data": {}})).send().await.expect(200);
    assert_eq!((&strange.json["ignored"], strange.json["why"].is_string()), (&json!(true), true));
    let large = "x".repeat((1 << 20) + 1);
    let large = app.post(&source.path()).token(&source.secret).body("application/json", large);
    large.send().await.refused(413, "body_too_large");
    let outcomes: Vec<_> =
        receipts(&app, &admin, &source).await.iter().map(|r| r["outcome"].clone()).collect();
    assert_eq!(outcomes, ["ignored", "malformed", "malformed", "malformed", "malformed"]);
}

#[tokio::test]
async fn a_shop_of_woocommerce_pings_unsigned_and_signs_in_base64() {
    let (app, admin, kim, _) = shop().await;
    let source = add(&app, &admin, json!({"kind": "woocommerce", "name": "Woo", "buyer": "none"})).await;
    let ping = app.post(&source.path()).form("webhook_id=12").send().await.expect(200);
    assert_eq!(ping.json["ignored"], true);
    let order =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hooks/woocommerce/order.json"));
    let mut order: Value = serde_json::from_slice(&order.unwrap()).unwrap();
    let now = shopbell::clock::now().to_string();
    for time in ["date_created_gmt", "date_paid_gmt", "date_modified_gmt"] {
        order[time] = json!(now.trim_end_matches('Z'));
    }
    order["status"] = json!("pending");
    order["date_paid_gmt"] = Value::Null;
    let send = async |order: &Value, topic: &str| {
        let body = order.to_string();
        app.post(&source.path())
            .header("x-wc-webhook-topic", topic)
            .header("x-wc-webhook-signature", &hmac(source.secret.as_bytes(), body.as_bytes()))
            .body("application/json", body)
            .send()
            .await
            .expect(200)
    };
    assert_eq!(send(&order, "order.created").await.json["outcome"], "kept", "not paid yet");
    order["status"] = json!("processing");
    assert_eq!(send(&order, "order.updated").await.json["outcome"], "told");
    order["status"] = json!("completed");
    assert_eq!(send(&order, "order.updated").await.json["outcome"], "unchanged");
    order["status"] = json!("cancelled");
    assert_eq!(send(&order, "order.updated").await.json["outcome"], "withdrawn");
    let log = app.log(&kim).await;
    let names: Vec<_> = log.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["BUY_GOODS", "BUY_CANCELED"]);
    assert_eq!((&log[0]["data"]["nickname"], &log[0]["data"]["anonymous"]), (&json!("***"), &json!(true)));
}

#[tokio::test]
async fn a_secret_is_shown_once_and_replaced_without_a_gap() {
    let (app, admin, kim, source) = shop().await;
    let listed = app.get("/api/admin/sources").by(&admin).send().await.expect(200);
    assert!(
        !listed.text.contains(&source.secret) && listed.json["sources"][0]["secrets"][0]["endsAt"].is_null()
    );
    let path = format!("/api/admin/sources/{}", source.id);
    let rotate = async |body: Value| {
        app.post(&format!("{path}/rotate")).by(&admin).json(&body).send().await.expect(200)
    };
    let rotated = rotate(json!({})).await;
    let next = Source { id: source.id.clone(), secret: rotated.json["secret"].as_str().unwrap().to_owned() };
    source.signed(&app, &paid("1")).send().await.expect(200);
    next.signed(&app, &paid("2")).send().await.expect(200);
    rotate(json!({"dropOld": true})).await;
    source.signed(&app, &paid("3")).send().await.refused(401, "bad_signature");
    next.signed(&app, &paid("4")).send().await.expect(200);
    app.delete(&path).by(&kim).send().await.refused(403, "forbidden");
    app.delete(&path).by(&admin).send().await.expect(204);
    next.signed(&app, &paid("5")).send().await.refused(404, "not_found");
    app.get(&path).by(&admin).send().await.refused(404, "not_found");
    assert_eq!(app.log(&kim).await.len(), 3);
}

#[tokio::test]
async fn settings_of_a_source_are_checked_and_changed() {
    let (app, admin, _, source) = shop().await;
    let made = |body: Value| app.post("/api/admin/sources").by(&admin).json(&body);
    for (body, field) in [
        (json!({"kind": "magento", "name": "x"}), "kind"),
        (json!({"kind": "standard", "name": ""}), "name"),
        (json!({"kind": "standard", "name": "x", "buyer": "full"}), "buyer"),
        (json!({"kind": "standard", "name": "x", "announceWithin": "soon"}), "announceWithin"),
        (json!({"kind": "standard", "name": "x", "rate": 0}), "rate"),
        (json!({"kind": "standard", "name": "x", "nome": 1}), "nome"),
        (json!({"kind": "standard", "name": "x", "secret": "short"}), "secret"),
        (json!({"kind": "shopify", "name": "x"}), "secret"),
        (json!({"kind": "stripe", "name": "x", "secret": "sk_live_1"}), "secret"),
        (
            json!({"kind": "standard", "name": "x", "pollUrl": "https://a.example", "pollKey": "ck:cs"}),
            "pollUrl",
        ),
        (json!({"kind": "woocommerce", "name": "x", "pollUrl": "https://a.example"}), "pollKey"),
    ] {
        made(body).send().await.invalid(&[field]);
    }
    let path = format!("/api/admin/sources/{}", source.id);
    let body =
        json!({"name": "Tea", "buyer": "none", "goodsName": "A thing", "announceWithin": "90s", "rate": 7});
    let changed = app.patch(&path).by(&admin).json(&body).send().await.expect(200).json["source"].clone();
    assert_eq!((&changed["announceWithin"], &changed["rate"]), (&json!("1m 30s"), &json!(7)));
    assert_eq!((&changed["name"], &changed["goodsName"]), (&json!("Tea"), &json!("A thing")));
    app.patch(&path).by(&admin).json(&json!({"kind": "stripe"})).send().await.invalid(&["kind"]);
}

#[tokio::test]
async fn a_source_that_sends_too_much_is_told_when_to_come_back() {
    let (app, admin, _, source) = shop().await;
    let path = format!("/api/admin/sources/{}", source.id);
    app.patch(&path).by(&admin).json(&json!({"rate": 1})).send().await.expect(200);
    let mut refused: Option<Answer> = None;
    for number in 0..20 {
        let answer = source.bearer(&app, &paid(&number.to_string())).send().await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a limit").refused(429, "too_many_receipts");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    // What nobody signed does not use up the rate.
    app.patch(&path).by(&admin).json(&json!({"rate": 1000})).send().await.expect(200);
    source.bearer(&app, &paid("x")).send().await.expect(200);
}

#[tokio::test]
async fn receipts_say_what_became_of_each_and_are_read_again() {
    let (app, admin, kim, source) = shop().await;
    let mut test = paid("1");
    test["data"]["test"] = json!(true);
    source.signed(&app, &test).send().await.expect(200);
    let mut old = paid("2");
    old["data"]["orderedAt"] = json!("2020-01-01T00:00:00Z");
    source.signed(&app, &old).send().await.expect(200);
    let found = receipts(&app, &admin, &source).await;
    assert_eq!((&found[0]["topic"], &found[0]["number"]), (&json!("order.paid"), &json!("2")));
    assert!(found[0]["why"].as_str().unwrap().starts_with("no news any more"), "{found:?}");
    assert_eq!((&found[1]["outcome"], &found[1]["why"]), (&json!("kept"), &json!("a test order")));
    assert!(found[1]["body"].as_str().unwrap().contains("order.paid"));
    let path = format!("/api/admin/sources/{}/receipts", source.id);
    let retry = format!("{path}/{}/retry", found[1]["receiptId"]);
    let again = app.post(&retry).by(&admin).send().await.expect(200);
    assert_eq!(again.json["outcome"], "unchanged");
    app.post(&retry).by(&kim).send().await.refused(403, "forbidden");
    app.post(&format!("{path}/999/retry")).by(&admin).send().await.refused(404, "not_found");
    let page = app.get(&format!("{path}?limit=1")).by(&admin).send().await.expect(200);
    let next = page.json["nextCursor"].clone();
    let rest = app.get(&format!("{path}?limit=1&cursor={next}")).by(&admin).send().await.expect(200);
    assert_eq!((&rest.json["receipts"][0]["number"], &rest.json["nextCursor"]), (&json!("1"), &Value::Null));
    app.get(&format!("{path}?outcome=lost")).by(&admin).send().await.invalid(&["outcome"]);
    assert_eq!(app.log(&kim).await.len(), 0);
    let metrics = app.get("/metrics").send().await.expect(200).text;
    assert!(metrics.contains("shopbell_receipts_total{outcome=\"kept\"}"), "{metrics}");
}

#[tokio::test]
async fn what_another_process_makes_and_removes_holds_soon() {
    let (app, _, kim, _) = shop().await;
    let url = app.database.clone();
    let other = shopbell::store::open(&url, "USD".parse().unwrap()).await.unwrap();
    let sources = shopbell::service::sources::Sources::open(other.clone()).await.unwrap();
    let name = shopbell::domain::SourceName::parse("By hand").unwrap();
    let wanted = shopbell::service::sources::WantedSource {
        kind: shopbell::hooks::SourceKind::Standard,
        settings: shopbell::service::sources::usual(name),
        secret: None,
    };
    let (made, secret) = sources.create(wanted, None, shopbell::clock::now()).await.unwrap();
    let source = Source { id: made.record.id.to_string(), secret: secret.unwrap().expose().to_owned() };
    eventually("the source is known", async || source.bearer(&app, &paid("1")).send().await.status == 200)
        .await;
    sources.remove(&made.record.id, None, shopbell::clock::now()).await.unwrap();
    eventually("the source is gone", async || source.bearer(&app, &paid("2")).send().await.status == 404)
        .await;
    assert_eq!(app.log(&kim).await.len(), 1);
    other.close().await;
}

/// The item of an order with one member changed.
fn odd(member: &str, value: &Value) -> Value {
    let mut item = json!({"sku": "ODD-1", "goodsId": 7, "name": "Odd", "quantity": 1, "price": 1});
    item[member] = value.clone();
    json!([item])
}

#[tokio::test]
async fn whatever_a_source_signs_is_kept_or_refused_and_nothing_breaks() {
    let (app, admin, _, source) = shop().await;
    app.patch(&format!("/api/admin/sources/{}", source.id))
        .by(&admin)
        .json(&json!({"rate": 100_000}))
        .send()
        .await
        .expect(200);
    let long = "x".repeat(5000);
    let values = [
        json!(null),
        json!(""),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
        json!("\u{0}"),
        json!("\u{202e}x"),
        json!("<script>"),
        json!("🫖"),
        json!("é"),
        json!(long),
        json!(9_007_199_254_740_993_u64),
        json!("9".repeat(40)),
        json!("javascript:alert(1)"),
        json!("KWD"),
    ];
    let mut bodies = Vec::new();
    for value in &values {
        for member in ["sku", "goodsId", "name", "quantity", "price", "currency", "url", "thumbnailUrl"] {
            bodies.push(json!({"type": "order.paid", "data": {"items": odd(member, value)}}));
            let mut goods = odd(member, value)[0].clone();
            goods["goodsId"] = json!("8");
            bodies.push(json!({"type": "goods.upserted", "data": goods}));
        }
        for member in ["buyer", "orderedAt", "test", "total", "currency", "items", "orderId"] {
            let mut body = json!({"type": "order.paid", "data": {"items": odd("name", &json!("Odd"))}});
            body["data"][member] = value.clone();
            bodies.push(body);
        }
        bodies.push(json!({"type": value, "data": value}));
        bodies.push(json!({"type": "goods.deleted", "data": {"sku": value, "goodsId": value}}));
        bodies.push(json!({"type": "order.canceled", "data": {"orderId": value}}));
    }
    let many: Vec<Value> = (0..500).map(|n| json!({"name": format!("Goods {n}"), "quantity": 999})).collect();
    bodies.push(json!({"type": "order.paid", "data": {"items": many}}));
    let mut kept = 0;
    for (number, mut body) in bodies.into_iter().enumerate() {
        if body["data"].is_object() && body["data"]["orderId"].is_null() {
            body["data"]["orderId"] = json!(number);
        }
        let answer = source.bearer(&app, &body).send().await;
        assert!([200, 400].contains(&answer.status.as_u16()), "{} for {body}", answer.text);
        kept += usize::from(answer.json["orderId"].is_number());
    }
    assert!(kept > 60, "only {kept} orders");
    let url = app.database.clone();
    assert_eq!(shopbell::store::check(&url).await.unwrap(), [""; 0]);
}
