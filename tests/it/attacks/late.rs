//! Those who say after their handshake who they are, from the same address as an attacker: neither its rate nor its places
//! are theirs.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    POLL, again_and_again, counted,
    raw::{Raw, SOCKET_IO},
};
use crate::{
    socketio::Polling,
    support::{As, TestApp, Ws, within},
};

/// A member connects as a page without the cookie does, by each transport.
async fn connects(app: &TestApp, token: &str) {
    let connect = format!("40{}", json!({"token": token}));
    let mut raw = Raw::open(app, SOCKET_IO, None).await;
    raw.text(&connect).await;
    raw.hears(r#"40{"sid""#).await;
    let mut session = Polling::open(app, None).await;
    session.post(&connect).await.expect(200);
    session.expect("40").await;
}

#[tokio::test]
async fn a_flood_of_guests_uses_up_no_rate_of_members_who_say_late_who_they_are() {
    let app = TestApp::spawn_with(|serve| {
        serve.handshake_rate = Some(10);
        serve.max_connections = Some(200);
    })
    .await;
    let kim = app.member("kim").await;
    let guests = async || drop(Ws::handshake(&app, "/ws", As::Guest, &[]).await);
    let handshakes = async || drop(app.get(POLL).stream().await);
    let member = async || {
        connects(&app, &kim.token).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    };
    let (_, _, days) =
        tokio::join!(again_and_again(guests), again_and_again(handshakes), again_and_again(member));
    assert!(days > 1, "{days}");
    assert!(counted(&app, "too_many_handshakes").await);
}

#[tokio::test]
async fn a_guest_is_refused_when_it_says_that_it_is_one() {
    let app = TestApp::spawn_with(|serve| serve.max_sessions_per_address = Some(2)).await;
    let kim = app.member("kim").await;
    let _guests = [Ws::open(&app, As::Guest).await, Ws::open(&app, As::Guest).await];
    let mut session = Polling::open(&app, None).await;
    session.post("40").await.expect(200);
    let refused = session.expect("44").await;
    assert!(refused.contains("too_many_connections"), "{refused}");
    connects(&app, &kim.token).await;
}

#[tokio::test]
async fn one_network_connection_begins_so_many_sessions_a_second() {
    let app = TestApp::spawn_with(|serve| serve.handshake_rate = Some(2)).await;
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..12 {
        socket.write_all(format!("GET {POLL} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = vec![0; 8192];
        let read = within("an answer", socket.read(&mut answer)).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        statuses.push(answer[9..12].to_owned());
    }
    assert!(statuses[..8].iter().all(|status| status == "200"), "{statuses:?}");
    assert!(statuses[8..].iter().any(|status| status == "429"), "{statuses:?}");
    app.get(POLL).send().await.expect(200);
}

#[tokio::test]
async fn an_account_that_comes_and_goes_on_one_connection_is_counted() {
    let app = TestApp::spawn_with(|serve| serve.handshake_rate = Some(1)).await;
    let kim = app.member("kim").await;
    let (mut session, _) = Polling::connect(&app, Some(&kim), "").await;
    let mut times = 0;
    let refused = loop {
        session.post("41").await.expect(200);
        session.post("40").await.expect(200);
        let packet = session.expect("4").await;
        if packet.starts_with("44") {
            break packet;
        }
        times += usize::from(packet.starts_with("40"));
        assert!(times < 20, "nobody is refused");
    };
    assert!(refused.contains("too_many_handshakes"), "{refused}");
}
