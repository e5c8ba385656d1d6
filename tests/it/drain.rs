//! The end of a server that was told to end: no new work, good-byes, and no waiting for those who don't answer.

use std::time::Instant;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    serving::{Serving, folder},
    support::{As, SOON, TestApp, Ws, eventually, within},
};

/// A WebSocket that answers no good-bye.
async fn deaf(addr: &str) -> TcpStream {
    let mut socket = TcpStream::connect(addr).await.unwrap();
    let handshake = format!(
        "GET /ws HTTP/1.1\r\nHost: {addr}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(handshake.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    within("the handshake", socket.read_exact(&mut head)).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    socket
}

#[tokio::test]
async fn a_draining_server_takes_no_new_work() {
    let app = TestApp::spawn_with(|serve| serve.drain_timeout = Some("10s".parse().unwrap())).await;
    let admin = app.admin().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    let _holds_it_up = deaf(app.addr()).await;
    app.shut_down();
    eventually("/readyz says no", async || app.get("/readyz").send().await.status == 503).await;
    let refusal = app.get("/readyz").send().await.refused(503, "restarting");
    assert_eq!(refusal.header("retry-after"), "1");
    let body = json!({"items": [{"goodsId": water, "quantity": 1}]});
    app.post("/api/orders").by(&admin).json(&body).send().await.refused(503, "restarting");
    let stream = app.get("/api/events").by(&admin).send().await.expect(200).text;
    assert!(stream.starts_with(": restarting\nretry: "), "a browser has to come back: {stream}");
    app.get("/socket.io/?EIO=4&transport=polling").send().await.expect(400);
    let (status, body) = Ws::handshake(&app, "/ws", As::Header(&admin), &[]).await.err().expect("a refusal");
    assert_eq!((status, &body["code"]), (503, &json!("restarting")));
    // What is no new work goes on.
    app.get("/healthz").send().await.expect(200);
    app.get(&format!("/api/goods/{water}")).send().await.expect(200);
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--drain-timeout", "1m"]);
    let addr = serving.url.strip_prefix("http://").unwrap().to_owned();
    let mut deaf = deaf(&addr).await;
    serving.signal("-TERM");
    // Its good-bye: the first signal was heard.
    let mut read = Vec::new();
    while !read.windows(2).any(|two| two == [0x03, 0xe9]) {
        assert_ne!(within("a good-bye", deaf.read_buf(&mut read)).await.unwrap(), 0);
    }
    let begin = Instant::now();
    serving.signal("-TERM");
    assert_eq!(serving.ended().await, 130);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn whoever_does_not_leave_holds_up_the_end_for_its_time_and_no_longer() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--drain-timeout", "1s"]);
    let addr = serving.url.strip_prefix("http://").unwrap();
    // A socket that answers no good-bye, and a request without its end.
    let _deaf = deaf(addr).await;
    let mut request = TcpStream::connect(addr).await.unwrap();
    let half = format!(
        "POST /api/auth HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
    );
    request.write_all(half.as_bytes()).await.unwrap();
    let begin = Instant::now();
    serving.signal("-TERM");
    assert_eq!(serving.ended().await, 0);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}
