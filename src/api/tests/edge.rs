//! What every answer has in common: problems, headers, CORS, pages and the machines' addresses.

use actix_web::test::TestRequest;
use serde_json::json;

use super::shop;

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

#[actix_web::test]
async fn the_pages_inside_the_program_have_a_strict_policy_and_aliases() {
    let shop = shop(|_| {}).await;
    for path in
        ["/", "/index.html", "/goods", "/goods.html", "/register", "/detail?goodsId=4", "/cart", "/order"]
    {
        let page = shop.get(path, "").await;
        assert_eq!(
            (page.status.as_u16(), page.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{path}"
        );
        assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
        assert_eq!(page.header("cache-control"), "no-cache");
    }
    let tag = shop.get("/", "").await.header("etag").to_owned();
    let known = shop.send(TestRequest::get().uri("/").insert_header(("if-none-match", tag))).await;
    assert_eq!(known.status, 304);
    let module = shop.get("/widget/shopbell-toasts.js", "").await;
    assert_eq!(module.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(module.header("access-control-allow-origin"), "*");
    assert_eq!(shop.get("/js/api.js", "").await.header("access-control-allow-origin"), "");
    let lost = TestRequest::get().uri("/lost").insert_header(("sec-fetch-dest", "document"));
    let lost = shop.send(lost).await;
    assert_eq!((lost.status.as_u16(), lost.header("content-type")), (404, "text/html; charset=utf-8"));
    assert_ne!(lost.header("content-security-policy"), "");
}

#[actix_web::test]
async fn a_preflight_is_answered_before_any_route() {
    let shop = shop(|settings| settings.allowed_origin = vec!["https://blog.example".into()]).await;
    let ask = |origin: &'static str| {
        TestRequest::default()
            .method(actix_web::http::Method::OPTIONS)
            .uri("/api/orders")
            .insert_header(("origin", origin))
            .insert_header(("access-control-request-method", "POST"))
            .insert_header(("access-control-request-headers", "authorization,idempotency-key"))
    };
    let granted = shop.send(ask("https://blog.example")).await;
    assert_eq!((granted.status.as_u16(), granted.header("access-control-allow-credentials")), (204, "true"));
    assert!(granted.header("access-control-allow-headers").contains("Idempotency-Key"));
    let refused = shop.send(ask("https://evil.example")).await;
    assert_eq!((refused.code(), refused.header("access-control-allow-origin")), ("origin_forbidden", ""));
}
