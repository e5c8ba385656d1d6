//! A WebSocket client with deadlines.

use std::collections::VecDeque;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest as _, protocol::CloseFrame},
};

use super::{DEADLINE, Person, TestApp, within};

/// How a socket says who it is.
#[derive(Clone, Copy)]
pub enum As<'a> {
    Guest,
    Cookie(&'a Person),
    Subprotocol(&'a Person),
    Header(&'a Person),
}

/// A plain WebSocket client of `/ws`.
pub struct Ws {
    /// In a box, as the handshake is: with room for TLS they are too large for the stack of a test that opens several.
    socket: Box<WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>>,
    /// Came, and nobody asked for it yet.
    unread: VecDeque<Value>,
    /// What the handshake was answered.
    pub headers: tungstenite::http::HeaderMap,
    pub hello: Value,
    next_id: i64,
}

impl Ws {
    /// Connects to `/ws` and takes the greeting.
    pub async fn open(app: &TestApp, who: As<'_>) -> Self {
        Self::open_at(app, "/ws", who).await
    }

    /// As above, with a query.
    pub async fn open_at(app: &TestApp, path: &str, who: As<'_>) -> Self {
        Self::handshake(app, path, who, &[]).await.expect("the handshake succeeds")
    }

    /// Connects with more headers; refused handshakes answer their status and body.
    pub async fn handshake(
        app: &TestApp,
        path: &str,
        who: As<'_>,
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, Value)> {
        let mut request = format!("ws://{}{path}", app.addr()).into_client_request().unwrap();
        let mut set = |name: &str, value: &str| {
            let name: tungstenite::http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        };
        match who {
            As::Guest => {}
            As::Cookie(person) => {
                set("cookie", &person.cookie);
                set("origin", &app.url);
            }
            As::Subprotocol(person) => {
                set("sec-websocket-protocol", &format!("shopbell, bearer.{}", person.token));
            }
            As::Header(person) => set("authorization", &format!("Bearer {}", person.token)),
        }
        for (name, value) in headers {
            set(name, value);
        }
        match within("the handshake", Box::pin(tokio_tungstenite::connect_async(request))).await {
            Ok((socket, answer)) => {
                let mut ws = Self {
                    socket: Box::new(socket),
                    unread: VecDeque::new(),
                    headers: answer.headers().clone(),
                    hello: Value::Null,
                    next_id: 1,
                };
                let hello = ws.next().await.expect("a greeting");
                assert_eq!(hello["type"], "hello", "the first frame is hello: {hello}");
                ws.hello = hello["payload"].clone();
                Ok(ws)
            }
            Err(tungstenite::Error::Http(answer)) => {
                let body = answer.body().clone().unwrap_or_default();
                Err((answer.status().as_u16(), serde_json::from_slice(&body).unwrap_or_default()))
            }
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    pub async fn send(&mut self, event: &str, payload: Value) {
        self.send_text(&json!({"type": event, "payload": payload}).to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    pub async fn send_message(&mut self, message: Message) {
        within("a send", self.socket.send(message)).await.expect("the socket is open");
    }

    /// Sends what may meet a socket that the server has closed by now.
    pub async fn try_send_text(&mut self, text: &str) -> bool {
        within("a send", self.socket.send(Message::text(text))).await.is_ok()
    }

    /// Sends and waits for the acknowledgement.
    pub async fn ask(&mut self, event: &str, payload: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        self.send_text(&json!({"type": event, "payload": payload, "id": id}).to_string()).await;
        self.find(&format!("the answer to {event}"), |frame| frame["type"] == "ack" && frame["id"] == id)
            .await
    }

    /// The payload of the next such event; what comes before it stays for later.
    pub async fn expect(&mut self, event: &str) -> Value {
        self.find(event, |frame| frame["type"] == event).await
    }

    /// The next such event whose payload passes.
    pub async fn expect_where(&mut self, event: &str, pass: impl Fn(&Value) -> bool) -> Value {
        self.find(event, |frame| frame["type"] == event && pass(&frame["payload"])).await
    }

    /// The name and the payload of the next alert; what comes before it stays for later.
    pub async fn alert(&mut self) -> (String, Value) {
        let is_alert = |frame: &Value| frame["type"].as_str().is_some_and(|name| name.starts_with("BUY_"));
        let frame = self.find_frame("an alert", is_alert).await;
        (frame["type"].as_str().unwrap_or_default().to_owned(), frame["payload"].clone())
    }

    /// Nothing of the kind came before the server answered one more question.
    pub async fn has_none(&mut self, event: &str) {
        self.ask("CHANGED_PAGE", json!("/nowhere")).await;
        let found = self.unread.iter().find(|frame| frame["type"] == event);
        assert!(found.is_none(), "{event} came: {found:?}");
    }

    /// Drops what came of an event so far.
    pub fn forget(&mut self, event: &str) {
        self.unread.retain(|frame| frame["type"] != event);
    }

    /// Waits for the end and answers its code and reason.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match within("the close", self.socket.next()).await {
                Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                    return (code.into(), reason.to_string());
                }
                Some(Ok(Message::Close(None))) => return (1005, String::new()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return (1006, String::new()),
            }
        }
    }

    /// Waits for a heartbeat; the client answers it by itself.
    pub async fn pinged(&mut self) {
        loop {
            match within("a ping", self.socket.next()).await {
                Some(Ok(Message::Ping(_))) => return,
                Some(Ok(Message::Text(_))) => {}
                other => panic!("no ping but {other:?}"),
            }
        }
    }

    async fn find(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        self.find_frame(what, is_it).await["payload"].take()
    }

    async fn find_frame(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.unread.iter().position(&is_it) {
            return self.unread.remove(place).unwrap();
        }
        let found = tokio::time::timeout(DEADLINE, async {
            loop {
                match self.next().await {
                    Some(frame) if is_it(&frame) => return Ok(frame),
                    Some(frame) => self.unread.push_back(frame),
                    None => return Err("the socket closed"),
                }
            }
        });
        match found.await {
            Ok(Ok(frame)) => frame,
            Ok(Err(error)) => panic!("no {what}: {error}; there were {:?}", self.unread),
            Err(_) => panic!("no {what} in time; there were {:?}", self.unread),
        }
    }

    async fn next(&mut self) -> Option<Value> {
        loop {
            match within("a frame", self.socket.next()).await? {
                Ok(Message::Text(text)) => {
                    return Some(serde_json::from_str(&text).expect("frames are JSON"));
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}
