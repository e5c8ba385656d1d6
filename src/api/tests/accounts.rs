//! Who one is: registering, logging in and out, cookies and who may what.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::{PASSWORD, cookie, shop, with};

#[actix_web::test]
async fn a_shopper_registers_logs_in_and_out() {
    let shop = shop(|_| {}).await;
    let register = |nickname: &str| {
        let form = "email=lee%40example.com&password=12345678&confirmPassword=12345678&nickname=";
        TestRequest::post()
            .uri("/api/users")
            .insert_header(("content-type", "application/x-www-form-urlencoded; charset=UTF-8"))
            .set_payload(format!("{form}{nickname}"))
    };
    assert_eq!(shop.send(register("lee")).await.status, 201);
    let again = shop.send(register("another").insert_header(("accept-language", "ko-KR,ko;q=0.9"))).await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "email_taken"));
    assert_eq!(again.body["errorMessage"], "이미 사용 중인 이메일입니다.");
    assert_eq!(again.header("content-type"), "application/problem+json");

    let answer =
        shop.post("/api/auth", "", json!({"email": "LEE@example.com", "password": "12345678"})).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("set-cookie").contains("HttpOnly"));
    assert_eq!(answer.body["user"]["nickname"], "lee");
    let token = answer.body["token"].as_str().unwrap();

    let me = shop.get("/api/users/me", token).await;
    assert_eq!(me.body["user"]["hidePurchases"], false);
    assert!(me.header("set-cookie").contains(token));
    assert_eq!(me.header("cache-control"), "no-store");

    let out = shop.send(with(TestRequest::delete().uri("/api/auth"), token)).await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let gone = shop.get("/api/users/me", token).await;
    assert_eq!((gone.status.as_u16(), gone.code()), (401, "login_required"));
    assert!(gone.header("set-cookie").contains("Max-Age=0"));
}

#[actix_web::test]
async fn wrong_passwords_and_unknown_addresses_are_answered_alike_and_then_not_at_all() {
    let shop = shop(|_| {}).await;
    let wrong = |email: &str| json!({"email": email, "password": "wrong"});
    let known = shop.post("/api/auth", "", wrong("kim@example.com")).await;
    let unknown = shop.post("/api/auth", "", wrong("nobody")).await;
    assert_eq!((known.status.as_u16(), &known.body), (401, &unknown.body));
    for _ in 0..9 {
        assert_eq!(shop.post("/api/auth", "", wrong("kim@example.com")).await.code(), "bad_credentials");
    }
    let locked = shop.post("/api/auth", "", json!({"email": "kim@example.com", "password": PASSWORD})).await;
    assert_eq!((locked.status.as_u16(), locked.code()), (429, "too_many_attempts"));
    assert!((290..=300).contains(&locked.header("retry-after").parse::<u32>().unwrap()));
    let missing = shop.post("/api/auth", "", json!({})).await;
    assert_eq!(missing.body["errors"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn a_cookie_writes_only_from_this_site_and_a_header_goes_first() {
    let shop = shop(|settings| settings.allowed_origin = vec!["https://blog.example".into()]).await;
    let token = shop.log_in("kim").await;
    let put = |origin: Option<&str>| {
        let request = cookie(TestRequest::patch().uri("/api/users/me"), &token)
            .insert_header(("host", "shop.example"))
            .set_json(json!({"hidePurchases": true}));
        match origin {
            Some(origin) => request.insert_header(("origin", origin)),
            None => request,
        }
    };
    for (origin, status) in [
        (Some("http://shop.example"), 200),
        (Some("https://blog.example"), 200),
        (Some("https://evil.example"), 403),
        (Some("null"), 403),
        (None, 403),
    ] {
        let answer = shop.send(put(origin)).await;
        assert_eq!(answer.status, status, "{origin:?} {}", answer.body);
    }
    let refused = shop.send(put(Some("https://evil.example"))).await;
    assert_eq!(refused.code(), "origin_forbidden");
    let cors =
        shop.send(TestRequest::get().uri("/nowhere").insert_header(("origin", "https://blog.example"))).await;
    assert_eq!(cors.status, 404);
    assert_eq!(cors.header("access-control-allow-origin"), "https://blog.example");

    assert_eq!(shop.send(cookie(TestRequest::get().uri("/api/users/me"), &token)).await.status, 200);
    let null = cookie(TestRequest::get().uri("/api/users/me"), &token)
        .insert_header(("authorization", "Bearer null"));
    let null = shop.send(null).await;
    assert_eq!(null.status, 401);
    assert!(null.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(shop.get("/api/goods", "null").await.status, 200);
}

#[actix_web::test]
async fn who_asks_is_settled_before_what_is_asked() {
    let shop = shop(|_| {}).await;
    for (request, path) in [
        (TestRequest::post(), "/api/orders"),
        (TestRequest::put(), "/api/goods/x/cart"),
        (TestRequest::post(), "/api/goods/x/cart"),
        (TestRequest::patch(), "/api/goods/x"),
        (TestRequest::get(), "/api/orders/x"),
        (TestRequest::get(), "/api/orders?limit=x"),
        (TestRequest::post(), "/api/orders/x/cancel"),
        (TestRequest::get(), "/api/notifications?after=x"),
        (TestRequest::patch(), "/api/users/me"),
    ] {
        let request = request.uri(path).insert_header(("content-type", "text/plain")).set_payload("x");
        let answer = shop.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (401, "login_required"), "{path}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    let kim = shop.log_in("kim").await;
    assert_eq!(shop.post("/api/goods", &kim, json!({})).await.code(), "forbidden");
    assert_eq!(shop.get("/api/orders/x", &kim).await.status, 404);
    assert_eq!(shop.get("/api/orders?limit=101", &kim).await.code(), "validation");
    assert_eq!(shop.get("/api/orders?cursor=x", &kim).await.status, 400);
}

#[actix_web::test]
async fn a_new_password_needs_the_old_one_and_ends_other_logins() {
    let shop = shop(|_| {}).await;
    let (one, other) = (shop.log_in("kim").await, shop.log_in("kim").await);
    let change = |body: Value| with(TestRequest::patch().uri("/api/users/me"), &one).set_json(body);
    let wrong = json!({"password": "new password", "currentPassword": "nonsense"});
    let refused = shop.send(change(wrong)).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (401, "bad_credentials"));
    assert_eq!(refused.header("set-cookie"), "");
    let right = json!({"password": "new password", "currentPassword": PASSWORD});
    let taken = json!({"nickname": "BOSS", "password": "new password", "currentPassword": PASSWORD});
    assert_eq!(shop.send(change(taken)).await.code(), "nickname_taken");
    assert_eq!(shop.get("/api/users/me", &one).await.status, 200);
    let changed = shop.send(change(right)).await;
    assert_eq!(changed.status, 200);
    let token = changed.body["token"].as_str().unwrap();
    assert!(changed.header("set-cookie").contains(token));
    assert_eq!(shop.get("/api/users/me", token).await.status, 200);
    assert_eq!(shop.get("/api/users/me", &one).await.status, 401);
    assert_eq!(shop.get("/api/users/me", &other).await.status, 401);
}
