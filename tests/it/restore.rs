//! A backup of a shop that is busy, and the shop that is made of it: what docs/guides/operate.md tells an operator to do.

use std::{
    collections::BTreeSet,
    fs,
    io::Cursor,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt as _;
use image::{DynamicImage, ImageFormat, RgbImage};
use serde_json::{Value, json};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    serving::{Serving, folder, shopbell},
    support::{Http, eventually, pass, within},
};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

const FLAGS: [&str; 5] = ["--demo", "--audience", "everyone", "--order-rate", "1000000"];

/// Fewer than a thousand are placed while a copy is made, which one answer lists.
const BETWEEN_ORDERS: Duration = Duration::from_millis(20);

/// Runs a command of the operator's and returns what it printed.
async fn command(folder: &Path, args: &'static [&'static str]) -> String {
    let mut command = shopbell(folder, args);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The next message of a kind.
async fn next(socket: &mut Socket, kind: &str) -> Value {
    within(kind, async {
        loop {
            let message = socket.next().await.expect("the session goes on").unwrap();
            let Message::Text(text) = message else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            if message["type"] == kind {
                return message["payload"].clone();
            }
        }
    })
    .await
}

async fn listen(serving: &Serving, query: &str) -> Socket {
    connect_async(format!("ws://{}/ws{query}", serving.addr())).await.unwrap().0
}

async fn order(http: &Http, token: &str, goods_id: i64) -> i64 {
    let body = json!({"items": [{"goodsId": goods_id, "quantity": 1}]});
    let placed = http.post("/api/orders").token(token).json(&body).send().await.expect(201);
    placed.json["order"]["orderId"].as_i64().unwrap()
}

/// All orders of an account.
async fn orders(http: &Http, token: &str) -> BTreeSet<i64> {
    let (mut all, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let listed =
            http.get(&format!("/api/orders?limit=100{cursor}")).token(token).send().await.expect(200);
        let page = listed.json["orders"].as_array().unwrap();
        all.extend(page.iter().map(|one| one["orderId"].as_i64().unwrap()));
        let Some(next) = listed.json["nextCursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

/// A person of the demo: `demo admin: E-MAIL PASSWORD`.
async fn log_in(serving: &Serving, who: &str) -> String {
    let line = serving.line();
    let (email, password) = line.strip_prefix(who).unwrap().split_once(' ').unwrap();
    serving.log_in(email, password).await["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_busy_shop_is_backed_up_and_another_is_made_of_the_copy() {
    let old = folder();
    let serving = Serving::start(old.path(), &FLAGS);
    let (shopper, admin) = (log_in(&serving, "demo shopper: ").await, log_in(&serving, "demo admin: ").await);
    let http = serving.http();
    let mut picture = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::new(20, 10)).write_to(&mut picture, ImageFormat::Png).unwrap();
    let media = http.post("/api/admin/media").token(&admin).body("image/png", picture.into_inner());
    let picture = media.send().await.expect(201).json["media"]["url"].as_str().unwrap().to_owned();
    let body = json!({"name": "Lamp", "thumbnailUrl": picture, "category": "home", "price": 6.2});
    let made = http.post("/api/goods").token(&admin).json(&body).send().await.expect(201);
    let lamp = made.json["goods"]["goodsId"].as_i64().unwrap();

    let mut listener = listen(&serving, "").await;
    let epoch = next(&mut listener, "hello").await["epoch"].as_str().unwrap().to_owned();
    // Orders flow until the copy is made, and after that.
    let (over, placed) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
    let flow = tokio::spawn({
        let (http, shopper, over, placed) = (serving.http(), shopper.clone(), over.clone(), placed.clone());
        async move {
            while !over.load(Ordering::Relaxed) {
                let id = order(&http, &shopper, lamp).await;
                placed.lock().unwrap().insert(id);
                pass(BETWEEN_ORDERS).await;
            }
        }
    });
    let known = || placed.lock().unwrap().clone();
    let some_more = async || {
        let enough = known().len() + 5;
        eventually("more orders", async || known().len() >= enough).await;
        known()
    };
    let before = some_more().await;
    command(old.path(), &["backup", "--to", "copy.db"]).await;
    some_more().await;
    over.store(true, Ordering::Relaxed);
    flow.await.unwrap();
    let all = known();
    let latest = http.get("/api/notifications").token(&shopper).send().await.expect(200);
    let latest = latest.json["latest"].as_u64().unwrap();
    while next(&mut listener, "BUY_GOODS").await["id"] != latest {}
    serving.signal("-TERM");
    assert_eq!(serving.ended().await, 0);

    // As the guide says: the copy, the key, the pictures.
    let new = folder();
    for (from, to) in [("copy.db", "shop.db"), ("shop.db-key", "shop.db-key")] {
        fs::copy(old.path().join(from), new.path().join(to)).unwrap();
    }
    fs::create_dir(new.path().join("media")).unwrap();
    for file in fs::read_dir(old.path().join("media")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), new.path().join("media").join(file.file_name())).unwrap();
    }
    assert_eq!(command(new.path(), &["check"]).await, "stock, orders and log agree\n");
    let restored = Serving::start(new.path(), &FLAGS);
    let http = restored.http();

    // The log-ins hold, and what was ordered before the copy was begun is in it, with nothing that never was.
    let kept = orders(&http, &shopper).await;
    assert!(before.is_subset(&kept), "{before:?} are not all in {kept:?}");
    assert!(kept.is_subset(&all) && kept.len() < all.len(), "{kept:?} of {all:?}");
    let alerts = http.get("/api/notifications?limit=1000").token(&shopper).send().await.expect(200);
    assert_eq!(alerts.json["notifications"].as_array().unwrap().len(), kept.len());
    assert_ne!(alerts.json["epoch"], epoch.as_str());
    http.get(&picture).send().await.expect(200);

    // Who comes back is told that this is another log, and then hears what is new.
    let mut listener = listen(&restored, &format!("?after={latest}&epoch={epoch}")).await;
    assert_eq!(next(&mut listener, "gap").await["after"], latest);
    let placed = order(&http, &shopper, lamp).await;
    assert!(!kept.contains(&placed));
    let alert = next(&mut listener, "BUY_GOODS").await;
    assert_eq!((&alert["goodsId"], alert["id"].as_u64()), (&json!(lamp), Some(kept.len() as u64 + 1)));
    assert_eq!(command(new.path(), &["check"]).await, "stock, orders and log agree\n");
}
