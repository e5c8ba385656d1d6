//! A page sees no pings: it is told that the server lives.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{As, TestApp, Ws, pass};

/// Long beside the time for which a busy machine may hold up a test.
const HEARTBEAT: Duration = Duration::from_millis(1500);

async fn app() -> TestApp {
    TestApp::spawn_with(|serve| serve.ping_interval = Some("1500ms".parse().unwrap())).await
}

#[tokio::test]
async fn a_session_that_is_told_nothing_hears_that_the_server_lives() {
    let app = app().await;
    let kim = app.member("kim").await;
    for who in [As::Guest, As::Header(&kim)] {
        let mut ws = Ws::open(&app, who).await;
        assert_eq!(ws.hello["heartbeat"], 1500);
        for _ in 0..2 {
            let begin = Instant::now();
            ws.expect("alive").await;
            assert!(begin.elapsed() < HEARTBEAT * 3, "{:?}", begin.elapsed());
        }
    }
}

#[tokio::test]
async fn whatever_is_sent_counts_as_a_sign_of_life() {
    let app = app().await;
    let mut ws = Ws::open(&app, As::Guest).await;
    let begin = Instant::now();
    while begin.elapsed() < HEARTBEAT * 2 {
        assert_eq!(ws.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
        pass(HEARTBEAT / 6).await;
    }
    ws.has_none("alive").await;
    ws.expect("alive").await;
}
