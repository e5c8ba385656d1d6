//! Nothing acknowledged is lost, nothing is told twice, nothing is made up: the program is killed and restarted under a
//! storm of keyed orders, and every order and every event of every client is reconciled with the database.
//!
//! `SHOPBELL_ENDS=20 SHOPBELL_BUYERS=20 SHOPBELL_LISTENERS=50 cargo test --release --test it crash` storms harder.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::{
    serving::{Serving, client, folder},
    support::{DEADLINE, eventually, pass, within},
};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Orders that are acknowledged between two ends.
const BETWEEN_ENDS: usize = 40;
/// Without a sign of life for so long, a socket of these tests is taken for dead.
const SILENCE: Duration = Duration::from_secs(5);

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// What all clients of the storm know.
struct Storm {
    addr: String,
    token: String,
    goods_id: i64,
    /// No new orders.
    over: AtomicBool,
    acknowledged: AtomicUsize,
}

impl Storm {
    async fn socket(&self, path: &str) -> Option<Socket> {
        let mut request = format!("ws://{}{path}", self.addr).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse().unwrap());
        tokio::time::timeout(SILENCE, connect_async(request)).await.ok()?.ok().map(|(socket, _)| socket)
    }
}

/// The next text; `None` when the connection is gone.
async fn text(socket: &mut Socket) -> Option<String> {
    loop {
        match tokio::time::timeout(SILENCE, socket.next()).await.ok()?? {
            Ok(Message::Text(text)) => return Some(text.to_string()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// A pause before coming back, as clients make one.
async fn pause() {
    pass(Duration::from_millis(20)).await;
}

/// Orders one after another, each with a key, each again until it is acknowledged. Answers what was acknowledged: the
/// key, the order and the offset of its alert.
async fn buy(storm: Arc<Storm>, number: usize) -> Vec<(String, i64, i64)> {
    let mut acknowledged = Vec::new();
    let mut socket = None;
    while !storm.over.load(Ordering::Relaxed) {
        let key = format!("{number}-{}", acknowledged.len());
        let (order, offset) = loop {
            if socket.is_none() {
                socket = storm.socket("/ws").await;
            }
            match &mut socket {
                Some(open) => match order(&storm, open, &key).await {
                    Some(made) => break made,
                    None => socket = None,
                },
                None => pause().await,
            }
        };
        acknowledged.push((key, order, offset));
        storm.acknowledged.fetch_add(1, Ordering::Relaxed);
    }
    // The last one asked for once more is the same one.
    if let Some((key, order_id, offset)) = acknowledged.last() {
        let mut socket = storm.socket("/ws").await.expect("the server is there at the end");
        assert_eq!(order(&storm, &mut socket, key).await, Some((*order_id, *offset)));
    }
    acknowledged
}

/// `None` when there was no answer, or the answer was to come again.
async fn order(storm: &Storm, socket: &mut Socket, key: &str) -> Option<(i64, i64)> {
    let payload = json!({"items": [{"goodsId": storm.goods_id, "quantity": 1}], "idempotencyKey": key});
    let buy = json!({"type": "BUY", "id": key, "payload": payload}).to_string();
    tokio::time::timeout(SILENCE, socket.send(Message::text(buy))).await.ok()?.ok()?;
    loop {
        let frame: Value = serde_json::from_str(&text(socket).await?).unwrap();
        if frame["type"] == "ack" && frame["id"] == key {
            let answer = &frame["payload"];
            if answer["ok"] == false {
                assert!(
                    ["unavailable", "restarting"].contains(&answer["code"].as_str().unwrap()),
                    "{answer}"
                );
                pause().await;
                return None;
            }
            return Some((answer["orderId"].as_i64().unwrap(), answer["id"].as_i64().unwrap()));
        }
    }
}

/// How a listener is connected.
#[derive(Clone, Copy, Debug)]
enum By {
    Envelope,
    SocketIo,
    Stream,
}

/// Listens, comes back and goes on from the last offset it has seen. Answers nothing: `seen` is its memory.
async fn listen(storm: Arc<Storm>, by: By, seen: Arc<Mutex<Vec<i64>>>) {
    let mut recovery = None;
    loop {
        match by {
            By::Envelope => listen_to_envelopes(&storm, &seen).await,
            By::SocketIo => listen_to_socketio(&storm, &seen, &mut recovery).await,
            By::Stream => listen_to_stream(&storm, &seen).await,
        };
        pause().await;
    }
}

fn last(seen: &Mutex<Vec<i64>>) -> i64 {
    seen.lock().unwrap().last().copied().unwrap_or_default()
}

async fn listen_to_envelopes(storm: &Storm, seen: &Mutex<Vec<i64>>) -> Option<()> {
    let mut socket = storm.socket(&format!("/ws?after={}", last(seen))).await?;
    loop {
        let frame: Value = serde_json::from_str(&text(&mut socket).await?).unwrap();
        assert_ne!(frame["type"], "gap", "{frame}");
        if frame["type"] == "BUY_GOODS" {
            seen.lock().unwrap().push(frame["payload"]["id"].as_i64().unwrap());
        }
    }
}

/// Recovers as the official client does: by the name of the session and the last offset it was told. Begins anew with
/// nothing, so that it must not be sent away before its first offset.
async fn listen_to_socketio(
    storm: &Storm,
    seen: &Mutex<Vec<i64>>,
    recovery: &mut Option<(String, String)>,
) -> Option<()> {
    let mut socket = storm.socket("/socket.io/?EIO=4&transport=websocket").await?;
    let auth = match &recovery {
        Some((pid, offset)) => json!({"token": storm.token, "pid": pid, "offset": offset}),
        None => json!({"token": storm.token}),
    };
    socket.send(Message::text(format!("40{auth}"))).await.ok()?;
    let mut pid = None;
    loop {
        let packet = text(&mut socket).await?;
        if packet == "2" {
            socket.send(Message::text("3")).await.ok()?;
        } else if let Some(connected) = packet.strip_prefix("40") {
            let connected: Value = serde_json::from_str(connected).unwrap();
            pid = connected["pid"].as_str().map(str::to_owned);
        } else if let Some(event) = packet.strip_prefix("42") {
            let event: Value = serde_json::from_str(event).unwrap();
            match event[0].as_str().unwrap() {
                "BUY_GOODS" => seen.lock().unwrap().push(event[1]["id"].as_i64().unwrap()),
                "offset" => {
                    *recovery = pid.clone().map(|pid| (pid, event[1].as_str().unwrap().to_owned()));
                }
                _ => {}
            }
        }
    }
}

async fn listen_to_stream(storm: &Storm, seen: &Mutex<Vec<i64>>) -> Option<()> {
    let call = client().get(format!("http://{}/api/events", storm.addr)).bearer_auth(&storm.token);
    let mut response = call.header("Last-Event-ID", last(seen)).send().await.ok()?;
    let mut lines = String::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        lines.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some(end) = lines.find("\n\n") {
            let block: String = lines.drain(..end + 2).collect();
            // The greeting has an id, too: the place that was asked for.
            let id = block.lines().find_map(|line| line.strip_prefix("id:"));
            if let Some(id) = id.filter(|_| block.contains("event: BUY_GOODS")) {
                seen.lock().unwrap().push(id.trim().parse().unwrap());
            }
        }
    }
    None
}

/// What the database holds at the end: the order of each key, and the notifications with their orders.
async fn database(path: &std::path::Path) -> (BTreeMap<String, i64>, BTreeSet<i64>, Vec<(i64, i64)>) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut database = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let keys: Vec<(String, i64)> =
        sqlx::query_as("select key, order_id from idempotency_keys").fetch_all(&mut database).await.unwrap();
    let orders: Vec<i64> =
        sqlx::query_scalar("select order_id from orders").fetch_all(&mut database).await.unwrap();
    // All are announced, so that each sequence number is the offset of its notification, too.
    let sequence =
        "select sequence, order_id from order_events where sequence = announced_as order by sequence";
    let notifications = sqlx::query_as(sequence).fetch_all(&mut database).await.unwrap();
    (keys.into_iter().collect(), orders.into_iter().collect(), notifications)
}

#[tokio::test]
async fn every_event_of_every_client_is_accounted_for_after_kills_and_restarts() {
    let folder = folder();
    let mut serving = Serving::start(folder.path(), &["--demo", "--order-rate", "100000"]);
    let addr = serving.url.strip_prefix("http://").unwrap().to_owned();
    let line = serving.line();
    let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let token = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    let goods =
        client().get(format!("{}/api/goods", serving.url)).send().await.unwrap().text().await.unwrap();
    let goods: Value = serde_json::from_str(&goods).unwrap();
    let unlimited = goods["goods"].as_array().unwrap().iter().find(|goods| goods["stock"].is_null());
    let goods_id = unlimited.expect("the demo has goods without stock")["goodsId"].as_i64().unwrap();
    let storm = Arc::new(Storm {
        addr: addr.clone(),
        token,
        goods_id,
        over: AtomicBool::new(false),
        acknowledged: AtomicUsize::new(0),
    });

    let listeners: Vec<_> = (0..setting("SHOPBELL_LISTENERS", 9))
        .map(|number| {
            let by = [By::Envelope, By::SocketIo, By::Stream][number % 3];
            let seen = Arc::<Mutex<Vec<i64>>>::default();
            let task = tokio::spawn(listen(Arc::clone(&storm), by, Arc::clone(&seen)));
            (by, seen, task.abort_handle())
        })
        .collect();
    // A client of Socket.IO has nothing to recover by before it has been told an offset: all hear the first order.
    let first = storm.socket("/ws").await.unwrap();
    let first = order(&storm, &mut { first }, "first").await.expect("the first order");
    eventually("the first alert", async || {
        let mut unheard =
            listeners.iter().filter(|(by, seen, _)| !matches!(by, By::SocketIo) && last(seen) < first.1);
        unheard.next().is_none()
    })
    .await;
    let buyers: Vec<_> = (0..setting("SHOPBELL_BUYERS", 6))
        .map(|number| tokio::spawn(buy(Arc::clone(&storm), number)))
        .collect();

    for end in 0..setting("SHOPBELL_ENDS", 4) {
        let so_far = storm.acknowledged.load(Ordering::Relaxed);
        eventually("more orders", async || {
            storm.acknowledged.load(Ordering::Relaxed) >= so_far + BETWEEN_ENDS
        })
        .await;
        // Every other end is a good one.
        let (signal, code) = if end % 2 == 0 { ("-KILL", -1) } else { ("-TERM", 0) };
        serving.signal(signal);
        assert_eq!(serving.ended().await, code, "{signal}");
        serving = Serving::start(folder.path(), &["--addr", &addr, "--order-rate", "100000"]);
    }
    storm.over.store(true, Ordering::Relaxed);
    let mut acknowledged = vec![("first".to_owned(), first.0, first.1)];
    for buyer in buyers {
        acknowledged.extend(tokio::time::timeout(DEADLINE, buyer).await.expect("a buyer ends").unwrap());
    }
    let latest = acknowledged.iter().map(|(_, _, offset)| *offset).max().unwrap();
    for (by, seen, task) in &listeners {
        eventually(&format!("the last alert by {by:?}"), async || last(seen) >= latest).await;
        task.abort();
    }
    drop(serving);

    let (keys, orders, notifications) =
        within("the database", database(&folder.path().join("shop.db"))).await;
    let expected: BTreeMap<_, _> = acknowledged.iter().map(|(key, order, _)| (key.clone(), *order)).collect();
    assert_eq!(expected.len(), acknowledged.len(), "no key was acknowledged twice");
    assert_eq!(keys, expected, "each key has the one order that was acknowledged for it");
    assert_eq!(orders, expected.into_values().collect(), "there is no order that nobody was told of");
    let told: Vec<_> = notifications.iter().map(|(id, _)| *id).collect();
    assert_eq!(told, Vec::from_iter(1..=latest), "the log has no holes");
    let mut by_acknowledgement: Vec<_> =
        acknowledged.iter().map(|(_, order, offset)| (*offset, *order)).collect();
    by_acknowledgement.sort_unstable();
    assert_eq!(notifications, by_acknowledgement, "each order has its one alert, at the offset it was told");
    for (by, seen, _) in &listeners {
        let seen = seen.lock().unwrap();
        let begin = seen[0];
        assert!(begin == 1 || matches!(by, By::SocketIo), "{by:?} began at {begin}");
        assert_eq!(*seen, Vec::from_iter(begin..=latest), "{by:?} saw each alert once, in order");
    }
    println!("{} orders, {} listeners: nothing lost, repeated or made up", orders.len(), listeners.len());
}
