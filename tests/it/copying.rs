//! `shopbell copy` as an operator runs it: a shop moves to PostgreSQL and back, and nobody notices.

use std::{fs, path::Path, process::Output};

use crate::{
    serving::{Serving, folder, shopbell},
    support::{Http, postgres},
};

async fn copy(folder: &Path, from: &str, to: &str) -> (i32, String, String) {
    let mut command = shopbell(folder, &["copy"]);
    command.args(["--from", from]).env("SHOPBELL_COPY_TO", to);
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

fn serve(folder: &Path, database: &str) -> Serving {
    let mut command = shopbell(folder, &["serve", "--addr", "127.0.0.1:0", "--audience", "everyone"]);
    command.env("DATABASE_URL", database);
    Serving::of(command)
}

/// The epoch of the log and the newest offset.
async fn place(http: &Http, token: &str) -> (String, u64) {
    let listed = http.get("/api/notifications").token(token).send().await.expect(200).json;
    (listed["epoch"].as_str().unwrap().to_owned(), listed["latest"].as_u64().unwrap())
}

async fn order(http: &Http, token: &str) {
    let body = serde_json::json!({"items": [{"goodsId": 1, "quantity": 1}]});
    http.post("/api/orders").token(token).json(&body).send().await.expect(201);
}

#[tokio::test]
async fn a_shop_moves_to_postgresql_and_back_and_goes_on() {
    let folder = folder();
    let file = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let serving = Serving::start(folder.path(), &["--demo", "--audience", "everyone"]);
    let line = serving.line();
    let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let token = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    order(&serving.http(), &token).await;
    let (epoch, mut latest) = place(&serving.http(), &token).await;
    serving.signal("-TERM");
    assert_eq!(serving.ended().await, 0);

    let there = postgres::fresh_database().await;
    let mut from = file("shop.db");
    for to in [there.clone(), file("back.db")] {
        let (code, stdout, stderr) = copy(folder.path(), &from, &to).await;
        assert_eq!(code, 0, "{stdout}{stderr}");
        assert!(stdout.starts_with("the shop is copied: "), "{stdout}");
        let (code, _, stderr) = copy(folder.path(), &from, &to).await;
        assert!(code == 1 && stderr.contains("holds rows already"), "{code} {stderr}");
        // The log-in holds, and the log is the one that clients know.
        let serving = serve(folder.path(), &to);
        assert_eq!(place(&serving.http(), &token).await, (epoch.clone(), latest));
        order(&serving.http(), &token).await;
        latest += 1;
        assert_eq!(place(&serving.http(), &token).await, (epoch.clone(), latest));
        serving.signal("-TERM");
        assert_eq!(serving.ended().await, 0);
        from = to;
    }
}

#[tokio::test]
async fn what_cannot_be_copied_is_said_in_one_sentence_without_passwords() {
    let folder = folder();
    let file = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let nobody = "postgres://shop:hunter2@127.0.0.1:1/shop";
    for (from, to, code, names) in [
        (file("none.db"), file("new.db"), 1, "there is no database"),
        ("mysql://u:hunter2@x/y".to_owned(), file("new.db"), 2, "--from"),
        (file("none.db"), "shop.db".to_owned(), 1, "--from"),
        (nobody.to_owned(), file("new.db"), 1, "--from"),
    ] {
        let (exit, stdout, stderr) = copy(folder.path(), &from, &to).await;
        assert_eq!(exit, code, "{from} {to}: {stderr}");
        assert!(stderr.contains(names) && !stderr.contains("hunter2") && stdout.is_empty(), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    assert!(!fs::exists(folder.path().join("new.db")).unwrap(), "nothing was begun");
}
