//! Several nodes of one shop: what one commits the sessions of the others hear at once while the bus is there, and half a
//! second later while it is not.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use serde_json::json;
use shopbell::domain::Role;

use crate::support::{As, Nats, PASSWORD, SOON, TestApp, Ws, bus_is, eventually, within};

/// Well below the time between two looks at the database.
const AT_ONCE: Duration = Duration::from_millis(100);

/// A shop with one node, and one more.
async fn two_nodes(bus: &str) -> (TestApp, TestApp) {
    let first = TestApp::spawn_with(|serve| serve.bus = Some(bus.to_owned().into())).await;
    let second = first.beside(|serve| serve.bus = Some(bus.to_owned().into())).await;
    (first, second)
}

/// The same, connected.
async fn two_connected_nodes(nats: &Nats) -> (TestApp, TestApp) {
    let (a, b) = two_nodes(&nats.url()).await;
    bus_is(&a, "up").await;
    bus_is(&b, "up").await;
    (a, b)
}

#[tokio::test]
async fn an_order_at_one_node_is_told_at_once_at_another() {
    let nats = Nats::start().await;
    let (a, b) = two_connected_nodes(&nats).await;
    let (admin, lee) = (a.admin().await, a.member("lee").await);
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let mut hears = Ws::open(&b, As::Cookie(&lee)).await;
    let mut waited = Vec::new();
    for id in 1..=15 {
        a.order(&admin, goods, 1).await;
        let committed = Instant::now();
        assert_eq!(hears.expect("BUY_GOODS").await["id"], id);
        waited.push(committed.elapsed());
    }
    waited.sort_unstable();
    // By the database alone it would be a quarter of a second.
    assert!(waited[7] < AT_ONCE, "{waited:?}");
}

#[tokio::test]
async fn an_account_is_told_of_its_order_once_at_each_node() {
    let nats = Nats::start().await;
    let (a, b) = two_connected_nodes(&nats).await;
    let (admin, kim) = (a.admin().await, a.member("kim").await);
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let mut sockets = [Ws::open(&a, As::Cookie(&kim)).await, Ws::open(&b, As::Cookie(&kim)).await];
    let order = a.order(&kim, goods, 1).await;
    for socket in &mut sockets {
        assert_eq!(socket.expect("ORDER").await["orderId"], order["orderId"]);
        assert_eq!(socket.expect("BUY_GOODS").await["id"], 1);
    }
    // What comes twice would have come before what comes next.
    let next = b.order(&kim, goods, 1).await;
    for socket in &mut sockets {
        assert_eq!(socket.expect("ORDER").await["orderId"], next["orderId"]);
        assert_eq!(socket.expect("BUY_GOODS").await["id"], 2);
        socket.has_none("ORDER").await;
    }
}

#[tokio::test]
async fn nothing_is_lost_repeated_or_out_of_order_while_the_bus_comes_and_goes() {
    let mut nats = Nats::prepare();
    let (a, b) = two_nodes(&nats.url()).await;
    bus_is(&a, "away").await;
    let (admin, lee) = (a.admin().await, a.member("lee").await);
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let mut sockets = [Ws::open(&a, As::Cookie(&lee)).await, Ws::open(&b, As::Cookie(&lee)).await];
    for phase in ["away", "up", "away", "up"] {
        match phase {
            "up" => nats.run().await,
            _ => nats.kill(),
        }
        // Some are ordered while the nodes have not noticed yet.
        for number in 0..20 {
            let node = if number % 3 == 0 { &b } else { &a };
            node.order(&admin, goods, 1).await;
            if number == 10 {
                bus_is(&a, phase).await;
                bus_is(&b, phase).await;
            }
        }
    }
    for socket in &mut sockets {
        for id in 1..=80 {
            assert_eq!(socket.expect("BUY_GOODS").await["id"], id);
        }
        socket.has_none("BUY_GOODS").await;
        socket.has_none("gap").await;
    }
}

#[tokio::test]
async fn a_log_in_that_ends_at_one_node_ends_its_sockets_at_another() {
    let nats = Nats::start().await;
    let (a, b) = two_connected_nodes(&nats).await;
    let kim = a.member("kim").await;
    let mut socket = Ws::open(&b, As::Cookie(&kim)).await;
    let begin = Instant::now();
    a.delete("/api/auth").by(&kim).send().await.expect(204);
    assert_eq!(socket.closed().await.0, 4001);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn goods_that_change_at_one_node_are_read_anew_at_another() {
    let nats = Nats::start().await;
    let (a, b) = two_connected_nodes(&nats).await;
    let admin = a.admin().await;
    let goods = a.goods(&admin, "Water", 6.2, Some(5)).await;
    let mut socket = Ws::open(&b, As::Cookie(&admin)).await;
    let path = format!("/api/goods/{goods}");
    for price in [7.1, 7.2, 7.3] {
        b.get(&path).send().await.expect(200);
        a.patch(&path).by(&admin).json(&json!({"price": price})).send().await.expect(200);
        socket.expect_where("goods", |payload| payload["goods"]["price"] == price).await;
        assert_eq!(b.get(&path).send().await.expect(200).json["goods"]["price"], price);
    }
}

#[tokio::test]
async fn rubbish_on_the_bus_changes_nothing() {
    let nats = Nats::start().await;
    let (a, b) = two_connected_nodes(&nats).await;
    let (admin, lee) = (a.admin().await, a.member("lee").await);
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let mut hears = Ws::open(&b, As::Cookie(&lee)).await;
    let subject = format!("shopbell.{}.news", a.store.reach().await.unwrap().epoch);
    let stranger = async_nats::connect(nats.url()).await.unwrap();
    let mut news = stranger.subscribe(subject.clone()).await.unwrap();
    stranger.flush().await.unwrap();
    a.order(&admin, goods, 1).await;
    let heard = within("what nodes tell each other", news.next()).await.unwrap().payload;
    let text = String::from_utf8(heard.to_vec()).unwrap();
    assert!(text.contains("\"publications\""), "{text}");
    let (head, body) = text.split_once('\n').unwrap();
    for rubbish in [
        String::new(),
        "\n".to_owned(),
        "\0".repeat(100_000),
        text.clone(),
        text.clone(),
        body.to_owned(),
        head.to_owned(),
        text[..text.len() - 5].to_owned(),
        text.replace("\"v\":1", "\"v\":2"),
        text.replace("\"node\":\"", "\"node\":\"x"),
        format!("{{\"v\":1,\"node\":\"000000\",\"n\":1,\"at\":0}}\n{}", "[".repeat(10_000)),
        format!("{{\"v\":1,\"node\":\"000000\",\"n\":5,\"at\":{}}}\n{{\"publications\":[{{}}]}}", i64::MAX),
        format!("{{\"v\":1,\"node\":\"000000\",\"n\":9,\"at\":{}}}\n{{\"revoked\":[\"\"]}}", i64::MIN),
        format!("{{\"v\":1,\"node\":\"000001\",\"n\":1,\"at\":0}}\n{body}"),
    ] {
        stranger.publish(subject.clone(), rubbish.into()).await.unwrap();
    }
    stranger.flush().await.unwrap();
    for _ in 2..=10 {
        a.order(&admin, goods, 1).await;
    }
    for id in 1..=10 {
        assert_eq!(hears.expect("BUY_GOODS").await["id"], id);
    }
    hears.has_none("BUY_GOODS").await;
    bus_is(&b, "up").await;
    let log: BTreeSet<_> = b.log(&lee).await.iter().map(|entry| entry["id"].as_i64().unwrap()).collect();
    assert_eq!(log, (1..=10).collect());
}

#[tokio::test]
async fn two_shops_on_one_bus_do_not_hear_each_other() {
    let nats = Nats::start().await;
    let (a, b) = two_connected_nodes(&nats).await;
    let other = TestApp::spawn_with(|serve| serve.bus = Some(nats.url().into())).await;
    bus_is(&other, "up").await;
    let (admin, stranger) = (a.admin().await, other.admin().await);
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let mut hears = Ws::open(&other, As::Cookie(&stranger)).await;
    let mut hears_too = Ws::open(&b, As::Cookie(&admin)).await;
    a.order(&admin, goods, 1).await;
    hears_too.expect("BUY_GOODS").await;
    let goods = other.goods(&stranger, "Tea", 3.0, None).await;
    other.order(&stranger, goods, 1).await;
    assert_eq!(hears.expect("BUY_GOODS").await["firstGoodsName"], "Tea");
    hears_too.has_none("BUY_GOODS").await;
}

#[tokio::test]
async fn whoever_guesses_passwords_has_no_more_tries_with_two_nodes() {
    let nats = Nats::start().await;
    let (a, b) = two_connected_nodes(&nats).await;
    a.create("kim", Role::Member).await;
    let attempt = |app: &TestApp, password: &str| {
        app.post("/api/auth").json(&json!({"email": "kim@example.com", "password": password}))
    };
    for n in 0..10 {
        attempt(&a, &format!("guess number {n}")).send().await.refused(401, "bad_credentials");
    }
    // A right password is let in until B has heard of all ten, and does not count.
    eventually("B to refuse", async || attempt(&b, PASSWORD).send().await.status == 429).await;
}

#[tokio::test]
async fn the_login_in_the_url_is_used() {
    let nats = Nats::start_with(&["--user", "shop", "--pass", "p@ss"]).await;
    let (good, bad) =
        (format!("nats://shop:p%40ss@{}", nats.addr()), format!("nats://shop:guess@{}", nats.addr()));
    let (a, b) = two_nodes(&good).await;
    bus_is(&a, "up").await;
    bus_is(&b, "up").await;
    // Who is not let in serves all the same.
    let c = a.beside(|serve| serve.bus = Some(bad.into())).await;
    bus_is(&c, "away").await;
    let admin = a.admin().await;
    let goods = c.goods(&admin, "Water", 6.2, None).await;
    let mut hears = Ws::open(&c, As::Cookie(&admin)).await;
    a.order(&admin, goods, 1).await;
    assert_eq!(hears.expect("BUY_GOODS").await["id"], 1);
}

#[tokio::test]
async fn a_shop_with_one_node_has_no_bus() {
    bus_is(&TestApp::spawn().await, "none").await;
}
