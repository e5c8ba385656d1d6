//! A shop with several nodes, and requests that arrive at whatever one of them: no session is bound to the node where its
//! polls come in.

use std::time::Duration;

use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{polling::Polling, upgrade::Upgrade};
use crate::{
    serving::{Serving, folder},
    support::{Answer, As, Http, Nats, TestApp, Ws, bus_is, eventually, until, within},
};

/// The nodes of a shop, connected.
pub async fn two_nodes(nats: &Nats) -> (TestApp, TestApp) {
    let first = TestApp::spawn_with(|serve| serve.bus = Some(nats.url().into())).await;
    let second = first.beside(|serve| serve.bus = Some(nats.url().into())).await;
    bus_is(&first, "up").await;
    bus_is(&second, "up").await;
    (first, second)
}

/// The same as programs, which can be killed.
async fn two_programs(nats: &Nats, folder: &tempfile::TempDir) -> (Serving, Serving) {
    let start = || Serving::start(folder.path(), &["--bus", &nats.url()]);
    let nodes = (start(), start());
    up(&[&nodes.0, &nodes.1]).await;
    nodes
}

/// Waits until programs are on the bus.
pub async fn up(nodes: &[&Serving]) {
    for node in nodes {
        eventually("the bus is up", async || node.http().get("/readyz").send().await.json["bus"] == "up")
            .await;
    }
}

/// A guest of a node, connected.
async fn guest(http: Http) -> Polling {
    let mut session = Polling::open_at(http, None).await;
    session.post("40").await.expect(200);
    session.expect("40").await;
    session
}

/// Asks something by a POST to one node, and polls the answer at another.
async fn ask(session: &mut Polling, (post_at, poll_at): (&Http, &Http), number: usize) {
    session.http = post_at.clone();
    session.post(&format!(r#"42{number}["enter_room","tea"]"#)).await.expect(200);
    session.http = poll_at.clone();
    session.expect(&format!("43{number}[")).await;
}

fn is_forbidden(answer: &Answer) -> bool {
    answer.status == 403 && answer.text.contains("\"code\":4")
}

#[tokio::test]
async fn polls_and_posts_may_arrive_at_any_node() {
    let nats = Nats::start().await;
    let (a, b) = two_nodes(&nats).await;
    let admin = a.admin().await;
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let (mut session, _) = Polling::connect(&a, Some(&admin), "").await;
    let nodes = [&a, &b];
    let (mut number, mut seen, mut acks) = (0, Vec::new(), 0);
    while seen.len() < 60 {
        session.http = nodes[number % 2].http.clone();
        // Some orders come by the session itself, some by others, at the one node or the other.
        if number < 20 {
            session.post(&format!(r#"42{number}["BUY",{{"goodsId":{goods}}}]"#)).await.expect(200);
            nodes[(number / 2) % 2].order(&admin, goods, 1).await;
            nodes[number % 2].order(&admin, goods, 1).await;
        }
        session.http = nodes[(number + number / 3) % 2].http.clone();
        number += 1;
        let packet = session.next().await;
        acks += usize::from(packet.starts_with("43") && packet.contains(r#""ok":true"#));
        if let Some(event) = packet.strip_prefix("42[\"BUY_GOODS\",") {
            let event: serde_json::Value = serde_json::from_str(event.trim_end_matches(']')).unwrap();
            seen.push(event["id"].as_i64().unwrap());
        }
    }
    assert_eq!(seen, (1..=60).collect::<Vec<_>>());
    while acks < 20 {
        acks += usize::from(session.next().await.starts_with("43"));
    }
}

#[tokio::test]
async fn a_body_of_several_megabytes_is_carried_and_a_larger_one_is_refused() {
    let nats = Nats::start().await;
    let large = |serve: &mut shopbell::config::ServeLayer| {
        serve.bus = Some(nats.url().into());
        serve.max_payload = Some(3 << 20);
    };
    let a = TestApp::spawn_with(large).await;
    let b = a.beside(large).await;
    bus_is(&a, "up").await;
    bus_is(&b, "up").await;
    let mut session = guest(a.http.clone()).await;
    session.http = b.http.clone();
    session.post(&format!(r#"421["DANCE","{}"]"#, "x".repeat(2_500_000))).await.expect(200);
    assert!(session.expect("431[").await.contains("unknown_event"));
    assert_eq!(session.post(&"x".repeat(3_200_000)).await.status, 413);
    // Before CONNECT as little as at the session's own node.
    let mut fresh = Polling::open(&a, None).await;
    fresh.http = b.http.clone();
    assert_eq!(fresh.post(&format!("40{}", " ".repeat(20_000))).await.status, 413);
}

#[tokio::test]
async fn the_credentials_of_another_account_open_nothing_at_another_node() {
    let nats = Nats::start().await;
    let (a, b) = two_nodes(&nats).await;
    let (kim, lee) = (a.member("kim").await, a.member("lee").await);
    let (mut session, _) = Polling::connect(&a, Some(&kim), "").await;
    for token in [None, Some(&lee.token)] {
        for method in ["GET", "POST"] {
            let call = b.request(method, &session.path).body("text/plain", "42[\"x\"]");
            let call = token.iter().fold(call, |call, token| call.token(token));
            let answer = call.send().await;
            assert!(is_forbidden(&answer), "{method}: {answer:?}");
        }
    }
    let upgrade = format!("/socket.io/?EIO=4&transport=websocket&sid={}", session.sid);
    let refused = Ws::handshake(&b, &upgrade, As::Header(&lee), &[]).await.err().map(|(status, _)| status);
    assert_eq!(refused, Some(403));
    // Its owner's session has not noticed.
    session.http = b.http.clone();
    session.expect("42[\"offset\"").await;
}

#[tokio::test]
async fn a_poll_that_is_given_up_at_another_node_ends_the_session() {
    let (nats, folder) = (Nats::start().await, folder());
    let (a, b) = two_programs(&nats, &folder).await;
    let session = guest(a.http()).await;
    let before = came(&a).await;
    let mut given_up = TcpStream::connect(b.addr()).await.unwrap();
    let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", session.path, b.addr());
    given_up.write_all(request.as_bytes()).await.unwrap();
    // A greeting, and the poll.
    eventually("the poll is there", async || came(&a).await >= before + 2).await;
    drop(given_up);
    eventually("the end of the session", async || session.poll().await.text.contains("\"code\":1")).await;
}

#[tokio::test]
async fn a_session_that_nobody_has_is_unknown_at_every_node() {
    let nats = Nats::start().await;
    let (a, b) = two_nodes(&nats).await;
    let mut session = guest(a.http.clone()).await;
    for sid in
        ["x", "000000", "00000000aaaaaaaaaaaaaaaaaaaa", &format!("{}x", session.sid), &session.sid[..8]]
    {
        let path = session.path.replace(&session.sid, sid);
        for app in [&a, &b] {
            Polling::is_unknown(&app.get(&path).send().await);
            Polling::is_unknown(&app.post(&path).body("text/plain", "40").send().await);
        }
    }
    ask(&mut session, (&b.http, &b.http), 1).await;
}

#[tokio::test]
async fn a_websocket_may_take_over_at_another_node() {
    let nats = Nats::start().await;
    let (a, b) = two_nodes(&nats).await;
    let admin = a.admin().await;
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let (mut session, _) = Polling::connect(&a, Some(&admin), "").await;
    session.expect("42[\"offset\"").await;
    let mut upgrade = Upgrade::probe(&b, &session).await.expect("a probe is answered");
    assert!(Upgrade::probe(&a, &session).await.is_none(), "one at a time");
    // Nobody polls: it waits, and comes over the WebSocket.
    a.order(&admin, goods, 1).await;
    upgrade.send("5").await;
    for id in 1..=50 {
        let packet = upgrade.expect("42[\"BUY_GOODS\"").await;
        assert!(packet.contains(&format!(r#""id":{id},"#)), "{id}: {packet}");
        upgrade.send(&format!(r#"42{id}["BUY",{{"goodsId":{goods}}}]"#)).await;
    }
    let large = format!(r#"42100["DANCE","{}"]"#, "x".repeat(90_000));
    upgrade.send(&large).await;
    assert!(upgrade.expect("43100[").await.contains("unknown_event"));
    // What ends the session ends the WebSocket, with its code.
    a.delete("/api/auth").by(&admin).send().await.expect(204);
    upgrade.expect("4001").await;
    assert_eq!(upgrade.next().await, None);
}

#[tokio::test]
async fn a_websocket_that_leaves_at_another_node_leaves_its_rooms() {
    let nats = Nats::start().await;
    let (a, b) = two_nodes(&nats).await;
    let admin = a.admin().await;
    let (mut session, _) = Polling::connect(&a, Some(&admin), "").await;
    session.expect("42[\"offset\"").await;
    let lee = a.member("lee").await;
    let mut watcher = Ws::open(&a, As::Cookie(&lee)).await;
    assert_eq!(watcher.ask("enter_room", json!("lobby")).await["count"], 1);
    let mut upgrade = Upgrade::probe(&b, &session).await.expect("a probe is answered");
    upgrade.send("5").await;
    upgrade.send(r#"421["enter_room","lobby"]"#).await;
    upgrade.expect("431[").await;
    assert_eq!(watcher.expect("welcome").await, json!(["admin", 2]));
    drop(upgrade);
    assert_eq!(watcher.expect("bye").await, json!(["admin", 1]));
}

#[tokio::test]
async fn a_node_that_drains_sends_the_clients_of_others_on() {
    let nats = Nats::start().await;
    let (a, b) = two_nodes(&nats).await;
    let mut session = guest(a.http.clone()).await;
    let mut upgraded = guest(a.http.clone()).await;
    let mut upgrade = Upgrade::probe(&b, &upgraded).await.expect("a probe is answered");
    upgrade.send("5").await;
    upgrade.send(r#"421["enter_room","tea"]"#).await;
    upgrade.expect("431[").await;
    session.http = b.http.clone();
    session.post(r#"421["enter_room","tea"]"#).await.expect(200);
    session.expect("431[").await;
    let polls = async {
        until("an answer with nothing in it", async || match session.try_poll().await {
            Ok(answer) => (answer.expect(200).text == "6").then_some(()),
            // The node closed its connection before it saw that there was a poll on it.
            Err(_) => Some(()),
        })
        .await;
    };
    tokio::join!(polls, async { b.shut_down() });
    assert_eq!(upgrade.end().await, None, "its node is gone");
    ask(&mut session, (&a.http, &a.http), 2).await;
    upgraded.http = a.http.clone();
    eventually("the end of the other session", async || upgraded.poll().await.text.contains("\"code\":1"))
        .await;
}

#[tokio::test]
async fn a_killed_node_ends_its_sessions_wherever_they_poll() {
    let (nats, folder) = (Nats::start().await, folder());
    let (mut a, b) = two_programs(&nats, &folder).await;
    let (mut session, upgraded) = (guest(a.http()).await, guest(a.http()).await);
    let mut upgrade = Upgrade::probe_at(b.addr(), &upgraded).await.expect("a probe is answered");
    upgrade.send("5").await;
    ask(&mut session, (&b.http(), &b.http()), 1).await;
    upgrade.send(r#"421["enter_room","tea"]"#).await;
    upgrade.expect("431[").await;
    let kill = async {
        a.child.kill().unwrap();
        a.child.wait().unwrap();
    };
    let polls = until("the end of the session", async || {
        let answer = session.poll().await;
        (answer.status == 400).then_some(answer)
    });
    let (answer, ()) = tokio::join!(polls, kill);
    Polling::is_unknown(&answer);
    assert_eq!(upgrade.end().await, None);
    // Clients come back, here and to whoever takes the node's place.
    guest(b.http()).await;
}

/// Messages for this node alone that came to it.
async fn came(node: &Serving) -> u64 {
    let metrics = node.http().get("/metrics").send().await.expect(200).text;
    let line =
        metrics.lines().find_map(|line| line.strip_prefix("shopbell_bus_received_total{topic=\"direct\"} "));
    line.map_or(0, |number| number.parse().unwrap())
}

#[tokio::test]
async fn a_killed_node_ends_what_arrived_there_and_the_session_with_it() {
    let (nats, folder) = (Nats::start().await, folder());
    let (a, mut b) = two_programs(&nats, &folder).await;
    let (polling, mut upgraded) = (guest(a.http()).await, guest(a.http()).await);
    let before = came(&a).await;
    let mut poll = TcpStream::connect(b.addr()).await.unwrap();
    let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", polling.path, b.addr());
    poll.write_all(request.as_bytes()).await.unwrap();
    // A greeting, and the poll.
    eventually("the poll is there", async || came(&a).await >= before + 2).await;
    let mut upgrade = Upgrade::probe_at(b.addr(), &upgraded).await.expect("a probe is answered");
    upgrade.send("5").await;
    upgrade.send(r#"421["enter_room","tea"]"#).await;
    upgrade.expect("431[").await;
    b.child.kill().unwrap();
    b.child.wait().unwrap();
    assert_eq!(upgrade.end().await, None);
    upgraded.http = a.http();
    for session in [&upgraded, &polling] {
        eventually("the end of the session", async || session.poll().await.text.contains("\"code\":1")).await;
    }
    guest(a.http()).await;
}

#[tokio::test]
async fn an_answer_that_is_lost_with_the_node_that_carries_it_ends_the_session() {
    let (nats, folder) = (Nats::start().await, folder());
    let (a, mut b) = two_programs(&nats, &folder).await;
    let session = guest(a.http()).await;
    let before = came(&a).await;
    let mut poll = TcpStream::connect(b.addr()).await.unwrap();
    let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", session.path, b.addr());
    poll.write_all(request.as_bytes()).await.unwrap();
    // A greeting, and the poll.
    eventually("the poll is there", async || came(&a).await >= before + 2).await;
    // The answer is on its way to a node that passes nothing on any more.
    b.signal("-STOP");
    session.post(r#"421["enter_room","tea"]"#).await.expect(200);
    b.child.kill().unwrap();
    b.child.wait().unwrap();
    // A proxy asks the next node. The session must not go on without what was in the answer.
    eventually("the end of the session", async || session.poll().await.text.contains("\"code\":1")).await;
}

#[tokio::test]
async fn without_the_bus_a_client_begins_another_session_where_it_is() {
    let mut nats = Nats::start().await;
    let (a, b) = two_nodes(&nats).await;
    let mut session = guest(a.http.clone()).await;
    ask(&mut session, (&b.http, &b.http), 1).await;
    let polls = until("the end of the session", async || {
        let answer = session.poll().await;
        (answer.status == 400).then_some(answer)
    });
    let (answer, ()) = tokio::join!(polls, async { nats.kill() });
    Polling::is_unknown(&answer);
    bus_is(&b, "away").await;
    let mut other = guest(b.http.clone()).await;
    ask(&mut other, (&b.http, &b.http), 1).await;
    // At the wrong node it is not found, and that is said soon.
    other.http = a.http.clone();
    Polling::is_unknown(&within("an answer", other.poll()).await);
    nats.run().await;
    bus_is(&a, "up").await;
    bus_is(&b, "up").await;
    ask(&mut other, (&a.http, &a.http), 2).await;
    ask(&mut other, (&b.http, &a.http), 3).await;
}

#[tokio::test]
async fn a_short_absence_of_the_bus_costs_a_new_poll_nothing() {
    let mut nats = Nats::start().await;
    let (a, b) = two_nodes(&nats).await;
    let mut session = guest(a.http.clone()).await;
    nats.kill();
    bus_is(&b, "away").await;
    session.http = b.http.clone();
    let (answer, ()) = tokio::join!(session.post(r#"421["enter_room","tea"]"#), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        nats.run().await;
    });
    answer.expect(200);
    session.http = a.http.clone();
    session.expect("431[").await;
}

#[tokio::test]
async fn with_one_node_session_ids_name_none() {
    let app = TestApp::spawn().await;
    assert_eq!(guest(app.http.clone()).await.sid.len(), 22);
}
