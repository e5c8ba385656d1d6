//! Server-Sent Events, docs/contract.md §3c: the same alerts for whoever cannot or need not speak back.

use std::time::Duration;

use serde_json::{Value, json};
use shopbell::config::Audience;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{As, Person, TestApp, Ws, eventually, pass, within};

/// A reader of `text/event-stream`.
pub struct Stream {
    response: reqwest::Response,
    text: String,
}

/// One event: its id, name and data.
pub type Event = (String, String, Value);

impl Stream {
    pub async fn open(app: &TestApp, path: &str, who: &Person, headers: &[(&str, &str)]) -> Self {
        let call = headers.iter().fold(app.get(path).by(who), |call, (name, value)| call.header(name, value));
        let response = call.stream().await;
        assert_eq!(response.status(), 200);
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert!(header("content-type").unwrap_or_default().starts_with("text/event-stream"));
        assert!(header("cache-control").unwrap_or_default().contains("no-"), "no cache keeps it");
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
        Self { response, text: String::new() }
    }

    /// The next block of lines, comments and `retry` included; `None` at the end.
    pub async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                return Some(self.text.drain(..end + 2).collect());
            }
            let chunk = within("an event", self.response.chunk()).await.ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let block = self.block().await?;
            let field = |name: &str| {
                let found = block.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
                found.map(|value| value.strip_prefix(' ').unwrap_or(value).to_owned())
            };
            if let Some(data) = field("data") {
                let data = serde_json::from_str(&data).expect("data is one line of JSON");
                return Some((field("id").unwrap_or_default(), field("event").unwrap_or_default(), data));
            }
        }
    }

    /// The next event of this name.
    pub async fn expect(&mut self, name: &str) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if event.1 == name {
                return event;
            }
        }
    }

    /// The next event with an id, but for the greeting.
    async fn alert(&mut self) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if !event.0.is_empty() && event.1 != "hello" {
                return event;
            }
        }
    }
}

async fn shop() -> (TestApp, Person, i64) {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    (app, admin, water)
}

#[tokio::test]
async fn alerts_stream_with_their_offsets() {
    let (app, admin, water) = shop().await;
    let mut stream = Stream::open(&app, "/api/events", &admin, &[]).await;
    assert!(stream.block().await.unwrap().lines().any(|line| line.starts_with("retry:")));
    let order = app.order(&admin, water, 2).await;
    let (id, event, data) = stream.alert().await;
    assert_eq!((id.as_str(), event.as_str()), ("1", "BUY_GOODS"));
    assert_eq!((&data["id"], &data["nickname"], &data["quantity"]), (&json!(1), &json!("admin"), &json!(2)));
    app.post(&format!("/api/orders/{}/cancel", order["orderId"])).by(&admin).send().await.expect(200);
    let (id, event, data) = stream.alert().await;
    assert_eq!((id.as_str(), event.as_str(), &data["canceled"]), ("2", "BUY_CANCELED", &json!(1)));
}

#[tokio::test]
async fn a_stream_goes_on_where_it_broke_off() {
    let (app, admin, water) = shop().await;
    for _ in 0..5 {
        app.order(&admin, water, 1).await;
    }
    for (path, headers, first) in [
        ("/api/events?after=3", vec![], "4"),
        ("/api/events", vec![("Last-Event-ID", "2")], "3"),
        ("/api/events?lastEventId=2", vec![], "3"),
        ("/api/events?after=1&lastEventId=4", vec![], "5"),
        ("/api/events?lastEventId=&after=3", vec![], "4"),
        ("/api/events?lastEventId=1", vec![("Last-Event-ID", "4")], "5"),
        // A browser that reconnects repeats the address it began with; where it stopped is in the header.
        ("/api/events?after=1", vec![("Last-Event-ID", "3")], "4"),
    ] {
        let mut stream = Stream::open(&app, path, &admin, &headers).await;
        let mut ids = Vec::new();
        while ids.last().is_none_or(|id| id != "5") {
            ids.push(stream.alert().await.0);
        }
        assert_eq!(ids[0], first, "{path} {headers:?}");
        assert_eq!(ids.len(), 6 - first.parse::<usize>().unwrap(), "each once: {ids:?}");
    }
}

#[tokio::test]
async fn a_stream_is_for_the_audience() {
    let (app, ..) = shop().await;
    app.get("/api/events").send().await.refused(401, "login_required");
    app.get("/api/events").token("null").send().await.refused(401, "login_required");
    let app = TestApp::spawn_with(|serve| serve.audience = Some(Audience::Everyone)).await;
    assert_eq!(app.get("/api/events").stream().await.status(), 200);
}

#[tokio::test]
async fn a_stream_ends_with_its_log_in() {
    let (app, admin, _) = shop().await;
    let mut stream = Stream::open(&app, "/api/events", &admin, &[]).await;
    app.delete("/api/auth").by(&admin).send().await.expect(204);
    while stream.next().await.is_some() {}
}

#[tokio::test]
async fn the_address_of_the_stream_keeps_the_house_rules() {
    let (app, admin, _) = shop().await;
    app.request("HEAD", "/api/events").by(&admin).send().await.expect(200);
    let answer = app.post("/api/events").send().await.refused(405, "method_not_allowed");
    assert!(answer.header("allow").contains("GET"));
    for bad in ["after=x", "after=-1"] {
        assert_eq!(app.get(&format!("/api/events?{bad}")).by(&admin).send().await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_stream_begins_with_a_place_to_resume_from() {
    let (app, admin, water) = shop().await;
    app.order(&admin, water, 1).await;
    let mut stream = Stream::open(&app, "/api/events?after=1", &admin, &[]).await;
    let (id, event, hello) = stream.next().await.unwrap();
    assert_eq!((id.as_str(), event.as_str()), ("1", "hello"));
    assert_eq!((&hello["user"]["nickname"], &hello["latest"]), (&json!("admin"), &json!(1)));
    assert_eq!(hello["heartbeat"], 25_000);
    assert!(hello["epoch"].is_string() && hello["session"].is_string(), "{hello}");
    assert_eq!(hello["time"].as_str().unwrap().len(), "2026-11-21T00:54:21.123Z".len());
    // Cut before any alert, it has missed one when it comes back.
    drop(stream);
    app.order(&admin, water, 1).await;
    let mut stream = Stream::open(&app, "/api/events", &admin, &[("Last-Event-ID", &id)]).await;
    assert_eq!(stream.next().await.unwrap().0, "1", "what was not told yet is not behind it");
    assert_eq!(stream.alert().await.0, "2");
}

#[tokio::test]
async fn a_quiet_stream_says_that_it_lives_and_a_busy_one_need_not() {
    // Long beside the time for which a busy machine may hold up this test.
    let app = TestApp::spawn_with(|serve| serve.ping_interval = Some("1500ms".parse().unwrap())).await;
    let admin = app.admin().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    let mut stream = Stream::open(&app, "/api/events", &admin, &[]).await;
    assert_eq!(stream.next().await.unwrap().2["heartbeat"], 1500);
    let (id, _, data) = stream.expect("alive").await;
    assert_eq!((id.as_str(), data), ("", json!({})), "it is no place to resume from");
    stream.expect("alive").await;
    let busy = async {
        for _ in 0..10 {
            app.order(&admin, water, 1).await;
            pass(Duration::from_millis(250)).await;
        }
    };
    let heard = async {
        let mut names = Vec::new();
        while names.iter().filter(|name| *name == "BUY_GOODS").count() < 10 {
            names.push(stream.next().await.unwrap().1);
        }
        names
    };
    let ((), names) = tokio::join!(busy, heard);
    let from = names.iter().position(|name| name == "BUY_GOODS").unwrap();
    assert!(!names[from..].contains(&"alive".to_owned()), "{names:?}");
}

/// The answer to a refused stream that a browser outlives: it comes back after the time that is named.
async fn is_postponed(app: &TestApp, path: &str, who: &Person) -> u64 {
    let answer = app.get(path).by(who).send().await.expect(200);
    assert!(answer.header("content-type").starts_with("text/event-stream"));
    let retry = answer.text.lines().find_map(|line| line.strip_prefix("retry: ")).expect("when to come back");
    assert!(answer.text.ends_with("\n\n") && !answer.text.contains("data:"), "{}", answer.text);
    retry.parse().unwrap()
}

#[tokio::test]
async fn refusals_that_pass_are_streams_that_end_and_those_that_stay_are_errors() {
    let app = TestApp::spawn_with(|serve| {
        serve.max_sessions_per_account = Some(1);
        serve.drain_timeout = Some("10s".parse().unwrap());
    })
    .await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let held = Stream::open(&app, "/api/events", &kim, &[]).await;
    assert!(is_postponed(&app, "/api/events", &kim).await >= 1000, "places");
    app.get("/api/events").token("nonsense").send().await.refused(401, "login_required");
    drop(held);
    let _holds_it_up = Ws::open(&app, As::Header(&admin)).await;
    app.shut_down();
    eventually("/readyz says no", async || app.get("/readyz").send().await.status == 503).await;
    assert!(is_postponed(&app, "/api/events?after=0", &kim).await >= 1000, "draining");
}

#[tokio::test]
async fn a_handshake_too_many_is_postponed_too() {
    let app = TestApp::spawn_with(|serve| serve.handshake_rate = Some(1)).await;
    let kim = app.member("kim").await;
    eventually("a rate to be exceeded", async || {
        let response = app.get("/api/events").by(&kim).stream().await;
        assert_eq!(response.status(), 200);
        // One that is admitted does not end.
        let ended = tokio::time::timeout(Duration::from_millis(200), response.text()).await;
        ended.is_ok_and(|text| text.unwrap().contains(": too_many_handshakes\nretry: "))
    })
    .await;
}

#[tokio::test]
async fn a_stream_is_told_when_to_come_back_before_it_ends_with_the_server() {
    let app = TestApp::spawn().await;
    let kim = app.member("kim").await;
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let request = format!(
        "GET /api/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
        app.addr(),
        kim.token
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    while !text.windows(5).any(|part| part == b"hello") {
        assert_ne!(within("the greeting", socket.read_buf(&mut text)).await.unwrap(), 0);
    }
    app.shut_down();
    within("the end", socket.read_to_end(&mut text)).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    let after_hello = text.split_once("event: hello").unwrap().1;
    assert!(after_hello.contains("retry: "), "{text}");
    assert!(text.ends_with("0\r\n\r\n"), "the body is whole: {text}");
}
