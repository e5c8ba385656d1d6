//! Server-Sent Events, docs/contract.md §3c: the same alerts for whoever cannot or need not speak back.

use serde_json::{Value, json};
use shopbell::config::Audience;

use crate::support::{Person, TestApp, within};

/// A reader of `text/event-stream`.
struct Stream {
    response: reqwest::Response,
    text: String,
}

/// One event: its id, name and data.
type Event = (String, String, Value);

impl Stream {
    async fn open(app: &TestApp, path: &str, who: &Person, headers: &[(&str, &str)]) -> Self {
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
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                return Some(self.text.drain(..end + 2).collect());
            }
            let chunk = within("an event", self.response.chunk()).await.ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn next(&mut self) -> Option<Event> {
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

    /// The next event with an id.
    async fn alert(&mut self) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if !event.0.is_empty() {
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
