//! Who comes into a room late, what is reported of what is said there, and who may not speak.

use std::time::Duration;

use serde_json::{Value, json};

use super::shop;
use crate::support::{As, Person, TestApp, Ws, eventually, pass};

async fn enter(ws: &mut Ws, room: &str) -> Value {
    let ack = ws.ask("enter_room", json!(room)).await;
    assert_eq!(ack["ok"], true, "{ack}");
    ack
}

async fn say(ws: &mut Ws, message: &str) -> Value {
    ws.ask("new_message", json!([message, "tea"])).await
}

/// Who is there, by name.
fn names(ack: &Value) -> Vec<&str> {
    let mut names: Vec<_> =
        ack["people"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

fn reported(nickname: &str, message: &str) -> Value {
    json!({"room": "tea", "message": message, "nickname": nickname})
}

async fn reports(app: &TestApp, admin: &Person, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("/api/admin/reports{query}")).by(admin).send().await.expect(200);
    answer.json["reports"].as_array().unwrap().clone()
}

#[tokio::test]
async fn who_comes_in_late_hears_what_was_said_and_who_is_there() {
    let shop = shop().await;
    let mut kim = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    let ack = enter(&mut kim, "tea").await;
    assert_eq!(ack, json!({"ok": true, "count": 1, "people": ["kim"], "messages": []}));
    for message in ["hello", "is <b>this</b> good?"] {
        assert_eq!(say(&mut kim, message).await["ok"], true);
    }
    let mut lee = Ws::open(&shop.app, As::Header(&shop.lee)).await;
    let ack = enter(&mut lee, "tea").await;
    assert_eq!(names(&ack), ["kim", "lee"]);
    let messages = ack["messages"].as_array().unwrap();
    let told: Vec<_> = messages.iter().map(|told| (&told["nickname"], &told["message"])).collect();
    let (kims, hello, question) = (json!("kim"), json!("hello"), json!("is ＜b＞this＜/b＞ good?"));
    assert_eq!(told, [(&kims, &hello), (&kims, &question)]);
    assert!(messages.iter().all(|told| told["date"].is_string()), "{messages:?}");
    // A long talk is told from its end, and no longer than an answer may be.
    for n in 0..9 {
        assert_eq!(say(&mut lee, &n.to_string().repeat(2000)).await["ok"], true);
    }
    lee.ask("leave_room", json!("tea")).await;
    let ack = enter(&mut lee, "tea").await;
    let messages = ack["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 8, "16 KiB");
    assert_eq!(messages[7]["message"], "8".repeat(2000));
    assert_eq!(enter(&mut lee, "another").await["messages"], json!([]));
}

#[tokio::test]
async fn a_member_goes_by_the_new_name_among_those_who_are_there() {
    let shop = shop().await;
    let mut kim = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    enter(&mut kim, "tea").await;
    let renamed = shop.app.patch("/api/users/me").by(&shop.kim).json(&json!({"nickname": "kimmy"}));
    renamed.send().await.expect(200);
    eventually("the name", async || {
        // No faster than one may say things.
        pass(Duration::from_millis(50)).await;
        let mut lee = Ws::open(&shop.app, As::Header(&shop.lee)).await;
        names(&enter(&mut lee, "tea").await) == ["kimmy", "lee"]
    })
    .await;
}

#[tokio::test]
async fn who_said_what_was_reported_is_silenced_at_once_on_all_sessions() {
    let shop = shop().await;
    let (app, admin) = (&shop.app, &shop.admin);
    let mut kim = Ws::open(app, As::Header(&shop.kim)).await;
    let mut tab = Ws::open(app, As::Cookie(&shop.kim)).await;
    let mut lee = Ws::open(app, As::Header(&shop.lee)).await;
    for ws in [&mut kim, &mut tab, &mut lee] {
        enter(ws, "tea").await;
    }
    say(&mut kim, "buy <my> pills").await;
    say(&mut lee, "no").await;
    let pills = "buy ＜my＞ pills";
    for _ in 0..2 {
        assert_eq!(lee.ask("report_message", reported("kim", pills)).await, json!({"ok": true}));
    }
    for (what, code) in [
        (reported("kim", "what nobody said"), "not_found"),
        (reported("lee", pills), "not_found"),
        (json!({"room": "coffee", "message": pills, "nickname": "kim"}), "not_in_room"),
        (json!({"room": "tea", "message": 7, "nickname": "kim"}), "validation"),
        (json!("tea"), "validation"),
    ] {
        assert_eq!(lee.ask("report_message", what.clone()).await["code"], code, "{what}");
    }
    let open = reports(app, admin, "?state=open").await;
    assert_eq!(open.len(), 1, "reported twice is reported once: {open:?}");
    let (report, id) = (&open[0], open[0]["reportId"].as_i64().unwrap());
    assert_eq!(
        (&report["room"], &report["message"], &report["outcome"]),
        (&json!("tea"), &json!(pills), &Value::Null)
    );
    assert_eq!(
        (&report["user"]["nickname"], &report["reporter"]["nickname"]),
        (&json!("kim"), &json!("lee"))
    );
    assert_eq!(report["muted"], false);

    let mute = app.post(&format!("/api/admin/reports/{id}/mute")).by(admin).send().await.expect(200);
    assert_eq!(
        (&mute.json["report"]["muted"], &mute.json["report"]["outcome"]),
        (&json!(true), &json!("muted"))
    );
    for ws in [&mut kim, &mut tab] {
        assert_eq!(say(ws, "more pills").await["code"], "muted");
        assert_eq!(ws.ask("report_message", reported("lee", "no")).await["code"], "muted");
    }
    // Who comes in later does not hear it, either.
    let mut late = Ws::open(app, As::Header(admin)).await;
    let told = enter(&mut late, "tea").await;
    assert_eq!(told["messages"].as_array().unwrap().len(), 1);
    assert_eq!(told["messages"][0]["message"], "no");
    assert_eq!(reports(app, admin, "?state=open").await.len(), 0);
    assert_eq!(reports(app, admin, "?state=closed").await.len(), 1);
    // It is known after a restart, too.
    let store = app.elsewhere().await;
    assert_eq!(store.muted().await.unwrap(), [app.id_of(&shop.kim).await]);

    // An administrator ends it, and begins it again without a report.
    let path = format!("/api/admin/users/{}", app.id_of(&shop.kim).await);
    for muted in [false, true] {
        let changed = app.patch(&path).by(admin).json(&json!({"muted": muted})).send().await.expect(200);
        assert_eq!(changed.json["user"]["muted"], muted);
        assert_eq!(say(&mut kim, "sorry").await["ok"], !muted);
    }
    app.patch(&path).by(admin).json(&json!({"muted": "perhaps"})).send().await.invalid(&["muted"]);
}

#[tokio::test]
async fn reports_are_the_business_of_administrators() {
    let shop = shop().await;
    let (app, admin) = (&shop.app, &shop.admin);
    let mut lee = Ws::open(app, As::Header(&shop.lee)).await;
    enter(&mut lee, "tea").await;
    say(&mut lee, "hello").await;
    lee.ask("report_message", reported("lee", "hello")).await;
    let id = reports(app, admin, "?limit=1").await[0]["reportId"].as_i64().unwrap();
    let dismiss = format!("/api/admin/reports/{id}/dismiss");
    app.get("/api/admin/reports").by(&shop.kim).send().await.refused(403, "forbidden");
    app.post(&dismiss).by(&shop.kim).send().await.refused(403, "forbidden");
    app.post("/api/admin/reports/99/mute").by(admin).send().await.refused(404, "not_found");
    app.get("/api/admin/reports?state=ajar").by(admin).send().await.invalid(&["state"]);
    let closed = app.post(&dismiss).by(admin).send().await.expect(200);
    assert_eq!(
        (&closed.json["report"]["outcome"], &closed.json["report"]["muted"]),
        (&json!("dismissed"), &json!(false))
    );
    assert_eq!(say(&mut lee, "still here").await["ok"], true);
    // What is kept about an account says so.
    let kept = app.get("/api/users/me/export").by(&shop.lee).send().await.expect(200);
    assert_eq!(kept.json["chatReports"][0]["message"], "hello");
}

#[tokio::test]
async fn a_guest_is_silenced_by_cookie_and_network_and_members_there_are_not() {
    let app = TestApp::spawn_with(|serve| serve.guest_chat = Some(true)).await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    let mut guest = Ws::open(&app, As::Guest).await;
    let mut member = Ws::open(&app, As::Header(&kim)).await;
    for ws in [&mut guest, &mut member] {
        enter(ws, "tea").await;
    }
    say(&mut guest, "pills").await;
    assert_eq!(member.ask("report_message", reported("guest", "pills")).await["ok"], true);
    let report = &reports(&app, &admin, "").await[0];
    assert_eq!((&report["user"], &report["reporter"]["nickname"]), (&Value::Null, &json!("kim")));
    let id = report["reportId"].as_i64().unwrap();
    app.post(&format!("/api/admin/reports/{id}/mute")).by(&admin).send().await.expect(200);
    // Without its cookie it is the same network's.
    let mut other = Ws::open(&app, As::Guest).await;
    enter(&mut other, "tea").await;
    for ws in [&mut guest, &mut other] {
        assert_eq!(say(ws, "pills again").await["code"], "muted");
    }
    assert_eq!(say(&mut member, "quiet at last").await["ok"], true);
}

#[tokio::test]
async fn a_guest_that_was_muted_at_one_node_is_silent_at_all_and_after_a_restart() {
    let with_guests = |serve: &mut shopbell::config::ServeLayer| serve.guest_chat = Some(true);
    let app = TestApp::spawn_with(with_guests).await;
    let other = app.beside(with_guests).await;
    let admin = app.admin().await;
    let mut guest = Ws::open(&app, As::Guest).await;
    let mut elsewhere = Ws::open(&other, As::Guest).await;
    for ws in [&mut guest, &mut elsewhere] {
        enter(ws, "tea").await;
    }
    say(&mut guest, "pills").await;
    let mut member = Ws::open(&app, As::Header(&admin)).await;
    enter(&mut member, "tea").await;
    member.ask("report_message", reported("guest", "pills")).await;
    let id = reports(&app, &admin, "").await[0]["reportId"].as_i64().unwrap();
    app.post(&format!("/api/admin/reports/{id}/mute")).by(&admin).send().await.expect(200);
    eventually("silence at the other node", async || {
        // Guests of a network say so much a second.
        pass(Duration::from_millis(250)).await;
        let mut ws = Ws::open(&other, As::Guest).await;
        enter(&mut ws, "tea").await;
        say(&mut ws, "pills again").await["code"] == "muted"
    })
    .await;
    assert_eq!(say(&mut elsewhere, "pills again").await["code"], "muted", "of the same network");
    let restarted = app.beside(with_guests).await;
    let mut guest = Ws::open(&restarted, As::Guest).await;
    enter(&mut guest, "tea").await;
    assert_eq!(say(&mut guest, "pills again").await["code"], "muted");
}
