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
async fn metrics_are_for_this_machine_or_at_an_address_of_their_own() {
    for (addr, metrics_addr, status) in [
        ("127.0.0.1:3000", None, 200),
        ("[::1]:3000", None, 200),
        ("0.0.0.0:3000", None, 404),
        ("192.0.2.1:3000", None, 404),
        ("127.0.0.1:3000", Some("127.0.0.1:3001"), 404),
        ("0.0.0.0:3000", Some("127.0.0.1:3001"), 404),
    ] {
        let shop = shop(|settings| {
            settings.addr = addr.parse().unwrap();
            settings.metrics_addr = metrics_addr.map(|addr| addr.parse().unwrap());
        })
        .await;
        assert_eq!(shop.get("/metrics", "").await.status, status, "{addr} {metrics_addr:?}");
        assert_eq!(shop.get("/readyz", "").await.status, 200);
    }
}

#[actix_web::test]
async fn pages_are_framed_by_nobody_or_by_their_own_site() {
    let shop_of_ours = shop(|_| {}).await;
    assert_eq!(shop_of_ours.get("/", "").await.header("x-frame-options"), "DENY");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "home").unwrap();
    let path = folder.path().to_owned();
    let theirs = shop(|settings| {
        settings.assets = Some(path.clone());
        settings.demo = true;
    })
    .await;
    let page = theirs.get("/", "").await;
    assert_eq!(
        (page.header("x-frame-options"), page.header("x-content-type-options")),
        ("SAMEORIGIN", "nosniff")
    );
    let picture = crate::service::demo::pictures()[0].clone();
    assert_eq!(theirs.get(&picture, "").await.status, 200);
    assert_eq!(theirs.get("/login", "").await.status, 404);
    let stated = shop(|settings| {
        settings.assets = Some(path.clone());
        settings.content_security_policy = Some("frame-ancestors https://friend.example".into());
    })
    .await;
    assert_eq!(stated.get("/", "").await.header("x-frame-options"), "");
    assert_eq!(stated.get(&picture, "").await.status, 404);
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
async fn the_widget_is_one_small_file_under_both_of_its_names() {
    let shop = shop(|_| {}).await;
    let plain = shop.get("/toast.js", "").await;
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!((plain.header("access-control-allow-origin"), plain.header("vary")), ("*", "Accept-Encoding"));
    assert_eq!(shop.get("/widget/shopbell-toasts.js", "").await.bytes, plain.bytes);
    let text = String::from_utf8(plain.bytes.to_vec()).unwrap();
    assert!(!text.contains("import{") && !text.contains("import '") && !text.contains("/*"), "{text}");
    for (coding, most) in [("br", 8_192), ("gzip", 9_216)] {
        let asked = || TestRequest::get().uri("/toast.js").insert_header(("accept-encoding", coding));
        let packed = shop.send(asked()).await;
        assert_eq!(packed.header("content-encoding"), coding);
        assert!(packed.bytes.len() <= most, "{coding}: {} bytes", packed.bytes.len());
        assert_ne!(packed.header("etag"), plain.header("etag"));
        let known =
            shop.send(asked().insert_header(("if-none-match", packed.header("etag").to_owned()))).await;
        assert_eq!(known.status, 304);
    }
    let any =
        TestRequest::get().uri("/toast.js").insert_header(("accept-encoding", "gzip, deflate, br, zstd"));
    assert_eq!(shop.send(any).await.header("content-encoding"), "br");
}

#[actix_web::test]
async fn a_folder_without_the_widget_has_the_one_inside_the_program_and_one_with_it_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
    let path = folder.path().to_owned();
    let shop = shop(move |settings| settings.assets = Some(path)).await;
    assert!(shop.get("/toast.js", "").await.bytes.len() > 10_000);
    std::fs::create_dir(folder.path().join("widget")).unwrap();
    let own = folder.path().join("widget/shopbell-toasts.js");
    for text in ["const mine = 1;\nlog(mine);\n", "log(2);\n"] {
        std::fs::write(&own, text).unwrap();
        let expected = if text.contains("mine") { "log(1);" } else { "log(2);" };
        assert_eq!(shop.get("/toast.js", "").await.bytes, expected);
        assert_eq!(
            shop.get("/widget/shopbell-toasts.js", "").await.header("access-control-allow-origin"),
            "*"
        );
    }
    // What cannot be one file is served as it is written.
    std::fs::write(&own, "export default 3;\n").unwrap();
    assert_eq!(shop.get("/widget/shopbell-toasts.js", "").await.bytes, "export default 3;\n");
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
    assert!(granted.header("access-control-allow-headers").contains("idempotency-key"));
    let refused = shop.send(ask("https://evil.example")).await;
    assert_eq!((refused.code(), refused.header("access-control-allow-origin")), ("origin_forbidden", ""));
}
