//! The routes against a real store, without sockets: what each row of the contract's §2 answers.

use actix_http::Request;
use actix_web::{
    App, Error,
    body::{BoxBody, to_bytes},
    dev::{Service, ServiceResponse},
    http::StatusCode,
    test::{self, TestRequest},
};
use serde_json::{Value, json};

use super::app;
use crate::{
    clock,
    config::Settings,
    domain::{Email, Nickname, Password, Role},
    service::accounts::Registration,
    state::AppState,
    store::SqliteStore,
    web::client::tests::settings,
};

const PASSWORD: &str = "correct horse";

/// A shop of its own, reached through the whole application.
struct Shop<S> {
    service: S,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: actix_web::http::header::HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

async fn shop(
    change: impl FnOnce(&mut Settings),
) -> Shop<impl Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>> {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    change(&mut settings);
    let url = format!("sqlite://{}", folder.path().join("shop.db").display());
    let store = SqliteStore::open(&url, settings.currency).await.unwrap();
    let state = AppState::open(settings, std::sync::Arc::new(store)).await.unwrap();
    for (nickname, role) in [("kim", Role::Member), ("boss", Role::Admin)] {
        let wanted = Registration {
            email: Email::parse(&format!("{nickname}@example.com")).unwrap(),
            nickname: Nickname::parse(nickname).unwrap(),
            password: Password::parse(PASSWORD).unwrap(),
        };
        state.accounts.register(wanted, role, clock::now()).await.unwrap();
    }
    let app: App<_> = app(state, |cfg| {
        cfg.route("/panic", actix_web::web::get().to(|| async { panics() }));
    });
    Shop { service: test::init_service(app).await, _folder: folder }
}

fn panics() -> &'static str {
    panic!("on purpose")
}

impl<S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>> Shop<S> {
    async fn send(&self, request: TestRequest) -> Answer {
        let peer = "127.0.0.1:5000".parse().unwrap();
        let response = match self.service.call(request.peer_addr(peer).to_request()).await {
            Ok(response) => response.into_parts().1,
            Err(error) => error.error_response(),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body()).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(with(TestRequest::get().uri(path), token)).await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(with(TestRequest::post().uri(path), token).set_json(body)).await
    }

    async fn log_in(&self, nickname: &str) -> String {
        let body = json!({"email": format!("{nickname}@example.com"), "password": PASSWORD});
        let answer = self.post("/api/auth", "", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["token"].as_str().unwrap().to_owned()
    }

    async fn sell(&self, boss: &str, name: &str, stock: Option<i64>) -> i64 {
        let body = json!({"name": name, "thumbnailUrl": "/a.svg", "category": "drink", "price": 6.2, "stock": stock});
        let answer = self.post("/api/goods", boss, body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["goods"]["goodsId"].as_i64().unwrap()
    }
}

fn with(request: TestRequest, token: &str) -> TestRequest {
    if token.is_empty() {
        return request;
    }
    request.insert_header(("authorization", format!("Bearer {token}")))
}

fn cookie(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("cookie", format!("shopbell_token={token}")))
}

#[actix_web::test]
async fn a_shopper_registers_logs_in_and_out() {
    let shop = shop(|_| {}).await;
    let form = "nickname=lee&email=lee%40example.com&password=12345678&confirmPassword=12345678";
    let register = || {
        TestRequest::post()
            .uri("/api/users")
            .insert_header(("content-type", "application/x-www-form-urlencoded; charset=UTF-8"))
            .set_payload(form)
    };
    assert_eq!(shop.send(register()).await.status, 201);
    let again = shop.send(register().insert_header(("accept-language", "ko-KR,ko;q=0.9"))).await;
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
    let shop = shop(|settings| settings.allowed_origins = vec!["https://blog.example".into()]).await;
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
async fn the_catalogue_is_listed_in_pages_and_kept_by_caches() {
    let shop = shop(|_| {}).await;
    let boss = shop.log_in("boss").await;
    for name in ["a", "b", "c"] {
        shop.sell(&boss, name, None).await;
    }
    let all = shop.get("/api/goods", "").await;
    assert_eq!(all.body["goods"][0]["name"], "c");
    assert_eq!(all.body["goods"][0]["price"], 6.2);
    assert!(all.body.get("nextCursor").is_none());
    let tag = all.header("etag").to_owned();
    let known = TestRequest::get().uri("/api/goods").insert_header(("if-none-match", tag));
    assert_eq!(shop.send(known).await.status, 304);

    let page = shop.get("/api/goods?limit=2", "").await;
    let next = page.body["nextCursor"].as_i64().unwrap();
    let rest = shop.get(&format!("/api/goods?limit=2&cursor={next}"), "").await;
    assert_eq!(rest.body["goods"].as_array().unwrap().len(), 1);
    assert!(rest.body.get("nextCursor").is_none());
    assert_eq!(shop.get("/api/goods?category=none", "").await.body["goods"], json!([]));
    for bad in ["limit=0", "limit=1001", "cursor=x", "cursor=-1"] {
        assert_eq!(shop.get(&format!("/api/goods?{bad}"), "").await.code(), "validation", "{bad}");
    }
    assert_eq!(shop.get("/api/goods/99", "").await.status, 404);
    assert_eq!(shop.get("/api/goods/abc", "").await.status, 404);
    assert_eq!(
        shop.send(TestRequest::default().method(actix_web::http::Method::HEAD).uri("/api/goods"))
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn an_administrator_keeps_the_catalogue() {
    let shop = shop(|_| {}).await;
    let boss = shop.log_in("boss").await;
    let body = json!({"name": "water", "thumbnailUrl": "/a.svg", "category": "drink", "price": "6.2", "goodsId": 40});
    let made = shop.post("/api/goods", &boss, body.clone()).await;
    assert_eq!((made.status.as_u16(), made.header("location")), (201, "/api/goods/40"));
    assert_eq!(shop.post("/api/goods", &boss, body).await.code(), "goods_exists");
    let bad = json!({"name": "<b>", "thumbnailUrl": "x", "category": "", "price": 6.205});
    let bad = shop.post("/api/goods", &boss, bad).await;
    assert_eq!(bad.body["errors"].as_array().unwrap().len(), 4, "{}", bad.body);

    let patch = |body: Value| with(TestRequest::patch().uri("/api/goods/40"), &boss).set_json(body);
    assert_eq!(shop.send(patch(json!({"stock": 3}))).await.body["goods"]["stock"], 3);
    assert_eq!(shop.send(patch(json!({"price": 7}))).await.body["goods"]["stock"], 3);
    assert_eq!(shop.send(patch(json!({"stock": null}))).await.body["goods"]["stock"], Value::Null);
    let delete = || with(TestRequest::delete().uri("/api/goods/40"), &boss);
    assert_eq!(shop.send(delete()).await.status, 204);
    assert_eq!(shop.send(delete()).await.code(), "not_found");
}

#[actix_web::test]
async fn a_cart_is_filled_and_ordered_once() {
    let shop = shop(|_| {}).await;
    let (boss, kim) = (shop.log_in("boss").await, shop.log_in("kim").await);
    let water = shop.sell(&boss, "Sparkling water", Some(3)).await;
    let cart = format!("/api/goods/{water}/cart");
    let add = |n: i64| json!({"quantity": n});
    assert_eq!(shop.post(&cart, &kim, add(2)).await.status, 201);
    assert_eq!(shop.post(&cart, &kim, add(2)).await.code(), "already_in_cart");
    assert_eq!(shop.send(with(TestRequest::put().uri(&cart), &kim).set_json(add(3))).await.body, json!({}));
    assert_eq!(shop.post(&cart, &kim, add(1000)).await.code(), "validation");
    assert_eq!(shop.get("/api/goods/cart", &kim).await.body["cart"][0]["quantity"], 3);

    let order = |key: &str, body: Value| {
        with(TestRequest::post().uri("/api/orders"), &kim)
            .insert_header(("idempotency-key", key))
            .set_json(body)
    };
    let first = shop.send(order("a-1", json!({"fromCart": true}))).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.body["order"]["total"], 18.6);
    let again = shop.send(order("a-1", json!({"fromCart": true}))).await;
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(again.body, first.body);
    assert_eq!(
        shop.send(order("a-2", json!({"fromCart": true}))).await.body["errors"][0]["code"],
        "cart_empty"
    );
    let items = json!({"items": [{"goodsId": water, "quantity": 1}]});
    assert_eq!(shop.send(order("a-1", items.clone())).await.code(), "idempotency_key_reused");
    let out = shop.send(order("a-3", items)).await;
    assert_eq!(out.code(), "out_of_stock");
    assert!(out.body["detail"].as_str().unwrap().contains("Sparkling water"));
    let unknown = json!({"items": [{"goodsId": 999, "quantity": 1}]});
    assert_eq!(shop.send(order("a-4", unknown)).await.code(), "not_found");

    let id = first.body["order"]["orderId"].as_i64().unwrap();
    assert_eq!(shop.get(&format!("/api/orders/{id}"), &boss).await.status, 404);
    assert_eq!(shop.get("/api/orders", &kim).await.body["orders"][0]["orderId"], id);
    let cancel = format!("/api/orders/{id}/cancel");
    let canceled = shop.send(with(TestRequest::post().uri(&cancel), &boss)).await;
    assert_eq!(canceled.body["order"]["status"], "canceled");
    assert_eq!(shop.send(with(TestRequest::post().uri(&cancel), &kim)).await.code(), "already_canceled");

    let log = shop.get("/api/notifications?after=0", &kim).await;
    assert_eq!(log.body["latest"], 2);
    assert_eq!(log.body["notifications"][0]["event"], "BUY_GOODS");
    assert_eq!(log.body["notifications"][1]["data"]["canceled"], 1);
    let newest = shop.get("/api/notifications?limit=1", &kim).await;
    assert_eq!(newest.body["notifications"][0]["id"], 2);
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
    assert_eq!(shop.send(change(right)).await.status, 200);
    assert_eq!(shop.get("/api/users/me", &one).await.status, 200);
    assert_eq!(shop.get("/api/users/me", &other).await.status, 401);
    assert_eq!(shop.send(change(json!({"nickname": "BOSS"}))).await.code(), "nickname_taken");
}

#[actix_web::test]
async fn every_refusal_is_a_problem_whatever_layer_it_comes_from() {
    let shop = shop(|settings| settings.max_body = 100).await;
    let delete = shop.send(TestRequest::delete().uri("/api/users")).await;
    assert_eq!((delete.code(), delete.header("allow")), ("method_not_allowed", "POST"));
    let put = shop.send(TestRequest::put().uri("/api/goods")).await;
    assert_eq!(put.header("allow"), "GET, HEAD, POST");
    assert_eq!(shop.get("/api/nothing", "").await.code(), "not_found");
    assert_eq!(shop.get("/nothing", "").await.code(), "not_found");
    let large = shop.post("/api/auth", "", json!({"email": "x".repeat(200)})).await;
    assert_eq!((large.status.as_u16(), large.code()), (413, "body_too_large"));
    let panic = shop.get("/panic", "").await;
    assert_eq!((panic.status.as_u16(), panic.code()), (500, "internal_error"));
    for answer in [delete, put, large, panic] {
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "strict-origin-when-cross-origin");
        assert_eq!(answer.header("x-request-id").len(), 16);
        assert!(answer.body["errorMessage"].is_string() && answer.body["title"].is_string());
    }
}

#[actix_web::test]
async fn machines_learn_whether_it_lives_and_serves() {
    let shop = shop(|_| {}).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(shop.get(path, "").await.status, 200, "{path}");
    }
}

#[actix_web::test]
async fn a_folder_is_served_without_leaving_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("index.html", "home"), ("goods.html", "goods"), ("404.html", "lost"), ("a.js", "1")]
    {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let path = folder.path().to_owned();
    let shop = shop(|settings| settings.assets = Some(path)).await;
    for (path, status) in [
        ("/", 200),
        ("/index.html", 200),
        ("/goods", 200),
        ("/a.js", 200),
        ("/goods/", 404),
        ("/..%2f..%2fetc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
    ] {
        let answer = shop.get(path, "").await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-security-policy"), "");
    }
    assert_eq!(shop.get("/goods", "").await.header("content-type"), "text/html; charset=utf-8");
    let lost = TestRequest::get().uri("/lost").insert_header(("sec-fetch-dest", "document"));
    let lost = shop.send(lost).await;
    assert_eq!((lost.status.as_u16(), lost.header("content-type")), (404, "text/html; charset=utf-8"));
    assert_eq!(shop.send(TestRequest::post().uri("/goods")).await.code(), "method_not_allowed");
}
