//! What breaks around the program: a database that somebody else holds, a disk that takes no more. The answer is clear,
//! what was acknowledged stays, and nobody has to restart anything.

use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, sqlite::SqliteConnectOptions};

use crate::{
    serving::{Serving, client, folder, shopbell},
    support::{As, TestApp, Ws, is_on_postgres},
};

/// A connection in which somebody writes and does not come to an end.
async fn held(app: &TestApp) -> Box<dyn std::any::Any> {
    if is_on_postgres() {
        let mut other = PgConnection::connect(app.database.trim_end_matches("&pool=4")).await.unwrap();
        other.execute("begin; select pg_advisory_xact_lock(1396852044)").await.unwrap();
        return Box::new(other);
    }
    let path = app.folder.path().join("shop.db");
    let mut other = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    other.execute("begin immediate").await.unwrap();
    Box::new(other)
}

#[tokio::test]
async fn a_database_that_another_program_holds_is_waited_for_then_refused_and_recovers() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    let mut ws = Ws::open(&app, As::Header(&admin)).await;
    let other = held(&app).await;

    let body = json!({"items": [{"goodsId": water, "quantity": 1}]});
    let (by_socket, by_rest) = tokio::join!(
        ws.ask("BUY", json!({"goodsId": water})),
        app.post("/api/orders").by(&admin).json(&body).send()
    );
    assert_eq!((&by_socket["ok"], &by_socket["code"]), (&json!(false), &json!("unavailable")));
    assert_eq!(by_rest.refused(503, "unavailable").header("retry-after"), "1");
    // Whoever only reads does not notice.
    app.get("/api/goods").send().await.expect(200);
    app.get("/readyz").send().await.expect(200);

    drop(other);
    app.order(&admin, water, 1).await;
    assert_eq!(ws.expect("BUY_GOODS").await["id"], 1, "what was refused left nothing behind");
}

#[tokio::test]
async fn a_disk_that_takes_no_more_loses_nothing_that_was_acknowledged() {
    let folder = folder();
    let setup = Serving::start(folder.path(), &["--demo"]);
    let line = setup.line();
    let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let token = setup.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    setup.signal("-TERM");
    setup.ended().await;

    // No file of the program grows beyond 400 KiB; writing more fails as a quota would.
    let mut limited = shopbell(folder.path(), &[]);
    let program = limited.get_program().to_owned();
    limited = {
        let mut shell = std::process::Command::new("bash");
        shell
            .current_dir(folder.path())
            .env_clear()
            .envs(limited.get_envs().filter_map(|(k, v)| Some((k, v?))));
        shell.args(["-c", "trap '' XFSZ; ulimit -f 400; exec \"$0\" serve --addr 127.0.0.1:0"]).arg(program);
        shell
    };
    let serving = Serving::of(limited);
    let order = async || {
        let call = client().post(format!("{}/api/orders", serving.url)).bearer_auth(&token);
        let body = json!({"items": [{"goodsId": 1, "quantity": 1}]}).to_string();
        let answer = call.header("Content-Type", "application/json").body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let mut acknowledged = 0;
    let refusal = loop {
        match order().await {
            (201, _) => acknowledged += 1,
            refusal => break refusal,
        }
        assert!(acknowledged < 10_000, "the limit is never reached");
    };
    assert!(acknowledged > 0);
    assert_eq!(refusal.0, 503, "{}", refusal.1);
    assert!(refusal.1.contains("unavailable") && !refusal.1.contains("disk"), "{}", refusal.1);
    assert_eq!(order().await.0, 503);
    assert_eq!(serving.status("/api/goods", "").await, 200, "reading goes on");
    serving.signal("-TERM");
    assert_eq!(serving.ended().await, 0);

    let serving = Serving::start(folder.path(), &[]);
    let call = client().get(format!("{}/api/notifications?after=0&limit=1000", serving.url));
    let log = call.bearer_auth(&token).send().await.unwrap().text().await.unwrap();
    let log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log["latest"], acknowledged, "each acknowledged order has its alert, no other has one");
    assert_eq!(log["notifications"].as_array().unwrap().len(), acknowledged);
}
