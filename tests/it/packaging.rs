//! What the package is made of fits the program: its configuration, its manual, and what its unit waits for.
//! That it installs is tried by `scripts/test-package`.

use std::{collections::BTreeSet, os::unix::net::UnixDatagram, path::Path, process::Command};

use crate::{
    serving::{Serving, folder, shopbell},
    support::DEADLINE,
};

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_service_manager_is_told_when_it_serves_and_when_it_ends() {
    let folder = folder();
    let manager = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let told = || {
        let mut message = [0; 64];
        let length = manager.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    let mut command = shopbell(folder.path(), &["serve", "--addr", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", folder.path().join("notify"));
    let serving = Serving::of(command);
    assert_eq!(told(), "READY=1");
    std::net::TcpStream::connect(serving.addr()).unwrap();
    serving.signal("-TERM");
    assert_eq!(told(), "STOPPING=1");
    assert_eq!(serving.ended().await, 0);
}

#[test]
fn the_packaged_configuration_is_taken_with_and_without_what_it_suggests() {
    let folder = folder();
    let packaged = read("packaging/shopbell.toml");
    let suggested =
        |line: &str| line.strip_prefix('#').filter(|rest| rest.contains(" = ")).map(str::to_owned);
    let whole: Vec<_> = packaged.lines().map(|line| suggested(line).unwrap_or(line.to_owned())).collect();
    assert_ne!(whole.join("\n"), packaged.trim_end());
    for (name, text) in [("packaged.toml", &packaged), ("whole.toml", &whole.join("\n"))] {
        std::fs::write(folder.path().join(name), text).unwrap();
        let mut command = shopbell(folder.path(), &["config", "--config", name]);
        command.env_remove("DATABASE_URL");
        let shown = run(command);
        assert!(shown.contains("sqlite:///var/lib/shopbell/shop.db"), "{name}: {shown}");
        assert_eq!(shown.contains("https://shop.example"), name == "whole.toml", "{shown}");
    }
}

#[test]
fn the_manual_names_every_command() {
    let help = run(shopbell(folder().path(), &["--help"]));
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let names = names.filter_map(|line| line.split(' ').next()).filter(|name| *name != "help");
    let manual = read("packaging/shopbell.1");
    let (_, section) = manual.split_once(".SH COMMANDS\n").unwrap();
    let (section, _) = section.split_once(".SH ").unwrap();
    let described = section.split(".TP\n.B ").skip(1).filter_map(|part| part.lines().next());
    let described: BTreeSet<_> = described.map(|name| name.replace('\\', "")).collect();
    let missing: Vec<_> = names.filter(|name| !described.contains(*name)).collect();
    assert!(missing.is_empty() && described.len() > 5, "packaging/shopbell.1 lacks {missing:?}");
}
