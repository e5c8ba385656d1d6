//! The upgrade from polling to WebSocket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::Request, protocol::CloseFrame},
};

use super::polling::Polling;
use crate::support::{TestApp, until, within};

/// The WebSocket of a session that polls.
pub(super) struct Upgrade(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

/// The handshake, with the credentials of the session.
fn request(addr: &str, session: &Polling) -> Request<()> {
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket&sid={}", addr, session.sid);
    let mut request = url.into_client_request().unwrap();
    if let Some((_, value)) = session.credentials().trim().split_once(": ") {
        request.headers_mut().insert("authorization", value.parse().unwrap());
    }
    request
}

impl Upgrade {
    async fn open(app: &TestApp, session: &Polling) -> Self {
        Self(
            within("the handshake", connect_async(request(app.addr(), session)))
                .await
                .expect("the handshake succeeds")
                .0,
        )
    }

    /// Probes the way; `None` when the server ends the WebSocket, or refuses it.
    pub(super) async fn probe(app: &TestApp, session: &Polling) -> Option<Self> {
        Self::probe_at(app.addr(), session).await
    }

    /// As above, at `127.0.0.1:41234`.
    pub(super) async fn probe_at(addr: &str, session: &Polling) -> Option<Self> {
        let mut upgrade = Self(within("the handshake", connect_async(request(addr, session))).await.ok()?.0);
        upgrade.0.send(Message::text("2probe")).await.ok()?;
        (upgrade.next().await? == "3probe").then_some(upgrade)
    }

    pub(super) async fn send(&mut self, packet: &str) {
        within("a send", self.0.send(Message::text(packet))).await.expect("the socket is open");
    }

    /// The next packet, or code, that begins like this.
    pub(super) async fn expect(&mut self, start: &str) -> String {
        loop {
            let packet = self.next().await.expect("the socket is open");
            if packet.starts_with(start) {
                return packet;
            }
        }
    }

    /// Waits for the end; the code of the close frame, if there is one.
    pub(super) async fn end(&mut self) -> Option<String> {
        let mut last = None;
        while let Some(packet) = self.next().await {
            last = (packet.len() == 4 && packet.parse::<u16>().is_ok()).then_some(packet);
        }
        last
    }

    /// The next packet, or the code of the close frame; `None` when there is neither.
    pub(super) async fn next(&mut self) -> Option<String> {
        loop {
            match within("a frame", self.0.next()).await?.ok()? {
                Message::Text(text) => return Some(text.to_string()),
                Message::Close(Some(CloseFrame { code, .. })) => return Some(u16::from(code).to_string()),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn an_upgrade_that_is_given_up_leaves_a_later_one_alone() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let (mut session, _) = Polling::connect(&app, Some(&admin), "").await;
    session.expect("42[\"offset\"").await;
    for _ in 0..3 {
        let given_up = Upgrade::probe(&app, &session).await.expect("a probe is answered");
        assert!(Upgrade::probe(&app, &session).await.is_none(), "one at a time");
        drop(given_up);
        // The session goes on polling.
        let entered =
            until("the server to see that it was given up", async || Upgrade::probe(&app, &session).await)
                .await;
        drop(entered);
        session.post(r#"421["enter_room","tea"]"#).await.expect(200);
        session.expect("431").await;
    }
    let mut later = until("an upgrade", async || Upgrade::probe(&app, &session).await).await;
    later.send("5").await;
    later.send(r#"422["enter_room","tea"]"#).await;
    assert!(later.next().await.expect("an answer").starts_with("432"));
}

#[tokio::test]
async fn an_upgrade_takes_what_waits_and_the_good_bye_along() {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    let (mut session, _) = Polling::connect(&app, Some(&kim), "").await;
    session.expect("42[\"offset\"").await;
    let mut upgrade = Upgrade::probe(&app, &session).await.expect("a probe is answered");
    // Nobody polls: all of it waits.
    session.post(&format!(r#"421["BUY",{{"goodsId":{goods}}}]"#)).await.expect(200);
    until("the order", async || app.log(&admin).await.pop()).await;
    app.delete("/api/auth").by(&kim).send().await.expect(204);
    upgrade.send("5").await;
    let mut packets = Vec::new();
    while let Some(packet) = upgrade.next().await {
        packets.push(packet);
    }
    let place = |start: &str| packets.iter().position(|packet| packet.starts_with(start));
    let order = [place("431["), place("41"), place("4001")];
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{packets:?}");
    assert_eq!(order[2], Some(packets.len() - 1), "nothing follows the good-bye: {packets:?}");
}

#[tokio::test]
async fn a_session_that_ends_during_an_upgrade_ends_where_its_client_goes_over_to() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let (mut session, _) = Polling::connect(&app, Some(&admin), "").await;
    session.expect("42[\"offset\"").await;
    let mut upgrade = Upgrade::probe(&app, &session).await.expect("a probe is answered");
    session.post("what is no packet").await.expect(400);
    // The official client has stopped polling. When its WebSocket ends now it does nothing until its ping timeout.
    let early = tokio::time::timeout(Duration::from_millis(500), upgrade.next()).await;
    assert!(early.is_err(), "the client is not there yet: {early:?}");
    upgrade.send("5").await;
    assert_eq!(upgrade.end().await.as_deref(), Some("1000"));
}

#[tokio::test]
async fn a_websocket_without_a_probe_does_not_take_over() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let (mut session, _) = Polling::connect(&app, Some(&admin), "").await;
    session.expect("42[\"offset\"").await;
    let silent = Upgrade::open(&app, &session).await;
    session.post(r#"421["enter_room","tea"]"#).await.expect(200);
    session.expect("431").await;
    drop(silent);
    session.post(r#"422["leave_room","tea"]"#).await.expect(200);
    session.expect("432").await;
}

#[tokio::test]
async fn a_poll_waits_undisturbed_until_the_websocket_is_tested() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let (mut session, _) = Polling::connect(&app, Some(&admin), "").await;
    session.expect("42[\"offset\"").await;
    // The 101 passes; whether frames do is not known yet.
    let mut upgrade = Upgrade::open(&app, &session).await;
    let poll = session.poll();
    tokio::pin!(poll);
    let early = tokio::time::timeout(Duration::from_millis(500), &mut poll).await;
    assert!(early.is_err(), "an extra poll: {early:?}");
    upgrade.send("2probe").await;
    assert_eq!(upgrade.next().await.as_deref(), Some("3probe"));
    assert_eq!(within("the end of the poll", poll).await.expect(200).text, "6");
    upgrade.send("5").await;
    upgrade.send(r#"421["enter_room","tea"]"#).await;
    assert!(upgrade.next().await.expect("an answer").starts_with("431"));
}

#[tokio::test]
async fn who_has_upgraded_is_counted_so_and_told_the_figures() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let transports = async || {
        let figures = app.get("/api/admin/figures").by(&admin).send().await.expect(200);
        figures.json["sessions"]["byTransport"].clone()
    };
    let (mut session, _) = Polling::connect(&app, Some(&admin), "").await;
    session.expect("42[\"offset\"").await;
    assert_eq!(transports().await, json!({"websocket": 0, "socketio": 0, "polling": 1, "sse": 0}));
    let mut upgrade = Upgrade::probe(&app, &session).await.expect("a probe is answered");
    upgrade.send("5").await;
    upgrade.send(r#"421["WATCH_FIGURES"]"#).await;
    assert_eq!(upgrade.next().await.as_deref(), Some(r#"431[{"ok":true}]"#));
    let figures = upgrade.next().await.expect("figures");
    let figures: Value = serde_json::from_str(figures.strip_prefix("42").unwrap()).unwrap();
    let upgraded = json!({"websocket": 0, "socketio": 1, "polling": 0, "sse": 0});
    assert_eq!((&figures[0], &figures[1]["sessions"]["byTransport"]), (&json!("FIGURES"), &upgraded));
    drop(upgrade);
    until("the session to end", async || (transports().await["socketio"] == 0).then_some(())).await;
    assert_eq!(transports().await["polling"], 0);
}
