//! The database is away for a while: the log says so, once for each thing that fails, and that it is over.

use std::{collections::BTreeMap, fs, path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, postgres::PgConnectOptions};
use tokio::time::timeout;

use crate::{
    serving::{Serving, folder, shopbell},
    support::{As, Nats, TestApp, Ws, bus_is, eventually, pass, postgres},
};

/// For everything that looks into the database every half second to have failed a few times.
const AWAY: Duration = Duration::from_secs(4);

/// The lines of a log, by what they say, with the times that they were written.
fn lines(log: &Path) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for line in fs::read_to_string(log).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        *found.entry(line["fields"]["message"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    found
}

async fn is_ready(node: &Serving) -> bool {
    node.http().get("/readyz").send().await.status == 200
}

#[tokio::test]
async fn while_the_database_is_away_the_log_says_each_thing_once_and_then_that_it_is_over() {
    let (nats, folder, database) = (Nats::start().await, folder(), postgres::fresh_database().await);
    let log = folder.path().join("log");
    let mut command = shopbell(folder.path(), &["serve", "--addr", "127.0.0.1:0", "--log-format", "json"]);
    command.args(["--bus", &nats.url()]).env("DATABASE_URL", &database);
    let node = Serving::logging(command, Stdio::from(fs::File::create(&log).unwrap()));
    let (server, name) = elsewhere(&database);
    let mut server: PgConnection = server.connect().await.unwrap();
    eventually("it is ready", async || is_ready(&node).await).await;

    let allow = async |server: &mut PgConnection, allowed: bool| {
        let sql = format!("alter database {name} allow_connections {allowed}");
        server.execute(AssertSqlSafe(sql)).await.unwrap();
    };
    allow(&mut server, false).await;
    let hang_up = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
    server.execute(AssertSqlSafe(hang_up)).await.unwrap();
    eventually("it is not ready", async || !is_ready(&node).await).await;
    let fail = [
        "the log cannot be read",
        "ended log-ins cannot be read",
        "the names of accounts cannot be read",
        "who may not speak cannot be read",
        "the settings of alerts cannot be read",
        "sources cannot be read",
        "listen keys cannot be read",
        "endpoints cannot be read",
        "the database does not answer",
    ];
    eventually("all that looks into the database fails", async || {
        let said = lines(&log);
        fail.iter().all(|what| said.contains_key(*what))
    })
    .await;
    pass(AWAY).await;
    let away = lines(&log);
    for what in fail {
        assert_eq!(away[what], 1, "{what}: {away:#?}");
    }

    allow(&mut server, true).await;
    eventually("it is ready again", async || is_ready(&node).await).await;
    eventually("all is said to be over", async || {
        let over = lines(&log).into_iter().filter(|(line, _)| line.ends_with(": that is over"));
        over.map(|(_, times)| times).sum::<usize>() >= fail.len()
    })
    .await;
}

/// How to connect to the server of a database without it, and its name.
fn elsewhere(url: &str) -> (PgConnectOptions, String) {
    let name = url.strip_prefix("postgres:///").unwrap().split_once('?').unwrap().0;
    let options: PgConnectOptions = url.replace("&pool=4", "").parse().unwrap();
    (options.database("postgres").disable_statement_logging(), name.to_owned())
}

#[tokio::test]
async fn a_database_that_says_nothing_any_more_holds_up_no_alert_of_another_node() {
    let (nats, line) = (Nats::start().await, postgres::Line::lay().await);
    let at = async |database: &str| {
        TestApp::spawn_in(|common, serve| {
            common.database_url = Some(database.to_owned().into());
            serve.bus = Some(nats.url().into());
        })
        .await
    };
    let (a, b) = (at(&line.direct).await, at(&line.url).await);
    for node in [&a, &b] {
        bus_is(node, "up").await;
    }
    let (admin, kim) = (a.admin().await, a.member("kim").await);
    let goods = a.goods(&admin, "Water", 6.2, None).await;
    let mut socket = Ws::open(&b, As::Cookie(&kim)).await;
    line.silence();
    for _ in 0..4 {
        // Long enough for the relay to look into the database, and wait.
        pass(Duration::from_secs(1)).await;
        a.order(&admin, goods, 1).await;
        timeout(Duration::from_secs(2), socket.expect("BUY_GOODS")).await.expect("the bus brings it");
    }
    line.restore();
    eventually("the database is there again", async || b.get("/readyz").send().await.status == 200).await;
}
