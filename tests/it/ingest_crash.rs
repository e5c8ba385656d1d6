//! A storm of receipts over kills and restarts: what a source was told to be kept is kept, and whatever is repeated, late or in
//! another order, each order is told once and withdrawn once.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    serving::{Serving, client, folder, shopbell},
    support::{DEADLINE, eventually, pass},
};

/// Receipts that are acknowledged between two ends.
const BETWEEN_ENDS: usize = 60;

struct Storm {
    url: String,
    secret: String,
    over: AtomicBool,
    acknowledged: AtomicUsize,
}

impl Storm {
    /// Sends until it is answered that it is kept, as other systems do, and now and then once more.
    async fn say(&self, client: &reqwest::Client, body: &Value) {
        for repeat in 0.. {
            let call = client.post(&self.url).bearer_auth(&self.secret).body(body.to_string());
            if call.send().await.is_ok_and(|answer| answer.status() == 200) {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                return;
            }
            assert!(repeat < 1000, "the program does not come back");
            pass(Duration::from_millis(20)).await;
        }
    }
}

/// Orders one after another, each said twice at least; every third is canceled, every sixth before it is paid. Returns by
/// number whether it is told and withdrawn.
async fn sell(storm: Arc<Storm>, number: usize) -> BTreeMap<String, (usize, usize)> {
    let client = client();
    let mut said = BTreeMap::new();
    while !storm.over.load(Ordering::Relaxed) {
        let index = said.len();
        let order = format!("{number}-{index}");
        let paid = json!({"type": "order.paid", "data": {
            "orderId": order, "buyer": "Kim", "items": [{"name": "Tea", "price": 5}, {"name": "Cup", "price": 7}],
        }});
        let canceled = json!({"type": "order.canceled", "data": {"orderId": order}});
        let (script, outcome) = match index % 6 {
            0 => (vec![&canceled, &paid, &paid], (0, 0)),
            3 => (vec![&paid, &canceled, &paid, &canceled], (1, 1)),
            _ => (vec![&paid, &paid], (1, 0)),
        };
        for body in script {
            storm.say(&client, body).await;
        }
        said.insert(order, outcome);
    }
    said
}

/// By the source's number: how often it was told and withdrawn.
async fn database(path: &std::path::Path) -> BTreeMap<String, (usize, usize)> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut database = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "select
             number,
             (select count(*) from order_events as e where e.order_id = s.order_id and announced_as is not null and kind = 'placed'),
             (select count(*) from order_events as e where e.order_id = s.order_id and announced_as is not null and kind = 'canceled')
         from source_orders as s",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    let events: i64 =
        sqlx::query_scalar("select count(*) from order_events").fetch_one(&mut database).await.unwrap();
    let counted: i64 = rows.iter().map(|(_, told, withdrawn)| told + withdrawn).sum();
    assert_eq!(events, counted, "the log tells of nothing else");
    let count = |n: i64| usize::try_from(n).unwrap();
    rows.into_iter().map(|(number, told, withdrawn)| (number, (count(told), count(withdrawn)))).collect()
}

#[tokio::test]
async fn no_order_is_lost_and_none_is_told_twice_over_kills() {
    let folder = folder();
    let add = ["source", "add", "--kind", "standard", "--name", "Shop", "--rate", "100000"];
    let added = shopbell(folder.path(), &add).output().unwrap();
    let printed = String::from_utf8(added.stdout).unwrap();
    let (path, secret) = printed.trim().split_once('\n').expect("a URL and a secret");
    let path = path.strip_prefix("http://127.0.0.1:3000").expect("the default address").to_owned();
    let mut serving = Serving::start(folder.path(), &[]);
    let addr = serving.addr().to_owned();
    let storm = Arc::new(Storm {
        url: format!("http://{addr}{path}"),
        secret: secret.to_owned(),
        over: AtomicBool::new(false),
        acknowledged: AtomicUsize::new(0),
    });
    let sellers: Vec<_> = (0..6).map(|number| tokio::spawn(sell(Arc::clone(&storm), number))).collect();
    for _ in 0..4 {
        let so_far = storm.acknowledged.load(Ordering::Relaxed);
        eventually("more receipts", async || {
            storm.acknowledged.load(Ordering::Relaxed) >= so_far + BETWEEN_ENDS
        })
        .await;
        serving.signal("-KILL");
        assert_eq!(serving.ended().await, -1);
        serving = Serving::start(folder.path(), &["--addr", &addr]);
    }
    storm.over.store(true, Ordering::Relaxed);
    let mut expected = BTreeMap::new();
    for seller in sellers {
        expected.extend(tokio::time::timeout(DEADLINE, seller).await.expect("a seller ends").unwrap());
    }
    drop(serving);
    assert_eq!(database(&folder.path().join("shop.db")).await, expected);
    let check = shopbell(folder.path(), &["check"]).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}

#[test]
fn sources_are_made_listed_and_removed_from_the_command_line() {
    let folder = folder();
    let run = |args: &[&str]| {
        let output = shopbell(folder.path(), args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "whsec_from_stripe\n").unwrap();
    let file = secret.to_str().unwrap();
    let (code, printed, errors) = run(&[
        "source",
        "add",
        "--kind",
        "stripe",
        "--name",
        "Checkout",
        "--secret-file",
        file,
        "--buyer",
        "none",
        "--goods-name",
        "A thing",
        "--announce-within",
        "10m",
        "--public-url",
        "https://bell.example/",
    ]);
    assert_eq!((code, printed.lines().count()), (0, 1), "{errors}");
    let id = printed.trim().strip_prefix("https://bell.example/hooks/").unwrap().to_owned();
    let (_, listed, _) = run(&["source", "list"]);
    assert!(
        listed.contains(&id) && listed.contains("\"Checkout\"") && !listed.contains("whsec_"),
        "{listed}"
    );
    let (code, _, error) = run(&["source", "add", "--kind", "shopify", "--name", "x"]);
    assert_eq!((code, error.trim()), (2, "shopbell: this kind of source is told its secret here"));
    let (code, _, error) = run(&["source", "add", "--kind", "magento", "--name", "x"]);
    assert!(code == 2 && error.contains("--kind"), "{error}");
    assert_eq!(run(&["source", "rotate", &id, "--secret-file", file]).0, 0);
    assert_eq!(run(&["source", "rotate", &id, "--drop-old"]).0, 0);
    assert_eq!(run(&["source", "receipts", &id]), (0, String::new(), String::new()));
    assert_eq!(run(&["source", "remove", &id]).0, 0);
    assert_eq!(run(&["source", "remove", &id]).2.trim(), format!("shopbell: there is no source {id}"));
    assert_eq!(run(&["source", "list"]).1, "");
}
