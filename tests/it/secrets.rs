//! What only its owner may read: the database, its key, settings. Seen from the binary, as an operator would.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::{
    serving::{Serving, client, folder, shopbell},
    support::until,
};

fn run(mut command: Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn are_private(folder: &Path, names: &[&str]) {
    for name in names {
        let mode =
            fs::metadata(folder.join(name)).unwrap_or_else(|_| panic!("no {name}")).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name} has {mode:o}");
    }
}

/// Under a mask that takes nothing away.
fn careless(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
    shell
}

#[tokio::test]
async fn the_files_of_the_database_are_their_owners_alone() {
    let folder = folder();
    let all = ["shop.db", "shop.db-wal", "shop.db-shm", "shop.db-key"];
    let start = || careless(&shopbell(folder.path(), &["serve", "--addr", "127.0.0.1:0", "--demo"]));
    let serving = Serving::of(start());
    serving.line();
    are_private(folder.path(), &all);
    // Killed, it leaves its companions; an operator has made them wider.
    serving.signal("-KILL");
    serving.ended().await;
    for name in all {
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o666)).unwrap();
    }
    let _serving = Serving::of(start());
    are_private(folder.path(), &all);
}

#[tokio::test]
async fn a_copy_of_the_database_signs_no_tokens_and_holds_no_log_ins() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--demo"]);
    let line = serving.line();
    let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let token = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    let claims = jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(&token).unwrap().claims;
    let key = fs::read_to_string(folder.path().join("shop.db-key")).unwrap();
    for name in ["shop.db", "shop.db-wal"] {
        let bytes = fs::read(folder.path().join(name)).unwrap();
        for secret in [key.trim(), claims["sid"].as_str().unwrap(), token.as_str()] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{name}");
        }
    }
}

#[tokio::test]
async fn a_backup_is_whole_private_and_of_a_log_of_its_own() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--demo"]);
    let line = serving.line();
    let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let copy = folder.path().join("copy.db");
    let backup = || {
        let mut command = shopbell(folder.path(), &["backup", "--to"]);
        command.arg(&copy);
        run(careless(&command))
    };
    let output = backup();
    assert!(output.status.success(), "{}", text(&output.stderr));
    are_private(folder.path(), &["copy.db"]);
    let before = fs::read(&copy).unwrap();
    let again = backup();
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("copy.db exists already"), "{}", text(&again.stderr));
    assert!(fs::read(&copy).unwrap() == before, "nothing is overwritten");

    let mut command = shopbell(folder.path(), &["serve", "--addr", "127.0.0.1:0"]);
    command.env("DATABASE_URL", format!("sqlite://{}", copy.display()));
    let restored = Serving::of(command);
    assert!(restored.log_in(email, password).await["token"].is_string(), "the accounts are in it");
    let goods = async |serving: &Serving| {
        client().get(format!("{}/api/goods", serving.url)).send().await.unwrap().text().await.unwrap()
    };
    assert_eq!(goods(&restored).await, goods(&serving).await);
    assert_ne!(epoch(&restored).await, epoch(&serving).await, "it is another log from here on");

    let mut missing = shopbell(folder.path(), &["backup", "--to", "other.db"]);
    missing.env("DATABASE_URL", "sqlite://nothing.db");
    assert_eq!(run(missing).status.code(), Some(1));
    assert!(!folder.path().join("other.db").exists() && !folder.path().join("nothing.db").exists());
}

/// What a WebSocket is told of the log.
async fn epoch(serving: &Serving) -> String {
    use futures_util::StreamExt as _;
    let (mut socket, _) =
        tokio_tungstenite::connect_async(format!("ws://{}/ws", serving.addr())).await.unwrap();
    let hello: serde_json::Value =
        serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    hello["payload"]["epoch"].as_str().unwrap().to_owned()
}

#[test]
fn pages_with_secrets_among_them_are_not_served() {
    let folder = folder();
    fs::create_dir(folder.path().join("pages")).unwrap();
    fs::write(folder.path().join("pages/shop.toml"), "").unwrap();
    for args in [&["--assets", "."][..], &["--assets", "pages", "--config", "pages/shop.toml"]] {
        let mut command = shopbell(folder.path(), &["serve"]);
        command.args(args);
        let output = run(command);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let sentence = text(&output.stderr);
        assert!(sentence.contains("--assets") && sentence.lines().count() == 1, "{sentence}");
    }
    assert!(!folder.path().join("shop.db").exists());
}

#[test]
fn a_url_is_named_and_its_password_is_not() {
    let folder = folder();
    for url in ["ftp://user:hunter2@x", "sqlite::memory:", "nonsense"] {
        let output = run({
            let mut command = shopbell(folder.path(), &["serve", "--database-url", url]);
            command.env_remove("DATABASE_URL");
            command
        });
        let sentence = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{url}: {sentence}");
        assert!(sentence.contains("--database-url") && sentence.lines().count() == 1, "{sentence}");
        assert!(!sentence.contains("hunter2"), "{sentence}");
    }
    let output = run(shopbell(folder.path(), &["config", "--database-url", "ftp://user:hunter2@x"]));
    assert!(output.status.success());
    let shown = text(&output.stdout);
    assert!(shown.contains("(hidden)@x") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_secret_is_not_in_the_list_of_processes_and_keys_can_be_changed() {
    let folder = folder();
    let (old, new) = ("o".repeat(32), "n".repeat(32));
    let serving = Serving::start(folder.path(), &["--demo", "--jwt-secret", &old]);
    let line = serving.line();
    let (email, password) = line.strip_prefix("demo shopper: ").unwrap().split_once(' ').unwrap();
    let token = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    let arguments = fs::read(format!("/proc/{}/cmdline", serving.child.id())).unwrap();
    assert!(text(&arguments).contains("--demo") && !text(&arguments).contains(&old));
    drop(serving);

    let keys = folder.path().join("keys");
    fs::write(&keys, format!("{new}\n{old}\n")).unwrap();
    let serving = Serving::start(folder.path(), &["--jwt-secret-file", keys.to_str().unwrap()]);
    assert_eq!(serving.status("/api/users/me", &token).await, 200, "the older key still verifies");
    let fresh = serving.log_in(email, password).await["token"].as_str().unwrap().to_owned();
    drop(serving);
    let mut command = shopbell(folder.path(), &["serve", "--addr", "127.0.0.1:0"]);
    command.env("SHOPBELL_JWT_SECRET", format!("{},{new}", "x".repeat(32)));
    let serving = Serving::of(command);
    assert_eq!(serving.status("/api/users/me", &fresh).await, 200, "the first one signs");
    assert_eq!(serving.status("/api/users/me", &token).await, 401, "a key that is gone verifies nothing");
}

#[tokio::test]
async fn metrics_have_an_address_of_their_own() {
    let folder = folder();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let serving = Serving::start(folder.path(), &["--metrics-addr", &free.to_string()]);
    assert_eq!(serving.status("/metrics", "").await, 404);
    let body = until("the metrics", async || {
        let answer = client().get(format!("http://{free}/metrics")).send().await.ok()?;
        (answer.status() == 200).then_some(answer.text().await.ok()?)
    });
    assert!(body.await.contains("shopbell_"));
    let other = client().get(format!("http://{free}/api/goods")).send().await.unwrap();
    assert_eq!(other.status(), 404, "nothing else is there");
}

#[test]
fn a_file_with_secrets_that_others_can_read_is_warned_of() {
    let folder = folder();
    // Refused after the files were looked at: nothing has to be ended.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let secret = "a secret of thirty-two bytes or more";
    let (config, key) = (folder.path().join("shop.toml"), folder.path().join("token.key"));
    fs::write(&key, secret).unwrap();
    let warned = |settings: &str, config_mode: u32, key_mode: u32| {
        fs::write(&config, settings).unwrap();
        fs::set_permissions(&config, fs::Permissions::from_mode(config_mode)).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(key_mode)).unwrap();
        let output =
            run(shopbell(folder.path(), &["serve", "--addr", &addr, "--config", config.to_str().unwrap()]));
        let stderr = text(&output.stderr);
        assert!(stderr.contains(&addr) && !stderr.contains(secret), "{stderr}");
        let lines = stderr.lines().filter(|line| line.contains("others can read a file with secrets"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let inside = format!("jwt-secret = \"{secret}\"\n");
    for mode in [0o644, 0o640, 0o604] {
        let lines = warned(&inside, mode, 0o600);
        assert_eq!(lines.len(), 1, "{mode:o}");
        assert!(lines[0].contains("shop.toml") && lines[0].contains("chmod 600"), "{}", lines[0]);
    }
    assert!(warned(&inside, 0o600, 0o644).is_empty());
    assert!(warned("currency = \"EUR\"\n", 0o644, 0o644).is_empty(), "there is nothing to hide");
    let beside = format!("jwt-secret-file = \"{}\"\n", key.display());
    let lines = warned(&beside, 0o644, 0o644);
    assert!(lines.len() == 1 && lines[0].contains("token.key"), "{lines:?}");
    assert!(warned(&beside, 0o644, 0o600).is_empty());
}

#[tokio::test]
async fn a_backup_says_how_far_it_is_and_nothing_to_a_file() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--demo"]);
    drop((serving.line(), serving.line()));
    let url = format!("sqlite://{}", folder.path().join("shop.db").display());
    let mut told = Vec::new();
    let mut progress = |written: u64, total: u64| told.push((written, total));
    shopbell::store::backup(&url, &folder.path().join("copy.db"), &mut progress).await.unwrap();
    let (written, total) = *told.last().expect("it is told at the end at least");
    assert!(written == total && total > 4096, "{told:?}");
    assert!(told.is_sorted() && told.iter().all(|(written, of)| written <= of && *of == total), "{told:?}");
    let output = run(shopbell(folder.path(), &["backup", "--to", "another.db"]));
    assert_eq!(text(&output.stdout), "another.db is a copy of the database\n");
    assert_eq!(text(&output.stderr), "", "no progress where nobody looks");
}
