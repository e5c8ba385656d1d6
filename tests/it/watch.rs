//! `shopbell watch`: the figures and the orders of a running shop, as lines of JSON.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Instant,
};

use serde_json::{Value, json};

use crate::{
    serving::{Serving, folder, shopbell},
    support::{DEADLINE, within},
};

/// A program that watches; killed when dropped.
struct Watch {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Watch {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines }
    }

    /// The payload of the next such event that passes.
    fn expect(&self, event: &str, pass: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let left = (DEADLINE * 2).saturating_sub(began.elapsed());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {event} in time"));
            let mut line: Value = serde_json::from_str(&line).expect("each line is JSON");
            if line["type"] == event && pass(&line["payload"]) {
                return line["payload"].take();
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn buy(serving: &Serving, token: &str) {
    let goods = serving.http().get("/api/goods").send().await.expect(200).json;
    let unlimited = goods["goods"].as_array().unwrap().iter().find(|goods| goods["stock"].is_null());
    let goods_id = unlimited.expect("the demo has goods without stock")["goodsId"].clone();
    let body = json!({"items": [{"goodsId": goods_id, "quantity": 1}]});
    serving.http().post("/api/orders").token(token).json(&body).send().await.expect(201);
}

#[tokio::test]
async fn a_pipe_gets_figures_and_orders_also_after_a_restart() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--demo"]);
    let addr = serving.addr().to_owned();
    let shopper = serving.line();
    let (email, password) = shopper.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let token = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    // The database beside it vouches: no password.
    let watch = Watch::start(shopbell(folder.path(), &["watch", "--json", "--url", &serving.url]));
    assert_eq!(watch.expect("FIGURES", |_| true)["orders"]["total"], 0);
    buy(&serving, &token).await;
    assert_eq!(watch.expect("BUY_GOODS", |_| true)["id"], 1);
    assert_eq!(watch.expect("FIGURES", |figures| figures["orders"]["total"] == 1)["sessions"]["members"], 1);
    drop(serving);
    let serving = Serving::start(folder.path(), &["--addr", &addr]);
    buy(&serving, &token).await;
    assert_eq!(watch.expect("BUY_GOODS", |_| true)["id"], 2, "without gap or repeat");
    watch.expect("FIGURES", |figures| figures["orders"]["total"] == 2);
}

#[tokio::test]
async fn a_password_or_a_token_opens_it_and_only_an_administrators() {
    let (folder, elsewhere) = (folder(), folder());
    let serving = Serving::start(folder.path(), &["--demo"]);
    for (who, refused) in [("demo shopper: ", true), ("demo admin: ", false)] {
        let line = serving.line();
        let (email, password) = line.strip_prefix(who).unwrap().split_once(' ').unwrap();
        let args = ["watch", "--json", "--url", &serving.url, "--email", email, "--password-stdin"];
        let mut command = shopbell(elsewhere.path(), &args);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
        if refused {
            let ended = tokio::task::spawn_blocking(|| child.wait_with_output());
            let ended = within("the end", ended).await.unwrap().unwrap();
            let says = String::from_utf8(ended.stderr).unwrap();
            assert!(
                ended.status.code() == Some(1) && says.contains("only administrators may watch"),
                "{says}"
            );
            continue;
        }
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains(r#""type":"FIGURES""#), "{line}");
        // Nobody reads any more: it ends by itself, and well.
        let ended = tokio::task::spawn_blocking(move || child.wait());
        assert_eq!(within("the end", ended).await.unwrap().unwrap().code(), Some(0));
        let token = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
        std::fs::write(elsewhere.path().join("token"), token).unwrap();
        let args = ["watch", "--json", "--url", &serving.url, "--token-file", "token"];
        Watch::start(shopbell(elsewhere.path(), &args)).expect("FIGURES", |_| true);
    }
}

#[test]
fn what_cannot_be_watched_is_said_in_a_sentence() {
    let folder = folder();
    for (args, says) in [
        (vec!["watch"], "--json"),
        (vec!["watch", "--json"], "--email"),
        (vec!["watch", "--json", "--url", "shop.example"], "--url"),
        (vec!["watch", "--json", "--token-file", "nothing"], "--token-file"),
        (vec!["watch", "--json", "--password-stdin"], "--email"),
    ] {
        let ended = shopbell(folder.path(), &args).output().unwrap();
        let text = String::from_utf8(ended.stderr).unwrap();
        assert_eq!((ended.status.code(), text.lines().count()), (Some(2), 1), "{args:?}: {text}");
        assert!(text.contains(says), "{args:?}: {text}");
    }
    assert!(!folder.path().join("shop.db").exists(), "watching makes no database");
}
