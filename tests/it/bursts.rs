//! Bursts as digests, docs/contract.md §3: who asks for them with `digest=N` is told N alerts a second each by itself and
//! the rest as one event, on every transport; the log stays whole.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    events::Stream,
    listening::{THEIRS, shop as listened},
    socketio::Polling,
    support::{As, Person, TestApp, Ws, eventually},
};

/// A shop of one thread, whose log has so many orders of kim, all of them broadcast.
async fn shop(orders: i64) -> (TestApp, Person, i64) {
    let app = TestApp::spawn_with(|serve| serve.workers = Some(1)).await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let water = app.goods(&admin, "Water", 6.2, None).await;
    for _ in 0..orders {
        app.order(&kim, water, 1).await;
    }
    broadcast(&app, orders).await;
    (app, kim, water)
}

async fn broadcast(app: &TestApp, latest: i64) {
    eventually("all of it to be broadcast", async || {
        Ws::open(app, As::Guest).await.hello["latest"] == latest
    })
    .await;
}

/// What an event tells: its name, and from which offset to which.
fn told(name: &str, payload: &Value) -> (String, i64, i64) {
    let end = |of: &str| payload[of].as_i64().or(payload["id"].as_i64()).unwrap();
    (name.to_owned(), end("from"), end("to"))
}

fn goods(id: i64) -> (String, i64, i64) {
    ("BUY_GOODS".to_owned(), id, id)
}

/// The alerts of a WebSocket, up to an offset.
async fn hear(ws: &mut Ws, to: i64) -> Vec<(String, i64, i64, Value)> {
    let mut heard: Vec<(String, i64, i64, Value)> = Vec::new();
    while heard.last().is_none_or(|last| last.2 < to) {
        let (name, payload) = ws.alert().await;
        let (name, from, to) = told(&name, &payload);
        heard.push((name, from, to, payload));
    }
    heard
}

fn names(heard: &[(String, i64, i64, Value)]) -> Vec<(&str, i64, i64)> {
    heard.iter().map(|(name, from, to, _)| (name.as_str(), *from, *to)).collect()
}

#[tokio::test]
async fn a_burst_is_told_as_digests_to_those_who_want_them_and_in_full_to_the_others() {
    const ORDERS: i64 = 40;
    let app = TestApp::spawn().await;
    let (admin, kim, lee) = (app.admin().await, app.member("kim").await, app.member("lee").await);
    let water = app.goods(&admin, "Water", 6.2, None).await;
    let mut plain = Ws::open(&app, As::Header(&admin)).await;
    let mut few = Ws::open_at(&app, "/ws?digest=2", As::Header(&admin)).await;
    let mut one = Ws::open_at(&app, "/ws?digest=1", As::Header(&kim)).await;
    let mut stream = Stream::open(&app, "/api/events?digest=2", &admin, &[]).await;
    stream.expect("hello").await;
    let (mut polls, _) = Polling::connect(&app, Some(&lee), r#"{"digest":2}"#).await;
    polls.expect("42[\"offset\"").await;
    join_all((0..ORDERS).map(|n| app.order(if n % 4 == 0 { &lee } else { &kim }, water, 1))).await;

    let all = hear(&mut plain, ORDERS).await;
    assert!(all.iter().zip(1..).all(|(event, id)| (event.1, event.2) == (id, id)), "{:?}", names(&all));
    for ws in [&mut few, &mut one] {
        let heard = hear(ws, ORDERS).await;
        let mut next = 1;
        for (name, from, to, payload) in &heard {
            assert_eq!(*from, next, "without gap or repeat: {:?}", names(&heard));
            next = to + 1;
            if name == "BUY_DIGEST" {
                assert_eq!(payload["count"], to + 1 - from);
                assert_eq!((&payload["goodsName"], &payload["goodsId"]), (&json!("Water"), &json!(water)));
                assert!(["kim", "lee"].contains(&payload["nickname"].as_str().unwrap()));
            }
        }
        assert!(heard.iter().any(|(name, ..)| name == "BUY_DIGEST"), "{:?}", names(&heard));
    }
    // The buyer is told of each order of his own, however it is announced.
    for _ in 0..ORDERS * 3 / 4 {
        one.expect("ORDER").await;
    }
    let (mut next, mut digests) = (1, 0);
    while next <= ORDERS {
        let (id, name, data) = stream.next().await.expect("the stream goes on");
        if !name.starts_with("BUY_") {
            continue;
        }
        let (_, from, to) = told(&name, &data);
        assert_eq!((from, id), (next, to.to_string()));
        (next, digests) = (to + 1, digests + usize::from(name == "BUY_DIGEST"));
    }
    assert!(digests > 0);
    let mut next = 1;
    while next <= ORDERS {
        let packet = polls.expect("42[\"BUY_").await;
        let event: Value = serde_json::from_str(&packet[2..]).unwrap();
        let (_, from, to) = told(event[0].as_str().unwrap(), &event[1]);
        assert_eq!(from, next);
        assert_eq!(polls.next().await, format!(r#"42["offset","{to}"]"#), "right behind it");
        next = to + 1;
    }
    let log = app.log(&admin).await;
    assert_eq!(log.len(), usize::try_from(ORDERS).unwrap(), "the log stays whole");
}

#[tokio::test]
async fn what_was_missed_comes_as_some_alerts_and_a_digest() {
    let (app, kim, _) = shop(20).await;
    let mut ws = Ws::open_at(&app, "/ws?after=0&digest=3", As::Header(&kim)).await;
    let heard = hear(&mut ws, 20).await;
    assert_eq!(
        names(&heard),
        [("BUY_GOODS", 1, 1), ("BUY_GOODS", 2, 2), ("BUY_GOODS", 3, 3), ("BUY_DIGEST", 4, 20)]
    );
    let digest = &heard[3].3;
    assert_eq!(
        (&digest["count"], &digest["buyers"], &digest["nickname"]),
        (&json!(17), &json!(1), &json!("kim"))
    );
    assert_eq!(digest["goods"], json!([{"goodsId": 1, "goodsName": "Water", "count": 17}]));
    assert!(digest["date"].as_str().unwrap().ends_with('Z'));
    // As many as are wanted are no burst.
    let mut ws = Ws::open_at(&app, "/ws?after=15&digest=5", As::Header(&kim)).await;
    assert_eq!(hear(&mut ws, 20).await.iter().map(|event| event.1).collect::<Vec<_>>(), [16, 17, 18, 19, 20]);
    let mut stream = Stream::open(&app, "/api/events?after=0&digest=3", &kim, &[]).await;
    for id in ["0", "1", "2", "3", "20"] {
        assert_eq!(stream.next().await.unwrap().0, id);
    }
    let mut stream = Stream::open(&app, "/api/events?digest=3", &kim, &[("Last-Event-ID", "20")]).await;
    assert_eq!(stream.next().await.unwrap().0, "20", "the greeting names the place");
    let (_, connected) = Polling::connect(&app, Some(&kim), "").await;
    let auth = json!({"pid": connected["pid"], "offset": "18", "digest": "1"}).to_string();
    let (mut polls, again) = Polling::connect(&app, Some(&kim), &auth).await;
    assert_eq!(again["pid"], connected["pid"]);
    polls.expect("42[\"BUY_GOODS\"").await;
    assert_eq!(polls.next().await, r#"42["offset","19"]"#);
    // What is left is one purchase, told as that.
    polls.expect("42[\"BUY_GOODS\"").await;
    assert_eq!(polls.next().await, r#"42["offset","20"]"#);
}

#[tokio::test]
async fn a_cancellation_within_a_burst_is_silent_and_one_of_before_is_told() {
    let (app, kim, water) = shop(2).await;
    let order = app.order(&kim, water, 1).await;
    let last = app.order(&kim, water, 1).await;
    for order in [order, last] {
        app.post(&format!("/api/orders/{}/cancel", order["orderId"])).by(&kim).send().await.expect(200);
    }
    app.order(&kim, water, 1).await;
    app.order(&kim, water, 1).await;
    broadcast(&app, 8).await;
    // 1 to 4 were bought, 3 and 4 taken back by 5 and 6, and 7 and 8 bought.
    let mut whole = Ws::open_at(&app, "/ws?after=0&digest=1", As::Header(&kim)).await;
    let heard = hear(&mut whole, 8).await;
    assert_eq!(names(&heard), [("BUY_GOODS", 1, 1), ("BUY_DIGEST", 2, 8)]);
    assert_eq!(heard[1].3["count"], 3);
    let mut later = Ws::open_at(&app, "/ws?after=2&digest=1", As::Header(&kim)).await;
    let heard = hear(&mut later, 8).await;
    assert_eq!(names(&heard), [("BUY_GOODS", 3, 3), ("BUY_CANCELED", 5, 5), ("BUY_DIGEST", 6, 8)]);
    assert_eq!((&heard[1].3["canceled"], &heard[2].3["count"]), (&json!(3), &json!(2)));
}

#[tokio::test]
async fn a_page_that_listens_by_a_key_reads_masked_names_in_digests_too() {
    let shop = listened().await;
    let key = shop.key().await;
    for _ in 0..4 {
        shop.buy().await;
    }
    broadcast_to_listener(&shop.app, &key).await;
    let query = format!("after=0&digest=1&key={key}");
    let mut ws = shop.listen(&query, THEIRS).await.expect("it may listen");
    let heard = hear(&mut ws, 4).await;
    assert_eq!(heard[0].3["nickname"], "k**");
    assert!(heard.iter().all(|event| event.3["nickname"] == "k**"), "{:?}", names(&heard));
    assert_eq!(heard.last().map(|event| event.0.as_str()), Some("BUY_DIGEST"));
}

/// Until each thread has begun to broadcast all four.
async fn broadcast_to_listener(app: &TestApp, key: &str) {
    let path = format!("/ws?key={key}");
    eventually("all of it to be broadcast", async || {
        let opened =
            join_all((0..8).map(|_| Ws::handshake(app, &path, As::Guest, &[("origin", THEIRS)]))).await;
        opened.into_iter().all(|ws| ws.is_ok_and(|ws| ws.hello["latest"] == 4))
    })
    .await;
}

#[tokio::test]
async fn a_digest_is_of_one_to_a_hundred_alerts_a_second() {
    let (app, kim, _) = shop(1).await;
    for bad in ["0", "101", "-1", "x", "", "1.5"] {
        let path = format!("/ws?digest={bad}");
        let refused = Ws::handshake(&app, &path, As::Header(&kim), &[]).await.err().expect("refused");
        assert_eq!((refused.0, &refused.1["code"]), (400, &json!("validation")), "{bad}");
        let path = format!("/api/events?digest={bad}");
        app.get(&path).by(&kim).send().await.invalid(&["digest"]);
    }
    for bad in [json!(0), json!(101), json!("many"), json!([1])] {
        let mut session = Polling::open(&app, Some(&kim)).await;
        session.post(&format!("40{}", json!({"digest": bad}))).await.expect(200);
        assert!(session.expect("44").await.contains(r#""code":"validation""#), "{bad}");
    }
    let mut ws = Ws::open_at(&app, "/ws?digest=100&after=0", As::Header(&kim)).await;
    let heard = hear(&mut ws, 1).await;
    assert_eq!((heard[0].0.clone(), heard[0].1, heard[0].2), goods(1));
}
