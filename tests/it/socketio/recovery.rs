//! Connection state recovery: `recovered: true` means that the session is where it was, with what it missed there.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use super::polling::Polling;
use crate::{
    serving::{Serving, folder},
    support::{As, Person, TestApp, Ws, eventually, within},
};

/// A Socket.IO client over a WebSocket.
pub struct Socket {
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    /// What CONNECT was answered.
    connected: Value,
}

impl Socket {
    pub async fn open(app: &TestApp, who: &Person, pid: Option<(&str, i64)>) -> Self {
        Self::open_at(app.addr(), &who.token, pid).await
    }

    pub async fn open_at(addr: &str, token: &str, pid: Option<(&str, i64)>) -> Self {
        let url = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket");
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let (socket, _) = within("the handshake", connect_async(request)).await.unwrap();
        let mut socket = Self { socket, connected: Value::Null };
        let auth = match pid {
            Some((pid, offset)) => json!({"pid": pid, "offset": offset.to_string()}).to_string(),
            None => String::new(),
        };
        socket.send(&format!("40{auth}")).await;
        let connected = socket.expect("40").await;
        socket.connected = serde_json::from_str(&connected[2..]).unwrap();
        socket
    }

    pub fn pid(&self) -> String {
        self.connected["pid"].as_str().unwrap().to_owned()
    }

    async fn send(&mut self, packet: &str) {
        within("a send", self.socket.send(Message::text(packet))).await.unwrap();
    }

    /// Sends an event and waits for its acknowledgement.
    pub async fn ask(&mut self, event: &Value) -> String {
        self.send(&format!("421{event}")).await;
        self.expect("431").await
    }

    async fn next(&mut self) -> String {
        loop {
            match within("a packet", self.socket.next()).await {
                Some(Ok(Message::Text(text))) if text == "2" => self.send("3").await,
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(_)) => {}
                other => panic!("no packet but {other:?}"),
            }
        }
    }

    pub async fn expect(&mut self, start: &str) -> String {
        loop {
            let packet = self.next().await;
            if packet.starts_with(start) {
                return packet;
            }
        }
    }

    /// Reads to the end, and answers the good-bye.
    pub async fn ended(mut self) {
        while let Some(Ok(_)) = within("the end", self.socket.next()).await {}
    }

    /// All packets up to one that begins like this.
    pub async fn until(&mut self, start: &str) -> Vec<String> {
        let mut packets = Vec::new();
        while packets.last().is_none_or(|packet: &String| !packet.starts_with(start)) {
            packets.push(self.next().await);
        }
        packets
    }
}

struct Lobby {
    app: TestApp,
    kim: Person,
    lee: Person,
    goods: i64,
    /// Lee, who stays.
    stays: Ws,
}

/// A shop with a room that lee is in, and a page that lee looks at.
async fn lobby() -> Lobby {
    let app = TestApp::spawn().await;
    let (admin, kim, lee) = (app.admin().await, app.member("kim").await, app.member("lee").await);
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    let mut stays = Ws::open(&app, As::Header(&lee)).await;
    stays.ask("enter_room", json!("lobby")).await;
    stays.ask("CHANGED_PAGE", json!("/detail.html?goodsId=1")).await;
    Lobby { app, kim, lee, goods, stays }
}

impl Lobby {
    /// Kim comes into the room and on the page.
    async fn kim_enters(&mut self) -> Socket {
        let mut socket = Socket::open(&self.app, &self.kim, None).await;
        socket.ask(&json!(["enter_room", "lobby"])).await;
        socket.ask(&json!(["CHANGED_PAGE", "/detail?goodsId=1"])).await;
        self.stays.expect_where("welcome", |welcome| *welcome == json!(["kim", 2])).await;
        self.stays.expect_where("SAME_PAGE_VIEWER_COUNT", |count| *count == 2).await;
        socket
    }
}

#[tokio::test]
async fn a_recovered_socket_is_in_its_rooms_and_on_its_page_with_what_it_missed() {
    let mut shop = lobby().await;
    let mut lost = shop.kim_enters().await;
    shop.stays.send("new_message", json!(["heard", "lobby"])).await;
    lost.expect(r#"42["new_message","lee: heard""#).await;
    let pid = lost.pid();
    drop(lost);
    assert_eq!(shop.stays.expect("bye").await, json!(["kim", 1]));
    for n in 0..3 {
        assert_eq!(shop.stays.ask("new_message", json!([format!("missed {n}"), "lobby"])).await["ok"], true);
    }
    shop.app.order(&shop.lee, shop.goods, 1).await;

    let mut back = Socket::open(&shop.app, &shop.kim, Some((&pid, 0))).await;
    assert_eq!(back.pid(), pid, "recovered");
    let packets = back.until(r#"42["offset","1"]"#).await;
    let said: Vec<&String> = packets.iter().filter(|packet| packet.contains("new_message")).collect();
    let missed = |n| format!(r#"42["new_message","lee: missed {n}",1]"#);
    assert_eq!(said, [&missed(0), &missed(1), &missed(2)], "each once and in order: {packets:?}");
    assert_eq!(packets.iter().filter(|packet| packet.contains("BUY_GOODS")).count(), 1, "{packets:?}");
    assert!(packets.contains(&r#"42["SAME_PAGE_VIEWER_COUNT",2]"#.to_owned()), "{packets:?}");
    // The others see it come back, and hear it, and it hears them.
    assert_eq!(shop.stays.expect("welcome").await, json!(["kim", 2]));
    assert_eq!(shop.stays.ask("new_message", json!(["live", "lobby"])).await["count"], 2);
    back.expect(r#"42["new_message","lee: live",2]"#).await;
    assert!(back.ask(&json!(["new_message", "hi", "lobby"])).await.contains(r#""ok":true"#));
    assert_eq!(shop.stays.expect("new_message").await, json!(["kim: hi", 2]));
    // And again.
    drop(back);
    shop.stays.expect("bye").await;
    shop.stays.ask("new_message", json!(["again", "lobby"])).await;
    let mut back = Socket::open(&shop.app, &shop.kim, Some((&pid, 1))).await;
    assert_eq!(back.pid(), pid);
    back.expect(r#"42["new_message","lee: again",1]"#).await;
}

#[tokio::test]
async fn a_connection_that_is_not_known_to_be_lost_is_taken_over_without_a_phantom() {
    let mut shop = lobby().await;
    let silent = shop.kim_enters().await;
    let pid = silent.pid();
    // Nothing of it arrives any more, and the server does not know.
    shop.stays.ask("new_message", json!(["into the void", "lobby"])).await;
    let mut back = Socket::open(&shop.app, &shop.kim, Some((&pid, 0))).await;
    assert_eq!(back.pid(), pid, "recovered");
    back.expect(r#"42["new_message","lee: into the void",2]"#).await;
    assert_eq!(shop.stays.expect("bye").await, json!(["kim", 1]));
    assert_eq!(shop.stays.expect("welcome").await, json!(["kim", 2]));
    assert_eq!(shop.stays.ask("enter_room", json!("lobby")).await["count"], 2);
    drop(silent);
}

#[tokio::test]
async fn a_connection_that_ends_late_takes_nothing_from_the_one_that_came_after_it() {
    let mut shop = lobby().await;
    let mut silent = Socket::open(&shop.app, &shop.kim, None).await;
    let pid = silent.pid();
    // Nothing of it arrives any more, and the server does not know. It is in no room: nothing is to be taken over.
    let mut back = Socket::open(&shop.app, &shop.kim, Some((&pid, 0))).await;
    assert_eq!(back.pid(), pid, "recovered");
    back.ask(&json!(["enter_room", "lobby"])).await;
    shop.stays.expect("welcome").await;
    // What it said last arrives late: good-bye, and another greeting, which is answered when that is done.
    silent.send("41").await;
    silent.send("40").await;
    silent.expect("40").await;
    drop(back);
    shop.stays.expect("bye").await;
    let again = Socket::open(&shop.app, &shop.kim, Some((&pid, 0))).await;
    assert_eq!(again.pid(), pid, "recovered");
    assert_eq!(shop.stays.expect("welcome").await, json!(["kim", 2]));
}

#[tokio::test]
async fn a_session_that_polls_is_put_back_as_well() {
    let mut shop = lobby().await;
    let (mut lost, connected) = Polling::connect(&shop.app, Some(&shop.kim), "").await;
    lost.post(r#"421["enter_room","lobby"]"#).await.expect(200);
    lost.expect("431").await;
    shop.stays.expect("welcome").await;
    // A client of Engine.IO that goes without leaving the namespace.
    lost.post("1").await.expect(200);
    shop.stays.expect("bye").await;
    shop.stays.ask("new_message", json!(["missed", "lobby"])).await;
    let auth = json!({"pid": connected["pid"], "offset": "0"}).to_string();
    let (mut back, again) = Polling::connect(&shop.app, Some(&shop.kim), &auth).await;
    assert_eq!(again["pid"], connected["pid"], "recovered");
    back.expect(r#"42["new_message","lee: missed",1]"#).await;
    assert_eq!(shop.stays.expect("welcome").await, json!(["kim", 2]));
}

#[tokio::test]
async fn nobody_else_gets_a_place_back_and_who_left_on_purpose_does_not_either() {
    let mut shop = lobby().await;
    let lost = shop.kim_enters().await;
    let pid = lost.pid();
    drop(lost);
    shop.stays.expect("bye").await;
    let stranger = Socket::open(&shop.app, &shop.lee, Some((&pid, 0))).await;
    assert_ne!(stranger.pid(), pid);
    let mut back = Socket::open(&shop.app, &shop.kim, Some((&pid, 0))).await;
    assert_eq!(back.pid(), pid, "it is still there for its owner");
    shop.stays.expect("welcome").await;
    back.send("41").await;
    shop.stays.expect("bye").await;
    let anew = Socket::open(&shop.app, &shop.kim, Some((&pid, 0))).await;
    assert_ne!(anew.pid(), pid, "DISCONNECT is meant");
    shop.stays.has_none("welcome").await;
}

/// The same database, served again after an orderly end, which the sockets see.
async fn restarted(app: &TestApp, sockets: [Socket; 2]) -> TestApp {
    app.shut_down();
    for socket in sockets {
        socket.ended().await;
    }
    // The store closes last, after what is kept was written.
    eventually("the store to close", async || app.store.ping().await.is_err()).await;
    let database = app.database.clone();
    TestApp::spawn_in(|common, _| common.database_url = Some(database.into())).await
}

#[tokio::test]
async fn an_orderly_restart_puts_everyone_back() {
    let mut shop = lobby().await;
    let kim = shop.kim_enters().await;
    let nowhere = Socket::open(&shop.app, &shop.kim, None).await;
    let (pid, nowheres) = (kim.pid(), nowhere.pid());
    let (mut polls, polling) = Polling::connect(&shop.app, Some(&shop.kim), "").await;
    polls.post(r#"421["enter_room","attic"]"#).await.expect(200);
    polls.expect("431").await;
    let next = restarted(&shop.app, [kim, nowhere]).await;
    next.order(&shop.lee, shop.goods, 1).await;
    let mut lee = Ws::open(&next, As::Header(&shop.lee)).await;
    lee.ask("enter_room", json!("lobby")).await;
    let mut back = Socket::open(&next, &shop.kim, Some((&pid, 0))).await;
    assert_eq!(back.pid(), pid, "recovered");
    assert_eq!(lee.expect("welcome").await, json!(["kim", 2]));
    let packets = back.until(r#"42["offset","1"]"#).await;
    assert!(packets.contains(&r#"42["SAME_PAGE_VIEWER_COUNT",1]"#.to_owned()), "{packets:?}");
    let anew = Socket::open(&next, &shop.kim, Some((&nowheres, 0))).await;
    assert_eq!(anew.pid(), nowheres, "there is nothing to put it back into");
    let auth = json!({"pid": polling["pid"], "offset": "0"}).to_string();
    let (_polls, again) = Polling::connect(&next, Some(&shop.kim), &auth).await;
    assert_eq!(again["pid"], polling["pid"]);
    assert_eq!(lee.ask("enter_room", json!("attic")).await["count"], 2, "it is in its room");
}

#[tokio::test]
async fn after_a_crash_nobody_is_told_to_be_recovered_who_was_in_a_room() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--demo"]);
    let line = serving.line();
    let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let token = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    let mut socket = Socket::open_at(serving.addr(), &token, None).await;
    socket.ask(&json!(["enter_room", "lobby"])).await;
    let pid = socket.pid();
    // That somebody is somewhere is on its way to the disk; what is answered after it is behind it.
    for _ in 0..2 {
        socket.ask(&json!(["BUY", {"goodsId": 1, "quantity": 1}])).await;
    }
    serving.signal("-KILL");
    serving.ended().await;
    let serving = Serving::start(folder.path(), &[]);
    let mut back = Socket::open_at(serving.addr(), &token, Some((&pid, 0))).await;
    assert_ne!(back.pid(), pid, "not recovered: where it was is not known any more");
    assert!(back.ask(&json!(["enter_room", "lobby"])).await.contains(r#""count":1"#), "and it is nowhere");
    // From there on an orderly life: the next one is recovered.
    let pid = back.pid();
    drop(back);
    let back = Socket::open_at(serving.addr(), &token, Some((&pid, 2))).await;
    assert_eq!(back.pid(), pid);
}
