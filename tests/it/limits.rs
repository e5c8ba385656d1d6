//! The limits: each refuses with its own code, is counted, and lets in again when someone has left. And clients that
//! hold on to what they were given: half requests, and more connections than there are open files.

use std::{fs, io::ErrorKind::WouldBlock, process::Command, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    serving::{Serving, client, folder, shopbell},
    support::{As, Person, TestApp, Ws, eventually, pass, until, within},
};

const KEY: &str =
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

/// Opens a session of `/ws` until there is room for it.
async fn gets_in(app: &TestApp, who: As<'_>, headers: &[(&str, &str)]) -> Ws {
    until("room for a session", async || Ws::handshake(app, "/ws", who, headers).await.ok()).await
}

/// A refused handshake of each transport that says so by HTTP; a browser's stream has to come back.
async fn refused_everywhere(app: &TestApp, who: &Person, forwarded: &str, status: u16, code: &str) {
    let headers = [("x-forwarded-for", forwarded)];
    let Err((answered, problem)) = Ws::handshake(app, "/ws", As::Header(who), &headers).await else {
        panic!("a session too many on /ws");
    };
    assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{problem}");
    let stream = app.get("/api/events").by(who).header("x-forwarded-for", forwarded).send().await;
    assert!(stream.expect(200).text.starts_with(&format!(": {code}\nretry: ")));
}

async fn refused_by_engineio(app: &TestApp, forwarded: &str, status: u16, code: &str) {
    let poll = app.get("/socket.io/?EIO=4&transport=polling").header("x-forwarded-for", forwarded);
    assert!(!poll.send().await.refused(status, code).header("retry-after").is_empty());
    let path = "/socket.io/?EIO=4&transport=websocket";
    let Err((answered, problem)) =
        Ws::handshake(app, path, As::Guest, &[("x-forwarded-for", forwarded)]).await
    else {
        panic!("a session too many on /socket.io/");
    };
    assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{problem}");
}

async fn counted(app: &TestApp, code: &str) {
    let numbers = app.get("/metrics").send().await.text;
    let line = format!("shopbell_refusals_total{{code=\"{code}\"}}");
    assert!(numbers.lines().any(|number| number.starts_with(&line)), "{code} is not among {numbers}");
}

#[tokio::test]
async fn an_account_has_so_many_sessions() {
    let app = TestApp::spawn_with(|serve| serve.max_sessions_per_account = Some(2)).await;
    let (kim, lee) = (app.member("kim").await, app.member("lee").await);
    let again = app.log_in("kim").await;
    let first = Ws::open(&app, As::Header(&kim)).await;
    let _second = Ws::open(&app, As::Cookie(&again)).await;
    refused_everywhere(&app, &kim, "", 429, "too_many_sessions").await;
    // Socket.IO knows the account when a client connects to the namespace.
    let sid = app.get("/socket.io/?EIO=4&transport=polling").send().await.expect(200);
    let sid: Value = serde_json::from_str(&sid.text[1..]).unwrap();
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", sid["sid"].as_str().unwrap());
    let connect = format!("40{}", json!({"token": kim.token}));
    app.post(&path).body("text/plain", connect).send().await.expect(200);
    let answer = app.get(&path).send().await.expect(200).text;
    assert!(answer.starts_with("44") && answer.contains("\"code\":\"too_many_sessions\""), "{answer}");
    counted(&app, "too_many_sessions").await;
    let _other = Ws::open(&app, As::Header(&lee)).await;
    drop(first);
    gets_in(&app, As::Header(&kim), &[]).await;
}

#[tokio::test]
async fn an_address_has_so_many_sessions() {
    let app = TestApp::spawn_with(|serve| {
        serve.max_sessions_per_address = Some(2);
        serve.trusted_proxy = Some(vec![[127, 0, 0, 1].into()]);
    })
    .await;
    let kim = app.member("kim").await;
    let here = [("x-forwarded-for", "2001:db8::1")];
    let first = Ws::handshake(&app, "/ws", As::Guest, &here).await.unwrap();
    let poll = app.get("/socket.io/?EIO=4&transport=polling").header("x-forwarded-for", "2001:db8::2");
    poll.send().await.expect(200);
    // Members are counted apart.
    let _members = [
        Ws::handshake(&app, "/ws", As::Header(&kim), &here).await.unwrap(),
        Ws::handshake(&app, "/ws", As::Header(&kim), &here).await.unwrap(),
    ];
    refused_everywhere(&app, &kim, "2001:db8::3", 429, "too_many_connections").await;
    counted(&app, "too_many_connections").await;
    let _other =
        Ws::handshake(&app, "/ws", As::Guest, &[("x-forwarded-for", "2001:db8:1::1")]).await.unwrap();
    // The proxy itself is nobody's address.
    for _ in 0..3 {
        let _inside = Ws::open(&app, As::Guest).await;
    }
    drop(first);
    gets_in(&app, As::Guest, &here).await;
}

#[tokio::test]
async fn an_address_begins_so_many_sessions_a_second() {
    let app = TestApp::spawn_with(|serve| serve.handshake_rate = Some(1)).await;
    let kim = app.member("kim").await;
    for _ in 0..4 {
        drop(Ws::open(&app, As::Guest).await);
        // Members have a rate of their own.
        drop(Ws::open(&app, As::Header(&kim)).await);
    }
    // Four at once, and one a second: of these some come too soon, however slow the machine is.
    let refused = async || Ws::handshake(&app, "/ws", As::Guest, &[]).await.err();
    eventually("a refusal", async || {
        refused().await.is_some_and(|(status, problem)| {
            assert_eq!((status, problem["code"].as_str()), (429, Some("too_many_handshakes")), "{problem}");
            true
        })
    })
    .await;
    let refused = async || Ws::handshake(&app, "/ws", As::Header(&kim), &[]).await.is_err();
    eventually("a refusal of a member", refused).await;
    refused_everywhere(&app, &kim, "", 429, "too_many_handshakes").await;
    counted(&app, "too_many_handshakes").await;
    gets_in(&app, As::Guest, &[]).await;
}

#[tokio::test]
async fn a_server_that_is_full_says_so_and_when_to_come_back() {
    let app = TestApp::spawn_with(|serve| {
        serve.max_connections = Some(3);
        serve.max_connections_per_address = Some(100);
        serve.max_sessions_per_address = Some(3);
    })
    .await;
    let mut idle = TcpStream::connect(app.addr()).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    within("an answer", idle.read_u8()).await.unwrap();
    // A connection that waits for a request makes room.
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(Ws::open(&app, As::Guest).await);
    }
    within("the end of the idle connection", idle.read_to_end(&mut Vec::new())).await.unwrap();
    let answer = app.get("/api/goods").send().await.refused(503, "server_full");
    assert!(!answer.header("retry-after").is_empty());
    assert_eq!(answer.header("connection"), "close", "this connection will never have a place");
    let stream = app.get("/api/events").send().await.expect(200);
    assert!(stream.text.starts_with(": server_full\nretry: "), "a browser has to come back: {stream:?}");
    assert_eq!(stream.header("connection"), "close");
    refused_by_engineio(&app, "", 503, "server_full").await;
    app.get("/healthz").send().await.expect(200);
    counted(&app, "server_full").await;
    // Whoever had a place still has it.
    assert_eq!(open[0].ask("CHANGED_PAGE", json!("/")).await["ok"], true);
    open.clear();
    eventually("room for a request", async || app.get("/api/goods").send().await.status == 200).await;
}

#[tokio::test]
async fn a_head_has_so_many_bytes() {
    let app = TestApp::spawn_with(|serve| serve.max_head = Some(1000)).await;
    let long = "x".repeat(1000);
    app.get("/api/goods").header("x-long", &long).send().await.refused(431, "headers_too_large");
    app.get(&format!("/api/goods?q={long}")).send().await.refused(431, "headers_too_large");
    for path in ["/ws", "/socket.io/?EIO=4&transport=websocket"] {
        let refused = Ws::handshake(&app, path, As::Guest, &[("x-long", &long)]).await.err().unwrap();
        assert_eq!((refused.0, refused.1["code"].as_str()), (431, Some("headers_too_large")));
    }
    counted(&app, "headers_too_large").await;
    app.get("/api/goods").header("x-long", &long[..500]).send().await.expect(200);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let app = TestApp::spawn_with(|serve| serve.body_timeout = Some("300ms".parse().unwrap())).await;
    let half =
        "POST /api/auth HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    assert!(end_of(&app, half).await.starts_with("HTTP/1.1 408"));
    counted(&app, "request_timeout").await;
}

/// What comes until the server ends the connection.
async fn end_of(app: &TestApp, bytes: &str) -> String {
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    socket.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = within("the end of the connection", socket.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn half_a_head_is_not_waited_for() {
    let app = TestApp::spawn_with(|serve| serve.header_timeout = Some("1s".parse().unwrap())).await;
    let upgrade = format!("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n{KEY}\r\n");
    let slow = (0..50).map(|n| end_of(&app, if n % 2 == 0 { "GET / HT" } else { &upgrade }));
    for end in futures_util::future::join_all(slow).await {
        assert!(end.starts_with("HTTP/1.1 408"), "{end}");
    }
    // Nor when there was a whole one before it.
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_ne!(within("an answer", socket.read(&mut [0; 4096])).await.unwrap(), 0);
    socket.write_all(upgrade.as_bytes()).await.unwrap();
    assert_eq!(within("the end", socket.read(&mut [0; 4096])).await.unwrap_or(0), 0);
    app.get("/readyz").send().await.expect(200);
}

#[tokio::test]
async fn who_waits_between_two_requests_or_for_an_answer_is_not_slow() {
    let app = TestApp::spawn_with(|serve| serve.header_timeout = Some("400ms".parse().unwrap())).await;
    let kim = app.member("kim").await;
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let events =
        format!("GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", kim.token);
    let whole = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut seen = String::new();
    for request in [whole, whole, &events] {
        socket.write_all(request.as_bytes()).await.unwrap();
        let before = seen.matches("HTTP/1.1 200").count();
        while seen.matches("HTTP/1.1 200").count() == before || !seen.ends_with('\n') && !seen.ends_with('}')
        {
            let mut bytes = [0; 4096];
            let length = within("an answer", socket.read(&mut bytes)).await.unwrap();
            assert_ne!(length, 0, "the connection ended after {seen}");
            seen.push_str(&String::from_utf8_lossy(&bytes[..length]));
        }
        let silence = tokio::time::timeout(Duration::from_millis(600), socket.peek(&mut [0; 1])).await;
        assert!(!matches!(silence, Ok(Ok(0) | Err(_))), "it was ended while it was silent");
    }
}

#[tokio::test]
async fn a_nickname_of_a_megabyte_is_refused_on_every_way_in() {
    let app = TestApp::spawn_with(|serve| serve.guest_chat = Some(true)).await;
    let nickname = "n".repeat(1 << 20);
    let body = json!({"nickname": nickname, "email": "kim@example.com", "password": "correct horse"});
    app.post("/api/users").json(&body).send().await.refused(413, "body_too_large");
    let mut guest = Ws::open(&app, As::Guest).await;
    guest.send("nickname", json!(nickname)).await;
    assert_eq!(guest.closed().await.0, 1009, "a message larger than --max-payload");
    let mut guest = Ws::open(&app, As::Guest).await;
    let reply = guest.ask("nickname", json!(&nickname[..900_000])).await;
    assert_eq!((&reply["ok"], &reply["code"]), (&json!(false), &json!("validation")), "{reply}");
    // As the credentials of a Socket.IO client.
    let open = app.get("/socket.io/?EIO=4&transport=polling").send().await.expect(200);
    let sid: Value = serde_json::from_str(&open.text[1..]).unwrap();
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", sid["sid"].as_str().unwrap());
    let connect = format!("40{}", json!({"nickname": nickname}));
    app.post(&path).body("text/plain", connect).stream().await.error_for_status().unwrap_err();
    let connect = format!("40{}", json!({"token": nickname[..900_000]}));
    app.post(&path).body("text/plain", connect).stream().await.error_for_status().unwrap_err();
    app.get("/readyz").send().await.expect(200);
}

/// User and system time of a process so far, in hundredths of a second.
fn cpu_time(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // Behind the name in parentheses, which may hold blanks: utime and stime are fields 14 and 15.
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// The program with so few open files.
fn with_files(limit: u32, folder: &std::path::Path) -> Serving {
    let program = shopbell(folder, &[]);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]).arg(program.get_program());
    command.args(["serve", "--addr", "127.0.0.1:0", "--workers", "2"]).env_clear().current_dir(folder);
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Serving::of(command)
}

#[tokio::test]
async fn more_connections_than_open_files_are_refused_and_nothing_else_suffers() {
    let folder = folder();
    let serving = with_files(128, folder.path());
    let addr = serving.url.strip_prefix("http://").unwrap().to_owned();
    let mut held = Vec::new();
    for _ in 0..200 {
        let mut socket = TcpStream::connect(&addr).await.unwrap();
        // Those beyond the last are dropped, which a write may notice.
        let _ = socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow").await;
        held.push(socket);
    }
    // 64 fit, of which one address has half: the newest, because those that wait for a request make room.
    let ended =
        |socket: &mut TcpStream| !matches!(socket.try_read(&mut [0; 1]), Err(e) if e.kind() == WouldBlock);
    eventually("the end of those that are too many", || {
        held.retain_mut(|socket| !ended(socket));
        std::future::ready(held.len() <= 32)
    })
    .await;
    assert_eq!(held.len(), 32);
    let before = cpu_time(serving.child.id());
    pass(Duration::from_millis(500)).await;
    let spent = cpu_time(serving.child.id()) - before;
    assert!(spent <= 10, "{spent} hundredths of a second in half a second of waiting");
    let get = async |path: &str| client().get(format!("{}{path}", serving.url)).send().await.ok();
    let status = async |path: &str| get(path).await.map(|answer| answer.status().as_u16());
    assert_eq!(status("/healthz").await, Some(200));
    assert_eq!(status("/api/goods").await, Some(200));
    held.clear();
    // The database was never short of files.
    eventually("an answer", async || status("/api/goods").await == Some(200)).await;
    assert_eq!(status("/readyz").await, Some(200));
}

#[tokio::test]
async fn every_number_to_watch_is_there() {
    use shopbell::telemetry::names;
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    let mut ws = Ws::open(&app, As::Header(&kim)).await;
    app.order(&kim, goods, 1).await;
    ws.expect("BUY_GOODS").await;
    let wrong = ws.ask("no such event", json!(null)).await;
    assert_eq!(wrong["code"], "unknown_event");
    drop(ws);
    let missing = async || {
        let numbers = app.get("/metrics").send().await.text;
        let all = [
            names::CONNECTIONS,
            names::HANDSHAKES,
            names::SESSIONS,
            names::SESSIONS_LAGGING,
            names::SESSIONS_LAGGED,
            names::OUTBOX_BYTES,
            names::ALERTS_DELIVERED,
            "shopbell_alert_seconds_count{transport=\"websocket\"}",
            names::GAPS,
            "shopbell_refusals_total{code=\"unknown_event\"}",
            "shopbell_queue_depth{queue=\"writer\"}",
            "shopbell_queue_depth{queue=\"passwords\"}",
            "shopbell_writer_batch_jobs_count",
            "shopbell_writer_seconds_count",
            names::WRITER_FAILURES,
            "shopbell_sqlite_seconds_count{step=\"reader_wait\"}",
            "shopbell_sqlite_seconds_count{step=\"read\"}",
            "shopbell_sqlite_seconds_count{step=\"commit\"}",
        ];
        let has = |name: &str| numbers.lines().any(|line| line.starts_with(name));
        all.into_iter().filter(|name| !has(name)).collect::<Vec<_>>()
    };
    eventually("all numbers", async || missing().await.is_empty()).await;
}
