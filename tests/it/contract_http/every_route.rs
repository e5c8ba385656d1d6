//! What holds for every route.

use serde_json::json;

use super::{account, goods, shop};
use crate::support::{As, TestApp, Ws};

/// Method, path and body of the rows that need a member, then of those that need an administrator.
const PRIVATE: &[(&str, &str)] = &[
    ("DELETE", "/api/auth"),
    ("GET", "/api/users/me"),
    ("PATCH", "/api/users/me"),
    ("DELETE", "/api/users/me"),
    ("GET", "/api/users/me/export"),
    ("DELETE", "/api/users/me/sessions"),
    ("GET", "/api/goods/cart"),
    ("PUT", "/api/goods/1/cart"),
    ("POST", "/api/goods/1/cart"),
    ("DELETE", "/api/goods/1/cart"),
    ("POST", "/api/orders"),
    ("GET", "/api/orders"),
    ("GET", "/api/orders/1"),
    ("POST", "/api/orders/1/cancel"),
    ("GET", "/api/notifications"),
    ("POST", "/api/goods"),
    ("PATCH", "/api/goods/1"),
    ("DELETE", "/api/goods/1"),
    ("POST", "/api/goods/1/stock"),
    ("GET", "/api/goods/1/stock"),
    ("GET", "/api/admin/goods"),
    ("GET", "/api/admin/audit"),
    ("GET", "/api/admin/alerts"),
    ("PATCH", "/api/admin/alerts"),
    ("GET", "/api/admin/orders"),
    ("GET", "/api/admin/orders/1"),
    ("POST", "/api/admin/orders/1/cancel"),
    ("GET", "/api/admin/users"),
    ("GET", "/api/admin/users/1"),
    ("PATCH", "/api/admin/users/1"),
    ("DELETE", "/api/admin/users/1/sessions"),
    ("GET", "/api/admin/listen-keys"),
    ("POST", "/api/admin/listen-keys"),
    ("DELETE", "/api/admin/listen-keys/lk_00000000000000000000000000000000"),
    ("POST", "/api/admin/media"),
    ("POST", "/api/goods/import"),
    ("GET", "/api/admin/endpoints"),
    ("POST", "/api/admin/endpoints"),
    ("GET", "/api/admin/endpoints/1"),
    ("PATCH", "/api/admin/endpoints/1"),
    ("DELETE", "/api/admin/endpoints/1"),
    ("POST", "/api/admin/endpoints/1/rotate"),
    ("POST", "/api/admin/endpoints/1/replay"),
    ("POST", "/api/admin/endpoints/1/test"),
    ("GET", "/api/admin/endpoints/1/deliveries"),
    ("GET", "/api/admin/endpoints/1/deliveries/1"),
    ("POST", "/api/admin/endpoints/1/deliveries/1/resend"),
    ("GET", "/api/admin/reports"),
    ("POST", "/api/admin/reports/1/dismiss"),
    ("POST", "/api/admin/reports/1/mute"),
];

#[tokio::test]
async fn private_routes_want_a_log_in_whatever_is_sent() {
    let (app, admin, _) = shop().await;
    app.goods(&admin, "Water", 6.2, None).await;
    for (method, path) in PRIVATE {
        app.request(method, path).send().await.refused(401, "login_required");
        app.request(method, path).token("null").send().await.refused(401, "login_required");
        if !matches!(*method, "GET" | "DELETE") {
            // Who may not come in learns nothing of what a good body would be.
            app.request(method, path)
                .json(&json!({"quantity": "x"}))
                .send()
                .await
                .refused(401, "login_required");
        }
    }
}

#[tokio::test]
async fn only_an_administrator_changes_the_catalogue() {
    let (app, admin, kim) = shop().await;
    app.goods(&admin, "Water", 6.2, None).await;
    app.post("/api/goods").by(&kim).json(&goods("Tea")).send().await.refused(403, "forbidden");
    app.patch("/api/goods/1").by(&kim).json(&json!({"price": 1})).send().await.refused(403, "forbidden");
    app.delete("/api/goods/1").by(&kim).send().await.refused(403, "forbidden");
    let change = app.post("/api/goods/1/stock").by(&kim).json(&json!({"change": 1}));
    change.send().await.refused(403, "forbidden");
    app.patch("/api/goods/99").by(&kim).json(&json!({"price": 1})).send().await.refused(403, "forbidden");
}

/// Method and path of the rows with a body.
const WITH_BODY: &[(&str, &str)] = &[
    ("POST", "/api/users"),
    ("POST", "/api/auth"),
    ("POST", "/api/auth/reset"),
    ("POST", "/api/auth/reset/confirm"),
    ("PATCH", "/api/users/me"),
    ("POST", "/api/goods"),
    ("PATCH", "/api/goods/1"),
    ("POST", "/api/goods/1/stock"),
    ("PUT", "/api/goods/1/cart"),
    ("POST", "/api/goods/1/cart"),
    ("POST", "/api/orders"),
    ("PATCH", "/api/admin/users/1"),
];

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let (app, admin, _) = shop().await;
    app.goods(&admin, "Water", 6.2, None).await;
    for (method, path) in WITH_BODY {
        let call = || app.request(method, path).by(&admin);
        for bad in ["{", "{\"a\":1,}", "{'a':1}", "", "nul", "{\"a\":\"\\ud800\"}", "{\"a\":1}{\"b\":2}"] {
            let answer = call().body("application/json", bad).send().await.expect(400);
            let code = answer.json["code"].as_str().unwrap();
            assert!(["malformed_body", "validation"].contains(&code), "{method} {path} {bad}: {code}");
        }
        call()
            .body("application/json", vec![b'{', b'"', 0xff, b'"', b'}'])
            .send()
            .await
            .refused(400, "malformed_body");
        for bad in ["[]", "4", "\"text\"", "null"] {
            call().body("application/json", bad).send().await.expect(400);
        }
        for media_type in [
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "*/*",
            "x",
        ] {
            call().body(media_type, "{}").send().await.refused(415, "unsupported_media_type");
        }
        for media_type in ["application/json", "application/x-www-form-urlencoded"] {
            let large = format!("{{\"name\":\"{}\"}}", "x".repeat(65_536));
            call().body(media_type, large).send().await.refused(413, "body_too_large");
        }
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_setting_says() {
    let app = TestApp::spawn_with(|serve| serve.max_body = Some(200)).await;
    let body = account("kim").to_string();
    let fits = format!("{body}{}", " ".repeat(200 - body.len()));
    app.post("/api/users").body("application/json", fits.clone()).send().await.expect(201);
    app.post("/api/users").body("application/json", fits + " ").send().await.refused(413, "body_too_large");
}

#[tokio::test]
async fn json_by_another_name_is_json() {
    let app = TestApp::spawn().await;
    app.post("/api/users")
        .body("Application/JSON; charset=utf-8", account("kim").to_string())
        .send()
        .await
        .expect(201);
}

#[tokio::test]
async fn head_works_wherever_get_does() {
    let (app, admin, kim) = shop().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    app.order(&kim, water, 1).await;
    for path in [
        "/",
        "/index.html",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/goods",
        "/api/goods/1",
        "/api/shop",
        "/api/categories",
        "/api/goods/cart",
        "/api/users/me",
        "/api/orders",
        "/api/orders/1",
        "/api/notifications",
        "/api/goods/99",
        "/api/nothing",
        "/nothing",
    ] {
        let get = app.get(path).by(&kim).send().await;
        let head = app.request("HEAD", path).by(&kim).send().await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn another_method_is_told_which_ones_there_are() {
    let app = TestApp::spawn().await;
    for (path, wrong, allowed) in [
        ("/api/users", "GET", vec!["POST"]),
        ("/api/users", "DELETE", vec!["POST"]),
        ("/api/auth", "PUT", vec!["POST", "DELETE"]),
        ("/api/users/me", "POST", vec!["GET", "HEAD", "PATCH", "DELETE"]),
        ("/api/users/me/export", "POST", vec!["GET", "HEAD"]),
        ("/api/users/me/sessions", "GET", vec!["DELETE"]),
        ("/api/goods", "DELETE", vec!["GET", "HEAD", "POST"]),
        ("/api/goods/1", "PUT", vec!["GET", "HEAD", "PATCH", "DELETE"]),
        ("/api/goods/cart", "POST", vec!["GET", "HEAD"]),
        ("/api/goods/1/stock", "PUT", vec!["GET", "HEAD", "POST"]),
        ("/api/shop", "POST", vec!["GET", "HEAD"]),
        ("/api/categories", "DELETE", vec!["GET", "HEAD"]),
        ("/api/goods/1/cart", "PATCH", vec!["PUT", "POST", "DELETE"]),
        ("/api/orders", "DELETE", vec!["GET", "HEAD", "POST"]),
        ("/api/orders/1", "PUT", vec!["GET", "HEAD"]),
        ("/api/orders/1/cancel", "GET", vec!["POST"]),
        ("/api/notifications", "POST", vec!["GET", "HEAD"]),
        ("/api/admin/listen-keys", "PUT", vec!["GET", "HEAD", "POST"]),
        ("/healthz", "POST", vec!["GET", "HEAD"]),
        ("/readyz", "DELETE", vec!["GET", "HEAD"]),
        ("/metrics", "POST", vec!["GET", "HEAD"]),
    ] {
        let answer = app.request(wrong, path).send().await.refused(405, "method_not_allowed");
        let allow: Vec<_> = answer.header("allow").split(", ").collect();
        for method in allowed {
            assert!(allow.contains(&method), "{wrong} {path}: Allow: {allow:?} lacks {method}");
        }
    }
    for method in ["TRACE", "BREW", "PROPFIND"] {
        assert!(app.request(method, "/api/goods").send().await.status.is_client_error(), "{method}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::spawn().await;
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/goods/1/nothing",
        "/api/users/2",
        "/nothing.html",
        "/js/nothing.js",
        "/API/goods",
    ] {
        app.get(path).send().await.refused(404, "not_found");
    }
    app.post("/api/nothing").json(&json!({})).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn errors_speak_the_language_of_the_reader() {
    let app = TestApp::spawn().await;
    let is_korean = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
    for (language, korean) in [
        ("ko", true),
        ("ko-KR,ko;q=0.9,en-US;q=0.8", true),
        ("en;q=0.5, ko;q=0.9", true),
        ("KO", true),
        ("en", false),
        ("en-GB,en;q=0.9,ko;q=0.8", false),
        ("ko;q=0, en", false),
    ] {
        let unknown = app.get("/api/nothing").header("Accept-Language", language).send().await.expect(404);
        let private = app.get("/api/orders").header("Accept-Language", language).send().await.expect(401);
        let call = app.post("/api/users").header("Accept-Language", language).json(&json!({}));
        let invalid = call.send().await.expect(400);
        for answer in [unknown, private, invalid] {
            let sentence = answer.json["errorMessage"].as_str().unwrap();
            assert_eq!(is_korean(sentence), korean, "{language}: {sentence}");
        }
    }
    for odd in ["", "*", "xx", ";;;q=,", "ko;q=x"] {
        app.get("/api/nothing").header("Accept-Language", odd).send().await.expect(404);
    }
}

#[tokio::test]
async fn an_allowed_origin_reads_answers_and_errors_alike() {
    let origin = "https://shop.example";
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec![origin.to_owned()])).await;
    for path in ["/api/goods", "/api/nothing", "/api/orders", "/api/goods/99"] {
        let answer = app.get(path).header("Origin", origin).send().await;
        assert_eq!(answer.header("access-control-allow-origin"), origin, "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "true", "{path}");
        let vary: Vec<_> =
            answer.headers.get_all("vary").iter().map(|v| v.to_str().unwrap().to_lowercase()).collect();
        assert!(vary.join(", ").contains("origin"), "{path}: {vary:?}");
        let exposed = answer.header("access-control-expose-headers").to_lowercase();
        for name in ["etag", "location", "retry-after", "idempotent-replayed"] {
            assert!(exposed.contains(name), "{path}: {name} is not exposed in {exposed:?}");
        }
        let answer = app.get(path).header("Origin", "https://evil.example").send().await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    let large = "x".repeat(70_000);
    for call in [
        app.request("PUT", "/api/goods").header("Origin", origin),
        app.post("/api/users").header("Origin", origin).body("application/json", "{"),
        app.post("/api/users").header("Origin", origin).body("application/json", large),
        app.post("/api/users").header("Origin", origin).body("text/plain", "x"),
    ] {
        let answer = call.send().await;
        assert!(answer.status.is_client_error());
        assert_eq!(answer.header("access-control-allow-origin"), origin, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_browser_may_ask_before_it_calls() {
    let origin = "https://shop.example";
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec![origin.to_owned()])).await;
    let ask = |from: &str, path: &str| {
        app.request("OPTIONS", path)
            .header("Origin", from)
            .header("Access-Control-Request-Method", "PATCH")
            .header("Access-Control-Request-Headers", "authorization,content-type,idempotency-key,if-match")
            .send()
    };
    for path in ["/api/users/me", "/api/goods/1/cart", "/api/orders"] {
        let answer = ask(origin, path).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert!(answer.header("access-control-allow-methods").contains("PATCH"), "{:?}", answer.headers);
        let headers = answer.header("access-control-allow-headers").to_lowercase();
        for name in ["authorization", "content-type", "idempotency-key", "if-match"] {
            assert!(headers.contains(name), "{name} is not allowed: {headers:?}");
        }
    }
    assert_eq!(ask("https://evil.example", "/api/orders").await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn all_origins_may_read_but_without_credentials() {
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec!["*".to_owned()])).await;
    let answer = app.get("/api/goods").header("Origin", "https://any.example").send().await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn pages_have_aliases_and_a_strict_policy() {
    let app = TestApp::spawn().await;
    for path in [
        "/",
        "/index.html",
        "/index",
        "/register.html",
        "/register",
        "/goods.html",
        "/detail.html?goodsId=4",
        "/cart",
        "/order",
    ] {
        let answer = app.get(path).send().await.expect(200);
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src") && !policy.contains("unsafe-inline"), "{path}: {policy:?}");
    }
    // The route of the API wins over the page of the same name.
    assert!(app.get("/goods").send().await.expect(200).header("content-type").starts_with("text/html"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<script>inline()</script>").unwrap();
    let assets = folder.path().to_owned();
    let app = TestApp::spawn_with(|serve| serve.assets = Some(assets)).await;
    let answer = app.get("/").send().await.expect(200);
    assert!(answer.text.contains("inline()"));
    assert_eq!(answer.header("content-security-policy"), "", "foreign pages come without a policy");
    app.get("/register.html").send().await.refused(404, "not_found");
    let assets = folder.path().to_owned();
    let app = TestApp::spawn_with(|serve| {
        serve.assets = Some(assets);
        serve.content_security_policy = Some("default-src 'self'".to_owned());
    })
    .await;
    assert_eq!(app.get("/").send().await.header("content-security-policy"), "default-src 'self'");
}

#[tokio::test]
async fn browsers_get_pages_packed_and_each_form_has_a_tag_of_its_own() {
    let app = TestApp::spawn().await;
    for path in ["/", "/css/tokens.css", "/js/dom.js", "/widget/element.js", "/favicon.svg"] {
        let plain = app.get(path).send().await.expect(200);
        assert_eq!(
            (plain.header("content-encoding"), plain.header("vary")),
            ("", "Accept-Encoding"),
            "{path}"
        );
        let browser = || app.get(path).header("Accept-Encoding", "gzip, deflate, br");
        let packed = browser().send().await.expect(200);
        assert_eq!((packed.header("content-encoding"), packed.header("vary")), ("gzip", "Accept-Encoding"));
        assert_eq!(packed.header("content-type"), plain.header("content-type"), "{path}");
        assert_ne!(packed.header("etag"), plain.header("etag"), "{path}");
        let known = browser().header("If-None-Match", packed.header("etag")).send().await.expect(304);
        assert_eq!((known.header("content-encoding"), known.text.as_str()), ("", ""), "{path}");
        browser().header("If-None-Match", plain.header("etag")).send().await.expect(200);
    }
    // What is packed already, and what differs from one caller to the next, stays as it is.
    for path in ["/favicon.ico", "/api/goods"] {
        let answer = app.get(path).header("Accept-Encoding", "gzip").send().await.expect(200);
        assert_eq!(answer.header("content-encoding"), "", "{path}");
    }
}

#[tokio::test]
async fn an_operator_sees_that_it_lives_and_what_it_does() {
    let app = TestApp::spawn().await;
    app.get("/healthz").send().await.expect(200);
    app.get("/readyz").send().await.expect(200);
    let _session = Ws::open(&app, As::Guest).await;
    let metrics = app.get("/metrics").send().await.expect(200);
    assert!(metrics.header("content-type").starts_with("text/plain"), "{}", metrics.header("content-type"));
    for line in ["# TYPE shopbell_sessions gauge", "\nshopbell_sessions{transport=\"websocket\"} "] {
        assert!(metrics.text.contains(line), "{line:?} is not in {}", metrics.text);
    }
}
