//! The figures of the control room, docs/contract.md §6, and the counts of the widget.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    events::Stream,
    support::{As, Nats, Person, TestApp, Ws, bus_is, eventually, until},
};

async fn figures(app: &TestApp, admin: &Person) -> Value {
    app.get("/api/admin/figures").by(admin).send().await.expect(200).json
}

/// Waits until the figures pass.
async fn figures_where(app: &TestApp, admin: &Person, what: &str, pass: impl Fn(&Value) -> bool) -> Value {
    until(what, async || Some(figures(app, admin).await).filter(&pass)).await
}

fn sum(numbers: &Value) -> u64 {
    numbers.as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).sum()
}

#[tokio::test]
async fn the_figures_say_who_is_connected_what_was_ordered_and_how_fast_it_was_told() {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let water = app.goods(&admin, "Water", 6.2, None).await;
    let (mut socket, guest) = (Ws::open(&app, As::Header(&kim)).await, Ws::open(&app, As::Guest).await);
    let mut stream = Stream::open(&app, "/api/events", &kim, &[]).await;
    stream.expect("hello").await;
    let of = figures(&app, &admin).await;
    assert_eq!(
        of["sessions"],
        json!({
            "total": 3, "members": 2, "guests": 1,
            "byTransport": {"websocket": 2, "socketio": 0, "polling": 0, "sse": 1},
        })
    );
    assert_eq!((&of["orders"]["total"], sum(&of["orders"]["perMinute"])), (&json!(0), 0));
    let order = app.order(&kim, water, 2).await;
    app.post(&format!("/api/orders/{}/cancel", order["orderId"])).by(&kim).send().await.expect(200);
    socket.expect("BUY_CANCELED").await;
    stream.expect("BUY_CANCELED").await;
    // One purchase and its cancellation, each told to two sessions; the rounds are counted when they have ended.
    let of = figures_where(&app, &admin, "all alerts", |of| of["alerts"]["delivered"] == 4).await;
    assert_eq!((sum(&of["latency"]["counts"]), &of["lagging"]), (4, &json!(0)));
    assert_eq!(of["latency"]["boundsMs"].as_array().unwrap().len(), 16);
    assert_eq!(of["latency"]["counts"].as_array().unwrap().len(), 17);
    assert_eq!(of["orders"]["perMinute"].as_array().unwrap().len(), 60);
    assert_eq!((&of["orders"]["total"], sum(&of["orders"]["perMinute"])), (&json!(1), 1));
    assert!(of["time"].as_str().unwrap().ends_with('Z') && of["uptimeSeconds"].is_u64());
    drop((socket, guest, stream));
    figures_where(&app, &admin, "all sessions to end", |of| of["sessions"]["total"] == 0).await;
}

#[tokio::test]
async fn the_figures_of_several_nodes_are_their_sum() {
    let nats = Nats::start().await;
    let a = TestApp::spawn_with(|serve| serve.bus = Some(nats.url().into())).await;
    let b = a.beside(|serve| serve.bus = Some(nats.url().into())).await;
    for node in [&a, &b] {
        bus_is(node, "up").await;
    }
    let (admin, kim) = (a.admin().await, a.member("kim").await);
    let water = a.goods(&admin, "Water", 6.2, None).await;
    let _guest = Ws::open(&a, As::Guest).await;
    let mut at_a = Ws::open(&a, As::Cookie(&kim)).await;
    let mut at_b = Ws::open(&b, As::Cookie(&kim)).await;
    let mut board = Ws::open(&b, As::Header(&admin)).await;
    board.ask("WATCH_FIGURES", Value::Null).await;
    a.order(&kim, water, 1).await;
    for ws in [&mut at_a, &mut at_b, &mut board] {
        ws.expect("BUY_GOODS").await;
    }
    let whole = |of: &Value| {
        (of["sessions"]["total"] == 4 && of["alerts"]["delivered"] == 3).then(|| {
            assert_eq!((&of["sessions"]["members"], &of["sessions"]["guests"]), (&json!(3), &json!(1)));
            let classes = of["latency"]["counts"].as_array().unwrap();
            assert_eq!((classes.len(), &of["orders"]["total"]), (17, &json!(1)));
        })
    };
    for node in [&a, &b] {
        figures_where(node, &admin, "the figures of both", |of| whole(of).is_some()).await;
    }
    board.expect_where("FIGURES", |of| whole(of).is_some()).await;
    // A node that is no longer heard counts nothing.
    a.shut_down();
    figures_where(&b, &admin, "the figures of one", |of| of["alerts"]["delivered"] == 2).await;
}

#[tokio::test]
async fn what_was_ordered_before_the_start_and_what_alerts_nobody_counts_too() {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let water = app.goods(&admin, "Water", 6.2, None).await;
    app.order(&kim, water, 1).await;
    app.patch("/api/users/me").by(&kim).json(&json!({"hidePurchases": true})).send().await.expect(200);
    app.order(&kim, water, 1).await;
    for total in 2..5 {
        assert_eq!(figures(&app, &admin).await["orders"]["total"], total);
        app.order(&kim, water, 1).await;
    }
}

#[tokio::test]
async fn refusals_are_counted_by_code() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let count = |of: &Value| of["refusals"]["byCode"]["idempotency_key_reused"].as_u64().unwrap_or_default();
    let before = figures(&app, &admin).await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    for quantity in [1, 2] {
        let body = json!({"items": [{"goodsId": water, "quantity": quantity}]});
        let call = app.post("/api/orders").by(&admin).header("Idempotency-Key", "k");
        call.json(&body).send().await;
    }
    let after = figures(&app, &admin).await;
    // Other tests of this process are refused things, too.
    assert!(count(&after) > count(&before), "{after}");
    assert!(after["refusals"]["total"].as_u64() > before["refusals"]["total"].as_u64());
}

#[tokio::test]
async fn the_figures_are_for_administrators() {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    app.get("/api/admin/figures").send().await.refused(401, "login_required");
    app.get("/api/admin/figures").by(&kim).send().await.refused(403, "forbidden");
    let (mut guest, mut member) = (Ws::open(&app, As::Guest).await, Ws::open(&app, As::Header(&kim)).await);
    for ws in [&mut guest, &mut member] {
        let answer = ws.ask("WATCH_FIGURES", Value::Null).await;
        assert_eq!((&answer["ok"], &answer["code"]), (&json!(false), &json!("forbidden")));
        // Without an acknowledgement it is told as an event. Who asks again before it is answered is refused again.
        ws.send("WATCH_FIGURES", json!(true)).await;
        ws.send("WATCH_FIGURES", json!(true)).await;
        for _ in 0..2 {
            assert_eq!(ws.expect("error").await["code"], "forbidden");
        }
    }
    let mut board = Ws::open(&app, As::Header(&admin)).await;
    let answer = board.ask("WATCH_FIGURES", json!({"often": true})).await;
    assert_eq!(answer["code"], "validation");
    board.ask("WATCH_FIGURES", Value::Null).await;
    board.expect("FIGURES").await;
    for ws in [&mut guest, &mut member] {
        ws.has_none("FIGURES").await;
    }
}

#[tokio::test]
async fn who_watches_is_told_again_and_again_until_it_has_seen_enough() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let mut boards =
        [Ws::open(&app, As::Header(&admin)).await, Ws::open(&app, As::Subprotocol(&admin)).await];
    for board in &mut boards {
        // Twice is once.
        for _ in 0..2 {
            assert_eq!(board.ask("WATCH_FIGURES", Value::Null).await, json!({"ok": true}));
        }
    }
    let [first, second] = &mut boards;
    let told = [first.expect("FIGURES").await, first.expect("FIGURES").await];
    assert!(told[0]["time"].as_str() < told[1]["time"].as_str(), "{told:?}");
    assert_eq!(told[1]["sessions"]["byTransport"]["websocket"], 2);
    assert_eq!(first.ask("WATCH_FIGURES", json!(false)).await, json!({"ok": true}));
    first.forget("FIGURES");
    second.forget("FIGURES");
    for _ in 0..2 {
        second.expect("FIGURES").await;
    }
    first.has_none("FIGURES").await;
    // It begins anew, and ends with the log-in.
    first.ask("WATCH_FIGURES", json!(true)).await;
    first.expect("FIGURES").await;
    app.delete("/api/auth").by(&admin).send().await.expect(204);
    assert_eq!(first.closed().await.0, 4001);
}

// --- the widget ---

const THEIRS: &str = "https://their.shop";

#[tokio::test]
async fn what_visitors_do_with_the_widget_is_counted_and_kept() {
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec![THEIRS.to_owned()])).await;
    let admin = app.admin().await;
    let report = |origin: &str| app.post("/api/widget/counts").header("Origin", origin);
    let answer = report(&app.url).json(&json!({"shown": 3, "closed": 1})).send().await.expect(204);
    assert!(answer.cookies().is_empty());
    // As `navigator.sendBeacon` sends it, which no preflight precedes.
    let answer = report(THEIRS).form("shown=2&clicked=1").send().await.expect(204);
    assert_eq!(answer.header("access-control-allow-origin"), THEIRS);
    let today = json!({"shown": 5, "clicked": 1, "closed": 1});
    // Neither would hold if midnight came in between.
    let date = shopbell::clock::day(shopbell::clock::now());
    let told = figures(&app, &admin).await["widget"].clone();
    assert!(told == today || date != shopbell::clock::day(shopbell::clock::now()), "{told}");
    app.shut_down();
    let store = app.elsewhere().await;
    eventually("the counts to be kept", async || {
        let counts = store.widget_counts(date).await.unwrap();
        json!(counts) == today || date != shopbell::clock::day(shopbell::clock::now())
    })
    .await;
}

#[tokio::test]
async fn only_pages_with_the_widget_report_and_only_small_numbers() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let body = json!({"origins": [THEIRS]});
    let key = app.post("/api/admin/listen-keys").by(&admin).json(&body).send().await.expect(201);
    let path = format!("/api/widget/counts?key={}", key.json["listenKey"]["key"].as_str().unwrap());
    let counts = json!({"shown": 1});
    app.post("/api/widget/counts").json(&counts).send().await.refused(403, "origin_forbidden");
    for (path, origin, status, code) in [
        ("/api/widget/counts", THEIRS, 403, "origin_forbidden"),
        ("/api/widget/counts", "null", 403, "origin_forbidden"),
        (&path, "https://evil.example", 403, "origin_forbidden"),
        (&path, &app.url, 403, "origin_forbidden"),
        ("/api/widget/counts?key=lk_0", THEIRS, 401, "unknown_listen_key"),
    ] {
        let call = app.post(path).header("Origin", origin).json(&counts);
        call.send().await.refused(status, code);
    }
    let answer = app.post(&path).header("Origin", THEIRS).json(&counts).send().await.expect(204);
    assert_eq!(answer.header("access-control-allow-origin"), THEIRS);
    let asked = app.request("OPTIONS", &path).header("Origin", THEIRS);
    asked.header("Access-Control-Request-Method", "POST").send().await.expect(204);
    let report = |body: Value| app.post("/api/widget/counts").header("Origin", &app.url).json(&body).send();
    report(json!({"shown": 101})).await.invalid(&["shown"]);
    report(json!({"clicked": -1, "closed": "many"})).await.invalid(&["clicked", "closed"]);
    report(json!({"visitor": 7})).await.invalid(&["visitor"]);
    report(json!({})).await.expect(204);
}

#[tokio::test]
async fn a_network_reports_so_much_and_no_more() {
    let app = TestApp::spawn().await;
    let report = || app.post("/api/widget/counts").header("Origin", &app.url).form("shown=1").send();
    // All at once: sixty are taken, and twenty more for each second that this takes.
    let answers = join_all((0..300).map(|_| report())).await;
    let (counted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 204);
    assert!(counted.len() >= 60, "{}", counted.len());
    let refused = refused.into_iter().next().expect("some were too many").refused(429, "too_many_counts");
    assert!(!refused.header("retry-after").is_empty());
}
