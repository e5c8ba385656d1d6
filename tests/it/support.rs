//! What every test needs: a running shop, people in it, requests that check the house rules of every answer, and
//! a WebSocket client with deadlines.

use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock, mpsc},
    time::Duration,
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version, password_hash::phc};
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, HeaderName},
};
use serde_json::{Value, json};
use shopbell::{
    config::{CommonLayer, ServeLayer, Settings},
    domain::{Email, NewUser, Nickname, PasswordHash, Role},
    server::{Application, Stopper},
    store::Store,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest as _, protocol::CloseFrame},
};

/// After this a test has waited long enough, also on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// What every person of these tests types.
pub const PASSWORD: &str = "correct horse";
/// The key of the tokens, known here so that tests can forge some.
pub const JWT_SECRET: &str = "a secret of thirty-two bytes or more, for tests";

/// A running shop.
pub struct TestApp {
    /// `http://127.0.0.1:41234`
    pub url: String,
    pub store: Arc<dyn Store>,
    pub stopper: Stopper,
    pub folder: tempfile::TempDir,
    client: reqwest::Client,
}

/// Someone who is logged in.
#[derive(Clone)]
pub struct Person {
    pub email: String,
    pub nickname: String,
    pub token: String,
    /// `name=value`
    pub cookie: String,
}

impl TestApp {
    /// A shop with an empty database.
    pub async fn spawn() -> Self {
        Self::spawn_with(|_| {}).await
    }

    /// A shop with other settings.
    pub async fn spawn_with(change: impl FnOnce(&mut ServeLayer)) -> Self {
        Self::spawn_in(|_, serve| change(serve)).await
    }

    /// A shop with other settings, those of the database included.
    pub async fn spawn_in(change: impl FnOnce(&mut CommonLayer, &mut ServeLayer)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("shop.db").display());
        let mut common = CommonLayer { database_url: Some(database), ..CommonLayer::default() };
        let mut serve = ServeLayer {
            addr: Some(([127, 0, 0, 1], 0).into()),
            workers: Some(2),
            jwt_secret: Some(JWT_SECRET.to_owned().into()),
            drain_timeout: Some("2s".parse().unwrap()),
            ..ServeLayer::default()
        };
        change(&mut common, &mut serve);
        let settings = Settings::resolve(common, serve, None).unwrap();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            actix_rt::System::new().block_on(async {
                let app = Application::build(settings).await.unwrap();
                tell.send((app.url(), app.store(), app.stopper())).unwrap();
                app.run().await.unwrap();
            });
        });
        let (url, store, stopper) = told.recv_timeout(DEADLINE).expect("the server starts");
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(DEADLINE)
            .build()
            .unwrap();
        Self { url, store, stopper, folder, client }
    }

    /// `127.0.0.1:41234`
    pub fn addr(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub fn request(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Call {
            head: method == Method::HEAD,
            request: self.client.request(method, format!("{}{path}", self.url)),
        }
    }

    pub fn get(&self, path: &str) -> Call {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.request("POST", path)
    }

    pub fn put(&self, path: &str) -> Call {
        self.request("PUT", path)
    }

    pub fn patch(&self, path: &str) -> Call {
        self.request("PATCH", path)
    }

    pub fn delete(&self, path: &str) -> Call {
        self.request("DELETE", path)
    }

    /// A member who is logged in.
    pub async fn member(&self, nickname: &str) -> Person {
        self.create(nickname, Role::Member).await;
        self.log_in(nickname).await
    }

    /// An administrator who is logged in.
    pub async fn admin(&self) -> Person {
        self.create("admin", Role::Admin).await;
        self.log_in("admin").await
    }

    /// An account straight in the store, with a hash that costs next to nothing.
    pub async fn create(&self, nickname: &str, role: Role) {
        let user = NewUser {
            email: Email::parse(&email_of(nickname)).unwrap(),
            nickname: Nickname::parse(nickname).unwrap(),
            password: PasswordHash(CHEAP_HASH.clone()),
            role,
            created_at: shopbell::clock::now(),
        };
        self.store.create_user(user).await.unwrap();
    }

    /// Logs in; each call is a session of its own.
    pub async fn log_in(&self, nickname: &str) -> Person {
        let email = email_of(nickname);
        let answer = self
            .post("/api/auth")
            .json(&json!({"email": email, "password": PASSWORD}))
            .send()
            .await
            .expect(200);
        Person {
            token: answer.json["token"].as_str().unwrap().to_owned(),
            cookie: answer.cookies()[0].split(';').next().unwrap().to_owned(),
            nickname: nickname.to_owned(),
            email,
        }
    }

    /// Puts goods on sale and answers their id.
    pub async fn goods(&self, admin: &Person, name: &str, price: f64, stock: Option<i64>) -> i64 {
        let body = json!({
            "name": name, "thumbnailUrl": "/images/a.svg", "category": "drink", "price": price, "stock": stock,
        });
        let answer = self.post("/api/goods").by(admin).json(&body).send().await.expect(201);
        answer.json["goods"]["goodsId"].as_i64().unwrap()
    }

    /// Orders so many pieces.
    pub async fn order(&self, buyer: &Person, goods_id: i64, quantity: i64) -> Value {
        let body = json!({"items": [{"goodsId": goods_id, "quantity": quantity}]});
        self.post("/api/orders").by(buyer).json(&body).send().await.expect(201).json["order"].clone()
    }

    /// The whole log, oldest first.
    pub async fn log(&self, reader: &Person) -> Vec<Value> {
        let path = "/api/notifications?after=0&limit=1000";
        let answer = self.get(path).by(reader).send().await.expect(200);
        answer.json["notifications"].as_array().unwrap().clone()
    }

    pub async fn stock(&self, goods_id: i64) -> Value {
        self.get(&format!("/api/goods/{goods_id}")).send().await.expect(200).json["goods"]["stock"].clone()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

pub fn email_of(nickname: &str) -> String {
    format!("{}@example.com", nickname.to_lowercase())
}

static CHEAP_HASH: LazyLock<String> = LazyLock::new(|| {
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let hash: phc::PasswordHash =
        argon.hash_password_with_salt(PASSWORD.as_bytes(), b"sixteen bytes ..").unwrap();
    hash.to_string()
});

/// A request on its way.
pub struct Call {
    request: reqwest::RequestBuilder,
    head: bool,
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn by(self, person: &Person) -> Self {
        self.token(&person.token)
    }

    pub fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// A body already in the form encoding.
    pub fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded; charset=UTF-8", body.to_owned())
    }

    pub fn body(mut self, media_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header("Content-Type", media_type).body(body);
        self
    }

    /// A body whose media type is among the headers already.
    pub fn raw_body(mut self, body: String) -> Self {
        self.request = self.request.body(body);
        self
    }

    /// Sends, and holds the answer to what the contract promises of every one.
    pub async fn send(self) -> Answer {
        let answer = self.stream().await;
        let (status, headers, url) =
            (answer.status(), answer.headers().clone(), answer.url().path().to_owned());
        let text = answer.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer { what: url, status, headers, text, json };
        answer.keeps_the_house_rules(self.head);
        answer
    }

    /// Sends and leaves the body to be read bit by bit.
    pub async fn stream(&self) -> reqwest::Response {
        self.request.try_clone().expect("bodies here are in memory").send().await.expect("an answer")
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    what: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        let name: HeaderName = name.parse().unwrap();
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text);
        self
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status.as_u16(), self.json["code"].as_str()),
            (status, Some(code)),
            "{}: {}",
            self.what,
            self.text
        );
        self
    }

    /// Refused as invalid, and these fields are what is wrong.
    #[track_caller]
    pub fn invalid(self, fields: &[&str]) -> Self {
        let answer = self.refused(400, "validation");
        let errors = answer.json["errors"].as_array().expect("validation lists errors");
        let found: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(found, fields, "{}: {}", answer.what, answer.text);
        for error in errors {
            assert!(error["code"].is_string() && error["message"].is_string(), "{error}");
        }
        answer
    }

    /// CONTRACT §2, "every page and answer" and "Errors".
    fn keeps_the_house_rules(&self, head: bool) {
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{}", self.what);
        assert!(!self.header("referrer-policy").is_empty(), "{} has no Referrer-Policy", self.what);
        if head {
            assert!(self.text.is_empty(), "HEAD {} has a body", self.what);
        }
        // Engine.IO's own refusals are those of the reference server.
        let engineio = self.what.contains("/socket.io/?") || self.json["code"].is_number();
        if !engineio && (self.status.is_client_error() || self.status.is_server_error()) {
            assert_eq!(
                self.header("content-type"),
                "application/problem+json",
                "{}: {}",
                self.what,
                self.text
            );
            if !head {
                is_problem(&self.json, self.status.as_u16());
            }
        }
    }
}

/// Whether a body is what RFC 9457 and the contract say of errors.
#[track_caller]
pub fn is_problem(body: &Value, status: u16) {
    for member in ["type", "title", "detail", "code", "errorMessage"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "no {member} in {body}");
    }
    assert_eq!(body["status"], status, "{body}");
    let code = body["code"].as_str().unwrap();
    assert!(code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{code}");
}

/// Waits with the deadline.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("nothing came in time: {what}"))
}

/// Asks again and again until it holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    within(what, async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

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
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
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
        match within("the handshake", tokio_tungstenite::connect_async(request)).await {
            Ok((socket, answer)) => {
                let mut ws = Self {
                    socket,
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

    /// Nothing of the kind came before the server answered one more question.
    pub async fn has_none(&mut self, event: &str) {
        self.ask("CHANGED_PAGE", json!("/nowhere")).await;
        let found = self.unread.iter().find(|frame| frame["type"] == event);
        assert!(found.is_none(), "{event} came: {found:?}");
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
        if let Some(place) = self.unread.iter().position(&is_it) {
            return self.unread.remove(place).unwrap()["payload"].take();
        }
        let found = tokio::time::timeout(DEADLINE, async {
            loop {
                match self.next().await {
                    Some(mut frame) if is_it(&frame) => return Ok(frame["payload"].take()),
                    Some(frame) => self.unread.push_back(frame),
                    None => return Err("the socket closed"),
                }
            }
        });
        match found.await {
            Ok(Ok(payload)) => payload,
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

/// Takes away the log before an offset, as an operator's pruning would.
pub async fn prune_log(app: &TestApp, oldest: i64) {
    let path = app.folder.path().join("shop.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).foreign_keys(false);
    let mut database = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("delete from notifications where id < $1").bind(oldest).execute(&mut database).await.unwrap();
}
