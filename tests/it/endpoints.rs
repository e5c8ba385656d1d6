//! Outgoing webhooks as a shopkeeper has them: routes, commands, and what arrives at the other end, also when the program is
//! killed again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    serving::{Serving, client, folder, shopbell},
    support::{Person, TestApp, eventually, pass, until},
};

/// A message that arrived: its `webhook-id`, `webhook-signature` and body.
pub type Message = (String, String, Value);

/// Takes every message.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    messages: Arc<Mutex<Vec<Message>>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self { url, messages: Arc::default() };
        let served = receiver.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(socket));
            }
        });
        receiver
    }

    async fn serve(self, mut socket: TcpStream) -> Option<()> {
        let mut bytes = Vec::new();
        while socket.read_buf(&mut bytes).await.ok()? > 0 {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let header = |name: &str| {
                let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
            };
            let length: usize = header("content-length")?.parse().ok()?;
            if body.len() < length {
                continue;
            }
            let message =
                (header("webhook-id")?, header("webhook-signature")?, serde_json::from_str(body).ok()?);
            self.messages.lock().unwrap().push(message);
            bytes.clear();
            socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.ok()?;
        }
        None
    }

    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }

    async fn until(&self, count: usize) -> Vec<Message> {
        until(&format!("{count} messages"), || {
            let messages = self.messages();
            async move { Some(messages).filter(|messages| messages.len() >= count) }
        })
        .await
    }
}

async fn shop() -> (TestApp, Person, Person) {
    let app = TestApp::spawn_with(|serve| serve.allow_private_endpoints = Some(true)).await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    (app, admin, kim)
}

const ENDPOINTS: &str = "/api/admin/endpoints";

/// Makes an endpoint and answers its path.
async fn endpoint(app: &TestApp, admin: &Person, url: &str, events: &str) -> String {
    let body = json!({"url": url, "events": events});
    let made = app.post(ENDPOINTS).by(admin).json(&body).send().await.expect(201);
    let secret = made.json["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
    made.header("location").to_owned()
}

#[tokio::test]
async fn an_administrator_sees_what_became_of_each_delivery() {
    let (app, admin, kim) = shop().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    let receiver = Receiver::start().await;
    let path = endpoint(&app, &admin, &receiver.url, "order.placed,order.canceled").await;
    let order = app.order(&kim, water, 2).await;
    let (id, _, body) = receiver.until(1).await.remove(0);
    assert_eq!((&body["type"], &body["data"]["orderId"]), (&json!("order.placed"), &order["orderId"]));
    assert_eq!(body["data"]["buyer"], "kim");
    assert_eq!((&body["data"]["total"], &body["timestamp"]), (&order["total"], &order["createdAt"]));

    let deliveries = format!("{path}/deliveries");
    let delivered = until("it is recorded", || async {
        let list = app.get(&format!("{deliveries}?status=delivered")).by(&admin).send().await.expect(200);
        list.json["deliveries"].as_array().unwrap().first().cloned()
    })
    .await;
    assert_eq!((&delivered["messageId"], &delivered["tries"]), (&json!(id), &json!(1)));
    let one = format!("{deliveries}/{}", delivered["deliveryId"]);
    let shown = app.get(&one).by(&admin).send().await.expect(200).json;
    assert_eq!(shown["delivery"], delivered);
    assert_eq!(
        (
            &shown["attempts"][0]["status"],
            &shown["attempts"][0]["answer"],
            shown["attempts"].as_array().unwrap().len()
        ),
        (&json!(200), &json!("ok"), 1)
    );

    app.post(&format!("{one}/resend")).by(&admin).send().await.expect(202);
    assert_eq!(receiver.until(2).await[1].0, id, "the same name");
    app.post(&format!("{path}/test")).by(&admin).send().await.expect(202);
    assert_eq!(receiver.until(3).await[2].2["type"], "endpoint.test");
    let replay = format!("{path}/replay");
    app.post(&replay).by(&admin).json(&json!({"since": "soon"})).send().await.invalid(&["since"]);
    let since = json!({"since": order["createdAt"]});
    app.post(&replay).by(&admin).json(&since).send().await.expect(202);
    assert_eq!(receiver.until(4).await[3].0, id);

    // Both secrets sign for a while.
    let rotated = app.post(&format!("{path}/rotate")).by(&admin).send().await.expect(200);
    assert!(rotated.json["secret"].as_str().unwrap().starts_with("whsec_"));
    assert!(rotated.json["endpoint"]["oldSecretUntil"].is_string());
    let switch = |enabled: bool| app.patch(&path).by(&admin).json(&json!({"enabled": enabled})).send();
    let off = switch(false).await.expect(200).json;
    assert_eq!(
        (&off["endpoint"]["enabled"], &off["endpoint"]["disabledBy"]),
        (&json!(false), &json!("hand"))
    );
    app.post(&format!("{path}/test")).by(&admin).send().await.refused(409, "endpoint_disabled");
    // What was done here a moment ago is gone by within a second.
    pass(Duration::from_secs(1)).await;
    let cancel = format!("/api/orders/{}/cancel", order["orderId"]);
    app.post(&cancel).by(&kim).send().await.expect(200);
    switch(true).await.expect(200);
    let (_, signature, body) = receiver.until(5).await.remove(4);
    assert_eq!(body["type"], "order.canceled", "what happened meanwhile is told");
    assert_eq!(signature.split(' ').filter(|one| one.starts_with("v1,")).count(), 2);
    app.delete(&path).by(&admin).send().await.expect(204);
    app.get(&path).by(&admin).send().await.refused(404, "not_found");
    app.get(&deliveries).by(&admin).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn secrets_are_shown_once_and_fields_are_checked() {
    let (app, admin, kim) = shop().await;
    let path = endpoint(&app, &admin, "https://backend.example/hook", "stock.low").await;
    for shown in [ENDPOINTS, &path] {
        let shown = app.get(shown).by(&admin).send().await.expect(200);
        assert!(!shown.text.contains("whsec_"), "{}", shown.text);
    }
    let post = |body: Value| app.post(ENDPOINTS).by(&admin).json(&body).send();
    post(json!({})).await.invalid(&["url", "events"]);
    post(json!({"url": "https://x.example", "events": ["order.placed", 1]})).await.invalid(&["events"]);
    post(json!({"url": "https://x.example", "events": [], "secret": "x"}))
        .await
        .invalid(&["events", "secret"]);
    for bad in ["x", "ftp://x.example", "https://u:p@x.example", "https://x.example/#f", "http://"] {
        post(json!({"url": bad, "events": "order.placed"})).await.invalid(&["url"]);
    }
    let patch = |body: Value| app.patch(&path).by(&admin).json(&body).send();
    patch(json!({"enabled": "perhaps"})).await.invalid(&["enabled"]);
    patch(json!({"url": ""})).await.invalid(&["url"]);
    let changed = patch(json!({"events": ["order.placed", "order.placed"]})).await.expect(200);
    assert_eq!(changed.json["endpoint"]["events"], json!(["order.placed"]));
    let form =
        app.post(ENDPOINTS).by(&admin).form("url=https%3A%2F%2Fx.example&events=order.placed,stock.low");
    form.send().await.expect(201);
    for (method, path) in [
        ("GET", ENDPOINTS),
        ("POST", ENDPOINTS),
        ("GET", &path),
        ("PATCH", &path),
        ("DELETE", &path),
        ("POST", &format!("{path}/rotate")),
        ("POST", &format!("{path}/replay")),
        ("POST", &format!("{path}/test")),
        ("GET", &format!("{path}/deliveries")),
        ("GET", &format!("{path}/deliveries/1")),
        ("POST", &format!("{path}/deliveries/1/resend")),
    ] {
        app.request(method, path).by(&kim).send().await.refused(403, "forbidden");
    }
    for missing in ["/api/admin/endpoints/99", "/api/admin/endpoints/0", "/api/admin/endpoints/x"] {
        app.get(missing).by(&admin).send().await.refused(404, "not_found");
        app.get(&format!("{missing}/deliveries")).by(&admin).send().await.refused(404, "not_found");
    }
    app.get(&format!("{path}/deliveries/99")).by(&admin).send().await.refused(404, "not_found");
    app.get(&format!("{path}/deliveries?status=lost&limit=0"))
        .by(&admin)
        .send()
        .await
        .invalid(&["status", "limit"]);
}

#[tokio::test]
async fn nothing_on_this_machine_is_reached_unless_that_is_allowed() {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let water = app.goods(&admin, "Water", 6.2, None).await;
    let receiver = Receiver::start().await;
    let port = receiver.url.rsplit(':').next().unwrap();
    let mut paths = Vec::new();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"] {
        paths.push(endpoint(&app, &admin, &format!("http://{host}:{port}"), "order.placed").await);
    }
    app.order(&kim, water, 1).await;
    for path in paths {
        let delivery = until("an attempt", || async {
            let list =
                app.get(&format!("{path}/deliveries?status=waiting")).by(&admin).send().await.expect(200);
            list.json["deliveries"].as_array().unwrap().first().cloned()
        })
        .await;
        let shown = app.get(&format!("{path}/deliveries/{}", delivery["deliveryId"])).by(&admin).send().await;
        let error = shown.expect(200).json["attempts"][0]["error"].as_str().unwrap().to_owned();
        assert!(error.contains("is not a public address"), "{error}");
        let endpoint = app.get(&path).by(&admin).send().await.expect(200).json;
        assert!(endpoint["endpoint"]["failingSince"].is_string());
    }
    assert!(receiver.messages().is_empty());
    let metrics = app.get("/metrics").send().await.expect(200).text;
    for name in ["shopbell_deliveries_total", "shopbell_delivery_backlog", "shopbell_delivery_oldest_seconds"]
    {
        assert!(metrics.contains(name), "{name}");
    }
}

/// Runs to the end and answers what was printed.
pub fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_command_line_and_a_running_server_work_on_the_same_endpoints() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--demo", "--allow-private-endpoints"]);
    let receiver = Receiver::start().await;
    let endpoint = |args: &[&str]| run(shopbell(folder.path(), &[&["endpoint"], args].concat()));
    let added = endpoint(&["add", "--url", &receiver.url, "--events", "order.placed"]);
    assert!(added.contains("secret: whsec_"), "{added}");
    let listed = endpoint(&["list"]);
    assert!(listed.contains(&receiver.url) && !listed.contains("whsec_"), "{listed}");
    endpoint(&["test", "--id", "1"]);
    assert_eq!(receiver.until(1).await[0].2["type"], "endpoint.test");
    let line = serving.line();
    let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let token = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    order(&serving.url, &token).await.expect("an order");
    receiver.until(2).await;
    assert!(endpoint(&["rotate", "--id", "1"]).contains("secret: whsec_"));
    endpoint(&["replay", "--id", "1", "--since", "2020-01-01T00:00:00Z"]);
    let messages = receiver.until(3).await;
    assert_eq!(messages[2].0, messages[1].0);
    assert_eq!(messages[2].1.split(' ').count(), 2);
    let deliveries = endpoint(&["deliveries", "--id", "1", "--status", "delivered"]);
    assert!(deliveries.contains(&messages[1].0), "{deliveries}");
    endpoint(&["remove", "--id", "1"]);
    assert_eq!(endpoint(&["list"]), "");
    for bad in [
        &["endpoint", "add", "--url", "ftp://x", "--events", "order.placed"][..],
        &["endpoint", "add", "--url", "https://x.example", "--events", "order.lost"],
        &["endpoint", "replay", "--id", "1", "--since", "yesterday"],
        &["endpoint", "test", "--id", "none"],
    ] {
        assert_eq!(shopbell(folder.path(), bad).output().unwrap().status.code(), Some(2), "{bad:?}");
    }
    let gone = shopbell(folder.path(), &["endpoint", "test", "--id", "1"]).output().unwrap();
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("there is no such endpoint"));
}

/// Orders something; `None` when there was no answer.
pub async fn order(url: &str, token: &str) -> Option<i64> {
    let goods: Value =
        serde_json::from_str(&client().get(format!("{url}/api/goods")).send().await.ok()?.text().await.ok()?)
            .ok()?;
    let unlimited =
        goods["goods"].as_array()?.iter().find(|goods| goods["stock"].is_null())?["goodsId"].clone();
    let body = json!({"items": [{"goodsId": unlimited, "quantity": 1}]}).to_string();
    let call = client()
        .post(format!("{url}/api/orders"))
        .bearer_auth(token)
        .header("Content-Type", "application/json");
    let answer: Value = serde_json::from_str(&call.body(body).send().await.ok()?.text().await.ok()?).ok()?;
    answer["order"]["orderId"].as_i64()
}

#[tokio::test]
async fn each_order_arrives_at_least_once_under_one_name_after_kills_and_restarts() {
    let folder = folder();
    let flags = ["--demo", "--allow-private-endpoints", "--order-rate", "100000"];
    let mut serving = Serving::start(folder.path(), &flags);
    let line = serving.line();
    let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let token = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    let receiver = Receiver::start().await;
    run(shopbell(folder.path(), &["endpoint", "add", "--url", &receiver.url, "--events", "order.placed"]));
    let mut ordered = BTreeSet::new();
    for end in 0..4 {
        for _ in 0..25 {
            ordered.extend(order(&serving.url, &token).await);
        }
        // In the midst of it: what was sent may not be recorded yet, and what was ordered not be sent.
        if end == 0 {
            receiver.until(1).await;
        }
        serving.signal("-KILL");
        assert_eq!(serving.ended().await, -1);
        serving = Serving::start(folder.path(), &flags);
    }
    let arrived = || {
        let mut names = BTreeMap::<i64, BTreeSet<String>>::new();
        for (id, _, body) in receiver.messages() {
            names.entry(body["data"]["orderId"].as_i64().unwrap()).or_default().insert(id);
        }
        names
    };
    eventually("each order arrives", async || {
        let names = arrived();
        ordered.iter().all(|order| names.contains_key(order))
    })
    .await;
    let names = arrived();
    assert_eq!(ordered.len(), 100);
    assert_eq!(names.keys().copied().collect::<BTreeSet<_>>(), ordered);
    assert!(names.values().all(|names| names.len() == 1), "a repeat has the name of the first: {names:?}");
    let numbers: Vec<_> =
        receiver.messages().iter().map(|(_, _, body)| body["data"]["orderId"].as_i64().unwrap()).collect();
    let mut first = Vec::new();
    numbers.iter().for_each(|number| {
        if !first.contains(number) {
            first.push(*number)
        }
    });
    assert!(first.is_sorted(), "first arrivals are in the order of the log");
}
