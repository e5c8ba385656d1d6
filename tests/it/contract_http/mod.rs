//! docs/contract.md §2 row by row: what each route answers when all is well, and each of its refusals. What holds for every
//! answer (problem+json, nosniff, Referrer-Policy, bodiless HEAD) is checked by the request helper itself.

mod accounts;
mod every_route;
mod goods_lists;
mod goods_of_others;
mod goods_routes;
mod import;
mod media;
mod orders;
mod own_account;
mod reset;
mod stock;
mod text;

use serde_json::{Value, json};

use crate::support::{PASSWORD, Person, TestApp, email_of};

fn account(nickname: &str) -> Value {
    json!({"nickname": nickname, "email": email_of(nickname), "password": PASSWORD, "confirmPassword": PASSWORD})
}

fn goods(name: &str) -> Value {
    json!({"name": name, "thumbnailUrl": "/images/a.svg", "category": "drink", "price": 6.2})
}

/// The value with one member changed.
fn with(mut body: Value, member: &str, value: Value) -> Value {
    body[member] = value;
    body
}

fn is_a_moment(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == 24 && text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

async fn shop() -> (TestApp, Person, Person) {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    (app, admin, kim)
}
