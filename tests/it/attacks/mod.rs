//! Attacks by one address or one account: others are served meanwhile. Each runs for a second or two.

mod counted;
mod late;
mod partial;
mod raw;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{As, Person, TestApp, Ws, within};

/// How long an attack lasts here.
const ATTACK: Duration = Duration::from_millis(1500);

const POLL: &str = "/socket.io/?EIO=4&transport=polling";

async fn counted(app: &TestApp, code: &str) -> bool {
    let line = format!("shopbell_refusals_total{{code=\"{code}\"}}");
    app.get("/metrics").send().await.text.lines().any(|number| number.starts_with(&line))
}

/// What a member does all day: logs in, orders, listens.
async fn serves(app: &TestApp, nickname: &str, goods: i64) {
    let member = app.log_in(nickname).await;
    app.order(&member, goods, 1).await;
    let mut ws = Ws::open(app, As::Header(&member)).await;
    assert_eq!(ws.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
}

/// Does something again and again while an attack lasts; says how often.
async fn again_and_again(act: impl AsyncFn()) -> usize {
    let end = Instant::now() + ATTACK;
    let mut times = 0;
    while Instant::now() < end {
        act().await;
        times += 1;
    }
    times
}

#[tokio::test]
async fn a_loop_of_polling_handshakes_takes_no_place_of_a_member() {
    let app = TestApp::spawn_with(|serve| serve.max_connections = Some(100)).await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "tea", 2.0, None).await;
    app.member("kim").await;
    let loops = async || drop(app.get(POLL).stream().await);
    let member = async || serves(&app, "kim", goods).await;
    let (handshakes, days) = tokio::join!(again_and_again(loops), again_and_again(member));
    assert!(handshakes > 50 && days > 0, "{handshakes} handshakes, {days} days");
    // Whoever has not said who it is made room for the next, and there are no more of those than may be.
    app.get(POLL).send().await.expect(200);
}

#[tokio::test]
async fn idle_connections_make_room() {
    let app = TestApp::spawn_with(|serve| serve.max_connections = Some(60)).await;
    app.member("kim").await;
    let mut idle = Vec::new();
    for n in 0..60 {
        let mut socket = TcpStream::connect(app.addr()).await.unwrap();
        let _ = socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
        if n % 2 == 0 {
            // Those who give way notice when they read.
            let _ = within("an answer", socket.read(&mut [0; 4096])).await;
        }
        idle.push(socket);
    }
    // All of them were accepted: the newest was answered.
    let _ = within("an answer", idle[59].read(&mut [0; 4096])).await;
    for _ in 0..20 {
        app.get("/api/goods").send().await.expect(200);
    }
    app.log_in("kim").await;
    assert!(counted(&app, "idle_connection_gave_way").await);
}

#[tokio::test]
async fn an_account_orders_so_many_a_second_by_whatever_way() {
    let app = TestApp::spawn_with(|serve| serve.order_rate = Some(1)).await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "tea", 2.0, None).await;
    let (kim, lee) = (app.member("kim").await, app.member("lee").await);
    let body = json!({"items": [{"goodsId": goods, "quantity": 1}]});
    let order = async |who: &Person| app.post("/api/orders").by(who).json(&body).send().await;
    let mut ws = Ws::open(&app, As::Header(&kim)).await;
    let mut placed = 0;
    for _ in 0..10 {
        placed += usize::from(order(&kim).await.status == 201);
        let reply = ws.ask("BUY", json!({"goodsId": goods, "quantity": 1})).await;
        placed += usize::from(reply["ok"] == true);
        assert!(reply["ok"] == true || reply["code"] == "too_many_orders", "{reply}");
    }
    assert!((4..20).contains(&placed), "{placed} orders");
    let refused = order(&kim).await.refused(429, "too_many_orders");
    assert!(!refused.header("retry-after").is_empty());
    order(&lee).await.expect(201);
}

#[tokio::test]
async fn a_network_registers_so_many_a_minute_and_what_is_taken_costs_no_hash() {
    let app = TestApp::spawn_with(|serve| {
        serve.registration_rate = Some(1);
        serve.trusted_proxy = Some(vec![[127, 0, 0, 1].into()]);
    })
    .await;
    app.member("kim").await;
    let register = async |nickname: &str, from: &str| {
        let body = json!({
            "nickname": nickname, "email": format!("{nickname}@example.com"),
            "password": "correct horse", "confirmPassword": "correct horse",
        });
        app.post("/api/users").header("x-forwarded-for", from).json(&body).send().await
    };
    register("kim", "2001:db8::1").await.refused(409, "email_taken");
    register("aya", "2001:db8::2").await.expect(201);
    register("bob", "2001:db8::3").await.expect(201);
    let refused = register("cem", "2001:db8::4").await.refused(429, "too_many_registrations");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 30);
    register("cem", "2001:db8:0:1::1").await.expect(201);
    app.log_in("kim").await;
}

#[tokio::test]
async fn who_has_not_connected_says_little_and_names_of_namespaces_are_not_echoed_at_length() {
    let app = TestApp::spawn().await;
    let open = async || {
        let open = app.get(POLL).send().await.expect(200);
        let open: Value = serde_json::from_str(&open.text[1..]).unwrap();
        format!("{POLL}&sid={}", open["sid"].as_str().unwrap())
    };
    for packet in [
        format!("40{}", json!({"token": "x".repeat(20_000)})),
        format!("40/{},", "x".repeat(1000)),
        format!("42{}", json!(["BUY", "x".repeat(20_000)])),
    ] {
        let path = open().await;
        let answer = app.post(&path).body("text/plain", packet).stream().await;
        assert!(matches!(answer.status().as_u16(), 400 | 413), "{}", answer.status());
    }
    let path = open().await;
    app.post(&path).body("text/plain", "40/other,").send().await.expect(200);
    assert!(app.get(&path).send().await.text.contains("Invalid namespace"));
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_not_kept() {
    let app = TestApp::spawn_with(|serve| serve.stall_timeout = Some("300ms".parse().unwrap())).await;
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let request = b"GET /widget/shopbell-toasts.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    // Until nothing more is taken, because nothing is read.
    let end = within("the end", async {
        loop {
            if let Err(error) = socket.write_all(&request).await {
                return error;
            }
        }
    });
    end.await;
    assert!(counted(&app, "response_not_read").await);
}

#[tokio::test]
async fn who_sends_many_requests_at_once_has_its_turn_like_everyone_else() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "tea", 2.0, None).await;
    app.member("kim").await;
    let burst = b"GET /api/goods HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    let pipelining = async || {
        let mut socket = TcpStream::connect(app.addr()).await.unwrap();
        let end = Instant::now() + ATTACK;
        let (mut sent, mut answer) = (0, vec![0; 65_536]);
        while Instant::now() < end {
            // As much as it takes, read or not.
            tokio::select! {
                written = socket.write(&burst[sent..]) => sent = (sent + written.unwrap()) % burst.len(),
                () = tokio::time::sleep(Duration::from_millis(5)) => drop(socket.try_read(&mut answer)),
            }
        }
    };
    let attack = futures_util::future::join_all((0..20).map(|_| pipelining()));
    let member = async || serves(&app, "kim", goods).await;
    let (_, days) = tokio::join!(attack, again_and_again(member));
    assert!(days > 1, "{days}");
}

#[tokio::test]
async fn requests_that_were_sent_together_are_all_answered_in_their_order() {
    let app = TestApp::spawn().await;
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let mut requests = Vec::new();
    for n in 0..300 {
        let (path, body) = if n % 3 == 0 { ("/api/goods", "") } else { ("/api/auth", "{}") };
        let method = if body.is_empty() { "GET" } else { "POST" };
        requests.extend_from_slice(
            format!(
                "{method} {path} HTTP/1.1\r\nHost: x\r\nX-Fill: {}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                "x".repeat(500),
                body.len()
            )
            .as_bytes(),
        );
    }
    let (mut read, mut write) = socket.split();
    let mut answers = Vec::new();
    let take = async {
        while answers.windows(9).filter(|part| part == b"HTTP/1.1 ").count() < 300 {
            assert!(within("answers", read.read_buf(&mut answers)).await.unwrap() > 0);
        }
    };
    let (written, ()) = tokio::join!(write.write_all(&requests), take);
    written.unwrap();
    let text = String::from_utf8_lossy(&answers);
    let statuses: Vec<_> = text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert!(statuses.chunks(3).all(|three| three == ["200", "400", "400"]), "{statuses:?}");
}
