//! All accounts: found, banned, promoted and logged out by administrators, of whom one stays.

use serde_json::{Value, json};

use super::{list, shop};
use crate::support::{As, Person, TestApp, Ws, email_of};

async fn path(app: &TestApp, person: &Person) -> String {
    format!("/api/admin/users/{}", app.id_of(person).await)
}

async fn found(app: &TestApp, admin: &Person, query: &str) -> Vec<String> {
    let users = list(app, admin, "users", query).await;
    users.iter().map(|user| user["nickname"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn accounts_are_found_with_what_they_have() {
    let (app, admin, kim) = shop().await;
    let lee = app.member("Leeko").await;
    let tea = app.goods(&admin, "Green tea", 6.2, None).await;
    app.order(&kim, tea, 1).await;
    app.log_in("kim").await;
    let banned = app.patch(&path(&app, &lee).await).by(&admin).json(&json!({"banned": true}));
    assert_eq!(banned.send().await.expect(200).json["user"]["banned"], true);
    for (query, expected) in [
        ("", vec!["Leeko", "kim", "admin"]),
        ("q=KIM", vec!["kim"]),
        ("q=k%D1%96m", vec!["kim"]),
        ("q=leeko@EXAMPLE", vec!["Leeko"]),
        ("q=example.com&limit=2", vec!["Leeko", "kim"]),
        ("q=nobody", vec![]),
        ("q=argon", vec![]),
        ("role=admin", vec!["admin"]),
        ("banned=true", vec!["Leeko"]),
        ("banned=false&role=member", vec!["kim"]),
    ] {
        assert_eq!(found(&app, &admin, query).await, expected, "{query}");
    }
    let page = app.get("/api/admin/users?limit=2").by(&admin).send().await.expect(200).json;
    let rest = format!("cursor={}", page["nextCursor"]);
    assert_eq!(found(&app, &admin, &rest).await, ["admin"]);
    let user = app.get(&path(&app, &kim).await).by(&admin).send().await.expect(200).json["user"].clone();
    for (member, value) in [
        ("email", json!("kim@example.com")),
        ("role", json!("member")),
        ("banned", json!(false)),
        ("hidePurchases", json!(false)),
        ("orders", json!(1)),
        ("sessions", json!(2)),
    ] {
        assert_eq!(user[member], value, "{member}: {user}");
    }
    assert!(!user.as_object().unwrap().keys().any(|key| key.contains("assword")), "{user}");
    let password = json!({"password": crate::support::PASSWORD});
    app.delete("/api/users/me").by(&kim).json(&password).send().await.expect(204);
    assert_eq!(found(&app, &admin, "").await, ["Leeko", "admin"], "who is erased is no longer there");
    let gone = format!("/api/admin/users/{}", user["userId"]);
    app.get(&gone).by(&admin).send().await.refused(404, "not_found");
    app.patch(&gone).by(&admin).json(&json!({"role": "admin"})).send().await.refused(404, "not_found");
    app.delete(&format!("{gone}/sessions")).by(&admin).send().await.refused(404, "not_found");
    for (query, field) in [("role=owner", "role"), ("banned=maybe", "banned"), ("cursor=0", "cursor")] {
        app.get(&format!("/api/admin/users?{query}")).by(&admin).send().await.invalid(&[field]);
    }
}

#[tokio::test]
async fn a_ban_ends_what_is_open_and_lets_nothing_in() {
    let (app, admin, kim) = shop().await;
    let mut socket = Ws::open(&app, As::Cookie(&kim)).await;
    let kim_path = path(&app, &kim).await;
    app.patch(&kim_path).by(&kim).json(&json!({"banned": false})).send().await.refused(403, "forbidden");
    let change = |body: Value| app.patch(&kim_path).by(&admin).json(&body).send();
    change(json!({"banned": true})).await.expect(200);
    assert_eq!(socket.closed().await.0, 4001);
    app.get("/api/users/me").by(&kim).send().await.refused(401, "login_required");
    let log_in = json!({"email": email_of("kim"), "password": crate::support::PASSWORD});
    app.post("/api/auth").json(&log_in).send().await.refused(403, "banned");
    assert_eq!(change(json!({"banned": false})).await.expect(200).json["user"]["banned"], false);
    app.post("/api/auth").json(&log_in).send().await.expect(200);
    for (body, field) in [
        (json!({"role": "owner"}), "role"),
        (json!({"banned": "maybe"}), "banned"),
        (json!({"nickname": "x"}), "nickname"),
    ] {
        change(body).await.invalid(&[field]);
    }
}

#[tokio::test]
async fn another_role_and_a_hand_end_all_log_ins_of_an_account() {
    let (app, admin, kim) = shop().await;
    let kim_path = path(&app, &kim).await;
    let change = |body: Value| app.patch(&kim_path).by(&admin).json(&body).send();
    change(json!({"role": "member"})).await.expect(200);
    app.get("/api/users/me").by(&kim).send().await.expect(200);
    let mut socket = Ws::open(&app, As::Cookie(&kim)).await;
    assert_eq!(change(json!({"role": "admin"})).await.expect(200).json["user"]["role"], "admin");
    assert_eq!(socket.closed().await.0, 4001);
    app.get("/api/users/me").by(&kim).send().await.refused(401, "login_required");
    let kim = app.log_in("kim").await;
    app.get("/api/admin/orders").by(&kim).send().await.expect(200);
    let mut socket = Ws::open(&app, As::Cookie(&kim)).await;
    app.delete(&format!("{kim_path}/sessions")).by(&admin).send().await.expect(204);
    assert_eq!(socket.closed().await.0, 4001);
    app.get("/api/users/me").by(&kim).send().await.refused(401, "login_required");
    app.get("/api/users/me").by(&admin).send().await.expect(200);
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let (app, admin, kim) = shop().await;
    let (admin_path, kim_path) = (path(&app, &admin).await, path(&app, &kim).await);
    for body in [json!({"role": "member"}), json!({"banned": true})] {
        app.patch(&admin_path).by(&admin).json(&body).send().await.refused(409, "last_admin");
    }
    app.patch(&kim_path).by(&admin).json(&json!({"role": "admin"})).send().await.expect(200);
    let kim = app.log_in("kim").await;
    // Two who go at once: whoever is second must stay.
    let go = |path: &str, who: &Person| app.patch(path).by(who).json(&json!({"role": "member"})).send();
    let (first, second) = tokio::join!(go(&admin_path, &admin), go(&kim_path, &kim));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", first.text, second.text);
    let admins = app.store.people(
        shopbell::store::PeopleQuery {
            role: Some(shopbell::domain::Role::Admin),
            limit: 9,
            ..Default::default()
        },
        shopbell::clock::now(),
    );
    assert_eq!(admins.await.unwrap().len(), 1);
}
