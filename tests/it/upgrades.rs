//! Offers of another protocol that nobody takes, as proxies make them with each request, and what a session id alone opens.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{As, PASSWORD, TestApp, Ws, within};

/// A proxy's connection to the server, which it uses again as long as the server does not say `close`.
struct Upstream {
    addr: String,
    socket: Option<TcpStream>,
    connections: usize,
}

impl Upstream {
    fn new(app: &TestApp) -> Self {
        Self { addr: app.addr().to_owned(), socket: None, connections: 0 }
    }

    /// Sends a request and reads its answer: status and body. Panics where a proxy would answer 502.
    async fn send(&mut self, request: &str) -> (u16, String) {
        if self.socket.is_none() {
            self.socket = Some(TcpStream::connect(&self.addr).await.unwrap());
            self.connections += 1;
        }
        let mut socket = self.socket.take().unwrap();
        socket.write_all(request.as_bytes()).await.expect("the connection is open");
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            if let Some((head, body)) = split(&bytes)
                && body.len() >= length(&head)
            {
                if !head.contains("connection: close") {
                    self.socket = Some(socket);
                }
                return (head[9..12].parse().unwrap(), String::from_utf8(body).unwrap());
            }
            let read = within("an answer", socket.read(&mut buffer)).await.unwrap();
            assert_ne!(read, 0, "closed without an answer: 502");
            bytes.extend_from_slice(&buffer[..read]);
        }
    }
}

fn split(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase(), bytes[end + 4..].to_vec()))
}

fn length(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.map_or(0, |length| length.parse().unwrap())
}

#[tokio::test]
async fn an_offer_that_is_not_taken_closes_nothing_without_a_word() {
    let app = TestApp::spawn().await;
    app.member("kim").await;
    let body = format!("{{\"email\":\"nobody@example.com\",\"pass\":\"{PASSWORD}\"}}");
    for offer in [
        "Connection: upgrade\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\n",
        "Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
        "Upgrade: websocket\r\n",
        "Connection: upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ] {
        let mut upstream = Upstream::new(&app);
        for _ in 0..200 {
            let request = format!(
                "POST /api/auth HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{offer}Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let (status, answer) = upstream.send(&request).await;
            assert_eq!(status, 400, "{offer}: {answer}");
            assert!(answer.contains("password"), "the body was read: {answer}");
        }
        for (path, expected) in [("/", 200), ("/api/goods", 200), ("/nothing", 404), ("/healthz", 200)] {
            let (status, _) = upstream.send(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n{offer}\r\n")).await;
            assert_eq!(status, expected, "{offer} {path}");
        }
        // Polls, too.
        let open = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1";
        let (status, answer) = upstream.send(&format!("{open}\r\nHost: x\r\n{offer}\r\n")).await;
        assert!(status == 200 && answer.starts_with("0{"), "{offer}: {answer}");
        if offer.contains("ebsocket") || offer.contains("ebSocket") {
            assert!(
                !offer.starts_with("Connection") || upstream.connections == 1,
                "{offer}: {}",
                upstream.connections
            );
        }
    }
}

#[tokio::test]
async fn what_comes_right_behind_an_untaken_offer_is_answered_in_order() {
    let app = TestApp::spawn().await;
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let offer = "Host: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let requests = format!(
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\n{offer}GET /api/goods HTTP/1.1\r\n{offer}\
         GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(requests.as_bytes()).await.unwrap();
    let mut answers = String::new();
    within("all answers", socket.read_to_string(&mut answers)).await.unwrap();
    let statuses: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "404", "200", "200"], "{answers}");
    assert!(answers.contains("\"ready\""));
    // CONNECT is no request of ours, whatever it offers.
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    socket.write_all(b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    within("an answer", socket.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

#[tokio::test]
async fn a_session_id_alone_opens_nothing() {
    let app = TestApp::spawn().await;
    let (kim, lee) = (app.member("kim").await, app.member("lee").await);
    let open = app
        .get(POLLING)
        .header("Cookie", &kim.cookie)
        .header("Origin", &app.url)
        .send()
        .await
        .expect(200)
        .text;
    let open: serde_json::Value = serde_json::from_str(&open[1..]).unwrap();
    let sid = open["sid"].as_str().unwrap();
    let path = format!("{POLLING}&sid={sid}");
    let upgrade = format!("/socket.io/?EIO=4&transport=websocket&sid={sid}");
    let evil = ("origin", "https://evil.example");
    for headers in [
        &[][..],
        &[("cookie", lee.cookie.as_str())],
        &[("cookie", "shopbell_token=nonsense")],
        &[evil],
        &[evil, ("cookie", kim.cookie.as_str())],
        &[("cookie", kim.cookie.as_str()), ("authorization", "Bearer null")],
    ] {
        for method in ["GET", "POST"] {
            let call = app.request(method, &path).body("text/plain", "40");
            let call = headers.iter().fold(call, |call, (name, value)| call.header(name, value));
            assert_eq!(call.send().await.status, 403, "{method} {headers:?}");
        }
        let refused = Ws::handshake(&app, &upgrade, As::Guest, headers).await.err().map(|(status, _)| status);
        assert_eq!(refused, Some(403), "{headers:?}");
    }
    // Its owner goes on, also with a fresh token, and beside cookies of others.
    let again = app.log_in("kim").await;
    let cookies = format!("{}; {}", lee.cookie, again.cookie);
    let post = app.post(&path).header("Cookie", &cookies).header("Origin", &app.url).body("text/plain", "40");
    post.send().await.expect(200);
    // A guest's session has no credentials to ask for, but its origin counts.
    let open = app.get(POLLING).send().await.expect(200).text;
    let open: serde_json::Value = serde_json::from_str(&open[1..]).unwrap();
    let path = format!("{POLLING}&sid={}", open["sid"].as_str().unwrap());
    app.post(&path)
        .header("Origin", "https://evil.example")
        .body("text/plain", "40")
        .send()
        .await
        .expect(403);
    app.post(&path).body("text/plain", "40").send().await.expect(200);
}

#[tokio::test]
async fn apps_and_their_headers_are_let_in_by_name() {
    let app = TestApp::spawn_with(|serve| {
        serve.allowed_origin =
            Some(["capacitor://localhost", "null", "https://blog.example"].map(str::to_owned).to_vec());
    })
    .await;
    let own = app.url.replace("http://", "ws://");
    for origin in ["capacitor://localhost", "null", "https://blog.example", "wss://blog.example", &own] {
        app.get(POLLING).header("Origin", origin).send().await.expect(200);
        let call = app
            .request("OPTIONS", POLLING)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "GET")
            .header("Access-Control-Request-Headers", "x-shop,authorization");
        let answer = call.send().await.expect(204);
        assert_eq!(answer.header("access-control-allow-headers"), "x-shop,authorization", "{origin}");
    }
    for origin in ["ionic://localhost", "capacitor://localhost.evil", "wss://evil.example"] {
        app.get(POLLING).header("Origin", origin).send().await.expect(403);
    }
}

#[tokio::test]
async fn the_first_subprotocol_of_a_socketio_client_is_chosen() {
    let app = TestApp::spawn().await;
    let request = |offered: &str| {
        format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offered}\r\n",
            app.addr()
        )
    };
    for (offered, chosen) in [
        ("", None),
        ("Sec-WebSocket-Protocol: shop, other\r\n", Some("shop")),
        ("Sec-WebSocket-Protocol: , b@d, good\r\n", Some("good")),
    ] {
        let mut socket = TcpStream::connect(app.addr()).await.unwrap();
        socket.write_all(request(offered).as_bytes()).await.unwrap();
        let (mut bytes, mut buffer) = (Vec::new(), [0; 1024]);
        while split(&bytes).is_none() {
            let read = within("the handshake", socket.read(&mut buffer)).await.unwrap();
            assert_ne!(read, 0);
            bytes.extend_from_slice(&buffer[..read]);
        }
        let head = split(&bytes).unwrap().0;
        assert!(head.starts_with("http/1.1 101"), "{head}");
        assert_eq!(head.lines().find_map(|line| line.strip_prefix("sec-websocket-protocol: ")), chosen);
    }
}

#[tokio::test]
async fn jsonp_is_refused_by_name() {
    let app = TestApp::spawn().await;
    let answer = app.get(&format!("{POLLING}&j=0")).send().await.expect(400);
    assert!(answer.text.contains("JSONP"), "{}", answer.text);
}
