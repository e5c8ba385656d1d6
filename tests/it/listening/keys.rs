//! How keys are made, listed and revoked.

use serde_json::json;

use super::{THEIRS, shop};

#[tokio::test]
async fn a_key_is_made_listed_and_revoked() {
    let shop = shop().await;
    let body = json!({"origins": ["HTTPS://Their.Shop:443/", "https://their.shop", "http://127.0.0.1:8080"], "display": "full", "name": "Their shop"});
    let made = shop.app.post("/api/admin/listen-keys").by(&shop.admin).json(&body).send().await.expect(201);
    let key = &made.json["listenKey"];
    let text = key["key"].as_str().unwrap();
    assert!(text.starts_with("lk_") && text.len() == 35, "{key}");
    assert_eq!(made.header("location"), format!("/api/admin/listen-keys/{text}"));
    assert_eq!(key["origins"], json!(["https://their.shop", "http://127.0.0.1:8080"]));
    assert_eq!(
        (&key["display"], &key["name"], &key["revokedAt"]),
        (&json!("full"), &json!("Their shop"), &json!(null))
    );

    let second = shop.key().await;
    let listed = shop.app.get("/api/admin/listen-keys").by(&shop.admin).send().await.expect(200);
    let listed = listed.json["listenKeys"].as_array().unwrap();
    let keys: Vec<_> = listed.iter().map(|key| key["key"].as_str().unwrap()).collect();
    assert!(keys.len() == 2 && keys.contains(&text) && keys.contains(&second.as_str()), "{keys:?}");
    let plain = listed.iter().find(|key| key["key"] == *second).unwrap();
    assert_eq!((&plain["display"], &plain["name"]), (&json!("masked"), &json!(null)));

    for _ in 0..2 {
        shop.revoke(text).await;
    }
    let listed = shop.app.get("/api/admin/listen-keys").by(&shop.admin).send().await.expect(200);
    let revoked =
        listed.json["listenKeys"].as_array().unwrap().iter().filter(|key| key["revokedAt"].is_string());
    assert_eq!(revoked.map(|key| &key["key"]).collect::<Vec<_>>(), [text]);
    let path = "/api/admin/listen-keys/lk_00000000000000000000000000000000";
    for path in [
        path,
        "/api/admin/listen-keys/other",
        &path.to_uppercase().replace("/API/ADMIN/LISTEN-KEYS", "/api/admin/listen-keys"),
    ] {
        shop.app.delete(path).by(&shop.admin).send().await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_form_makes_a_key_as_well() {
    let shop = shop().await;
    let form =
        "origins%5B0%5D=https%3A%2F%2Ftheir.shop&origins%5B1%5D=http%3A%2F%2Ftheir.shop&display=masked";
    let made = shop.app.post("/api/admin/listen-keys").by(&shop.admin).form(form).send().await.expect(201);
    assert_eq!(made.json["listenKey"]["origins"], json!(["https://their.shop", "http://their.shop"]));
    let form = "origins=https%3A%2F%2Ftheir.shop";
    let made = shop.app.post("/api/admin/listen-keys").by(&shop.admin).form(form).send().await.expect(201);
    assert_eq!(made.json["listenKey"]["origins"], json!(["https://their.shop"]));
}

#[tokio::test]
async fn a_key_without_a_page_of_its_own_is_refused() {
    let shop = shop().await;
    let make = async |body| shop.app.post("/api/admin/listen-keys").by(&shop.admin).json(&body).send().await;
    for origins in [
        json!(null),
        json!([]),
        json!(5),
        json!(["*"]),
        json!(["null"]),
        json!(["their.shop"]),
        json!(["https://their.shop/page"]),
        json!(["https://*.their.shop"]),
        json!([[THEIRS]]),
        json!({"0": THEIRS}),
        json!((0..21).map(|n| format!("https://shop{n}.example")).collect::<Vec<_>>()),
    ] {
        make(json!({"origins": origins})).await.invalid(&["origins"]);
    }
    make(json!({})).await.invalid(&["origins"]);
    let wrong = json!({"origins": [THEIRS], "display": "plain", "name": "<b>", "origin": THEIRS});
    make(wrong).await.invalid(&["display", "name", "origin"]);
    assert_eq!(shop.app.store.listen_keys().await.unwrap().len(), 0);
}

#[tokio::test]
async fn only_administrators_see_and_make_keys() {
    let shop = shop().await;
    let key = shop.key().await;
    let one = format!("/api/admin/listen-keys/{key}");
    for (method, path) in
        [("GET", "/api/admin/listen-keys"), ("POST", "/api/admin/listen-keys"), ("DELETE", &one)]
    {
        let body = json!({"origins": [THEIRS]});
        shop.app.request(method, path).json(&body).send().await.refused(401, "login_required");
        shop.app.request(method, path).by(&shop.kim).json(&body).send().await.refused(403, "forbidden");
    }
    assert_eq!(shop.app.store.listen_keys().await.unwrap().len(), 1);
}
