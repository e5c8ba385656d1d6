//! A session that polls, and what becomes of one that gives a poll up.

use std::collections::VecDeque;

use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{Answer, Call, Http, Person, TestApp, eventually};

pub(super) const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// A session that polls.
pub struct Polling {
    pub(super) http: Http,
    pub(super) sid: String,
    pub(super) path: String,
    token: Option<String>,
    /// Came, and nobody asked for it yet.
    unread: VecDeque<String>,
}

impl Polling {
    /// Opens a session of Engine.IO, in no namespace yet.
    pub(super) async fn open_at(http: Http, person: Option<&Person>) -> Self {
        let call = http.get(POLLING);
        let call = match person {
            Some(person) => call.by(person),
            None => call,
        };
        Self::opened(http, person, call).await
    }

    /// The session that a handshake opens.
    pub(super) async fn opened(http: Http, person: Option<&Person>, call: Call) -> Self {
        let open = call.send().await.expect(200).text;
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        let sid = open["sid"].as_str().unwrap().to_owned();
        Self {
            path: format!("{POLLING}&sid={sid}"),
            sid,
            http,
            token: person.map(|person| person.token.clone()),
            unread: VecDeque::new(),
        }
    }

    pub async fn open(app: &TestApp, person: Option<&Person>) -> Self {
        Self::open_at(app.http.clone(), person).await
    }

    /// Opens a session and connects it to the main namespace.
    pub async fn connect(app: &TestApp, person: Option<&Person>, auth: &str) -> (Self, Value) {
        let mut session = Self::open(app, person).await;
        session.post(&format!("40{auth}")).await.expect(200);
        let connected = session.next().await;
        let connected = connected.strip_prefix("40").unwrap_or_else(|| panic!("{connected}"));
        (session, serde_json::from_str(connected).unwrap())
    }

    pub async fn post(&self, body: &str) -> Answer {
        let call = self.http.post(&self.path).body("text/plain;charset=UTF-8", body.to_owned());
        self.with_credentials(call).send().await
    }

    /// Polls once.
    pub(super) async fn poll(&self) -> Answer {
        self.with_credentials(self.http.get(&self.path)).send().await
    }

    /// Polls once at a node that may have ended.
    pub(super) async fn try_poll(&self) -> Result<Answer, reqwest::Error> {
        self.with_credentials(self.http.get(&self.path)).try_send().await
    }

    fn with_credentials(&self, call: Call) -> Call {
        self.token.iter().fold(call, |call, token| call.token(token))
    }

    /// The header line of its credentials.
    pub(super) fn credentials(&self) -> String {
        self.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default()
    }

    /// The next packet.
    pub async fn next(&mut self) -> String {
        if self.unread.is_empty() {
            let body = self.poll().await.expect(200).text;
            self.unread.extend(body.split('\x1e').map(str::to_owned));
        }
        self.unread.pop_front().unwrap()
    }

    /// The next packet that begins like this.
    pub async fn expect(&mut self, start: &str) -> String {
        loop {
            let packet = self.next().await;
            if packet.starts_with(start) {
                return packet;
            }
        }
    }

    /// The server knows the session no longer.
    #[track_caller]
    pub(super) fn is_unknown(answer: &Answer) {
        let unknown = r#"{"code":1,"message":"Session ID unknown"}"#;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (400, unknown));
    }
}

#[tokio::test]
async fn a_poll_that_overtakes_the_word_that_one_was_given_up_finds_no_session() {
    let app = TestApp::spawn().await;
    for _ in 0..20 {
        let session = Polling::open(&app, None).await;
        let mut given_up = TcpStream::connect(app.addr()).await.unwrap();
        let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", session.path, app.addr());
        given_up.write_all(request.as_bytes()).await.unwrap();
        drop(given_up);
        // Whichever of the two the server reads first: with the lost poll, packets may be lost, too.
        let answer = session.poll().await;
        assert!(answer.status == 400 || answer.text == "1", "{answer:?}");
        eventually("the end of the session", async || session.poll().await.text.contains("\"code\":1")).await;
        Polling::is_unknown(&session.post("40").await);
    }
}

#[tokio::test]
async fn a_poll_that_is_given_up_ends_the_session() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let (mut session, _) = Polling::connect(&app, Some(&admin), "").await;
    session.expect("42[\"offset\"").await;
    let mut given_up = TcpStream::connect(app.addr()).await.unwrap();
    let (path, credentials) = (&session.path, session.credentials());
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{credentials}\r\n", app.addr());
    given_up.write_all(request.as_bytes()).await.unwrap();
    drop(given_up);
    // Something that is not answered with a packet: the server may read it before the lost poll, which would take it along.
    eventually("the end of the session", async || session.post("3").await.status == 400).await;
    Polling::is_unknown(&session.poll().await);
}

#[tokio::test]
async fn good_bye_to_a_poll_comes_after_what_waits_and_alone() {
    let app = TestApp::spawn().await;
    let kim = app.member("kim").await;
    let (mut session, _) = Polling::connect(&app, Some(&kim), "").await;
    session.expect("42[\"offset\"").await;
    app.delete("/api/auth").by(&kim).send().await.expect(204);
    // In one answer, clients would take being disconnected on purpose for a lost connection, and come back.
    assert_eq!(session.poll().await.expect(200).text, "41");
    assert_eq!(session.poll().await.expect(200).text, "1");
    session.poll().await.expect(400);
}
