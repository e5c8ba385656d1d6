//! The connection of `watch`: it asks for the figures, passes on what it hears, and comes back after every loss, to where
//! it was in the log.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest as _,
        http::{HeaderValue, header::AUTHORIZATION},
    },
};
use url::Url;

use super::login::Access;
use crate::cli::common::Failure;

/// The first pause before it comes back; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// After so long without a word the connection is given up: the figures come every second.
const SILENCE: Duration = Duration::from_secs(10);
/// Asks for the figures; the answer has this number.
const WATCH: &str = r#"{"type":"WATCH_FIGURES","id":1}"#;
/// The log-in ended (docs/contract.md, "Close codes").
const LOGGED_OUT: u16 = 4001;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What the screen is told.
pub(super) enum News {
    /// It is connected, and hears the figures from now on.
    Connected,
    /// An event: `{"type", "payload"}`.
    Event(Value),
    /// It is not connected.
    Lost {
        /// Why.
        why: String,
        /// When it comes back.
        again: Duration,
    },
}

/// Why a connection ended.
enum End {
    /// It comes back.
    Lost(String),
    /// The log-in does not hold, or is no administrator's.
    Refused(String),
    /// Nobody listens any more.
    Unheard,
}

/// A connection that comes back.
pub(super) struct Link {
    shop: Url,
    told: mpsc::Sender<News>,
    /// Where it is in which log.
    place: Option<(i64, String)>,
    pause: Duration,
    /// The last log-in was refused, and none has held since.
    was_refused: bool,
}

impl Link {
    pub(super) fn new(shop: Url, told: mpsc::Sender<News>) -> Self {
        Self { shop, told, place: None, pause: FIRST_PAUSE, was_refused: false }
    }

    /// Runs until the shop refuses it.
    pub(super) async fn run(&mut self, access: &Access) -> Failure {
        loop {
            let token = match access.token().await {
                Ok(token) => token,
                Err(failure) => return failure,
            };
            let why = match self.listen(&token).await {
                // A log-in of an hour has ended, or the account was changed: another may hold, once.
                End::Refused(_) if access.renews() && !self.was_refused => {
                    self.was_refused = true;
                    continue;
                }
                End::Refused(why) => return Failure::Run(format!("{} refuses: {why}", self.shop)),
                // Whoever shows the news ends the program.
                End::Unheard => return std::future::pending().await,
                End::Lost(why) => why,
            };
            // Whole fleets of watchers do not come back at the same time.
            let again = self.pause.mul_f64(rand::random_range(0.5..1.0));
            drop(self.told.send(News::Lost { why, again }).await);
            tokio::time::sleep(again).await;
            self.pause = LONGEST_PAUSE.min(self.pause * 2);
        }
    }

    async fn listen(&mut self, token: &str) -> End {
        let mut socket = match self.connect(token).await {
            Ok(socket) => socket,
            Err(end) => return end,
        };
        if let Err(error) = socket.send(Message::text(WATCH)).await {
            return End::Lost(error.to_string());
        }
        loop {
            let message = match timeout(SILENCE, socket.next()).await {
                Err(_) => return End::Lost("the shop is silent".into()),
                Ok(None) => return End::Lost("the shop closed the connection".into()),
                Ok(Some(Err(error))) => return End::Lost(error.to_string()),
                Ok(Some(Ok(message))) => message,
            };
            let ended = match message {
                Message::Text(text) => match serde_json::from_str(&text) {
                    Ok(event) => self.hear(event).await,
                    Err(_) => Some(End::Lost("what answers there is no shopbell".into())),
                },
                Message::Close(Some(frame)) if u16::from(frame.code) == LOGGED_OUT => {
                    Some(End::Refused("the log-in has ended".into()))
                }
                Message::Close(Some(frame)) => {
                    Some(End::Lost(format!("the shop closed the connection ({})", u16::from(frame.code))))
                }
                _ => None,
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    async fn connect(&self, token: &str) -> Result<Socket, End> {
        let lost = |error: &dyn std::fmt::Display| End::Lost(error.to_string());
        let mut request = self.address().into_client_request().map_err(|error| lost(&error))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
        let bearer = bearer.map_err(|_| End::Refused("the token is none".into()))?;
        request.headers_mut().insert(AUTHORIZATION, bearer);
        match timeout(SILENCE, connect_async(request)).await {
            Err(_) => Err(End::Lost("the shop does not answer".into())),
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(tungstenite::Error::Http(answer))) if matches!(answer.status().as_u16(), 401 | 403) => {
                Err(End::Refused("the log-in does not hold".into()))
            }
            Ok(Err(error)) => Err(lost(&error)),
        }
    }

    /// The address of the socket, with where it goes on in the log.
    fn address(&self) -> String {
        let mut url = self.shop.clone();
        // Both are special schemes, so that one can become the other.
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        let _ = url.set_scheme(scheme);
        url.set_path("/ws");
        url.set_query(
            self.place.as_ref().map(|(after, epoch)| format!("after={after}&epoch={epoch}")).as_deref(),
        );
        url.to_string()
    }

    /// Passes an event on.
    async fn hear(&mut self, event: Value) -> Option<End> {
        let payload = &event["payload"];
        let name = event["type"].as_str().unwrap_or_default();
        match name {
            "hello" => {
                // What was missed is replayed; without a place, and in another log, it begins here.
                let epoch = payload["epoch"].as_str().unwrap_or_default();
                if self.place.as_ref().is_none_or(|(_, known)| known != epoch) {
                    self.place = Some((payload["latest"].as_i64().unwrap_or_default(), epoch.to_owned()));
                }
                return None;
            }
            "ack" if payload["ok"] == false && payload["code"] == "forbidden" => {
                return Some(End::Refused("only administrators may watch".into()));
            }
            // The shop is busy, or its database is: that passes.
            "ack" if payload["ok"] == false => {
                return Some(End::Lost(payload["message"].as_str().unwrap_or("it answers no").to_owned()));
            }
            "ack" => {
                (self.pause, self.was_refused) = (FIRST_PAUSE, false);
                return self.tell(News::Connected).await;
            }
            "gap" => {
                if let (Some((place, _)), Some(oldest)) = (&mut self.place, payload["oldest"].as_i64()) {
                    *place = oldest - 1;
                }
            }
            "BUY_GOODS" | "BUY_CANCELED" => {
                if let (Some((place, _)), Some(id)) = (&mut self.place, payload["id"].as_i64()) {
                    *place = id;
                }
            }
            "FIGURES" => {}
            _ => return None,
        }
        self.tell(News::Event(event)).await
    }

    async fn tell(&self, news: News) -> Option<End> {
        self.told.send(news).await.is_err().then_some(End::Unheard)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn it_comes_back_to_where_it_was() {
        let (told, mut news) = mpsc::channel(8);
        let mut link = Link::new(Url::parse("https://shop.example/").unwrap(), told);
        assert_eq!(link.address(), "wss://shop.example/ws");
        for event in [
            json!({"type": "hello", "payload": {"latest": 4, "epoch": "e1"}}),
            json!({"type": "ack", "id": 1, "payload": {"ok": true}}),
            json!({"type": "goods", "payload": {}}),
            json!({"type": "BUY_GOODS", "payload": {"id": 7}}),
        ] {
            assert!(link.hear(event).await.is_none());
        }
        assert_eq!(link.address(), "wss://shop.example/ws?after=7&epoch=e1");
        link.hear(json!({"type": "gap", "payload": {"after": 7, "oldest": 20}})).await;
        link.hear(json!({"type": "hello", "payload": {"latest": 30, "epoch": "e1"}})).await;
        assert_eq!(link.address(), "wss://shop.example/ws?after=19&epoch=e1");
        assert!(matches!(news.try_recv(), Ok(News::Connected)));
        assert!(matches!(news.try_recv(), Ok(News::Event(event)) if event["payload"]["id"] == 7));
        let busy = json!({"ok": false, "code": "unavailable", "message": "too much work waits"});
        let lost = link.hear(json!({"type": "ack", "id": 1, "payload": busy})).await;
        assert!(matches!(lost, Some(End::Lost(why)) if why == "too much work waits"));
        let refused = json!({"ok": false, "code": "forbidden"});
        let refused = link.hear(json!({"type": "ack", "id": 1, "payload": refused})).await;
        assert!(matches!(refused, Some(End::Refused(_))));
        // A log-in that held was not refused: the next that ends may be replaced, too.
        link.was_refused = true;
        link.hear(json!({"type": "ack", "id": 1, "payload": {"ok": true}})).await;
        assert!(!link.was_refused);
    }
}
