//! DESIGN §2: imports point down only, and each big dependency has its place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What each module may import, beyond itself and what those may import in turn.
const BELOW: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["server"]),
    ("server", &["api", "gateway"]),
    ("api", &["web"]),
    ("gateway", &["web", "socketio"]),
    ("web", &["state"]),
    ("state", &["service", "realtime", "limits", "config", "telemetry"]),
    ("service", &["store", "limits", "config", "clock"]),
    ("realtime", &["store", "outbox", "config", "telemetry", "clock"]),
    ("socketio", &["transport", "web"]),
    ("transport", &["outbox", "limits", "telemetry", "web"]),
    ("outbox", &["protocol", "telemetry"]),
    ("store", &["domain", "telemetry"]),
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
    ("actix_web", &["server", "api", "gateway", "socketio", "transport", "web"]),
    ("actix_http", &["server", "gateway", "socketio", "transport", "web"]),
    ("actix", &["realtime", "socketio", "transport", "server"]),
    ("actix_web_actors", &["transport"]),
    ("jsonwebtoken", &["service"]),
    ("argon2", &["service"]),
    ("clap", &["cli", "config"]),
];

/// Every source file with its module and its code, comments and tests left out.
fn sources() -> Vec<(PathBuf, String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths
        .into_iter()
        .map(|path| path.strip_prefix(&root).unwrap().to_owned())
        .filter(|path| path != Path::new("lib.rs") && !path.to_string_lossy().contains("tests"))
        .map(|path| {
            let first = path.components().next().unwrap().as_os_str().to_string_lossy();
            let module = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(root.join(&path)).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code =
                code.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
            (path, module, code)
        })
        .collect()
}

/// The names right after each `prefix::`, those of a `{…}` group included.
fn names_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (place, _) in code.match_indices(&format!("{prefix}::")) {
        if code[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[place + prefix.len() + 2..];
        let Some(group) = rest.strip_prefix('{') else {
            names.insert(leading_name(rest));
            continue;
        };
        let (mut depth, mut at_name) = (0, true);
        for (index, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => at_name = true,
                c if at_name && depth == 0 && !c.is_whitespace() => {
                    names.insert(leading_name(&group[index..]));
                    at_name = false;
                }
                _ => {}
            }
        }
    }
    names.remove("");
    names
}

fn leading_name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
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
    let mut wrong = Vec::new();
    for (path, module, code) in sources() {
        assert!(below.contains_key(module.as_str()), "{} has no place in the layers", path.display());
        let allowed = reach(&module, &below);
        for prefix in ["crate", "shopbell"] {
            for name in names_after(&code, prefix) {
                if below.contains_key(name.as_str()) && !allowed.contains(&name) {
                    wrong.push(format!("{} imports {name}", path.display()));
                }
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
fn dependencies_stay_in_their_places() {
    let mut wrong = Vec::new();
    for (path, module, code) in sources() {
        for (krate, places) in PLACES {
            if !places.contains(&module.as_str()) && !names_after(&code, krate).is_empty() {
                wrong.push(format!("{} uses {krate}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "out of place:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (path, ..) in sources() {
        let text = fs::read_to_string(root.join("src").join(&path)).unwrap();
        assert!(text.starts_with("//!"), "{} does not begin with //!", path.display());
    }
}

#[test]
fn the_scan_sees_what_it_should() {
    let code = "use crate::{\n    domain::{Email, store},\n    web,\n};\nlet x = crate::service::y(); my_crate::api::z();";
    let names: Vec<_> = names_after(code, "crate").into_iter().collect();
    assert_eq!(names, ["domain", "service", "web"]);
}
