//! Socket.IO as bare packets, docs/contract.md §3a: what the official clients, in `tests/clients`, do not show.

mod heartbeat;
mod nodes;
mod polling;
pub mod recovery;
mod returns;
mod upgrade;

use std::fs;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use self::polling::POLLING;
pub use self::polling::Polling;
use crate::support::{As, TestApp, Ws, eventually, within};

#[tokio::test]
async fn a_session_gets_its_offset_before_any_alert() {
    let app = TestApp::spawn().await;
    let kim = app.member("kim").await;
    let (mut session, connected) = Polling::connect(&app, Some(&kim), "").await;
    assert!(connected["sid"].is_string() && connected["pid"].is_string(), "{connected}");
    assert_eq!(session.next().await, r#"42["offset","0"]"#);
}

#[tokio::test]
async fn what_was_missed_comes_again_and_only_that() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    for _ in 0..4 {
        app.order(&admin, goods, 1).await;
    }
    let (_, connected) = Polling::connect(&app, Some(&admin), "").await;
    let pid = connected["pid"].as_str().unwrap();
    let auth = json!({"pid": pid, "offset": "2"}).to_string();
    let (mut session, connected) = Polling::connect(&app, Some(&admin), &auth).await;
    assert_eq!(connected["pid"], pid, "the same pid says: recovered");
    let mut seen = Vec::new();
    while seen.last() != Some(&4) {
        let packet = session.expect("42[\"BUY_GOODS\"").await;
        let event: Value = serde_json::from_str(&packet[2..]).unwrap();
        seen.push(event[1]["id"].as_i64().unwrap());
    }
    assert_eq!(seen, [3, 4]);
    for offset in ["99", "x", "-1", ""] {
        let auth = json!({"pid": pid, "offset": offset}).to_string();
        let (_, connected) = Polling::connect(&app, Some(&admin), &auth).await;
        assert_ne!(connected["pid"], pid, "nothing to recover after {offset:?}");
    }
    let auth = json!({"pid": pid, "offset": "2"}).to_string();
    let lee = app.member("lee").await;
    assert_ne!(Polling::connect(&app, Some(&lee), &auth).await.1["pid"], pid, "it is somebody else's");
}

#[tokio::test]
async fn a_purchase_by_poll_reaches_a_websocket_and_a_room_holds_both() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let kim = app.member("kim").await;
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    let mut socket = Ws::open(&app, As::Cookie(&admin)).await;
    let (mut session, _) = Polling::connect(&app, Some(&kim), "").await;
    session.post(&format!(r#"421["BUY",{{"goodsId":{goods},"quantity":2}}]"#)).await.expect(200);
    let ack = session.expect("431").await;
    assert!(ack.contains(r#""ok":true"#), "{ack}");
    assert_eq!(socket.expect("BUY_GOODS").await["nickname"], "kim");

    assert_eq!(socket.ask("enter_room", json!("lobby")).await["count"], 1);
    session.post(r#"422["enter_room",{"payload":"lobby"}]"#).await.expect(200);
    assert!(session.expect("432").await.starts_with(r#"432[{"ok":true,"count":2,"#));
    assert_eq!(socket.expect("welcome").await, json!(["kim", 2]));
    socket.send("new_message", json!(["hi <b>", "lobby"])).await;
    assert_eq!(session.expect("42[\"new_message\"").await, r#"42["new_message","admin: hi ＜b＞",2]"#);
    session.post("41").await.expect(200);
    assert_eq!(socket.expect("bye").await, json!(["kim", 1]));
}

#[tokio::test]
async fn log_out_disconnects_on_purpose() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    let kim = app.member("kim").await;
    let (mut session, _) = Polling::connect(&app, Some(&kim), "").await;
    app.delete("/api/auth").by(&kim).send().await.expect(204);
    session.expect("41").await;
    // A client that stays can do nothing with it.
    session.post(&format!(r#"421["BUY",{{"goodsId":{goods}}}]"#)).await.expect(200);
    app.order(&admin, goods, 1).await;
    let told = app.get("/api/notifications").by(&admin).send().await.expect(200).text;
    assert!(told.contains(r#""latest":1"#), "{told}");
    let (path, app) = (session.path.clone(), &app);
    eventually("the session to end", || async { app.get(&path).send().await.status == 400 }).await;
}

#[tokio::test]
async fn a_bad_token_is_refused_and_none_makes_a_guest() {
    let app = TestApp::spawn().await;
    let mut session = Polling::open(&app, None).await;
    session.post(r#"40{"token":"nonsense"}"#).await.expect(200);
    let refused = session.expect("44").await;
    assert!(refused.contains(r#""code":"login_required""#), "{refused}");
    for token in ["null", "\"\"", "\"null\""] {
        let (mut session, connected) = Polling::connect(&app, None, &format!(r#"{{"token":{token}}}"#)).await;
        assert!(connected["sid"].is_string());
        session.post(r#"421["BUY",{"goodsId":1}]"#).await.expect(200);
        assert!(session.expect("431").await.contains(r#""code":"login_required""#));
    }
}

#[tokio::test]
async fn refusals_speak_the_language_of_the_handshake() {
    let app = TestApp::spawn().await;
    let korean = app.get(POLLING).header("Accept-Language", "ko");
    let mut session = Polling::opened(app.http.clone(), None, korean).await;
    session.post(r#"40{"token":"nonsense"}"#).await.expect(200);
    let refused = session.expect("44").await;
    assert!(refused.contains("로그인 후 이용 가능한 기능입니다."), "{refused}");
    session.post("40").await.expect(200);
    session.expect("40").await;
    session.post(r#"421["BUY",{"goodsId":1}]"#).await.expect(200);
    assert!(session.expect("431").await.contains("로그인 후 이용 가능한 기능입니다."));
    session.post(r#"42["HOP"]"#).await.expect(200);
    let error = session.expect("42[\"error\"").await;
    assert!(error.contains("존재하지 않는 이벤트입니다."), "{error}");
}

#[tokio::test]
async fn refusals_are_those_of_the_reference_server() {
    let app = TestApp::spawn().await;
    for (path, body) in [
        ("/socket.io/", r#"{"code":0,"message":"Transport unknown"}"#),
        ("/socket.io/?EIO=3&transport=polling", r#"{"code":5,"message":"Unsupported protocol version"}"#),
        ("/socket.io/?EIO=4&transport=polling&sid=no", r#"{"code":1,"message":"Session ID unknown"}"#),
        ("/socket.io/?EIO=4&transport=websocket", r#"{"code":3,"message":"Bad request"}"#),
    ] {
        let answer = app.get(path).send().await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (400, body), "{path}");
    }
    let answer = app.get(POLLING).header("Origin", "https://evil.example").send().await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (403, r#"{"code":4,"message":"Forbidden"}"#));
}

#[tokio::test]
async fn the_client_is_served_from_a_folder_or_it_is_said_how() {
    let app = TestApp::spawn().await;
    let answer = app.get("/socket.io/socket.io.js").send().await.refused(404, "not_found");
    assert!(answer.text.contains("--client-bundle"), "{}", answer.text);

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("socket.io.min.js"), "io = 1;").unwrap();
    fs::write(folder.path().join("secret.txt"), "no").unwrap();
    let path = folder.path().to_owned();
    let app = TestApp::spawn_with(move |serve| serve.client_bundle = Some(path)).await;
    let answer = app.get("/socket.io/socket.io.min.js").send().await.expect(200);
    assert!(answer.header("content-type").contains("javascript"));
    assert_eq!(answer.text, "io = 1;");
    for missing in ["socket.io.js", "secret.txt", "..%2fsecret.txt"] {
        app.get(&format!("/socket.io/{missing}")).send().await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_websocket_that_does_not_answer_good_bye_is_dropped() {
    let app = TestApp::spawn().await;
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let request = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        app.addr()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    // The text "1", masked with zeros: the client says good-bye and then nothing more.
    socket.write_all(&[0x81, 0x81, 0, 0, 0, 0, b'1']).await.unwrap();
    let mut all = Vec::new();
    within("the end of the connection", socket.read_to_end(&mut all)).await.unwrap();
}

#[tokio::test]
async fn a_second_connect_hears_again_and_reads_on() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    app.order(&admin, goods, 1).await;
    let (mut session, connected) = Polling::connect(&app, Some(&admin), "").await;
    session.post("41").await.expect(200);
    let auth = json!({"pid": connected["pid"], "offset": "0"});
    session.post(&format!("40{auth}")).await.expect(200);
    // What came before is the first socket's, which hears of the order, too, when the server relays it late.
    session.expect("40").await;
    assert!(session.expect("42[\"BUY_GOODS\"").await.contains(r#""id":1"#));
    app.order(&admin, goods, 1).await;
    assert!(session.expect("42[\"BUY_GOODS\"").await.contains(r#""id":2"#));
}

#[tokio::test]
async fn a_logged_out_session_orders_nothing_more() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let kim = app.member("kim").await;
    let goods = app.goods(&admin, "Water", 6.2, Some(5)).await;
    let (mut session, _) = Polling::connect(&app, Some(&kim), "").await;
    app.delete("/api/auth").by(&kim).send().await.expect(204);
    session.expect("41").await;
    // The session may last a moment longer, for the client to end it; what it says counts no more.
    session.post(&format!(r#"421["BUY",{{"goodsId":{goods}}}]"#)).await;
    app.order(&admin, goods, 1).await;
    assert_eq!(app.stock(goods).await, json!(4));
    assert_eq!(app.log(&admin).await.len(), 1);
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_waited_for() {
    let app = TestApp::spawn_with(|serve| serve.max_payload = Some(1000)).await;
    let mut session = Polling::open(&app, None).await;
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let request =
        format!("POST {} HTTP/1.1\r\nHost: {}\r\nContent-Length: 1001\r\n\r\n", session.path, app.addr());
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    within("an answer", socket.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    session.post(&"4".repeat(1001)).await.refused(413, "body_too_large");
    session.post("40").await.expect(200);
    session.expect("40").await;
}
