//! What every test needs: a running shop, people in it, requests that check the house rules of every answer, and
//! a WebSocket client with deadlines.

mod http;
mod nats;
pub mod postgres;
mod smtp;
mod wait;
mod ws;

use std::{
    net::TcpListener,
    sync::{Arc, LazyLock, mpsc},
};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, Version, password_hash::phc};
use serde_json::{Value, json};
use shopbell::{
    config::{CommonLayer, ServeLayer, Settings},
    domain::{Email, NewUser, Nickname, PasswordHash, Role, Timestamp, UserId},
    server::Application,
    store::{self, Store},
};
use tokio::sync::Notify;

pub use self::{
    http::{Answer, Call, Http, is_problem},
    nats::{Nats, bus_is},
    smtp::Sink,
    wait::{DEADLINE, SOON, eventually, pass, until, within},
    ws::{As, Ws},
};

/// What every person of these tests types.
pub const PASSWORD: &str = "correct horse";
/// The key of the tokens, known here so that tests can forge some.
pub const JWT_SECRET: &str = "a secret of thirty-two bytes or more, for tests";

/// Which database shops have whose tests do not choose: `postgres`, or SQLite, whose files some tests look into.
const STORE: &str = "SHOPBELL_TEST_STORE";

/// Whether this run is one on PostgreSQL.
pub fn is_on_postgres() -> bool {
    std::env::var(STORE).is_ok_and(|store| store == "postgres")
}

/// The URL of an empty database.
async fn fresh_database(folder: &std::path::Path) -> String {
    if is_on_postgres() {
        return postgres::fresh_database().await;
    }
    format!("sqlite://{}", folder.join("shop.db").display())
}

/// A running shop.
pub struct TestApp {
    /// `http://127.0.0.1:41234`
    pub url: String,
    pub store: Arc<dyn Store>,
    /// Its URL.
    pub database: String,
    pub folder: tempfile::TempDir,
    shutdown: Arc<Notify>,
    pub http: Http,
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
        let database = fresh_database(folder.path()).await;
        let mut common = CommonLayer { database_url: Some(database.into()), ..CommonLayer::default() };
        let mut serve = ServeLayer {
            workers: Some(2),
            jwt_secret: Some(vec![JWT_SECRET.to_owned().into()]),
            drain_timeout: Some("2s".parse().unwrap()),
            // All tests come from one address; those of the rates set their own.
            order_rate: Some(100_000),
            registration_rate: Some(100_000),
            handshake_rate: Some(100_000),
            // As it is beside a database in a file.
            media: Some(folder.path().join("media")),
            ..ServeLayer::default()
        };
        change(&mut common, &mut serve);
        let database = common.database_url.as_deref().unwrap().to_owned();
        let settings = Settings::resolve(common, serve, None).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = Arc::new(Notify::new());
        let (tell, told) = mpsc::channel();
        std::thread::spawn({
            let shutdown = Arc::clone(&shutdown);
            move || {
                actix_rt::System::new().block_on(async {
                    let app = Application::build(settings).await.unwrap();
                    tell.send(app.store()).unwrap();
                    app.run(listener, shutdown.notified()).await.unwrap();
                });
            }
        });
        let store = told.recv_timeout(DEADLINE).expect("the server starts");
        let http = Http::new(&url);
        Self { url, store, database, folder, shutdown, http }
    }

    /// Another node of this shop, on the same database.
    pub async fn beside(&self, change: impl FnOnce(&mut ServeLayer)) -> Self {
        let database = self.database.clone();
        Self::spawn_in(|common, serve| {
            common.database_url = Some(database.into());
            change(serve);
        })
        .await
    }

    /// Begins the drain.
    pub fn shut_down(&self) {
        self.shutdown.notify_one();
    }

    /// `127.0.0.1:41234`
    pub fn addr(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub fn request(&self, method: &str, path: &str) -> Call {
        self.http.request(method, path)
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

    /// The store as another process has it, `shopbell admin ban` for one.
    pub async fn elsewhere(&self) -> Arc<dyn Store> {
        store::open(&self.database, "USD".parse().unwrap()).await.unwrap()
    }

    /// The number of someone's account.
    pub async fn id_of(&self, person: &Person) -> UserId {
        self.store.users_with_address(&person.email).await.unwrap()[0]
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

    /// Waits until sessions that open now begin after so many alerts. An order that is committed is told a moment later: who
    /// comes in between hears of it.
    pub async fn told(&self, reader: &Person, alerts: usize) {
        eventually("what was ordered", async || {
            Ws::open(self, As::Header(reader)).await.hello["latest"] == alerts
        })
        .await;
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
        self.shut_down();
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

/// Prunes the log before an offset. For a log in which everything is announced.
pub async fn prune_log(app: &TestApp, oldest: i64) {
    let kept = app.store.reach().await.unwrap().latest.0 + 1 - oldest;
    let kept = u64::try_from(kept).unwrap();
    while app.store.prune_log(Timestamp::from_millis(0), kept, Timestamp::MAX).await.unwrap() > 0 {}
}
