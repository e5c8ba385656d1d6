//! The floors of the house: imports point down only, no two files import each other, and each big dependency has its
//! place.

mod modules;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use self::modules::{Modules, Reference};

/// What each module may import, beyond itself and what those may import in turn.
const BELOW: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["server"]),
    ("server", &["contract", "poll", "webhooks"]),
    ("contract", &["api", "gateway"]),
    ("poll", &["webhooks"]),
    ("webhooks", &["state"]),
    ("api", &["web"]),
    ("gateway", &["web", "socketio"]),
    ("web", &["state"]),
    ("state", &["bus", "figures", "limits", "config", "telemetry"]),
    ("figures", &["service", "realtime", "telemetry", "clock"]),
    ("service", &["hooks", "mail", "media", "store", "limits", "config", "clock"]),
    ("hooks", &["domain"]),
    ("realtime", &["bus", "store", "outbox", "limits"]),
    ("socketio", &["bus", "transport"]),
    ("transport", &["outbox", "limits"]),
    ("outbox", &["protocol", "limits", "clock", "telemetry"]),
    ("bus", &["clock", "config", "domain", "telemetry"]),
    ("mail", &["domain"]),
    ("media", &[]),
    ("store", &["hooks", "domain", "telemetry", "limits"]),
    ("limits", &["domain", "config", "telemetry"]),
    ("protocol", &["domain"]),
    ("config", &["domain"]),
    ("telemetry", &["config"]),
    ("clock", &["domain"]),
    ("domain", &[]),
];

/// Crates that only some modules know.
const PLACES: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("async_nats", &["bus"]),
    ("actix_web", &["server", "api", "gateway", "socketio", "transport", "web"]),
    ("actix_http", &["server", "gateway", "socketio", "transport", "web"]),
    ("actix", &["realtime", "socketio", "transport", "server"]),
    ("actix_web_actors", &["transport"]),
    ("jsonwebtoken", &["service"]),
    ("argon2", &["service"]),
    ("hmac", &["hooks", "webhooks"]),
    ("clap", &["cli", "config"]),
    ("reqwest", &["cli", "poll", "telemetry", "webhooks"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_otlp", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("tokio_tungstenite", &["cli"]),
    ("ratatui", &["cli"]),
    ("image", &["media"]),
    ("lettre", &["mail"]),
    ("csv", &["service"]),
    ("indicatif", &["cli"]),
];

fn read(folder: &str) -> Modules {
    Modules::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
}

/// Everything that a module may import.
fn reach(module: &str, below: &BTreeMap<&str, &[&str]>) -> BTreeSet<String> {
    let mut reached = BTreeSet::from([module.to_owned()]);
    let mut open = vec![module.to_owned()];
    while let Some(next) = open.pop() {
        for lower in below.get(next.as_str()).copied().unwrap_or_default() {
            if reached.insert((*lower).to_owned()) {
                open.push((*lower).to_owned());
            }
        }
    }
    reached
}

#[test]
fn imports_point_down_only() {
    let below: BTreeMap<_, _> = BELOW.iter().copied().collect();
    let modules = read("src");
    let mut wrong = Vec::new();
    for (names, module) in modules.iter().filter(|(names, _)| !names.is_empty()) {
        assert!(below.contains_key(names[0].as_str()), "{} has no place in the layers", module.file);
        let allowed = reach(&names[0], &below);
        for reference in modules.references(names) {
            if let Reference::Here(to) = reference
                && let Some(to) = to.first()
                && below.contains_key(to.as_str())
                && !allowed.contains(to)
            {
                wrong.push(format!("{} imports {to}", module.file));
            }
        }
    }
    assert!(wrong.is_empty(), "against the layers:\n{}", wrong.join("\n"));
}

#[test]
fn service_and_realtime_do_not_know_each_other() {
    let below: BTreeMap<_, _> = BELOW.iter().copied().collect();
    assert!(!reach("service", &below).contains("realtime"));
    assert!(!reach("realtime", &below).contains("service"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let found = read("src").circles();
    let list: String = found.iter().map(|circle| format!("    {circle}\n")).collect();
    assert!(found.is_empty(), "circles:\n{list}");
}

#[test]
fn no_files_of_the_bench_import_each_other_in_a_circle() {
    assert_eq!(read("bench/src").circles(), BTreeSet::new());
}

#[test]
fn dependencies_stay_in_their_places() {
    let modules = read("src");
    let mut wrong = Vec::new();
    for (names, module) in modules.iter().filter(|(names, _)| !names.is_empty()) {
        for reference in modules.references(names) {
            let Reference::Elsewhere(used) = reference else { continue };
            let place = PLACES.iter().find(|(krate, _)| *krate == used);
            if place.is_some_and(|(_, places)| !places.contains(&names[0].as_str())) {
                wrong.push(format!("{} uses {used}", module.file));
            }
        }
    }
    assert!(wrong.is_empty(), "out of place:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    for folder in ["src", "bench/src"] {
        for (_, module) in read(folder).iter() {
            assert!(module.text.starts_with("//!"), "{folder}/{} does not begin with //!", module.file);
        }
    }
}

// --- the scan itself ---

fn of(files: &[(&str, &str)]) -> Modules {
    Modules::of(files.iter().map(|&(file, text)| (file.to_owned(), text.to_owned())))
}

fn used_by(modules: &Modules, module: &str) -> Vec<String> {
    let names = module.split("::").map(str::to_owned).collect();
    modules.used_by(&names).into_iter().map(|names| names.join("::")).collect()
}

#[test]
fn the_scan_sees_imports_paths_and_re_exports() {
    let modules = of(&[
        ("lib.rs", "pub mod shop; pub mod log;"),
        ("shop/mod.rs", "mod cart; mod order; pub use self::{cart::Cart, order::{Order as Placed, Line}};"),
        ("shop/cart.rs", "use super::Line; /* not */ pub struct Cart { line: Line }"),
        (
            "shop/order.rs",
            "use crate::log::{self, entry}; pub struct Order; pub struct Line; fn f() { log::write(entry::E) }",
        ),
        ("log/mod.rs", "pub mod entry; pub fn write() { \"crate::shop::Cart\"; } // crate::shop::Cart"),
        ("log/entry.rs", "pub(crate) struct E; const C: char = '\"'; fn f() { crate::shop::Placed::new(); }"),
    ]);
    assert_eq!(used_by(&modules, "shop"), [""; 0], "what is only passed on is no use");
    assert_eq!(used_by(&modules, "shop::cart"), ["shop::order"]);
    assert_eq!(used_by(&modules, "shop::order"), ["log", "log::entry"]);
    assert_eq!(used_by(&modules, "log"), [""; 0], "comments and strings are no code");
    assert_eq!(used_by(&modules, "log::entry"), ["shop::order"]);
    let circles: Vec<_> = modules.circles().into_iter().collect();
    assert_eq!(circles, ["log/entry.rs → shop/order.rs → log/entry.rs"]);
}

#[test]
fn a_child_that_uses_an_item_of_the_parent_that_uses_it_is_a_circle() {
    let child = ("room/child.rs", "use super::*; pub fn act(parent: &Parent) {}");
    let uses = of(&[("room/mod.rs", "mod child; pub struct Parent; fn f() { child::act(&Parent) }"), child]);
    assert_eq!(uses.circles().len(), 1);
    let calls = "mod child; pub struct Parent; impl Parent { fn f(&self) { self.act() } }";
    let extends = "use super::Parent; impl<T> Parent { pub fn act(&self) {} }";
    assert_eq!(of(&[("room/mod.rs", calls), ("room/child.rs", extends)]).circles().len(), 1);
    let declares = of(&[("room/mod.rs", "mod child; pub use child::act; pub struct Parent;"), child]);
    assert_eq!(declares.circles().len(), 0);
}

#[test]
fn the_scan_knows_other_crates_from_modules() {
    let modules = of(&[("api.rs", "use sqlx::{query, Row as _}; fn f<'a>() { actix_web::web::get() }")]);
    let found: Vec<_> = modules
        .references(&vec!["api".to_owned()])
        .into_iter()
        .filter_map(|reference| match reference {
            Reference::Elsewhere(name) => Some(name),
            Reference::Here(_) => None,
        })
        .collect();
    assert_eq!(found, ["sqlx", "sqlx", "actix_web"]);
}
