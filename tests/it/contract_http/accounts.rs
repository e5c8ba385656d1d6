//! Accounts and log-ins.

use serde_json::json;

use super::{account, is_a_moment, shop, with};
use crate::support::{PASSWORD, TestApp};

#[tokio::test]
async fn an_account_is_made_by_json_or_by_form() {
    let app = TestApp::spawn().await;
    let answer = app.post("/api/users").json(&account("kim")).send().await.expect(201);
    assert!(answer.json["message"].is_string(), "{}", answer.text);
    let form = "nickname=%EA%B9%80%EC%B2%A0%EC%88%98&email=chul%40example.com&password=correct+horse&confirmPassword=correct+horse";
    app.post("/api/users").form(form).send().await.expect(201);
    let form = "email=chul%40example.com&password=correct+horse";
    let answer = app.post("/api/auth").form(form).send().await.expect(200);
    assert_eq!(answer.json["user"]["nickname"], "김철수");
}

#[tokio::test]
async fn nicknames_follow_their_rules() {
    let app = TestApp::spawn().await;
    for bad in
        ["", "k", "x".repeat(21).as_str(), "kim  lee", "<b>kim</b>", "a\"b", "a&b", "a\u{202e}b", "a\u{0}b"]
    {
        let body = with(account("kim"), "nickname", json!(bad));
        app.post("/api/users").json(&body).send().await.invalid(&["nickname"]);
    }
    for (n, good) in
        ["ab", "x".repeat(20).as_str(), "a-b_c.9", "José", "김철수", "ひろし"].into_iter().enumerate()
    {
        let body =
            with(with(account("kim"), "nickname", json!(good)), "email", json!(format!("a{n}@example.com")));
        app.post("/api/users").json(&body).send().await.expect(201);
    }
    // The composed and the decomposed form are one name.
    let body = with(with(account("kim"), "nickname", json!("Jose\u{301}")), "email", json!("j@example.com"));
    app.post("/api/users").json(&body).send().await.refused(409, "nickname_taken");
}

#[tokio::test]
async fn passwords_and_addresses_follow_their_rules() {
    let app = TestApp::spawn().await;
    for bad in ["", "1234567", "x".repeat(129).as_str()] {
        let body = with(with(account("kim"), "password", json!(bad)), "confirmPassword", json!(bad));
        let answer = app.post("/api/users").json(&body).send().await.refused(400, "validation");
        assert_eq!(answer.json["errors"][0]["field"], "password");
    }
    for bad in ["", "kim", "kim@", "@example.com", "a b@example.com", "<x>@example.com"] {
        let body = with(account("kim"), "email", json!(bad));
        app.post("/api/users").json(&body).send().await.invalid(&["email"]);
    }
    let body = with(account("kim"), "confirmPassword", json!("correct horsf"));
    app.post("/api/users").json(&body).send().await.refused(400, "password_mismatch");
    let long = "ä".repeat(128);
    let body = with(with(account("kim"), "password", json!(long)), "confirmPassword", json!(long));
    app.post("/api/users").json(&body).send().await.expect(201);
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let app = TestApp::spawn().await;
    let answer = app.post("/api/users").json(&json!({})).send().await.refused(400, "validation");
    let named: Vec<_> =
        answer.json["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    for field in ["nickname", "email", "password"] {
        assert!(named.contains(&json!(field)), "{field} is not among {named:?}");
    }
    app.post("/api/users").form("").send().await.refused(400, "validation");
}

#[tokio::test]
async fn addresses_and_nicknames_are_taken_without_regard_to_case() {
    let app = TestApp::spawn().await;
    app.post("/api/users").json(&account("Kim")).send().await.expect(201);
    let body = with(account("other"), "email", json!("KIM@Example.COM"));
    app.post("/api/users").json(&body).send().await.refused(409, "email_taken");
    let body = with(account("kIM"), "email", json!("other@example.com"));
    app.post("/api/users").json(&body).send().await.refused(409, "nickname_taken");
}

#[tokio::test]
async fn a_log_in_answers_token_end_and_account() {
    let (app, _, kim) = shop().await;
    let body = json!({"email": "KIM@example.com", "password": PASSWORD});
    let answer = app.post("/api/auth").json(&body).send().await.expect(200);
    assert!(answer.json["token"].as_str().unwrap().split('.').count() == 3, "a JWT");
    assert!(is_a_moment(&answer.json["expiresAt"]), "{}", answer.text);
    assert_eq!(answer.json["user"]["nickname"], kim.nickname.as_str());
    let body = json!({"email": kim.email, "password": "wrong horse"});
    app.post("/api/auth").json(&body).send().await.refused(401, "bad_credentials");
    let body = json!({"email": "nobody@example.com", "password": PASSWORD});
    app.post("/api/auth").json(&body).send().await.refused(401, "bad_credentials");
    app.post("/api/auth").json(&json!({"email": kim.email})).send().await.refused(400, "validation");
    app.post("/api/auth")
        .json(&json!({"email": {"$gt": ""}, "password": [1]}))
        .send()
        .await
        .refused(400, "validation");
}

#[tokio::test]
async fn an_account_is_shown_to_its_owner_alone() {
    let (app, _, kim) = shop().await;
    let user = app.get("/api/users/me").by(&kim).send().await.expect(200).json["user"].clone();
    assert!(user["userId"].is_i64() && is_a_moment(&user["createdAt"]), "{user}");
    assert_eq!(user["email"], kim.email.as_str());
    assert_eq!((&user["role"], &user["hidePurchases"]), (&json!("member"), &json!(false)));
    let members: Vec<_> = user.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members.len(), 6, "nothing more than the contract says: {members:?}");
}

#[tokio::test]
async fn an_account_changes_what_it_is_asked_to() {
    let (app, _, kim) = shop().await;
    let me = || app.patch("/api/users/me").by(&kim);
    let user = me().json(&json!({"nickname": "kimmy"})).send().await.expect(200).json["user"].clone();
    assert_eq!((&user["nickname"], &user["hidePurchases"]), (&json!("kimmy"), &json!(false)));
    let user = me().form("hidePurchases=true").send().await.expect(200).json["user"].clone();
    assert_eq!((&user["nickname"], &user["hidePurchases"]), (&json!("kimmy"), &json!(true)));
    me().json(&json!({"nickname": "<i>"})).send().await.invalid(&["nickname"]);
    me().json(&json!({"hidePurchases": "perhaps"})).send().await.invalid(&["hidePurchases"]);
    me().json(&json!({"nickname": "ADMIN"})).send().await.refused(409, "nickname_taken");
    me().json(&json!({"nickname": "KIMMY"})).send().await.expect(200);
    me().json(&json!({"role": "admin"})).send().await;
    assert_eq!(app.get("/api/users/me").by(&kim).send().await.json["user"]["role"], "member");
}
