//! Listen keys, docs/contract.md: the pages of another shop hear the alerts, from their origin alone, and do nothing else.

mod attacks;
mod keys;
mod transports;

use serde_json::{Value, json};

use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::client::IntoClientRequest as _};

use crate::support::{Answer, As, Call, Person, TestApp, Ws, within};

/// The page of another shop.
pub const THEIRS: &str = "https://their.shop";
pub const EVIL: &str = "https://evil.example";

/// A shop with its administrator, who buys under the name "kim", and goods.
pub struct Shop {
    pub app: TestApp,
    pub admin: Person,
    pub kim: Person,
    pub water: i64,
}

pub async fn shop() -> Shop {
    of(TestApp::spawn().await).await
}

pub async fn of(app: TestApp) -> Shop {
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let water = app.goods(&admin, "Water", 6.2, None).await;
    Shop { app, admin, kim, water }
}

impl Shop {
    /// Makes a key for [`THEIRS`].
    pub async fn key(&self) -> String {
        self.key_with(&json!({"origins": [THEIRS]})).await
    }

    pub async fn key_with(&self, body: &Value) -> String {
        let made = self.app.post("/api/admin/listen-keys").by(&self.admin).json(body).send().await;
        made.expect(201).json["listenKey"]["key"].as_str().unwrap().to_owned()
    }

    pub async fn revoke(&self, key: &str) {
        let path = format!("/api/admin/listen-keys/{key}");
        self.app.delete(&path).by(&self.admin).send().await.expect(204);
    }

    pub async fn buy(&self) {
        self.app.order(&self.kim, self.water, 1).await;
    }

    /// Opens `/ws` from a page.
    pub async fn listen(&self, query: &str, origin: &str) -> Result<Ws, (u16, Value)> {
        Ws::handshake(&self.app, &format!("/ws?{query}"), As::Guest, &[("origin", origin)]).await
    }

    /// Opens `/ws` from a page that may be cut off before it is greeted; `None` when it is refused.
    pub async fn knock(&self, query: &str, origin: &str) -> Option<WebSocketStream<TcpStream>> {
        let mut request = format!("ws://{}/ws?{query}", self.app.addr()).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let stream = TcpStream::connect(self.app.addr()).await.unwrap();
        let opened = within("the handshake", tokio_tungstenite::client_async(request, stream)).await;
        opened.ok().map(|(socket, _)| socket)
    }

    /// Asks from a page.
    pub fn get(&self, path: &str, origin: &str) -> Call {
        self.app.get(path).header("origin", origin)
    }
}

/// Asks what a browser asks before it lets a page ask.
pub async fn preflight(shop: &Shop, path: &str, origin: &str) -> Answer {
    let call = shop.app.request("OPTIONS", path).header("origin", origin);
    call.header("access-control-request-method", "GET").send().await
}

/// What Socket.IO says over polls from a page.
pub struct Polls<'a> {
    pub shop: &'a Shop,
    pub origin: &'a str,
    pub path: String,
    cookies: usize,
}

pub const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

impl<'a> Polls<'a> {
    /// Shakes hands.
    pub async fn open(shop: &'a Shop, origin: &'a str) -> Self {
        let polls = Self::open_any(shop, origin).await;
        assert_eq!(polls.cookies, 0, "a page of another site gets no cookie");
        polls
    }

    /// As above, from any page.
    pub async fn open_any(shop: &'a Shop, origin: &'a str) -> Self {
        let open = shop.get(POLLING, origin).send().await.expect(200);
        let cookies = open.cookies().len();
        let open: Value = serde_json::from_str(open.text.strip_prefix('0').unwrap()).unwrap();
        let path = format!("{POLLING}&sid={}", open["sid"].as_str().unwrap());
        Self { shop, origin, path, cookies }
    }

    /// Connects and says what came of it, a CONNECT or a refusal.
    pub async fn connect(&self, auth: &Value) -> String {
        self.post(&format!("40{auth}")).await.expect(200);
        self.poll().await.expect(200).text
    }

    pub async fn post(&self, body: &str) -> Answer {
        let call = self.shop.app.post(&self.path).body("text/plain;charset=UTF-8", body.to_owned());
        call.header("origin", self.origin).send().await
    }

    pub async fn poll(&self) -> Answer {
        self.shop.get(&self.path, self.origin).send().await
    }
}
