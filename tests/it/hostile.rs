//! What no client of ours would send: broken requests by raw TCP and bodies made to hurt. Nothing of it makes a 5xx,
//! shows anything internal, goes unanswered or harms the next request.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use crate::support::{TestApp, is_problem, within};

/// Sends bytes, says that there will be no more, and reads all that comes.
async fn raw(app: &TestApp, bytes: impl AsRef<[u8]>) -> String {
    let socket = TcpStream::connect(app.addr()).await.unwrap();
    let (mut read, mut write) = socket.into_split();
    let bytes = bytes.as_ref().to_vec();
    // A server that has seen enough may stop reading before all is written.
    let sending = tokio::spawn(async move {
        let _ = write.write_all(&bytes).await;
        let _ = write.shutdown().await;
        write
    });
    let mut answer = Vec::new();
    let _ = within("an answer", read.read_to_end(&mut answer)).await;
    drop(sending);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of the first answer.
fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

#[track_caller]
fn shows_nothing_internal(answer: &str) {
    let lower = answer.to_lowercase();
    for word in
        ["sqlite", "sqlx", "panicked", "src/", ".rs:", "backtrace", "select ", "root:", "serde", "actix"]
    {
        assert!(!lower.contains(word), "{word:?} in {answer}");
    }
}

/// A 4xx that shows nothing; with a body it is a problem.
#[track_caller]
fn refused(what: &str, answer: &str) {
    let status = status(answer).unwrap_or_else(|| panic!("{what:?} went unanswered: {answer:?}"));
    assert!((400..500).contains(&status), "{what:?}: {answer}");
    shows_nothing_internal(answer);
    if let Some((head, body)) = answer.split_once("\r\n\r\n")
        && head.contains("problem+json")
        && let Ok(body) = serde_json::from_str(body)
    {
        is_problem(&body, status);
    }
}

async fn still_serves(app: &TestApp) {
    app.get("/readyz").send().await.expect(200);
    app.get("/api/goods").send().await.expect(200);
}

#[tokio::test]
async fn requests_that_are_none_are_refused() {
    let app = TestApp::spawn().await;
    for bad in [
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        "G\u{0}T / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\u{0} HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost x\r\n\r\n",
        "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nA\u{0}: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /api/auth HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /api/auth HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        "POST /api/auth HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "POST /api/auth HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, nonsense\r\n\r\n{}",
        "\r\n\r\n\r\nnonsense\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}",
    ] {
        // A bare 400 for what is not HTTP at all, but an answer.
        refused(bad, &raw(&app, bad).await);
    }
    still_serves(&app).await;
}

#[tokio::test]
async fn headers_have_a_limit_and_an_answer() {
    let app = TestApp::spawn().await;
    let one = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X: y\r\n".repeat(2000));
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(1 << 20));
    let token = format!(
        "GET /api/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
        "x".repeat(7000)
    );
    for bad in [one, many, long, token] {
        refused(&bad[..60], &raw(&app, &bad).await);
    }
    still_serves(&app).await;
}

#[tokio::test]
async fn lengths_that_lie_get_the_answer_they_deserve() {
    let app = TestApp::spawn().await;
    let post = |headers: &str, body: &str| {
        format!(
            "POST /api/auth HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{body}"
        )
    };
    // Shorter than the body: the rest is no request.
    let answer = raw(&app, post("Content-Length: 2", "{}} nonsense\r\n\r\n")).await;
    refused("a short length", &answer);
    // Longer than the body: the client hung up in the middle.
    let answer = raw(&app, post("Content-Length: 5000", "{}")).await;
    assert!(answer.is_empty() || status(&answer).is_some_and(|status| status < 500), "{answer}");
    for chunks in [
        "zz\r\n{}\r\n0\r\n\r\n",
        "-1\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n{}\r\n",
        "2\r\n{}x\r\n0\r\n\r\n",
    ] {
        refused(chunks, &raw(&app, post("Transfer-Encoding: chunked", chunks)).await);
    }
    let endless = format!("{}0\r\n\r\n", "1000\r\n".to_owned() + &"x".repeat(4096) + "\r\n").repeat(40);
    refused("endless chunks", &raw(&app, post("Transfer-Encoding: chunked", &endless)).await);
    let announced = raw(&app, post("Content-Length: 100000000\r\nExpect: 100-continue", "")).await;
    assert!(announced.contains("413") || announced.contains("417") || announced.is_empty(), "{announced}");
    still_serves(&app).await;
}

#[tokio::test]
async fn a_slow_request_holds_up_nobody() {
    let app = TestApp::spawn_with(|serve| serve.workers = Some(1)).await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut socket = TcpStream::connect(app.addr()).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow").await.unwrap();
        slow.push(socket);
    }
    still_serves(&app).await;
}

#[tokio::test]
async fn paths_lead_nowhere_but_to_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pages")).unwrap();
    std::fs::write(folder.path().join("pages/index.html"), "the shop").unwrap();
    std::fs::write(folder.path().join("pages/.env"), "a secret").unwrap();
    std::fs::write(folder.path().join("secret.html"), "a secret").unwrap();
    let assets = folder.path().join("pages");
    for app in [TestApp::spawn().await, TestApp::spawn_with(|serve| serve.assets = Some(assets)).await] {
        for path in [
            "/../secret.html",
            "/..%2fsecret.html",
            "/%2e%2e/secret.html",
            "/..%2f..%2f..%2f..%2fetc/passwd",
            "/%252e%252e%252fsecret.html",
            "/..\\secret.html",
            "/..%5csecret.html",
            "/pages/../../secret.html",
            "//etc/passwd",
            "///",
            "//secret",
            "/%2fetc%2fpasswd",
            "/index.html/",
            "/index.html%00.png",
            "/%00",
            "/.env",
            "/%ff",
            "/%",
            "/%zz",
            "/a/./b",
            "/C:/windows/win.ini",
            "/index.html::$DATA",
            "/api/../secret.html",
            "/api/goods/..%2f..%2fsecret",
            "/~root",
            "/*",
            "/?%ff=%ff&[]=",
            "/api/goods?limit=1&limit=2&%00=%00",
            "/api/goods?q=%ff%fe",
            "/api/goods?category=%00",
        ] {
            let answer =
                raw(&app, format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
            let status = status(&answer).unwrap_or_else(|| panic!("{path} went unanswered: {answer:?}"));
            assert!(status < 500, "{path}: {answer}");
            assert!(!answer.contains("a secret"), "{path}: {answer}");
            // A redirect must not lead to another host.
            assert!(!answer.to_lowercase().contains("location: //"), "{path}: {answer}");
            shows_nothing_internal(
                answer.split_once("\r\n\r\n").filter(|_| status >= 400).map_or("", |(_, body)| body),
            );
        }
        still_serves(&app).await;
    }
}

#[tokio::test]
async fn bodies_made_to_hurt_are_refused() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    app.goods(&admin, "Water", 6.2, None).await;
    let deep_json = format!("{{\"items\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let deep_objects = "{\"a\":".repeat(10_000);
    let wide_json = format!("{{\"items\":[{}1]}}", "1,".repeat(30_000));
    let many_keys = format!("{{{}\"z\":1}}", (0..5000).map(|n| format!("\"k{n}\":1,")).collect::<String>());
    let twice = "{\"items\":[],\"items\":[{\"goodsId\":1,\"quantity\":0}]}".to_owned();
    let numbers = "{\"items\":[{\"goodsId\":1e400,\"quantity\":1}]}".to_owned();
    let huge_number = format!("{{\"items\":[{{\"goodsId\":{},\"quantity\":1}}]}}", "9".repeat(5000));
    let nul = "{\"items\":[{\"goodsId\":\"1\\u0000\",\"quantity\":1}]}".to_owned();
    let proto = "{\"__proto__\":{\"fromCart\":true},\"items\":{\"0\":1}}".to_owned();
    for body in [deep_json, deep_objects, wide_json, many_keys, twice, numbers, huge_number, nul, proto] {
        let answer = app.post("/api/orders").by(&admin).body("application/json", body.clone()).send().await;
        assert!(answer.status.is_client_error(), "{}: {}", &body[..body.len().min(60)], answer.text);
        shows_nothing_internal(&answer.text);
    }
    let bomb = format!("a{}=1", "[b]".repeat(15_000));
    let open = "[".repeat(60_000);
    let pairs = "items[0][goodsId]=1&".repeat(3000);
    let many = (0..3000).map(|n| format!("items[{n}][quantity]=1&")).collect::<String>();
    for form in [
        bomb.as_str(),
        open.as_str(),
        pairs.as_str(),
        many.as_str(),
        "items[999999999][goodsId]=1&items[999999999][quantity]=0",
        "items[99999999999999999999999][goodsId]=1",
        "items[-1][goodsId]=1",
        "items[0][goodsId][x]=1",
        "items[][]=1",
        "items=1&items[0]=2&items[0][goodsId]=3",
        "items[0=1",
        "items]0[=1",
        "=&=&&&",
        "%00=%00",
        "%ff%fe=%ff",
        "%",
        "%zz=1",
        "items[0][__proto__][x]=1",
        "&",
        ";",
    ] {
        let answer = app.post("/api/orders").by(&admin).form(form).send().await;
        assert!(answer.status.is_client_error(), "{}: {}", &form[..form.len().min(60)], answer.text);
        shows_nothing_internal(&answer.text);
    }
    still_serves(&app).await;
}

#[tokio::test]
async fn fields_made_to_hurt_are_refused() {
    let app = TestApp::spawn_with(|serve| serve.max_body = Some(4 << 20)).await;
    let large = "x".repeat(1 << 20);
    let combining = format!("a{}", "\u{301}".repeat(500_000));
    for nickname in
        [large.as_str(), combining.as_str(), "a\u{0}b", "\u{feff}\u{200b}", "ab\u{202e}", "\u{fffe}\u{ffff}"]
    {
        let body = json!({
            "nickname": nickname, "email": "kim@example.com", "password": "correct horse", "confirmPassword": "correct horse",
        });
        app.post("/api/users").json(&body).send().await.invalid(&["nickname"]);
    }
    let body = json!({"email": "kim@example.com", "password": large});
    assert!(app.post("/api/auth").json(&body).send().await.status.is_client_error());
    let body = json!({"email": format!("{large}@example.com"), "password": "correct horse"});
    assert!(app.post("/api/auth").json(&body).send().await.status.is_client_error());
    let body = json!({"email": "x' or '1'='1@example.com", "password": "' or 1=1 --"});
    assert!(app.post("/api/auth").json(&body).send().await.status.is_client_error());
    still_serves(&app).await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let app = TestApp::spawn().await;
    let one = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET /api/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = raw(&app, format!("{}{last}", one.repeat(20))).await;
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 20, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 404").count(), 1, "{answer}");
}

#[tokio::test]
async fn who_asks_and_does_not_read_is_not_listened_to_until_it_does() {
    let app = TestApp::spawn_with(|serve| {
        serve.message_rate = Some(1_000_000);
        serve.outbox_limit = Some(10_000);
    })
    .await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16_384).unwrap();
    let mut socket = socket.connect(app.addr().parse().unwrap()).await.unwrap();
    let handshake = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        app.addr()
    );
    socket.write_all(handshake.as_bytes()).await.unwrap();
    // Masked with zeros. Every answer is longer than its question.
    let question = json!({"type": "unheard of", "id": "x".repeat(90)}).to_string();
    let mut frame = vec![0x81, 0x80 | u8::try_from(question.len()).unwrap()];
    assert!(question.len() < 126, "{question}");
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(question.as_bytes());
    let block = frame.repeat(100);
    let mut asked = 0;
    // So much more than buffers anywhere hold that a server which went on listening would have to keep the answers.
    while asked < 400_000
        && tokio::time::timeout(Duration::from_millis(500), socket.write_all(&block))
            .await
            .is_ok_and(|w| w.is_ok())
    {
        asked += 100;
    }
    assert!((100..400_000).contains(&asked), "it was listened to all the time, or never: {asked}");
    still_serves(&app).await;
    // What it did say is answered once it reads.
    let mut read = Vec::new();
    within("an answer to all", async {
        let mut answers = 0;
        while answers < asked {
            let length = socket.read_buf(&mut read).await.unwrap();
            assert_ne!(length, 0, "the connection ended after {answers} of {asked} answers");
            answers += take_all(&mut read, br#""type":"ack""#);
        }
    })
    .await;
}

/// Counts these bytes and keeps of the rest what may be their beginning.
fn take_all(read: &mut Vec<u8>, wanted: &[u8]) -> usize {
    let count = read.windows(wanted.len()).filter(|window| *window == wanted).count();
    let end =
        read.windows(wanted.len()).rposition(|window| window == wanted).map_or(0, |at| at + wanted.len());
    read.drain(..end.max(read.len().saturating_sub(wanted.len() - 1)));
    count
}
