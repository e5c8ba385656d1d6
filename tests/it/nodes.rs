//! Company across nodes: rooms, what is said in them, and who looks at which page. It goes by the bus alone, and a node's share of
//! it lasts as long as the node is heard.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    socketio::recovery::Socket,
    support::{As, Nats, Person, SOON, TestApp, Ws, bus_is, pass, until, within},
};

/// A session may ask ten times a second.
const BETWEEN_ASKS: Duration = Duration::from_millis(120);

/// So many nodes of a shop on one bus.
async fn nodes<const N: usize>(nats: &Nats) -> [TestApp; N] {
    let first = TestApp::spawn_with(|serve| serve.bus = Some(nats.url().into())).await;
    let mut nodes = vec![first];
    while nodes.len() < N {
        nodes.push(nodes[0].beside(|serve| serve.bus = Some(nats.url().into())).await);
    }
    for node in &nodes {
        bus_is(node, "up").await;
    }
    nodes.try_into().unwrap_or_else(|_| panic!("there are {N}"))
}

/// A socket at a node that is in a room.
async fn in_room(node: &TestApp, who: &Person, room: &str) -> Ws {
    let mut socket = Ws::open(node, As::Cookie(who)).await;
    assert_eq!(socket.ask("enter_room", json!(room)).await["ok"], true);
    socket
}

/// Waits until a socket is told that so many are in its room.
async fn counts(socket: &mut Ws, room: &str, count: u64) {
    for _ in 0..100 {
        if socket.ask("enter_room", json!(room)).await["count"] == count {
            return;
        }
        pass(BETWEEN_ASKS).await;
    }
    panic!("never {count} in {room}");
}

/// Waits until a socket is told that so many look at its page.
async fn sees(socket: &mut Ws, viewers: u64) {
    socket.expect_where("SAME_PAGE_VIEWER_COUNT", |count| *count == viewers).await;
}

#[tokio::test]
async fn a_room_is_one_room_on_all_nodes() {
    let nats = Nats::start().await;
    let [a, b] = nodes(&nats).await;
    let (kim, lee, ann) = (a.member("kim").await, a.member("lee").await, a.member("ann").await);
    let mut at_a = in_room(&a, &kim, "tea").await;
    let mut at_b = in_room(&b, &lee, "tea").await;
    assert_eq!(at_a.expect("welcome").await[0], "lee");
    counts(&mut at_a, "tea", 2).await;
    counts(&mut at_b, "tea", 2).await;
    let said = at_a.ask("new_message", json!(["hello", "tea"])).await;
    assert_eq!(said["count"], 2);
    assert_eq!(at_b.expect("new_message").await, json!(["kim: hello", 2]));
    at_b.ask("new_message", json!(["hi", "tea"])).await;
    assert_eq!(at_a.expect("new_message").await, json!(["lee: hi", 2]));
    // Who comes in later, wherever, is told who is there and what was said.
    let mut late = Ws::open(&b, As::Cookie(&ann)).await;
    let entered = late.ask("enter_room", json!("tea")).await;
    let mut people: Vec<_> = entered["people"].as_array().unwrap().iter().collect();
    people.sort_unstable_by_key(|name| name.as_str());
    assert_eq!((&entered["count"], json!(people)), (&json!(3), json!(["ann", "kim", "lee"])));
    let messages: Vec<_> =
        entered["messages"].as_array().unwrap().iter().map(|one| &one["message"]).collect();
    assert_eq!(messages, ["hello", "hi"]);
    assert_eq!(at_a.expect_where("welcome", |welcome| welcome[0] == "ann").await, json!(["ann", 3]));
    late.ask("leave_room", json!("tea")).await;
    assert_eq!(at_a.expect("bye").await, json!(["ann", 2]));
    at_a.has_none("new_message").await;
}

#[tokio::test]
async fn a_person_on_two_nodes_is_one_viewer() {
    let nats = Nats::start().await;
    let [a, b] = nodes(&nats).await;
    let kim = a.member("kim").await;
    let mut at_a = Ws::open(&a, As::Cookie(&kim)).await;
    at_a.ask("CHANGED_PAGE", json!("/detail.html?goodsId=4")).await;
    sees(&mut at_a, 1).await;
    let mut guest = Ws::open(&b, As::Guest).await;
    guest.ask("CHANGED_PAGE", json!("/detail.html?goodsId=4")).await;
    sees(&mut at_a, 2).await;
    sees(&mut guest, 2).await;
    let mut at_b = Ws::open(&b, As::Cookie(&kim)).await;
    at_b.ask("CHANGED_PAGE", json!("/detail.html?goodsId=4")).await;
    sees(&mut at_b, 2).await;
    // Kim is there with one socket less, and with none.
    drop(at_a);
    let mut other = Ws::open(&a, As::Guest).await;
    other.ask("CHANGED_PAGE", json!("/detail.html?goodsId=4")).await;
    sees(&mut guest, 3).await;
    drop(at_b);
    sees(&mut guest, 2).await;
    sees(&mut other, 2).await;
}

#[tokio::test]
async fn a_node_that_starts_later_knows_who_is_there() {
    let nats = Nats::start().await;
    let [a, b] = nodes(&nats).await;
    let (kim, lee, ann) = (a.member("kim").await, a.member("lee").await, a.member("ann").await);
    let _there = (in_room(&a, &kim, "tea").await, in_room(&b, &lee, "tea").await);
    let c = a.beside(|serve| serve.bus = Some(nats.url().into())).await;
    bus_is(&c, "up").await;
    counts(&mut in_room(&c, &ann, "tea").await, "tea", 3).await;
}

#[tokio::test]
async fn company_is_local_while_the_bus_is_away_and_whole_when_it_is_back() {
    let mut nats = Nats::start().await;
    let [a, b] = nodes(&nats).await;
    let (kim, lee, ann) = (a.member("kim").await, a.member("lee").await, a.member("ann").await);
    let mut at_a = in_room(&a, &kim, "tea").await;
    let mut at_b = in_room(&b, &lee, "tea").await;
    counts(&mut at_a, "tea", 2).await;
    nats.kill();
    counts(&mut at_a, "tea", 1).await;
    counts(&mut at_b, "tea", 1).await;
    let _ann = in_room(&b, &ann, "tea").await;
    nats.run().await;
    counts(&mut at_a, "tea", 3).await;
    counts(&mut at_b, "tea", 3).await;
}

#[tokio::test]
async fn the_share_of_a_node_that_is_not_heard_any_more_is_gone() {
    let nats = Nats::start().await;
    let [a] = nodes(&nats).await;
    let kim = a.member("kim").await;
    let mut socket = in_room(&a, &kim, "tea").await;
    socket.ask("CHANGED_PAGE", json!("/")).await;
    let subject = format!("shopbell.{}.shares", a.store.reach().await.unwrap().epoch);
    let node = async_nats::connect(nats.url()).await.unwrap();
    let tell = async |number: u64, share: serde_json::Value| {
        let frame = format!("{{\"v\":1,\"node\":\"00000z\",\"n\":{number},\"at\":0}}\n{share}");
        node.publish(subject.clone(), frame.into()).await.unwrap();
        node.flush().await.unwrap();
    };
    // Of a node that is not known changes say nothing: it is asked for the whole.
    let mut told = node.subscribe(subject.clone()).await.unwrap();
    node.flush().await.unwrap();
    tell(1, json!({"rooms": [{"in": ["tea", 1, "x"]}]})).await;
    within("a question", async {
        while let Some(message) = told.next().await {
            if message.payload.ends_with(b"\"asks\":true}") {
                return;
            }
        }
    })
    .await;
    let share = json!({"whole": true, "rooms": [{"in": ["tea", 1, "lee"]}, {"in": ["tea", 2, "ann"]}],
        "pages": [{"come": ["/", {"g": 7}]}]});
    tell(2, share).await;
    counts(&mut socket, "tea", 3).await;
    sees(&mut socket, 2).await;
    tell(3, json!({"rooms": [{"out": ["tea", 2]}, {"out": ["tea", 2]}], "coupons": 1})).await;
    counts(&mut socket, "tea", 2).await;
    counts(&mut socket, "tea", 1).await;
    sees(&mut socket, 1).await;
}

#[tokio::test]
async fn a_session_of_socketio_comes_back_at_another_node_with_all_that_it_missed() {
    let nats = Nats::start().await;
    let [a, b] = nodes(&nats).await;
    let (admin, kim, lee) = (a.admin().await, a.member("kim").await, a.member("lee").await);
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let mut stays = in_room(&b, &lee, "tea").await;
    let mut lost = Socket::open(&a, &kim, None).await;
    lost.ask(&json!(["enter_room", "tea"])).await;
    assert_eq!(stays.expect("welcome").await[0], "kim");
    let pid = lost.pid();
    drop(lost);
    assert_eq!(stays.expect("bye").await[0], "kim");
    counts(&mut stays, "tea", 1).await;
    stays.ask("new_message", json!(["missed", "tea"])).await;
    a.order(&admin, goods, 1).await;
    stays.expect("BUY_GOODS").await;
    let mut back = Socket::open(&b, &kim, Some((&pid, 0))).await;
    assert_eq!(back.pid(), pid, "it is recovered");
    let packets = back.until("42[\"BUY_GOODS\"").await;
    let said: Vec<_> = packets.iter().filter(|packet| packet.starts_with("42[\"new_message\"")).collect();
    assert_eq!(said, [r#"42["new_message","lee: missed",1]"#]);
    assert_eq!(stays.expect("welcome").await, json!(["kim", 2]));
}

#[tokio::test]
async fn an_account_has_as_many_sessions_at_all_nodes_together_as_it_may() {
    let mut nats = Nats::start().await;
    let two_sessions = |serve: &mut shopbell::config::ServeLayer| {
        serve.bus = Some(nats.url().into());
        serve.max_sessions_per_account = Some(2);
    };
    let a = TestApp::spawn_with(two_sessions).await;
    let b = a.beside(two_sessions).await;
    for node in [&a, &b] {
        bus_is(node, "up").await;
    }
    let (kim, lee) = (a.member("kim").await, a.member("lee").await);
    let held = [Ws::open(&a, As::Cookie(&kim)).await, Ws::open(&b, As::Cookie(&kim)).await];
    // What begins at once elsewhere may come too soon for a refusal; then it ends again here.
    let opens = async |node: &TestApp, who: &Person| {
        Ws::handshake(node, "/ws", As::Cookie(who), &[]).await.map(drop).map_err(|(status, _)| status)
    };
    for node in [&a, &b] {
        until("the sessions of the other node count", async || {
            (opens(node, &kim).await == Err(429)).then_some(())
        })
        .await;
        assert_eq!(opens(node, &lee).await, Ok(()), "those of others do not");
    }
    drop(held);
    until("they end there, too", async || opens(&a, &kim).await.ok()).await;
    // Without the bus each counts its own.
    let begins = async || {
        until("one more begins", async || Ws::handshake(&b, "/ws", As::Cookie(&kim), &[]).await.ok()).await
    };
    let _held = [begins().await, begins().await];
    until("they count", async || (opens(&a, &kim).await == Err(429)).then_some(())).await;
    nats.kill();
    until("they are not heard any more", async || opens(&a, &kim).await.ok()).await;
}

/// Changes a price at one node, and waits until the other says it.
async fn a_price_arrives(a: &TestApp, b: &TestApp) {
    let admin = a.admin().await;
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let path = format!("/api/goods/{goods}");
    let price = async |node: &TestApp| node.get(&path).send().await.json["goods"]["price"].clone();
    for new in [7.5, 8.5, 9.5] {
        // It was just read there.
        price(b).await;
        a.patch(&path).by(&admin).json(&json!({"price": new})).send().await.expect(200);
        assert_eq!(price(a).await, new);
        let arrives = until("the price", async || (price(b).await == new).then_some(()));
        timeout(SOON, arrives).await.expect("about a second later");
    }
}

#[tokio::test]
async fn a_price_is_known_at_the_other_node_within_a_second_with_and_without_a_bus() {
    let nats = Nats::start().await;
    let [a, b] = nodes(&nats).await;
    a_price_arrives(&a, &b).await;
    let alone = TestApp::spawn().await;
    let beside = alone.beside(|_| {}).await;
    a_price_arrives(&alone, &beside).await;
}
