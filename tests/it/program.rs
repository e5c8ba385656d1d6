//! The binary itself: what it prints, how it ends, and what survives a restart.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{ChildStdin, Command, Output, Stdio},
    sync::mpsc,
    time::Instant,
};

use serde_json::Value;

use crate::{
    serving::{Serving, client, folder, shopbell},
    support::DEADLINE,
};

/// Runs to the end.
fn run(mut command: Command) -> (i32, String, String) {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(child.wait_with_output()));
    let Output { status, stdout, stderr } = told.recv_timeout(DEADLINE).expect("the program ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// Refused with one sentence that names something.
#[track_caller]
fn fails(command: Command, code: i32, names: &str) {
    let (exit, stdout, stderr) = run(command);
    assert_eq!(exit, code, "{names}: {stdout}{stderr}");
    // Log lines may come before the sentence.
    let sentence = stderr.lines().last().unwrap_or_default();
    assert!(sentence.contains(names), "{names:?} is not in {stderr:?}");
    assert!(!stderr.contains("panicked") && !stderr.contains("RUST_BACKTRACE"), "{stderr}");
    if code == 2 {
        assert_eq!(stderr.lines().count(), 1, "one sentence: {stderr}");
    }
}

#[tokio::test]
async fn the_first_line_says_where_it_listens() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &[]);
    assert_eq!(serving.status("/healthz", "").await, 200);
    assert_eq!(serving.status("/", "").await, 200);
    assert!(folder.path().join("shop.db").exists());
}

#[tokio::test]
async fn a_demo_has_goods_a_shopper_and_an_admin() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--demo"]);
    for (who, role) in [("demo shopper: ", "member"), ("demo admin: ", "admin")] {
        let line = serving.line();
        let (email, password) =
            line.strip_prefix(who).unwrap_or_else(|| panic!("{line}")).split_once(' ').unwrap();
        let answer = serving.log_in(email, password).await;
        assert_eq!(answer["user"]["role"], role, "{answer}");
    }
    let goods =
        client().get(format!("{}/api/goods", serving.url)).send().await.unwrap().text().await.unwrap();
    let goods: Value = serde_json::from_str(&goods).unwrap();
    let goods = goods["goods"].as_array().unwrap().clone();
    assert!(goods.len() >= 5, "a catalogue to look at");
    for one in goods {
        let picture = one["thumbnailUrl"].as_str().unwrap();
        assert_eq!(serving.status(picture, "").await, 200, "{picture} is served");
    }
    drop(serving);
    // A second start fills nothing again, and does not fail.
    let serving = Serving::start(folder.path(), &["--demo"]);
    assert_eq!(serving.status("/readyz", "").await, 200);
}

#[test]
fn a_bad_setting_is_named_in_one_sentence() {
    let folder = folder();
    let file = folder.path().join("shop.toml");
    let mail =
        |url, from| vec!["--smtp-url", url, "--mail-from", from, "--public-url", "https://shop.example"];
    for (args, names) in [
        (vec!["--addr", "nowhere"], "--addr"),
        (vec!["--workers", "0"], "--workers"),
        (vec!["--jwt-secret", "short"], "--jwt-secret"),
        (vec!["--token-ttl", "soon"], "--token-ttl"),
        (vec!["--public-url", "shop"], "--public-url"),
        (vec!["--trusted-proxy", "proxy"], "--trusted-proxy"),
        (vec!["--allowed-origin", "shop.example"], "--allowed-origin"),
        (vec!["--currency", "GOLD"], "--currency"),
        (vec!["--audience", "nobody"], "--audience"),
        (vec!["--nickname-display", "half"], "--nickname-display"),
        (vec!["--unnamed-buyer", "<b>"], "--unnamed-buyer"),
        (vec!["--unnamed-buyer", ""], "--unnamed-buyer"),
        (vec!["--ping-interval", "0s"], "--ping-interval"),
        (vec!["--ping-timeout=-1s"], "--ping-timeout"),
        (vec!["--max-payload", "0"], "--max-payload"),
        (vec!["--max-body", "big"], "--max-body"),
        (vec!["--assets", "/no/such/folder"], "--assets"),
        (vec!["--log-format", "xml"], "--log-format"),
        (vec!["--smtp-url", "smtp://localhost"], "--mail-from"),
        (vec!["--bus", "redis://localhost"], "--bus"),
        (mail("http://localhost", "shop@shop.example"), "--smtp-url"),
        (mail("smtp://localhost", "the shop"), "--mail-from"),
        (vec!["--config", "/no/such/file.toml"], "--config"),
        (vec!["--no-such-flag"], "--no-such-flag"),
    ] {
        let mut command = shopbell(folder.path(), &["serve"]);
        command.args(args);
        fails(command, 2, names);
    }
    for (variable, value, names) in
        [("SHOPBELL_WORKERS", "none", "--workers"), ("SHOPBELL_ADDR", "x", "--addr")]
    {
        let mut command = shopbell(folder.path(), &["serve"]);
        command.env(variable, value);
        fails(command, 2, names);
    }
    for (text, names) in [
        ("wrokers = 2", "wrokers"),
        ("workers = 0", "workers"),
        ("addr =", "line 1"),
        ("currency = \"GOLD\"", "GOLD"),
        ("unnamed-buyer = \"a name of more than twenty characters\"", "--unnamed-buyer"),
    ] {
        std::fs::write(&file, text).unwrap();
        let mut command = shopbell(folder.path(), &["serve", "--config"]);
        command.arg(&file);
        fails(command, 2, names);
    }
    assert!(!folder.path().join("shop.db").exists(), "nothing was begun");
}

#[test]
fn a_secret_is_not_repeated_in_the_refusal() {
    let folder = folder();
    let mut command = shopbell(folder.path(), &["serve"]);
    command.env("SHOPBELL_JWT_SECRET", "hunter2");
    let (code, stdout, stderr) = run(command);
    assert_eq!(code, 2);
    assert!(!stdout.contains("hunter2") && !stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let (one, two) = (folder(), folder());
    let serving = Serving::start(one.path(), &[]);
    let addr = serving.url.trim_start_matches("http://");
    fails(shopbell(two.path(), &["serve", "--addr", addr]), 1, addr);
}

#[tokio::test]
async fn a_database_that_is_not_ours_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("shop.db");
    std::fs::write(&path, "these are my notes and no database, ".repeat(100)).unwrap();
    fails(shopbell(folder.path(), &["serve", "--addr", "127.0.0.1:0"]), 1, "shop.db");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("these are my notes"));
    std::fs::remove_file(&path).unwrap();

    sql(&path, "create table recipes (name text)").await;
    fails(shopbell(folder.path(), &["serve", "--addr", "127.0.0.1:0"]), 1, "shop.db");
    std::fs::remove_file(&path).unwrap();

    let (code, ..) = run(shopbell(folder.path(), &["migrate"]));
    assert_eq!(code, 0);
    sql(
        &path,
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (99999999999999, 'later', true, x'00', 0)",
    )
    .await;
    fails(shopbell(folder.path(), &["serve", "--addr", "127.0.0.1:0"]), 1, "another version");
    fails(shopbell(folder.path(), &["migrate"]), 1, "another version");

    let mut command = shopbell(folder.path(), &["serve"]);
    command.env("DATABASE_URL", "sqlite:///no/such/folder/shop.db");
    fails(command, 1, "/no/such/folder/shop.db");
    let mut command = shopbell(folder.path(), &["serve"]);
    command.env("DATABASE_URL", "mysql://localhost/shop");
    let (code, _, stderr) = run(command);
    assert!([1, 2].contains(&code) && !stderr.contains("panicked"), "{stderr}");
}

async fn sql(path: &Path, statement: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut database = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query(statement).execute(&mut database).await.unwrap();
    sqlx::Connection::close(database).await.unwrap();
}

#[test]
fn the_settings_in_force_are_shown_without_secrets() {
    let folder = folder();
    let secret = "a secret of thirty-two bytes or more";
    let mut command = shopbell(folder.path(), &["config", "--workers", "3", "--demo"]);
    command
        .env("SHOPBELL_JWT_SECRET", secret)
        .env("SHOPBELL_ALLOWED_ORIGINS", "https://a.example,https://b.example");
    let (code, stdout, stderr) = run(command);
    assert_eq!(code, 0, "{stderr}");
    assert!(!stdout.contains(secret) && !stderr.contains(secret), "{stdout}");
    for line in
        ["workers = 3", "demo = true", "token-ttl = \"7days\"", "currency = \"USD\"", "max-body = 65536"]
    {
        assert!(stdout.lines().any(|shown| shown == line), "{line} is not in {stdout}");
    }
    assert!(stdout.contains("https://a.example") && stdout.contains("https://b.example"), "{stdout}");
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let folder = folder();
    let file = folder.path().join("shop.toml");
    std::fs::write(&file, "workers = 5\nmax-body = 1000\ntoken-ttl = \"1h\"\naudience = \"everyone\"\n")
        .unwrap();
    let mut command = shopbell(folder.path(), &["config", "--workers", "7"]);
    command.env("SHOPBELL_CONFIG", &file).env("SHOPBELL_WORKERS", "6").env("SHOPBELL_MAX_BODY", "2000");
    let (code, stdout, stderr) = run(command);
    assert_eq!(code, 0, "{stderr}");
    for line in [
        "workers = 7",
        "max-body = 2000",
        "token-ttl = \"1h\"",
        "audience = \"everyone\"",
        "ping-interval = \"25s\"",
    ] {
        assert!(stdout.lines().any(|shown| shown == line), "{line} is not in {stdout}");
    }
}

fn type_in(mut command: Command, text: &str) -> (i32, String, String) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin: ChildStdin = child.stdin.take().unwrap();
    // It may have refused before it read.
    drop(stdin.write_all(text.as_bytes()));
    drop(stdin);
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code().unwrap_or(-1), stdout, stderr)
}

#[tokio::test]
async fn an_administrator_is_made_and_logs_in() {
    let folder = folder();
    let create = |email: &str, nickname: &str| {
        shopbell(
            folder.path(),
            &["admin", "create", "--email", email, "--nickname", nickname, "--password-stdin"],
        )
    };
    let (code, stdout, stderr) = type_in(create("boss@example.com", "boss"), "correct horse\n");
    assert_eq!(code, 0, "{stderr}");
    assert!(!stdout.contains("correct horse"), "{stdout}");
    let serving = Serving::start(folder.path(), &[]);
    assert_eq!(serving.log_in("boss@example.com", "correct horse").await["user"]["role"], "admin");
    for (email, nickname, password, code, names) in [
        ("boss@example.com", "other", "correct horse\n", 1, "e-mail"),
        ("other@example.com", "BOSS", "correct horse\n", 1, "nickname"),
        ("other@example.com", "other", "short\n", 2, "password"),
        ("other@example.com", "other", "", 2, "password"),
        ("nowhere", "other", "correct horse\n", 2, "--email"),
        ("other@example.com", "<b>", "correct horse\n", 2, "--nickname"),
    ] {
        let (exit, _, stderr) = type_in(create(email, nickname), password);
        assert_eq!(exit, code, "{email} {nickname}: {stderr}");
        assert!(stderr.contains(names) && !stderr.contains("correct horse"), "{names}: {stderr}");
    }
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_the_operator() {
    let folder = folder();
    let admin = |args: &[&str]| {
        let mut command = shopbell(folder.path(), &["admin"]);
        command.args(args);
        command
    };
    let create = ["create", "--email", "boss@example.com", "--nickname", "boss", "--password-stdin"];
    assert_eq!(type_in(admin(&create), "correct horse\n").0, 0);
    let serving = Serving::start(folder.path(), &[]);
    let token =
        serving.log_in("boss@example.com", "correct horse").await["token"].as_str().unwrap().to_owned();
    let change = ["password", "--email", "BOSS@example.com", "--password-stdin"];
    let (code, stdout, stderr) = type_in(admin(&change), "battery staple\n");
    assert_eq!(
        (code, stdout.as_str()),
        (0, "boss has a new password, all sessions have ended\n"),
        "{stderr}"
    );
    assert_eq!(serving.status("/api/users/me", &token).await, 401, "who was logged in is no more");
    assert_eq!(serving.log_in("boss@example.com", "battery staple").await["user"]["role"], "admin");
    for (args, password, code, names) in [
        (&["--email", "nobody@example.com"][..], "battery staple\n", 1, "nobody@example.com"),
        (&["--user", "99"], "battery staple\n", 1, "99"),
        (&["--email", "boss@example.com"], "short\n", 2, "password"),
        (&["--email", "boss@example.com", "--user", "1"], "battery staple\n", 2, "--user"),
        (&[], "battery staple\n", 2, "--email"),
    ] {
        let mut command = admin(&["password", "--password-stdin"]);
        command.args(args);
        let (exit, _, stderr) = type_in(command, password);
        assert_eq!(exit, code, "{args:?}: {stderr}");
        assert!(stderr.contains(names) && !stderr.contains("battery"), "{names}: {stderr}");
    }
}

#[tokio::test]
async fn of_two_accounts_with_one_address_the_operator_names_the_one_that_is_meant() {
    let folder = folder();
    let create = ["admin", "create", "--email", "jo@bücher.example", "--nickname", "jo", "--password-stdin"];
    assert_eq!(type_in(shopbell(folder.path(), &create), "correct horse\n").0, 0);
    // As the migration left one that was registered when addresses were compared as they were typed.
    sql(
        &folder.path().join("shop.db"),
        "insert into users (user_id, email, email_key, nickname, nickname_key, password_hash, role, created_at)
         values (7, 'JO@xn--bcher-kva.example', 'old:jo@xn--bcher-kva.example', 'pest', 'pest', '', 'member', 1),
                (8, 'lee@ex_ample.com', 'old:lee@ex_ample.com', 'lee', 'lee', '', 'member', 1)",
    )
    .await;
    let (code, _, stderr) = run(shopbell(folder.path(), &["admin", "ban", "--user", "1"]));
    assert_eq!((code, stderr.contains("the last administrator must stay one")), (1, true), "{stderr}");
    sql(
        &folder.path().join("shop.db"),
        "insert into users (user_id, email, email_key, nickname, nickname_key, password_hash, role, created_at)
         values (9, 'boss@example.com', 'boss@example.com', 'boss', 'boss', '', 'admin', 1)",
    )
    .await;
    let ban =
        |verb: &str, flag: &str, value: &str| run(shopbell(folder.path(), &["admin", verb, flag, value]));
    for address in ["jo@bücher.example", "jo@xn--bcher-kva.example", "Jo@BÜCHER.example"] {
        let (code, _, stderr) = ban("ban", "--email", address);
        assert_eq!(code, 1, "{address}");
        assert!(stderr.contains("say --user 1 or --user 7"), "{stderr}");
    }
    let serving = Serving::start(folder.path(), &[]);
    assert_eq!(ban("ban", "--user", "7").0, 0);
    serving.log_in("jo@bücher.example", "correct horse").await;
    assert_eq!(ban("ban", "--user", "1").0, 0);
    let refused = serving.log_in("jo@bücher.example", "correct horse").await;
    assert_eq!(refused["code"], "banned");
    assert_eq!(ban("unban", "--user", "1").0, 0);
    serving.log_in("jo@bücher.example", "correct horse").await;
    // An address of old that is none any more is one account, and banned by it.
    assert_eq!(ban("ban", "--email", "LEE@ex_ample.com").0, 0);
    assert_eq!(ban("ban", "--user", "99").0, 1);
    assert_eq!(ban("ban", "--email", "nowhere").0, 1);
}

#[test]
fn a_database_is_migrated_without_serving() {
    let folder = folder();
    for _ in 0..2 {
        let (code, _, stderr) = run(shopbell(folder.path(), &["migrate"]));
        assert_eq!(code, 0, "{stderr}");
    }
    assert!(folder.path().join("shop.db").exists());
}

#[test]
fn help_is_a_reference() {
    let folder = folder();
    let (code, stdout, _) = run(shopbell(folder.path(), &["serve", "--help"]));
    assert_eq!(code, 0);
    for flag in [
        "--addr",
        "--database-url",
        "--workers",
        "--demo",
        "--jwt-secret",
        "--token-ttl",
        "--config",
        "--public-url",
        "--trusted-proxy",
        "--allowed-origin",
        "--currency",
        "--audience",
        "--guest-chat",
        "--nickname-display",
        "--ping-interval",
        "--ping-timeout",
        "--max-payload",
        "--max-body",
        "--assets",
        "--log-format",
    ] {
        assert!(stdout.contains(flag), "{flag} is not in the help");
    }
    assert_eq!(run(shopbell(folder.path(), &["--version"])).0, 0);
}

#[tokio::test]
async fn a_signal_ends_it_well() {
    for name in ["-TERM", "-INT"] {
        let folder = folder();
        let serving = Serving::start(folder.path(), &[]);
        // Whoever has read the first line may stop it: no request in between.
        serving.signal(name);
        assert_eq!(serving.ended().await, 0, "{name}");
    }
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &[]);
    let keeps_alive = client();
    keeps_alive.get(format!("{}/healthz", serving.url)).send().await.unwrap().text().await.unwrap();
    let begin = Instant::now();
    serving.signal("-TERM");
    assert_eq!(serving.ended().await, 0);
    assert!(begin.elapsed().as_secs() < 5, "a browser's idle connection cost {:?}", begin.elapsed());
}

#[tokio::test]
async fn a_restart_is_not_noticed_by_who_is_logged_in() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--demo"]);
    let line = serving.line();
    let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let token = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    serving.signal("-TERM");
    assert_eq!(serving.ended().await, 0);
    let serving = Serving::start(folder.path(), &[]);
    assert_eq!(serving.status("/api/users/me", &token).await, 200);
    // Killed without a word, it comes back as well.
    serving.signal("-KILL");
    serving.ended().await;
    let serving = Serving::start(folder.path(), &[]);
    assert_eq!(serving.status("/api/users/me", &token).await, 200);
    // Another shop has another secret.
    let other = self::folder();
    let serving = Serving::start(other.path(), &[]);
    assert_eq!(serving.status("/api/users/me", &token).await, 401);
}

#[tokio::test]
async fn a_running_shop_is_checked() {
    let folder = folder();
    fails(shopbell(folder.path(), &["check"]), 1, "there is no database");
    for url in ["mysql://db/shop", "sqlite::memory:"] {
        fails(shopbell(folder.path(), &["check", "--database-url", url]), 2, "--database-url");
        let backup = ["backup", "--to", "copy.db", "--database-url", url];
        fails(shopbell(folder.path(), &backup), 2, "--database-url");
    }
    let serving = Serving::start(folder.path(), &["--demo"]);
    drop((serving.line(), serving.line()));
    let (code, stdout, stderr) = run(shopbell(folder.path(), &["check"]));
    assert_eq!((code, stdout.as_str()), (0, "stock, orders and log agree\n"), "{stderr}");
    assert_eq!(serving.status("/readyz", "").await, 200);
}

#[tokio::test]
async fn listen_keys_are_made_listed_and_removed_while_the_shop_is_open() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &[]);
    let key = |args: &[&str]| run(shopbell(folder.path(), &[&["listen-key"], args].concat()));
    let (code, made, _) = key(&[
        "add",
        "--origin",
        "https://Their.shop/",
        "--origin",
        "http://their.shop",
        "--name",
        "Their shop",
    ]);
    let made = made.trim();
    assert!(code == 0 && made.starts_with("lk_") && made.len() == 35, "{code} {made}");
    let (_, listed, _) = key(&["list"]);
    let line = format!("{made}  masked  https://their.shop http://their.shop  since ");
    assert!(listed.starts_with(&line) && listed.ends_with("(Their shop)\n"), "{listed}");
    let list = format!("{}/api/notifications?key={made}", serving.url);
    let status =
        async || client().get(&list).header("origin", "https://their.shop").send().await.unwrap().status();
    crate::support::eventually("the key", async || status().await == 200).await;
    assert_eq!(key(&["remove", made]).0, 0);
    crate::support::eventually("its end", async || status().await == 401).await;
    assert!(key(&["list"]).1.contains("revoked"));
    for (args, code, names) in [
        (&["remove", "lk_00000000000000000000000000000000"][..], 1, "no listen key"),
        (&["remove", "their.shop"], 2, "listen key"),
        (&["add"], 2, "--origin"),
        (&["add", "--origin", "*"], 2, "origin"),
        (&["add", "--origin", "null"], 2, "origin"),
        (&["add", "--origin", "https://their.shop/page"], 2, "origin"),
        (&["add", "--origin", "https://their.shop", "--display", "plain"], 2, "display"),
    ] {
        fails(shopbell(folder.path(), &[&["listen-key"], args].concat()), code, names);
    }
}

#[test]
fn goods_go_out_and_come_back_as_they_were() {
    let (shop, other) = (folder(), folder());
    let goods = |folder: &Path, args: &[&str]| run(shopbell(folder, &[&["goods"], args].concat()));
    let table = "goodsId,sku,name,category,price,stock,thumbnailUrl,url,announce,listed,description\n\
        ,A,'=1+1,drink,6.20,5,/a.svg,https://x.example/a,false,true,\"two\nlines; \"\"quoted\"\"\"\n\
        ,B,물,Food,0,,/b.svg,,,false,\n\
        77,,''s,food,1,0,/c.svg,,true,,-\n";
    std::fs::write(shop.path().join("goods.csv"), table).unwrap();
    let (code, would, _) = goods(shop.path(), &["import", "goods.csv", "--dry-run"]);
    assert_eq!(code, 0, "{would}");
    assert!(would.starts_with("line 2: created A (=1+1)\n"), "{would}");
    assert!(would.ends_with("would be 3 made, 0 changed, 0 as they were, 0 refused\n"), "{would}");
    let (_, done, _) = goods(shop.path(), &["import", "goods.csv"]);
    assert_eq!(done, "3 made, 0 changed, 0 as they were, 0 refused\n");
    for format in ["csv", "ndjson"] {
        let (code, exported, _) = goods(shop.path(), &["export", "--format", format]);
        assert_eq!(code, 0, "{exported}");
        std::fs::write(shop.path().join("out"), &exported).unwrap();
        let (_, again, _) = goods(shop.path(), &["import", "out"]);
        assert_eq!(again, "0 made, 0 changed, 3 as they were, 0 refused\n", "{exported}");
        let file = shop.path().join("out").display().to_string();
        goods(other.path(), &["import", &file]);
        if format == "csv" {
            assert_eq!(goods(other.path(), &["export"]).1, exported, "in another shop, too");
        }
    }
    let bad = "sku,price\nA,7\nB,x\n";
    std::fs::write(shop.path().join("bad.csv"), bad).unwrap();
    fails(shopbell(shop.path(), &["goods", "import", "bad.csv"]), 1, "refused lines: 1");
    let (_, report, _) = goods(shop.path(), &["import", "bad.csv"]);
    assert!(report.contains("line 3: refused: price: "), "{report}");
    fails(shopbell(shop.path(), &["goods", "import", "none.csv"]), 1, "none.csv");
}
