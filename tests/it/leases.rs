//! Two programs on one database: one of them tells an endpoint and reads a polled shop, and when it is killed or ends, the other
//! goes on.

use std::{collections::BTreeSet, path::Path, process::Command, sync::Arc, time::Duration};

use shopbell::store::{self, Store};
use sqlx::Connection as _;

use crate::{
    endpoints::{Receiver, order, run},
    polls::Woo,
    serving::{Serving, folder, shopbell},
    support::{self, pass, until},
};

/// Within which another takes over, whatever became of who worked.
const TAKEN_OVER: Duration = Duration::from_secs(15);

/// Two programs, and a token to order with.
struct Nodes {
    nodes: Vec<Serving>,
    token: String,
    database: String,
    folder: tempfile::TempDir,
}

fn serve(folder: &Path, database: &str) -> Command {
    let mut command =
        shopbell(folder, &["serve", "--addr", "127.0.0.1:0", "--demo", "--allow-private-endpoints"]);
    command.args(["--order-rate", "100000"]);
    command.env("DATABASE_URL", database);
    command
}

impl Nodes {
    async fn on(folder: tempfile::TempDir, database: String) -> Self {
        let one = Serving::of(serve(folder.path(), &database));
        let line = one.line();
        let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
        let token = one.log_in(email, password).await["token"].as_str().unwrap().to_owned();
        let other = Serving::of(serve(folder.path(), &database));
        Self { nodes: vec![one, other], token, database, folder }
    }

    async fn on_sqlite() -> Self {
        let folder = folder();
        let database = format!("sqlite://{}", folder.path().join("shop.db").display());
        Self::on(folder, database).await
    }

    async fn on_postgres() -> Self {
        Self::on(folder(), support::postgres::fresh_database().await).await
    }

    fn command(&self, args: &[&str]) -> String {
        let mut command = shopbell(self.folder.path(), args);
        command.env("DATABASE_URL", &self.database);
        run(command)
    }

    async fn order(&self, node: usize) -> i64 {
        order(&self.nodes[node].url, &self.token).await.expect("an order")
    }

    /// Whether a node works for the endpoints or the sources.
    async fn works(&self, node: usize, of: &str) -> bool {
        let metrics = self.nodes[node].http().request("GET", "/metrics").send().await.expect(200).text;
        metrics.contains(&format!("shopbell_leases{{of=\"{of}\"}} 1\n"))
    }

    /// The node that does.
    async fn worker(&self, of: &str) -> usize {
        until("one works", || async {
            for node in 0..self.nodes.len() {
                if self.works(node, of).await {
                    return Some(node);
                }
            }
            None
        })
        .await
    }
}

fn orders(receiver: &Receiver) -> Vec<i64> {
    receiver.messages().iter().map(|(_, _, body)| body["data"]["orderId"].as_i64().unwrap()).collect()
}

/// Waits until all of these have arrived.
async fn arrived(receiver: &Receiver, ordered: &BTreeSet<i64>) {
    let all = async {
        while !orders(receiver).into_iter().collect::<BTreeSet<_>>().is_superset(ordered) {
            pass(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TAKEN_OVER, all).await.expect("all arrive in time");
}

async fn an_endpoint_is_told_by_one_node_at_a_time(mut shop: Nodes) {
    let receiver = Receiver::start().await;
    shop.command(&["endpoint", "add", "--url", &receiver.url, "--events", "order.placed"]);
    let mut ordered = BTreeSet::new();
    for n in 0..40 {
        ordered.insert(shop.order(n % 2).await);
    }
    arrived(&receiver, &ordered).await;
    let worker = shop.worker("endpoint").await;
    assert!(!shop.works(1 - worker, "endpoint").await);
    assert_eq!(
        orders(&receiver),
        Vec::from_iter(ordered.iter().copied()),
        "once each, in the order of the log"
    );
    // What is sent and not recorded when a program is killed is sent again, which is tried elsewhere.
    let deliveries = ["endpoint", "deliveries", "--id", "1", "--status", "delivered"];
    until("all is recorded", || async {
        Some(()).filter(|()| ordered.len() == shop.command(&deliveries).matches("order.placed").count())
    })
    .await;
    let killed = shop.nodes.remove(worker);
    killed.signal("-KILL");
    assert_eq!(killed.ended().await, -1);
    for _ in 0..5 {
        ordered.insert(shop.order(0).await);
    }
    arrived(&receiver, &ordered).await;
    assert_eq!(orders(&receiver), Vec::from_iter(ordered.iter().copied()), "it goes on where the first was");

    // One that ends in peace is followed at once.
    shop.nodes.push(Serving::of(serve(shop.folder.path(), &shop.database)));
    let ended = shop.nodes.remove(0);
    ended.signal("-TERM");
    ordered.insert(shop.order(0).await);
    arrived(&receiver, &ordered).await;
    assert_eq!(ended.ended().await, 0);
    assert_eq!(orders(&receiver), Vec::from_iter(ordered.iter().copied()));
}

async fn a_shop_is_polled_by_one_node_at_a_time(mut shop: Nodes) {
    let woo = Woo::open().await;
    let key = shop.folder.path().join("key");
    std::fs::write(&key, "ck_1:cs_2").unwrap();
    let key = key.to_str().unwrap().to_owned();
    shop.command(&[
        "source",
        "add",
        "--kind",
        "woocommerce",
        "--name",
        "Tea shop",
        "--poll-url",
        &woo.url,
        "--poll-key-file",
        &key,
    ]);
    let worker = shop.worker("source").await;
    until("it is read", || async { Some(()).filter(|()| woo.asked().len() == 1) }).await;
    // The other one would have looked by now.
    pass(Duration::from_secs(4)).await;
    assert_eq!(woo.asked().len(), 1);
    let killed = shop.nodes.remove(worker);
    killed.signal("-KILL");
    assert_eq!(killed.ended().await, -1);
    let again = async {
        while woo.asked().len() < 2 {
            pass(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TAKEN_OVER, again).await.expect("the other one reads it in time");
    assert!(shop.works(0, "source").await);
}

#[tokio::test]
async fn an_endpoint_is_told_by_one_of_two_programs_on_a_file() {
    an_endpoint_is_told_by_one_node_at_a_time(Nodes::on_sqlite().await).await;
}

#[tokio::test]
async fn an_endpoint_is_told_by_one_of_two_nodes_on_postgres() {
    an_endpoint_is_told_by_one_node_at_a_time(Nodes::on_postgres().await).await;
}

#[tokio::test]
async fn a_shop_is_polled_by_one_of_two_programs_on_a_file() {
    a_shop_is_polled_by_one_node_at_a_time(Nodes::on_sqlite().await).await;
}

#[tokio::test]
async fn a_shop_is_polled_by_one_of_two_nodes_on_postgres() {
    a_shop_is_polled_by_one_node_at_a_time(Nodes::on_postgres().await).await;
}

/// The rows of a database of its own, as two nodes see them.
struct Rows {
    database: String,
    store: Arc<dyn Store>,
}

impl Rows {
    async fn new() -> Self {
        let database = support::postgres::fresh_database().await;
        let store = store::open(&database, "USD".parse().unwrap()).await.unwrap();
        Self { database, store }
    }

    async fn take(&self, names: &[&str], holder: &str, ttl: Duration) -> Vec<String> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut taken = self.store.take_leases(&names, holder, ttl).await.unwrap();
        taken.sort_unstable();
        taken
    }

    async fn change(&self, sql: &'static str) {
        let mut conn = sqlx::PgConnection::connect(&self.database.replace("&pool=4", "")).await.unwrap();
        sqlx::query(sql).execute(&mut conn).await.unwrap();
    }
}

const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn what_runs_out_on_postgres_is_anyones_and_each_lease_is_for_itself() {
    let rows = Rows::new().await;
    let short = Duration::from_secs(1);
    assert_eq!(rows.take(&["endpoint:1"], "a", short).await, ["endpoint:1"]);
    assert_eq!(rows.take(&["endpoint:1", "endpoint:2"], "b", short).await, ["endpoint:2"]);
    assert_eq!(rows.take(&["endpoint:1", "endpoint:2"], "a", LONG).await, ["endpoint:1"]);
    pass(short * 2).await;
    assert_eq!(rows.take(&["endpoint:1", "endpoint:2"], "a", LONG).await, ["endpoint:1", "endpoint:2"]);
    assert_eq!(rows.take(&["endpoint:2"], "b", LONG).await, [""; 0]);
    assert_eq!(rows.take(&[], "b", LONG).await, [""; 0]);
}

#[tokio::test]
async fn a_clock_of_the_database_that_is_set_back_keeps_nobody_waiting_and_makes_no_second_holder() {
    let rows = Rows::new().await;
    let short = Duration::from_millis(500);
    rows.take(&["endpoint:1"], "a", short).await;
    rows.change("update leases set until = until + 3600000").await;
    assert_eq!(rows.take(&["endpoint:1"], "b", short).await, [""; 0], "who has it may live");
    assert_eq!(rows.take(&["endpoint:1"], "a", short).await, ["endpoint:1"]);
    rows.change("update leases set until = until + 3600000").await;
    assert_eq!(rows.take(&["endpoint:1"], "b", short).await, [""; 0]);
    pass(short * 2).await;
    assert_eq!(rows.take(&["endpoint:1"], "b", short).await, ["endpoint:1"]);
}
