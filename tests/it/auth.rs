//! Who one is: cookies, headers, tokens real and forged, other sites' pages, guessing, and how log-ins end.

use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, EncodingKey, Header, dangerous::insecure_decode, encode};
use serde_json::{Value, json};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Answer, JWT_SECRET, PASSWORD, Person, TestApp, email_of, eventually, within};

/// The attributes of the only cookie that an answer sets.
#[track_caller]
fn cookie_flags(answer: &Answer) -> Vec<String> {
    let cookies = answer.cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    cookies[0].split(';').skip(1).map(|flag| flag.trim().to_ascii_lowercase()).collect()
}

#[track_caller]
fn clears_the_cookie(answer: &Answer, person: &Person) {
    let name = person.cookie.split('=').next().unwrap();
    assert!(
        answer.cookies().iter().any(|cookie| cookie.starts_with(&format!("{name}=;"))),
        "{:?}",
        answer.cookies()
    );
    assert!(cookie_flags(answer).contains(&"max-age=0".to_owned()), "{:?}", answer.cookies());
}

async fn log_in(app: &TestApp, nickname: &str, password: &str) -> Answer {
    app.post("/api/auth").json(&json!({"email": email_of(nickname), "password": password})).send().await
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let app = TestApp::spawn().await;
    app.member("kim").await;
    let answer = log_in(&app, "kim", PASSWORD).await.expect(200);
    let flags = cookie_flags(&answer);
    for flag in ["httponly", "samesite=lax", "path=/", "max-age=604800"] {
        assert!(flags.contains(&flag.to_owned()), "{flag} is not among {flags:?}");
    }
    assert!(!flags.contains(&"secure".to_owned()), "plain HTTP would lose it");
    let app = TestApp::spawn_with(|serve| serve.public_url = Some("https://shop.example".to_owned())).await;
    app.member("kim").await;
    assert!(cookie_flags(&log_in(&app, "kim", PASSWORD).await).contains(&"secure".to_owned()));
}

#[tokio::test]
async fn a_proxy_is_believed_only_when_it_is_trusted() {
    let over_tls = |app: &TestApp| {
        let body = json!({"email": email_of("kim"), "password": PASSWORD});
        app.post("/api/auth").header("X-Forwarded-Proto", "https").json(&body).send()
    };
    let secure = "secure".to_owned();
    let app = TestApp::spawn().await;
    app.member("kim").await;
    assert!(!cookie_flags(&over_tls(&app).await.expect(200)).contains(&secure));
    let app = TestApp::spawn_with(|serve| serve.trusted_proxy = Some(vec![[127, 0, 0, 1].into()])).await;
    app.member("kim").await;
    assert!(cookie_flags(&over_tls(&app).await.expect(200)).contains(&secure));
}

#[tokio::test]
async fn a_page_that_keeps_its_token_gets_the_cookie_back() {
    let app = TestApp::spawn().await;
    let kim = app.member("kim").await;
    let answer = app.get("/api/users/me").by(&kim).send().await.expect(200);
    assert_eq!(answer.cookies()[0].split(';').next().unwrap(), kim.cookie);
    assert!(cookie_flags(&answer).contains(&"httponly".to_owned()));
}

#[tokio::test]
async fn the_header_alone_decides_when_it_is_there() {
    let app = TestApp::spawn().await;
    let (kim, lee) = (app.member("kim").await, app.member("lee").await);
    let answer = app.get("/api/users/me").header("Cookie", &kim.cookie).send().await.expect(200);
    assert_eq!(answer.json["user"]["nickname"], "kim");
    let answer = app.get("/api/users/me").header("Cookie", &kim.cookie).by(&lee).send().await.expect(200);
    assert_eq!(answer.json["user"]["nickname"], "lee");
    for bad in
        ["Bearer null", "Bearer undefined", "Bearer ", "Bearer", "Basic a2ltOmtpbQ==", "Bearer a.b.c", ""]
    {
        let call = app.get("/api/users/me").header("Cookie", &kim.cookie).header("Authorization", bad);
        let answer = call.send().await.refused(401, "login_required");
        clears_the_cookie(&answer, &kim);
        app.get("/api/goods")
            .header("Cookie", &kim.cookie)
            .header("Authorization", bad)
            .send()
            .await
            .expect(200);
    }
    // Only a browser's cookie went, not the session.
    app.get("/api/users/me").by(&kim).send().await.expect(200);
    let lower = app.get("/api/users/me").header("Authorization", &format!("bearer {}", kim.token));
    lower.send().await.expect(200);
}

#[tokio::test]
async fn forged_tokens_are_nobodys() {
    let app = TestApp::spawn().await;
    let (kim, admin) = (app.member("kim").await, app.admin().await);
    let claims = |person: &Person| insecure_decode::<Value>(&person.token).unwrap().claims;
    let sign = |claims: &Value, algorithm, secret: &str| {
        encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    };
    let me = |token: String| app.get("/api/users/me").token(&token).send();
    let own = claims(&kim);
    let algorithm = insecure_decode::<Value>(&kim.token).unwrap().header.alg;
    assert_eq!(algorithm, Algorithm::HS256);
    me(sign(&own, algorithm, JWT_SECRET)).await.expect(200);

    me(sign(&own, algorithm, "another secret of thirty-two bytes or more"))
        .await
        .refused(401, "login_required");
    me(sign(&own, Algorithm::HS384, JWT_SECRET)).await.refused(401, "login_required");
    let mut expired = own.clone();
    expired["exp"] = json!(chrono::Utc::now().timestamp() - 1);
    me(sign(&expired, algorithm, JWT_SECRET)).await.refused(401, "login_required");
    let mut endless = own.clone();
    endless.as_object_mut().unwrap().remove("exp");
    me(sign(&endless, algorithm, JWT_SECRET)).await.refused(401, "login_required");
    let mut unknown = own.clone();
    unknown["sid"] = json!("0".repeat(32));
    me(sign(&unknown, algorithm, JWT_SECRET)).await.refused(401, "login_required");
    me(sign(&json!({"exp": own["exp"]}), algorithm, JWT_SECRET)).await.refused(401, "login_required");

    let [head, body, signature]: [&str; 3] = kim.token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let admins = admin.token.split('.').nth(1).unwrap();
    for forged in [
        format!("{head}.{admins}.{signature}"),
        // {"alg":"none","typ":"JWT"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}."),
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.{signature}"),
        format!("{head}.{body}."),
        format!("{head}.{body}"),
        format!("{head}.{body}.{signature}x"),
        "x".repeat(6000),
    ] {
        me(forged).await.refused(401, "login_required");
    }
}

#[tokio::test]
async fn a_token_ends_when_it_says() {
    let app = TestApp::spawn_with(|serve| serve.token_ttl = Some("1s".parse().unwrap())).await;
    let kim = app.member("kim").await;
    eventually("the token ends", async || app.get("/api/users/me").by(&kim).send().await.status == 401).await;
}

#[tokio::test]
async fn logging_out_ends_this_session_alone() {
    let app = TestApp::spawn().await;
    let kim = app.member("kim").await;
    let elsewhere = app.log_in("kim").await;
    let answer = app.delete("/api/auth").by(&kim).send().await.expect(204);
    clears_the_cookie(&answer, &kim);
    app.get("/api/users/me").by(&kim).send().await.refused(401, "login_required");
    app.get("/api/users/me").header("Cookie", &kim.cookie).send().await.refused(401, "login_required");
    app.delete("/api/auth").by(&kim).send().await.refused(401, "login_required");
    app.get("/api/users/me").by(&elsewhere).send().await.expect(200);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let app = TestApp::spawn().await;
    let (kim, thief) = (app.member("kim").await, app.log_in("kim").await);
    let change = |body: Value| app.patch("/api/users/me").by(&kim).json(&body).send();
    change(json!({"password": "a better horse"})).await.expect(400);
    let answer = change(json!({"password": "a better horse", "currentPassword": "wrong horse"})).await;
    assert!([400, 401].contains(&answer.status.as_u16()), "{}", answer.text);
    change(json!({"password": "short", "currentPassword": PASSWORD})).await.invalid(&["password"]);
    app.get("/api/users/me").by(&thief).send().await.expect(200);

    let answer = change(json!({"password": "a better horse", "currentPassword": PASSWORD})).await.expect(200);
    app.get("/api/users/me").by(&kim).send().await.refused(401, "login_required");
    let token = answer.json["token"].as_str().expect("a new session takes the place of all");
    assert!(answer.cookies()[0].contains(token) && answer.json["expiresAt"].is_string(), "{}", answer.text);
    let me = app.get("/api/users/me").token(token).send().await.expect(200);
    assert_eq!(me.json["user"], answer.json["user"]);
    app.get("/api/users/me").by(&thief).send().await.refused(401, "login_required");
    log_in(&app, "kim", PASSWORD).await.refused(401, "bad_credentials");
    log_in(&app, "kim", "a better horse").await.expect(200);
}

#[tokio::test]
async fn another_sites_page_cannot_write_with_the_cookie() {
    let friend = "https://friend.example";
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec![friend.to_owned()])).await;
    let (admin, kim) = (app.admin().await, app.member("kim").await);
    app.goods(&admin, "Water", 6.2, None).await;
    let item = json!({"items": [{"goodsId": 1, "quantity": 1}]});
    for (method, path, body) in [
        ("PUT", "/api/goods/1/cart", json!({"quantity": 1})),
        ("POST", "/api/orders", item),
        ("PATCH", "/api/users/me", json!({"hidePurchases": true})),
        ("DELETE", "/api/goods/1/cart", Value::Null),
        ("DELETE", "/api/auth", Value::Null),
    ] {
        let call = |origin: Option<&str>| {
            let call = app.request(method, path).header("Cookie", &kim.cookie).json(&body);
            origin.into_iter().fold(call, |call, origin| call.header("Origin", origin)).send()
        };
        for bad in [
            None,
            Some("https://evil.example"),
            Some("null"),
            Some("http://127.0.0.1"),
            Some("https://friend.example.evil"),
        ] {
            call(bad).await.refused(403, "origin_forbidden");
        }
        if path != "/api/auth" {
            assert!(call(Some(&app.url)).await.status.is_success(), "{method} {path}");
        }
        assert!(call(Some(friend)).await.status.is_success(), "{method} {path}");
    }
    let kim = app.log_in("kim").await;
    // A header is not sent by itself: whoever sends it knows the token.
    let call = app.put("/api/goods/1/cart").by(&kim).header("Origin", "https://evil.example");
    call.json(&json!({"quantity": 1})).send().await.expect(200);
    let read =
        app.get("/api/users/me").header("Cookie", &kim.cookie).header("Origin", "https://evil.example");
    assert_eq!(read.send().await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_form_of_another_site_logs_nobody_in() {
    let friend = "https://friend.example";
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec![friend.to_owned()])).await;
    app.member("kim").await;
    let form = format!("email=kim%40example.com&password={}", PASSWORD.replace(' ', "+"));
    let browser = ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
    let post = |headers: &[(&str, &str)]| {
        let call = app.post("/api/auth").form(&form);
        headers.iter().fold(call, |call, (name, value)| call.header(name, value)).send()
    };
    for bad in [
        &[("Origin", "https://evil.example")][..],
        &[("Origin", "null")],
        &[browser],
        &[browser, ("Sec-Fetch-Site", "cross-site")],
        &[browser, ("Sec-Fetch-Site", "same-site")],
        &[browser, ("Referer", "https://evil.example/page")],
    ] {
        let answer = post(bad).await.refused(403, "origin_forbidden");
        assert!(answer.cookies().is_empty(), "{bad:?}");
    }
    let own = format!("{}/login.html", app.url);
    let good: [&[(&str, &str)]; 6] = [
        &[],
        &[browser, ("Origin", &app.url)],
        &[browser, ("Origin", friend)],
        &[browser, ("Sec-Fetch-Site", "same-origin")],
        &[browser, ("Referer", &own)],
        &[("User-Agent", "curl/8.5.0")],
    ];
    for good in good {
        assert_eq!(post(good).await.expect(200).cookies().len(), 1, "{good:?}");
    }
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec!["*".to_owned()])).await;
    app.member("kim").await;
    let call = app.post("/api/auth").form(&form).header("Origin", "https://any.example");
    assert!(
        call.send().await.expect(200).cookies().is_empty(),
        "a token for who asked, no cookie for who did not"
    );
}

#[tokio::test]
async fn no_cookie_of_others_logs_anyone_out() {
    let app = TestApp::spawn().await;
    let (kim, gone) = (app.member("kim").await, app.log_in("kim").await);
    app.delete("/api/auth").by(&gone).send().await.expect(204);
    for cookies in [
        format!("name=René; {}", kim.cookie),
        format!("{}; x=\u{1F600}; =; noise", kim.cookie),
        format!("shopbell_token=\"{}\"", kim.token),
        format!("shopbell_token=nonsense; {}", kim.cookie),
        format!("{}; {}", gone.cookie, kim.cookie),
        format!("a=\"b; {}", kim.cookie),
    ] {
        let request = format!(
            "GET /api/users/me HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n"
        );
        let answer = raw(&app, &request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{cookies}: {answer}");
    }
    let two = format!(
        "GET /api/users/me HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\nCookie: {}\r\nConnection: close\r\n\r\n",
        kim.cookie
    );
    assert!(raw(&app, &two).await.starts_with("HTTP/1.1 200"));
}

/// Sends bytes and reads to the end.
async fn raw(app: &TestApp, request: &str) -> String {
    let mut socket = tokio::net::TcpStream::connect(app.addr()).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within("an answer", socket.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn where_all_origins_may_call_the_cookie_opens_nothing() {
    let app = TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec!["*".to_owned()])).await;
    let kim = app.member("kim").await;
    let call =
        app.patch("/api/users/me").header("Cookie", &kim.cookie).header("Origin", "https://evil.example");
    call.json(&json!({"hidePurchases": true})).send().await.refused(403, "origin_forbidden");
}

#[tokio::test]
async fn guessing_one_account_ends_after_ten_tries() {
    let app = TestApp::spawn().await;
    app.member("kim").await;
    app.member("lee").await;
    for n in 0..10 {
        let email = if n % 2 == 0 { "KIM@example.com" } else { "kim@example.com" };
        let body = json!({"email": email, "password": format!("wrong horse {n}")});
        app.post("/api/auth").json(&body).send().await.refused(401, "bad_credentials");
    }
    let answer = log_in(&app, "kim", PASSWORD).await.refused(429, "too_many_attempts");
    let seconds: u64 = answer.header("retry-after").parse().expect("Retry-After in seconds");
    assert!((1..=300).contains(&seconds), "{seconds}");
    log_in(&app, "lee", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn guessing_from_one_address_ends_after_fifty_tries() {
    let app = TestApp::spawn().await;
    app.member("kim").await;
    for n in 0..50 {
        let body = json!({"email": format!("nobody{n}@example.com"), "password": PASSWORD});
        // The header is nobody's word for another address: no proxy is trusted.
        let call = app.post("/api/auth").header("X-Forwarded-For", &format!("10.0.0.{n}")).json(&body);
        call.send().await.refused(401, "bad_credentials");
    }
    app.create("lee", shopbell::domain::Role::Member).await;
    log_in(&app, "lee", PASSWORD).await.refused(429, "too_many_attempts");
    // Where an account has logged in before, others lock nobody out.
    log_in(&app, "kim", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn many_guesses_at_once_are_counted_too() {
    let app = TestApp::spawn().await;
    app.member("kim").await;
    let guesses = (0..30).map(|_| log_in(&app, "kim", "wrong horse"));
    let answers = futures_util::future::join_all(guesses).await;
    assert!(answers.iter().filter(|answer| answer.status == 401).count() <= 10);
}

#[tokio::test]
async fn nobody_learns_which_addresses_have_accounts() {
    let app = TestApp::spawn().await;
    let body = json!({
        "nickname": "kim", "email": email_of("kim"), "password": PASSWORD, "confirmPassword": PASSWORD,
    });
    app.post("/api/users").json(&body).send().await.expect(201);
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..4 {
        let mut answers = Vec::new();
        for (who, fastest) in ["kim", "nobody"].into_iter().zip(&mut fastest) {
            let begin = Instant::now();
            answers.push(log_in(&app, who, "wrong horse").await.refused(401, "bad_credentials"));
            *fastest = begin.elapsed().min(*fastest);
        }
        assert_eq!(answers[0].text, answers[1].text);
    }
    let [known, unknown] = fastest;
    assert!(unknown * 3 > known, "an unknown address is answered in {unknown:?}, a known one in {known:?}");
}
