//! docs/contract.md §6 over the socket: what administrators see and do.

mod alerts;
mod audit;
mod orders;
mod users;

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

/// A shop with an administrator, who also buys, and a member.
async fn shop() -> (TestApp, Person, Person) {
    let app = TestApp::spawn().await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    (app, admin, kim)
}

/// A source that takes a bearer secret: its id and that.
async fn source(app: &TestApp, admin: &Person, name: &str) -> (String, String) {
    let body = json!({"kind": "standard", "name": name, "buyer": "first-name"});
    let made = app.post("/api/admin/sources").by(admin).json(&body).send().await.expect(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made.json["source"]["sourceId"]), text(&made.json["secret"]))
}

/// Has a source say something; the order that came of it.
async fn say(app: &TestApp, (id, secret): &(String, String), body: &Value) -> Value {
    let call = app.post(&format!("/hooks/{id}")).token(secret).json(body);
    call.send().await.expect(200).json["orderId"].clone()
}

/// A list of the shopkeeper's API.
async fn list(app: &TestApp, admin: &Person, what: &str, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("/api/admin/{what}?{query}")).by(admin).send().await.expect(200);
    answer.json[what].as_array().unwrap().clone()
}
