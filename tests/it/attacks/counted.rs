//! Whatever a client sends counts, also what asks for nothing.

use super::raw::{FIN, NATIVE, PING, PONG, Raw, SOCKET_IO, TEXT, frame};
use crate::{
    socketio::Polling,
    support::{As, TestApp, Ws, eventually},
};

async fn strict() -> TestApp {
    TestApp::spawn_with(|serve| serve.message_rate = Some(20)).await
}

fn text(text: &str) -> Vec<u8> {
    frame(FIN | TEXT, text.as_bytes())
}

#[tokio::test]
async fn frames_that_ask_for_nothing_are_counted() {
    let app = strict().await;
    let kim = app.member("kim").await;
    let empty = frame(0, b"");
    let floods = [
        (NATIVE, frame(FIN | PING, b"")),
        (NATIVE, frame(FIN | PONG, b"")),
        (NATIVE, empty.clone()),
        (NATIVE, frame(0, b" ")),
        (SOCKET_IO, frame(FIN | PING, b"")),
        (SOCKET_IO, frame(FIN | PONG, b"")),
        (SOCKET_IO, empty),
        // Engine.IO: pong, noop, upgrade.
        (SOCKET_IO, text("3")),
        (SOCKET_IO, text("6")),
        (SOCKET_IO, text("5")),
        // Socket.IO: an acknowledgement that nobody waits for, a namespace that there is not, one that is left twice.
        (SOCKET_IO, text("431[]")),
        (SOCKET_IO, text("40/other,")),
        (SOCKET_IO, text("41")),
    ];
    for (path, flood) in floods {
        let mut raw = if path == NATIVE {
            Raw::open(&app, NATIVE, Some(&kim)).await
        } else {
            Raw::connect(&app, Some(&kim)).await
        };
        if flood[0] & 0x0F == 0 {
            raw.send(&frame(TEXT, b"{")).await;
        }
        raw.send(&flood.repeat(300)).await;
        assert_eq!(raw.closed().await, Some(4029), "{flood:?} at {path}");
    }
}

#[tokio::test]
async fn packets_of_polls_are_counted() {
    let app = strict().await;
    let kim = app.member("kim").await;
    for packet in ["3", "6", "431[]", "40/other,"] {
        let (session, _) = Polling::connect(&app, Some(&kim), "").await;
        let body = vec![packet; 300].join("\u{1e}");
        session.post(&body).await.expect(400);
        eventually("the end", async || session.post("3").await.status == 400).await;
    }
}

#[tokio::test]
async fn honest_heartbeats_are_not() {
    let app = TestApp::spawn_with(|serve| {
        serve.message_rate = Some(5);
        serve.ping_interval = Some("20ms".parse().unwrap());
        serve.ping_timeout = Some("2s".parse().unwrap());
    })
    .await;
    let kim = app.member("kim").await;
    let mut raw = Raw::connect(&app, Some(&kim)).await;
    for _ in 0..20 {
        raw.text("3").await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    raw.text(r#"427["CHANGED_PAGE","/"]"#).await;
    raw.hears("437").await;
    let mut ws = Ws::open(&app, As::Header(&kim)).await;
    ws.pinged().await;
}
