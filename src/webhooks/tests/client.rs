//! What the client connects to, and what it takes of an answer.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Method, header::HeaderMap};

use super::{
    super::client::{Answer, CONNECT_TIMEOUT, Client, Lookup, Request, SendError, basic_auth},
    receiver::{Act, Receiver},
};

/// Two addresses of this machine: one stands for the public internet, the other for what is behind it.
const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn post(url: &str) -> Request {
    Request {
        method: Method::POST,
        url: url.parse().unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"{}"),
        wanted: 1000,
    }
}

async fn send(client: &Client, url: &str) -> Result<Answer, SendError> {
    client.send(post(url)).await
}

/// Answers each look-up with the next of its lists, the last again and again.
struct Names {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Names {
    fn new(answers: &[&[IpAddr]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        Arc::new(Self { answers, asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(self.answers[asked.min(self.answers.len() - 1)].clone())
    }
}

fn outside_only(names: &Arc<Names>) -> Client {
    Client::with(Arc::clone(names) as Arc<dyn Lookup>, |address| address == OUTSIDE)
}

#[tokio::test]
async fn no_spelling_of_a_private_address_is_connected_to() {
    let receiver = Receiver::start().await;
    let client = Client::new(false);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "１２７.0.0.1",
        "127。0。0。1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "10.0.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
    ] {
        let refused = send(&client, &format!("http://{host}:{}/", receiver.port)).await;
        let refused = refused.expect_err(host);
        assert!(
            matches!(refused, SendError::NotPublic(_))
                || (host == "localhost." && !matches!(refused, SendError::Timeout)),
            "{host}: {refused}"
        );
    }
    assert_eq!(receiver.connections(), 0);
    let open = Client::new(true);
    for host in ["127.0.0.1", "0x7f.1", "localhost", "[::ffff:127.0.0.1]"] {
        let answer = send(&open, &format!("http://{host}:{}/", receiver.port)).await;
        assert_eq!(answer.map(|answer| answer.status).ok(), Some(200), "{host}");
    }
}

#[tokio::test]
async fn a_name_is_connected_to_where_it_was_checked() {
    let inside = Receiver::start().await;
    let Ok(listener) = tokio::net::TcpListener::bind((OUTSIDE, inside.port)).await else {
        // The port is somebody else's there.
        return;
    };
    let outside = Receiver::listen(listener);
    outside
        .always(Act::SayAndClose("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".into()));
    let url = format!("http://shop.example:{}/", inside.port);

    let names = Names::new(&[&[INSIDE]]);
    assert!(matches!(send(&outside_only(&names), &url).await, Err(SendError::NotPublic(INSIDE))));
    // Of both, what may be.
    let names = Names::new(&[&[INSIDE, OUTSIDE]]);
    assert_eq!(send(&outside_only(&names), &url).await.unwrap().status, 200);
    // A name that is rebound is judged by where it leads now, and is looked up once for each connection.
    let names = Names::new(&[&[OUTSIDE], &[INSIDE]]);
    let client = outside_only(&names);
    assert_eq!(send(&client, &url).await.unwrap().status, 200);
    assert_eq!(names.asked.load(Ordering::Relaxed), 1);
    assert!(matches!(send(&client, &url).await, Err(SendError::NotPublic(INSIDE))));
    assert_eq!((inside.connections(), outside.connections()), (0, 2));
    // A name without an address.
    let names = Names::new(&[&[]]);
    assert!(matches!(send(&outside_only(&names), &url).await, Err(SendError::Connect(_))));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let client = Client::new(true);
    for status in [301, 302, 303, 307, 308] {
        receiver.script([Act::answer(status, &format!("location: {}\r\n", elsewhere.url()), "")]);
        assert_eq!(send(&client, &receiver.url()).await.unwrap().status, status);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn no_more_of_an_answer_is_read_than_is_wanted() {
    let receiver = Receiver::start().await;
    let client = Client::new(true);
    receiver.script([
        Act::answer(200, "", "fine"),
        Act::NoEnd("HTTP/1.1 200 OK\r\n\r\n".into()),
        Act::SayAndClose("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".into()),
        Act::answer(500, "", &"e".repeat(5000)),
    ]);
    let answer = send(&client, &receiver.url()).await.unwrap();
    assert_eq!((answer.body.as_slice(), answer.is_complete), (&b"fine"[..], true));
    assert_eq!(receiver.received()[0].body, "{}");
    let answer = send(&client, &receiver.url()).await.unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.is_complete), (200, 1000, false));
    let answer = send(&client, &receiver.url()).await.unwrap();
    assert_eq!((answer.body.as_slice(), answer.is_complete), (&b"half"[..], false));
    let answer = send(&client, &receiver.url()).await.unwrap();
    assert_eq!((answer.status, answer.body.len(), answer.is_complete), (500, 1000, false));
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    let receiver = Receiver::start().await;
    let client = Client::new(true);
    receiver.script([Act::Close, Act::SayAndClose("SSH-2.0-x\r\n".into())]);
    for _ in 0..2 {
        let error = send(&client, &receiver.url()).await.unwrap_err();
        assert!(matches!(error, SendError::Broken(_)), "{error:?}");
        assert!(!error.to_string().contains("http://"), "{error}");
    }
    let closed = Receiver::start().await.port;
    // A port on which nobody listens any more, or never did.
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_ne!(closed, nobody);
    let error = send(&client, &format!("http://127.0.0.1:{nobody}/")).await.unwrap_err();
    assert!(matches!(error, SendError::Connect(_)), "{error:?}");
    // TLS to what does not speak it.
    receiver.always(Act::Close);
    let error = send(&client, &format!("https://127.0.0.1:{}/", receiver.port)).await.unwrap_err();
    assert!(!matches!(error, SendError::NotPublic(_)), "{error:?}");
}

/// Never says anything.
struct Silent;

#[async_trait]
impl Lookup for Silent {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_look_up_that_hangs_ends_with_the_time_for_a_connection() {
    let client = Client::with(Arc::new(Silent), |_| true);
    let began = Instant::now();
    assert!(matches!(send(&client, "http://shop.example/").await, Err(SendError::Timeout)));
    assert!(began.elapsed() < CONNECT_TIMEOUT + Duration::from_secs(3));
}

#[tokio::test]
async fn a_get_has_no_body_and_its_password_is_not_shown() {
    let receiver = Receiver::start().await;
    let (name, value) = basic_auth("ck_1", "cs_2");
    assert!(!format!("{value:?}").contains("Y2tf"));
    let request = Request {
        method: Method::GET,
        headers: HeaderMap::from_iter([(name, value)]),
        body: Bytes::new(),
        ..post(&receiver.url())
    };
    Client::new(true).send(request).await.unwrap();
    let received = receiver.received().remove(0);
    assert!(received.head.starts_with("get /hook http/1.1"));
    assert_eq!(received.header("authorization"), "basic y2tfmtpjc18y");
    assert!(
        received.header("user-agent").starts_with("shopbell/")
            && received.header("content-length").is_empty()
    );
}
