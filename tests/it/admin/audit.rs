//! The record of what administrators did: complete, without secrets, and of nobody who is gone.

use serde_json::{Value, json};
use shopbell::domain::{PersonPatch, Timestamp};

use super::{say, shop, source};
use crate::support::{Person, TestApp};

async fn entries(app: &TestApp, admin: &Person, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("/api/admin/audit?{query}")).by(admin).send().await.expect(200);
    answer.json["entries"].as_array().unwrap().clone()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn all_that_administrators_change_is_recorded_with_who_and_what() {
    let (app, admin, kim) = shop().await;
    let call =
        |method: &str, path: &str, body: Value| app.request(method, path).by(&admin).json(&body).send();
    let tea = app.goods(&admin, "Green tea", 6.2, Some(5)).await;
    call("PATCH", &format!("/api/goods/{tea}"), json!({"price": 7, "description": "Fresh"}))
        .await
        .expect(200);
    call("PATCH", &format!("/api/goods/{tea}"), json!({"price": 7})).await.expect(200);
    call("POST", &format!("/api/goods/{tea}/stock"), json!({"change": 3})).await.expect(200);
    let cup = json!({"name": "Cup", "thumbnailUrl": "/a.svg", "category": "x", "price": 1});
    call("PUT", "/api/goods/by-sku/CUP", cup).await.expect(201);
    call("PUT", "/api/goods/by-sku/CUP", json!({"price": 2})).await.expect(200);
    // What buyers do is none of it, nor what is refused.
    let order = app.order(&kim, tea, 1).await;
    let own = app.order(&kim, tea, 1).await;
    app.post(&format!("/api/orders/{}/cancel", own["orderId"])).by(&kim).send().await.expect(200);
    call("POST", &format!("/api/admin/orders/{}/cancel", order["orderId"]), json!({})).await.expect(200);
    call("POST", &format!("/api/admin/orders/{}/cancel", order["orderId"]), json!({})).await.expect(409);
    let user = app.id_of(&kim).await;
    let person = format!("/api/admin/users/{user}");
    call("PATCH", &person, json!({"banned": true})).await.expect(200);
    call("PATCH", &person, json!({"banned": false, "role": "admin"})).await.expect(200);
    app.delete(&format!("{person}/sessions")).by(&admin).send().await.expect(204);
    let theirs = source(&app, &admin, "Their shop").await;
    let paid = json!({"type": "order.paid", "data": {"orderId": "1", "items": [{"name": "x"}]}});
    say(&app, &theirs, &paid).await;
    let path = format!("/api/admin/sources/{}", theirs.0);
    let receipts = app.get(&format!("{path}/receipts")).by(&admin).send().await.expect(200).json;
    let receipt = receipts["receipts"][0]["receiptId"].clone();
    call("PATCH", &path, json!({"rate": 7})).await.expect(200);
    let rotated = call("POST", &format!("{path}/rotate"), json!({})).await.expect(200).json;
    app.post(&format!("{path}/receipts/{receipt}/retry")).by(&admin).send().await.expect(200);
    app.delete(&path).by(&admin).send().await.expect(204);
    let endpoint =
        json!({"url": "https://hooks.example.com/T00/s3cret?token=s3cret", "events": "order.placed"});
    let endpoint = call("POST", "/api/admin/endpoints", endpoint).await.expect(201).json;
    let path = format!("/api/admin/endpoints/{}", endpoint["endpoint"]["endpointId"]);
    call("PATCH", &path, json!({"enabled": false})).await.expect(200);
    app.post(&format!("{path}/rotate")).by(&admin).send().await.expect(200);
    app.delete(&path).by(&admin).send().await.expect(204);
    let key = json!({"origins": "https://blog.example"});
    let key = call("POST", "/api/admin/listen-keys", key).await.expect(201).json;
    let key = key["listenKey"]["key"].as_str().unwrap();
    app.delete(&format!("/api/admin/listen-keys/{key}")).by(&admin).send().await.expect(204);
    app.delete(&format!("/api/goods/{tea}")).by(&admin).send().await.expect(204);

    let all = entries(&app, &admin, "limit=1000").await;
    let expected = [
        "goods.delete",
        "listen-key.revoke",
        "listen-key.create",
        "endpoint.remove",
        "endpoint.rotate",
        "endpoint.update",
        "endpoint.create",
        "source.remove",
        "source.retry",
        "source.rotate",
        "source.update",
        "source.create",
        "user.logout",
        "user.unban",
        "user.role",
        "user.ban",
        "order.cancel",
        "goods.update",
        "goods.create",
        "goods.stock",
        "goods.update",
        "goods.create",
        "user.create",
    ];
    assert_eq!(actions(&all), expected);
    let boss = json!({"userId": app.id_of(&admin).await, "nickname": "admin"});
    assert!(all[..22].iter().all(|entry| entry["admin"] == boss), "{all:?}");
    assert_eq!(all[22]["admin"], Value::Null, "the first administrator was not made by one");
    let change = json!({"goodsId": tea, "changes": {"price": ["6.20", "7.00"], "description": true}});
    assert_eq!((&all[20]["subject"], &all[20]["details"]), (&json!("Green tea"), &change));
    assert_eq!(all[19]["details"]["changes"], json!({"stock": [5, 8]}));
    assert_eq!(all[6]["subject"], "hooks.example.com");
    let text = serde_json::to_string(&all).unwrap();
    let secrets =
        [&theirs.1, rotated["secret"].as_str().unwrap(), endpoint["secret"].as_str().unwrap(), "s3cret"];
    for secret in secrets.into_iter().chain(["kim", "example.com\"", crate::support::PASSWORD]) {
        assert!(!text.replace("hooks.example.com", "").contains(secret), "{secret} is in {text}");
    }
    for (query, count) in [
        ("action=goods", 6),
        ("action=goods.update", 2),
        ("action=user&q=ACCOUNT", 5),
        ("q=green", 4),
        ("q=admin&action=source", 5),
        ("action=good", 0),
    ] {
        assert_eq!(entries(&app, &admin, query).await.len(), count, "{query}");
    }
    let page = app.get("/api/admin/audit?limit=22").by(&admin).send().await.expect(200).json;
    let rest = entries(&app, &admin, &format!("cursor={}", page["nextCursor"])).await;
    assert_eq!(actions(&rest), ["user.create"]);
    app.get("/api/admin/audit?action=GOODS").by(&admin).send().await.invalid(&["action"]);
}

#[tokio::test]
async fn goods_that_an_import_makes_or_changes_are_recorded() {
    let (app, admin, _) = shop().await;
    let import = async |path: &str, table: &str| {
        let table = app.post(path).by(&admin).body("text/csv", table.to_owned());
        table.send().await.expect(200);
    };
    let table = "sku,name,category,price,thumbnailUrl\nTEA,Green tea,drink,6.20,/a.svg\n";
    import("/api/goods/import?dryRun=true", table).await;
    import("/api/goods/import", table).await;
    import("/api/goods/import", table).await;
    import("/api/goods/import", "sku,price\nTEA,7\n").await;
    let all = entries(&app, &admin, "action=goods").await;
    assert_eq!(actions(&all), ["goods.update", "goods.create"], "what changes nothing is no deed");
    assert_eq!((&all[0]["subject"], &all[0]["admin"]["nickname"]), (&json!("Green tea"), &json!("admin")));
    assert_eq!(all[0]["details"]["changes"], json!({"price": ["6.20", "7.00"]}));
}

#[tokio::test]
async fn the_command_line_is_nobody_and_who_is_erased_is_forgotten() {
    let (app, admin, kim) = shop().await;
    let (store, user) = (app.elsewhere().await, app.id_of(&kim).await);
    store.change_person(user, PersonPatch::banned(true), None, shopbell::clock::now()).await.unwrap();
    let role = json!({"role": "admin", "banned": false});
    let path = format!("/api/admin/users/{user}");
    app.patch(&path).by(&admin).json(&role).send().await.expect(200);
    let kim = app.log_in("kim").await;
    app.goods(&kim, "Green tea", 6.2, None).await;
    assert_eq!(entries(&app, &admin, "q=kim").await.len(), 1);
    let password = json!({"password": crate::support::PASSWORD});
    app.delete("/api/users/me").by(&kim).json(&password).send().await.expect(204);
    let all = entries(&app, &admin, "").await;
    assert_eq!(actions(&all), ["goods.create", "user.unban", "user.role", "user.ban", "user.create"]);
    assert_eq!((&all[0]["admin"], &all[3]["admin"]), (&Value::Null, &Value::Null));
    assert_eq!(entries(&app, &admin, "q=kim").await.len(), 0);
    // The record has an end: what is old, and what is too much.
    let prune = |before, keep| app.store.prune_audit(before, keep);
    assert_eq!(prune(Timestamp::from_millis(0), 3).await.unwrap(), 2);
    assert_eq!(prune(Timestamp::from_millis(0), 3).await.unwrap(), 0);
    assert_eq!(actions(&entries(&app, &admin, "").await), ["goods.create", "user.unban", "user.role"]);
    assert_eq!(prune(Timestamp::MAX, 3).await.unwrap(), 3);
}
