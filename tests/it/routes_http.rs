//! `/routes.http`: every example works as it stands, in its order, and every route of the contract has one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{PASSWORD, TestApp, email_of};

/// The rows of docs/contract.md §2, and the addresses of §1.
const ROUTES: &[(&str, &str)] = &[
    ("POST", "/api/users"),
    ("POST", "/api/auth"),
    ("DELETE", "/api/auth"),
    ("POST", "/api/auth/reset"),
    ("POST", "/api/auth/reset/confirm"),
    ("GET", "/api/users/me"),
    ("PATCH", "/api/users/me"),
    ("GET", "/api/shop"),
    ("GET", "/api/openapi.json"),
    ("GET", "/api/asyncapi.json"),
    ("GET", "/api/categories"),
    ("GET", "/api/goods"),
    ("GET", "/api/goods/{goodsId}"),
    ("POST", "/api/goods"),
    ("PATCH", "/api/goods/{goodsId}"),
    ("DELETE", "/api/goods/{goodsId}"),
    ("POST", "/api/goods/{goodsId}/stock"),
    ("PUT", "/api/goods/by-sku/{sku}"),
    ("POST", "/api/goods/import"),
    ("GET", "/api/goods/cart"),
    ("PUT", "/api/goods/{goodsId}/cart"),
    ("POST", "/api/goods/{goodsId}/cart"),
    ("DELETE", "/api/goods/{goodsId}/cart"),
    ("POST", "/api/orders"),
    ("GET", "/api/orders"),
    ("GET", "/api/orders/{orderId}"),
    ("POST", "/api/orders/{orderId}/cancel"),
    ("GET", "/api/notifications"),
    ("GET", "/api/events"),
    ("GET", "/api/admin/audit"),
    ("GET", "/api/admin/alerts"),
    ("PATCH", "/api/admin/alerts"),
    ("GET", "/api/admin/orders"),
    ("GET", "/api/admin/orders/{orderId}"),
    ("POST", "/api/admin/orders/{orderId}/cancel"),
    ("GET", "/api/admin/users"),
    ("GET", "/api/admin/users/{userId}"),
    ("PATCH", "/api/admin/users/{userId}"),
    ("DELETE", "/api/admin/users/{userId}/sessions"),
    ("GET", "/api/admin/listen-keys"),
    ("POST", "/api/admin/listen-keys"),
    ("DELETE", "/api/admin/listen-keys/{key}"),
    ("POST", "/api/admin/media"),
    ("GET", "/api/admin/sources"),
    ("POST", "/api/admin/sources"),
    ("GET", "/api/admin/sources/{sourceId}"),
    ("PATCH", "/api/admin/sources/{sourceId}"),
    ("DELETE", "/api/admin/sources/{sourceId}"),
    ("POST", "/api/admin/sources/{sourceId}/rotate"),
    ("GET", "/api/admin/sources/{sourceId}/receipts"),
    ("POST", "/api/admin/sources/{sourceId}/receipts/{receiptId}/retry"),
    ("POST", "/hooks/{sourceId}"),
    ("GET", "/api/admin/endpoints"),
    ("POST", "/api/admin/endpoints"),
    ("GET", "/api/admin/endpoints/{endpointId}"),
    ("PATCH", "/api/admin/endpoints/{endpointId}"),
    ("DELETE", "/api/admin/endpoints/{endpointId}"),
    ("POST", "/api/admin/endpoints/{endpointId}/rotate"),
    ("POST", "/api/admin/endpoints/{endpointId}/replay"),
    ("POST", "/api/admin/endpoints/{endpointId}/test"),
    ("GET", "/api/admin/endpoints/{endpointId}/deliveries"),
    ("GET", "/api/admin/endpoints/{endpointId}/deliveries/{deliveryId}"),
    ("POST", "/api/admin/endpoints/{endpointId}/deliveries/{deliveryId}/resend"),
    ("GET", "/api/admin/figures"),
    ("POST", "/api/widget/counts"),
    ("GET", "/api/admin/reports"),
    ("POST", "/api/admin/reports/{reportId}/dismiss"),
    ("POST", "/api/admin/reports/{reportId}/mute"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/"),
];

/// One request of the file, its variables not yet filled in.
#[derive(Debug, Default)]
struct Example {
    title: String,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    expect: u16,
    /// A variable and the JSON path that it gets.
    captures: Vec<(String, String)>,
}

/// The variables of the head, and the examples.
fn parse(text: &str) -> (BTreeMap<String, String>, Vec<Example>) {
    let (head, rest) = text.split_once("###").expect("examples begin with ###");
    let variables = head.lines().filter_map(|line| line.strip_prefix('@')?.split_once('='));
    let variables =
        variables.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
    (variables, rest.split("\n###").map(example).collect())
}

fn example(text: &str) -> Example {
    let (title, rest) = text.split_once('\n').expect("a title and a request");
    let (head, body) = rest.split_once("\n\n").unwrap_or((rest, ""));
    let mut example =
        Example { title: title.trim().to_owned(), body: body.trim().to_owned(), ..Example::default() };
    for line in head.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix('#') {
            let comment = comment.trim();
            if let Some(status) = comment.strip_prefix("expect ") {
                example.expect = status.parse().expect("a status");
            } else if let Some((name, path)) =
                comment.strip_prefix("capture ").and_then(|rest| rest.split_once(" = "))
            {
                example.captures.push((name.to_owned(), path.to_owned()));
            }
        } else if example.method.is_empty() {
            let (method, url) = line.split_once(' ').expect("METHOD URL");
            (example.method, example.url) = (method.to_owned(), url.to_owned());
        } else {
            let (name, value) = line.split_once(": ").expect("Name: value");
            example.headers.push((name.to_owned(), value.to_owned()));
        }
    }
    assert!(example.expect > 0, "{:?} does not say what to expect", example.title);
    example
}

fn fill(text: &str, variables: &BTreeMap<String, String>) -> String {
    let filled = variables
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value));
    assert!(!filled.contains("{{"), "nothing sets a variable of {filled}");
    filled
}

/// The value at `$.a.b`.
fn at<'a>(json: &'a Value, path: &str) -> &'a Value {
    path.trim_start_matches("$.").split('.').fold(json, |value, member| match member.parse::<usize>() {
        Ok(index) => &value[index],
        Err(_) => &value[member],
    })
}

fn text() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/routes.http")).unwrap()
}

#[tokio::test]
async fn every_example_answers_what_it_says() {
    let app = TestApp::spawn().await;
    app.create("kim", shopbell::domain::Role::Member).await;
    app.create("admin", shopbell::domain::Role::Admin).await;
    let (mut variables, examples) = parse(&text());
    for (name, value) in [
        ("host", String::new()),
        ("shopperEmail", email_of("kim")),
        ("shopperPassword", PASSWORD.to_owned()),
        ("adminEmail", email_of("admin")),
        ("adminPassword", PASSWORD.to_owned()),
    ] {
        assert!(variables.insert(name.to_owned(), value).is_some(), "the head does not name {name}");
    }
    let mut wrong = Vec::new();
    for example in examples {
        let mut call = app.request(&example.method, &fill(&example.url, &variables));
        for (name, value) in &example.headers {
            call = call.header(name, &fill(value, &variables));
        }
        if !example.body.is_empty() {
            call = call.raw_body(fill(&example.body, &variables));
        }
        let response = call.stream().await;
        if response.status() != example.expect {
            wrong.push(format!("{}: {}, not {}", example.title, response.status(), example.expect));
            continue;
        }
        if example.captures.is_empty() {
            // A stream would have no end to wait for.
            continue;
        }
        let json: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        for (name, path) in &example.captures {
            let value = at(&json, path);
            assert!(!value.is_null(), "{}: there is no {path} in {json}", example.title);
            variables.insert(name.clone(), value.as_str().map_or(value.to_string(), str::to_owned));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_route_has_an_example() {
    let (_, examples) = parse(&text());
    let has = |method: &str, route: &str| {
        let wanted = route
            .replace("{goodsId}", "{{goodsId}}")
            .replace("{orderId}", "{{orderId}}")
            .replace("{key}", "{{key}}")
            .replace("{sku}", "TEA-100")
            .replace("{userId}", "{{userId}}")
            .replace("{sourceId}", "{{sourceId}}")
            .replace("{receiptId}", "{{receiptId}}")
            .replace("{endpointId}", "{{endpointId}}")
            .replace("{deliveryId}", "{{deliveryId}}")
            .replace("{reportId}", "1");
        examples.iter().any(|example| {
            let path = example.url.trim_start_matches("{{host}}").split('?').next().unwrap();
            example.method == method && path == wanted
        })
    };
    let missing: Vec<_> = ROUTES.iter().filter(|(method, route)| !has(method, route)).collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
}
