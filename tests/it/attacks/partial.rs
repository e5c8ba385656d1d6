//! What does not come to its end, and what is not taken: it has its time, and a budget for all of it.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    counted,
    raw::{FIN, NATIVE, PING, Raw, SOCKET_IO, TEXT, begin, frame},
    serves,
};
use crate::{
    socketio::Polling,
    support::{As, Person, TestApp, Ws, eventually, within},
};

async fn soon() -> TestApp {
    TestApp::spawn_with(|serve| serve.message_timeout = Some("400ms".parse().unwrap())).await
}

/// A shop with a budget of one MiB: strangers of an address have a quarter of it, and members another.
async fn poor() -> TestApp {
    TestApp::spawn_with(|serve| {
        serve.memory_budget = Some(1 << 20);
        serve.outbox_limit = Some(1 << 20);
    })
    .await
}

#[tokio::test]
async fn a_message_has_its_time_to_come() {
    let app = soon().await;
    let kim = app.member("kim").await;
    for begun in [
        frame(TEXT, br#"{"type":"#),
        begin(FIN | TEXT, 100),
        vec![FIN | TEXT],
        vec![FIN | TEXT, 0xFE, 1],
        [frame(FIN | TEXT, b"{}"), frame(TEXT, b"{")].concat(),
    ] {
        for (path, who) in [(NATIVE, None), (NATIVE, Some(&kim)), (SOCKET_IO, Some(&kim))] {
            if path == SOCKET_IO && begun.starts_with(&frame(FIN | TEXT, b"{}")) {
                // That is no packet.
                continue;
            }
            let mut raw = Raw::open(&app, path, who).await;
            raw.send(&begun).await;
            assert_eq!(raw.closed().await, Some(4008), "{begun:?} at {path}");
        }
    }
}

#[tokio::test]
async fn heartbeats_between_fragments_give_no_more_time_and_whole_messages_do() {
    let app = soon().await;
    let mut trickling = Raw::open(&app, NATIVE, None).await;
    trickling.send(&frame(TEXT, b"{")).await;
    let mut honest = Raw::open(&app, NATIVE, None).await;
    let trickle = async {
        while trickling.send(&[frame(FIN | PING, b""), frame(0, b" ")].concat()).await {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let pieces = async {
        // For longer than one message may take, each ends in the piece in which the next begins.
        honest.send(&frame(TEXT, br#"{"type":"CHANGED_PAGE","payload":"/","#)).await;
        for id in 0..10 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            let rest = format!(r#""id":{id}}}"#);
            let next = frame(TEXT, br#"{"type":"CHANGED_PAGE","payload":"/","#);
            assert!(honest.send(&[frame(FIN, rest.as_bytes()), next].concat()).await);
        }
        honest.hears(r#""id":9"#).await;
    };
    within("the end of who trickles", async { tokio::join!(trickle, pieces) }).await;
    assert_eq!(trickling.closed().await, Some(4008));
}

#[tokio::test]
async fn attachments_have_their_time_to_come() {
    let app = soon().await;
    let kim = app.member("kim").await;
    let event = r#"452-["BUY",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    let mut raw = Raw::connect(&app, Some(&kim)).await;
    raw.text(event).await;
    raw.send(&frame(FIN | 2, b"one of two")).await;
    assert_eq!(raw.closed().await, Some(4008));
    let (session, _) = Polling::connect(&app, Some(&kim), "").await;
    session.post(event).await.expect(200);
    eventually("the end of a session that polls", async || session.post("bAAAA").await.status == 400).await;
    serves_anyone(&app).await;
}

async fn serves_anyone(app: &TestApp) {
    let admin = app.admin().await;
    let goods = app.goods(&admin, "tea", 2.0, None).await;
    app.member("lee").await;
    serves(app, "lee", goods).await;
}

/// Begins messages of some size until one is refused; says how many were not.
async fn begin_messages(app: &TestApp, path: &str, who: Option<&Person>) -> Vec<Raw> {
    let mut held = Vec::new();
    loop {
        let mut raw = match (path, who) {
            (SOCKET_IO, Some(_)) => Raw::connect(app, who).await,
            _ => Raw::open(app, path, who).await,
        };
        raw.send(&frame(TEXT, &[b' '; 100_000])).await;
        raw.send(&frame(FIN | PING, b"so much came")).await;
        if raw.closed_or_pong("so much came").await {
            return held;
        }
        held.push(raw);
        assert!(held.len() < 10, "nobody is refused");
    }
}

#[tokio::test]
async fn messages_under_way_share_one_budget_and_strangers_leave_members_theirs() {
    let app = poor().await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "tea", 2.0, None).await;
    let kim = app.member("kim").await;
    let strangers = begin_messages(&app, NATIVE, None).await;
    assert!((1..=3).contains(&strangers.len()), "{}", strangers.len());
    assert!(counted(&app, "memory_budget_full").await);
    // Members of the same address have their own, also for other things than messages.
    let order = json!({"items": [{"goodsId": goods, "quantity": 1}]});
    let long = format!("{order}{}", " ".repeat(50_000));
    app.post("/api/orders").by(&kim).body("application/json", long).send().await.expect(201);
    serves(&app, "kim", goods).await;
    let members = begin_messages(&app, SOCKET_IO, Some(&kim)).await;
    assert!((1..=3).contains(&members.len()), "{}", members.len());
    drop((strangers, members));
    eventually("room again", async || !begin_messages(&app, NATIVE, None).await.is_empty()).await;
}

#[tokio::test]
async fn a_body_under_way_for_which_there_is_no_room_is_refused() {
    let app = poor().await;
    app.member("kim").await;
    let _strangers = begin_messages(&app, NATIVE, None).await;
    let mut held = Vec::new();
    // What comes slowly, until there is no more room.
    let refused = loop {
        let mut socket = TcpStream::connect(app.addr()).await.unwrap();
        let head = "POST /api/auth HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n";
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(&[b' '; 40_000]).await.unwrap();
        let mut answer = [0; 12];
        let read =
            tokio::time::timeout(std::time::Duration::from_millis(300), socket.read_exact(&mut answer));
        if read.await.is_ok_and(|read| read.is_ok()) {
            break String::from_utf8_lossy(&answer).into_owned();
        }
        held.push(socket);
        assert!(held.len() < 20, "nobody is refused");
    };
    assert_eq!(refused, "HTTP/1.1 503");
    app.log_in("kim").await;
}

#[tokio::test]
async fn who_takes_nothing_of_its_answers_is_ended_when_there_is_no_room_for_them() {
    let app = poor().await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "tea", 2.0, None).await;
    app.member("kim").await;
    let mut greedy = Vec::new();
    for _ in 0..4 {
        greedy.push(Raw::open(&app, NATIVE, None).await);
    }
    // Each question is answered with more than it has: none of the answers is read.
    let name = "x".repeat(120);
    let question = frame(FIN | TEXT, json!({"type": name, "payload": 1, "id": 1}).to_string().as_bytes());
    let burst = question.repeat(100);
    let flood = async {
        loop {
            for socket in &mut greedy {
                if !matches!(
                    tokio::time::timeout(std::time::Duration::from_millis(50), socket.send(&burst)).await,
                    Ok(true) | Err(_)
                ) {
                    return;
                }
            }
            if counted(&app, "memory_budget_full").await {
                return;
            }
        }
    };
    within("an end", flood).await;
    serves(&app, "kim", goods).await;
}

#[tokio::test]
async fn who_has_not_connected_sends_little_by_websocket_too() {
    let app = TestApp::spawn().await;
    let kim = app.member("kim").await;
    let mut raw = Raw::open(&app, SOCKET_IO, None).await;
    raw.send(&begin(FIN | TEXT, 20_000)).await;
    assert_eq!(raw.closed().await, Some(1009), "refused before it has come");
    let mut raw = Raw::connect(&app, Some(&kim)).await;
    let name = "x".repeat(20_000);
    raw.text(&format!(r#"421["{name}"]"#)).await;
    raw.hears(r#"431[{"ok":false"#).await;
    let mut ws = Ws::open(&app, As::Header(&kim)).await;
    assert_eq!(ws.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
}
