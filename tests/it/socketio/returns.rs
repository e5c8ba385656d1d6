//! Connection state recovery at another node than the session's: it is told only where it holds, whatever became of that node.

use serde_json::json;

use super::{
    nodes::{two_nodes, up},
    recovery::Socket,
};
use crate::{
    serving::{Serving, folder},
    support::{As, Nats, TestApp, Ws, eventually},
};

/// Nodes that can be killed, and someone who is logged in.
struct Programs {
    nats: Nats,
    folder: tempfile::TempDir,
    nodes: [Serving; 2],
    token: String,
}

impl Programs {
    async fn start() -> Self {
        let (nats, folder) = (Nats::start().await, folder());
        let first = Serving::start(folder.path(), &["--demo", "--bus", &nats.url()]);
        let line = first.line();
        let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
        let token = first.log_in(email, password).await["token"].as_str().unwrap().to_owned();
        let second = Serving::start(folder.path(), &["--bus", &nats.url()]);
        up(&[&first, &second]).await;
        Self { nats, folder, nodes: [first, second], token }
    }

    async fn open(&self, node: &Serving, pid: Option<(&str, i64)>) -> Socket {
        Socket::open_at(node.addr(), &self.token, pid).await
    }

    /// A session that is in a room; that one is, is on the disk.
    async fn in_room(&self, node: &Serving) -> Socket {
        let mut socket = self.open(node, None).await;
        socket.ask(&json!(["enter_room", "tea"])).await;
        for _ in 0..2 {
            buy(&mut socket).await;
        }
        socket
    }
}

/// What is answered is behind what was written before.
async fn buy(socket: &mut Socket) {
    assert!(socket.ask(&json!(["BUY", {"goodsId": 1, "quantity": 1}])).await.contains(r#""ok":true"#));
}

fn kill(node: &mut Serving) {
    node.child.kill().unwrap();
    node.child.wait().unwrap();
}

#[tokio::test]
async fn after_a_crash_no_node_says_recovered_to_a_session_whose_rooms_nobody_knows() {
    let mut shop = Programs::start().await;
    let (placed, other) = (shop.in_room(&shop.nodes[0]).await, shop.open(&shop.nodes[0], None).await);
    kill(&mut shop.nodes[0]);
    let mut back = shop.open(&shop.nodes[1], Some((&placed.pid(), 0))).await;
    assert_ne!(back.pid(), placed.pid(), "where it was is not known");
    assert!(back.ask(&json!(["enter_room", "tea"])).await.contains(r#""ok":true"#));
    let anew = shop.open(&shop.nodes[1], Some((&other.pid(), 0))).await;
    assert_ne!(anew.pid(), other.pid(), "nobody knows that it was nowhere");
}

#[tokio::test]
async fn after_a_crash_all_are_recovered_while_no_session_of_the_shop_was_in_a_room() {
    let mut shop = Programs::start().await;
    let lost = shop.open(&shop.nodes[0], None).await;
    kill(&mut shop.nodes[0]);
    buy(&mut shop.open(&shop.nodes[1], None).await).await;
    let mut back = shop.open(&shop.nodes[1], Some((&lost.pid(), 0))).await;
    assert_eq!(back.pid(), lost.pid());
    back.until(r#"42["offset","1"]"#).await;
}

#[tokio::test]
async fn a_node_that_ends_says_nothing_for_those_that_go_on() {
    let mut shop = Programs::start().await;
    let (at_first, at_second) = (shop.in_room(&shop.nodes[0]).await, shop.in_room(&shop.nodes[1]).await);
    drop(at_first);
    // Ends in order, and has nothing to say of the other's sessions.
    shop.nodes[0].signal("-TERM");
    let third = Serving::start(shop.folder.path(), &["--bus", &shop.nats.url()]);
    let first = std::mem::replace(&mut shop.nodes[0], third);
    assert_eq!(first.ended().await, 0);
    kill(&mut shop.nodes[1]);
    let fourth = Serving::start(shop.folder.path(), &["--bus", &shop.nats.url()]);
    for node in [&shop.nodes[0], &fourth] {
        let back = shop.open(node, Some((&at_second.pid(), 0))).await;
        assert_ne!(back.pid(), at_second.pid(), "its node has crashed");
    }
}

/// Two nodes of a shop in which somebody was in a room; `pid`s and offsets mean something to both.
async fn nodes_with_rooms() -> (Nats, TestApp, TestApp, Ws) {
    let nats = Nats::start().await;
    let (a, b) = two_nodes(&nats).await;
    let lee = a.member("lee").await;
    let mut entered = Socket::open(&a, &lee, None).await;
    entered.ask(&json!(["enter_room", "tea"])).await;
    eventually("it is written that somebody is somewhere", async || {
        !a.store.setting("recovery", "").await.unwrap().is_empty()
    })
    .await;
    let stays = Ws::open(&b, As::Cookie(&lee)).await;
    (nats, a, b, stays)
}

#[tokio::test]
async fn a_session_that_was_nowhere_is_recovered_at_a_node_that_does_not_know_it() {
    let (_nats, a, b, _stays) = nodes_with_rooms().await;
    let (admin, kim) = (a.admin().await, a.member("kim").await);
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let lost = Socket::open(&a, &kim, None).await;
    let pid = lost.pid();
    drop(lost);
    a.order(&admin, goods, 1).await;
    let mut back = Socket::open(&b, &kim, Some((&pid, 0))).await;
    assert_eq!(back.pid(), pid, "its node knows that it was nowhere");
    back.until(r#"42["offset","1"]"#).await;
    // And on to the first, which has not noticed the loss.
    let mut again = Socket::open(&a, &kim, Some((&pid, 0))).await;
    assert_eq!(again.pid(), pid);
    again.until(r#"42["offset","1"]"#).await;
}

#[tokio::test]
async fn a_connection_that_another_node_does_not_know_to_be_lost_is_taken_over() {
    let (_nats, a, b, mut stays) = nodes_with_rooms().await;
    let kim = a.member("kim").await;
    stays.ask("enter_room", json!("attic")).await;
    let mut silent = Socket::open(&a, &kim, None).await;
    silent.ask(&json!(["enter_room", "attic"])).await;
    assert_eq!(stays.expect("welcome").await[0], "kim");
    let pid = silent.pid();
    // Nothing of it arrives any more, and its node does not know.
    stays.ask("new_message", json!(["into the void", "attic"])).await;
    let mut back = Socket::open(&b, &kim, Some((&pid, 0))).await;
    assert_eq!(back.pid(), pid, "recovered");
    back.expect(r#"42["new_message","lee: into the void","#).await;
    assert_eq!(stays.expect("bye").await[0], "kim");
    assert_eq!(stays.expect("welcome").await[0], "kim");
    drop(silent);
}

#[tokio::test]
async fn the_sessions_of_a_node_that_drains_are_recovered_at_the_others() {
    let (nats, a, b, mut stays) = nodes_with_rooms().await;
    let (kim, ann) = (a.member("kim").await, a.member("ann").await);
    stays.ask("enter_room", json!("attic")).await;
    let nowhere = Socket::open(&a, &kim, None).await;
    let mut placed = Socket::open(&a, &ann, None).await;
    placed.ask(&json!(["enter_room", "attic"])).await;
    assert_eq!(stays.expect("welcome").await[0], "ann");
    let pids = [nowhere.pid(), placed.pid()];
    a.shut_down();
    for socket in [nowhere, placed] {
        socket.ended().await;
    }
    eventually("the store to close", async || a.store.ping().await.is_err()).await;
    stays.expect("bye").await;
    stays.ask("new_message", json!(["missed", "attic"])).await;
    // A node that starts later was told nothing, and asks.
    let c = b.beside(|serve| serve.bus = Some(nats.url().into())).await;
    crate::support::bus_is(&c, "up").await;
    let back = Socket::open(&c, &kim, Some((&pids[0], 0))).await;
    assert_eq!(back.pid(), pids[0], "it was nowhere");
    let anew = Socket::open(&c, &ann, Some((&pids[1], 0))).await;
    assert_ne!(anew.pid(), pids[1], "what was said meanwhile is not there");
    let mut back = Socket::open(&b, &ann, Some((&pids[1], 0))).await;
    assert_eq!(back.pid(), pids[1]);
    back.expect(r#"42["new_message","lee: missed","#).await;
}
