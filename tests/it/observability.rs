//! The dashboard, the alert rules and the guide speak of the metrics that the program has, and the guide of all of them.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};

use crate::support::TestApp;

const DASHBOARD: &str = "examples/observability/grafana-dashboard.json";

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names that begin as those of metrics do.
fn names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let words = text.split(|c| !is_name(c)).filter(|word| word.starts_with("shopbell_"));
    // What ends so is the beginning of several names, in a sentence.
    words.filter(|word| !word.ends_with('_')).map(str::to_owned).collect()
}

/// The names of the list, and what is made of those of histograms.
fn known() -> (BTreeSet<String>, BTreeSet<String>) {
    let listed = names(&read("src/telemetry.rs"));
    let parts = |name: &String| ["_bucket", "_sum", "_count"].map(|part| format!("{name}{part}"));
    let histograms = listed.iter().filter(|name| name.ends_with("_seconds") || name.ends_with("_jobs"));
    let all = histograms.flat_map(parts).chain(listed.clone()).collect();
    (listed, all)
}

#[test]
fn dashboard_rules_and_documents_name_metrics_that_exist() {
    let (listed, known) = known();
    assert!(listed.len() > 25, "{listed:?}");
    let guides = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides")).unwrap();
    let guides = guides.map(|guide| format!("docs/guides/{}", guide.unwrap().file_name().display()));
    let others = ["README.md", "ARCHITECTURE.md", "examples/observability/alerts.yml", DASHBOARD];
    for file in others.map(str::to_owned).into_iter().chain(guides) {
        let unknown: Vec<_> = names(&read(&file)).into_iter().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}");
    }
}

#[test]
fn the_guide_says_of_each_metric_what_to_do() {
    let guide = read("docs/guides/metrics.md");
    for name in known().0 {
        let row = guide.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/guides/metrics.md has no row of {name}"));
        let cells: Vec<_> = row.split(" | ").map(str::trim).collect();
        assert!(cells.len() == 4 && cells.iter().all(|cell| !cell.is_empty()), "{row}");
    }
}

#[test]
fn the_dashboard_shows_every_metric_and_each_panel_asks_something() {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "ids are unique");
    let mut asked = String::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty() && panel["title"].as_str().is_some_and(|title| !title.is_empty()));
        for target in targets {
            let question = target["expr"].as_str().unwrap();
            assert!(question.contains("job=\"$job\""), "{question}");
            asked.push_str(question);
        }
    }
    let asked = names(&asked);
    let is_shown = |name: &String| asked.iter().any(|shown| shown.starts_with(name.as_str()));
    let missing: Vec<_> = known().0.into_iter().filter(|name| !is_shown(name)).collect();
    assert!(missing.is_empty(), "the dashboard does not show {missing:?}");
}

#[test]
fn every_rule_says_how_bad_it_is_and_what_to_do() {
    let rules = read("examples/observability/alerts.yml");
    let rules: Vec<_> = rules.split("- alert: ").skip(1).collect();
    assert!(rules.len() > 10);
    for rule in rules {
        let value = |key: &str| rule.lines().find_map(|line| line.trim().strip_prefix(&format!("{key}: ")));
        let severity = value("labels").unwrap();
        assert!(["{ severity: page }", "{ severity: ticket }"].contains(&severity), "{rule}");
        assert!(value("expr").is_some() && value("summary").is_some(), "{rule}");
        let runbook = value("runbook").unwrap().trim_matches('"');
        let (page, heading) = runbook.split_once(['#', ':']).unwrap_or((runbook, ""));
        let page = read(page);
        let is_anchor = runbook.contains('#');
        let heads = page.lines().filter_map(|line| line.strip_prefix("## "));
        let mut anchors = heads.map(|head| head.to_lowercase().replace(' ', "-"));
        assert!(!is_anchor || anchors.any(|anchor| anchor == heading), "{runbook}");
    }
}

#[tokio::test]
async fn a_node_says_how_far_it_has_come_in_the_log() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    let body = json!({"items": [{"goodsId": goods, "quantity": 1}]});
    app.post("/api/orders").by(&admin).json(&body).send().await.expect(201);
    // The numbers are those of the process, in which other tests have shops, too.
    let numbers = app.get("/metrics").send().await.expect(200).text;
    for name in ["shopbell_log_latest", "shopbell_log_position"] {
        let value = numbers.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        assert!(value.is_some_and(|value| value.parse::<f64>().is_ok()), "{name} in {numbers}");
    }
}
