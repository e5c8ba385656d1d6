//! What pages and programs try with keys that they should not have, or in ways that nobody meant.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use shopbell::{
    config::Audience,
    domain::{ListenKey, ListenKeyId, NicknameDisplay, PageOrigin},
};
use tokio_tungstenite::tungstenite::Message;

use super::{EVIL, POLLING, Polls, THEIRS, of, preflight, shop};
use crate::support::{As, TestApp, Ws, within};

/// What browsers and others say in `Origin` that looks like [`THEIRS`] and is another.
const LOOK_ALIKES: [&str; 17] = [
    "null",
    "",
    "*",
    "http://their.shop",
    "https://their.shop:80",
    "https://their.shop:8443",
    "https://their.shop.",
    "https://www.their.shop",
    "https://shop",
    "https://their.shop.evil.example",
    "https://eviltheir.shop",
    "https://their.shop@evil.example",
    "https://evil.example#https://their.shop",
    "https://their.shop/",
    "https://their.shop, https://evil.example",
    "https://their.shop https://evil.example",
    "their.shop",
];

#[tokio::test]
async fn an_origin_that_looks_alike_is_another() {
    let shop = shop().await;
    let key = shop.key().await;
    let path = format!("/api/notifications?key={key}");
    for origin in LOOK_ALIKES {
        let refused = shop.get(&path, origin).send().await.refused(403, "origin_forbidden");
        assert_eq!(refused.header("access-control-allow-origin"), "", "{origin:?}");
        assert_eq!(shop.listen(&format!("key={key}"), origin).await.err().unwrap().0, 403, "{origin:?}");
        assert_eq!(shop.get(POLLING, origin).send().await.status, 403, "{origin:?}");
        preflight(&shop, &path, origin).await.refused(403, "origin_forbidden");
    }
    // What means the same is the same.
    for origin in ["https://THEIR.shop", "HTTPS://their.shop", "https://their.shop:443", "wss://their.shop"] {
        shop.get(&path, origin).send().await.expect(200);
    }
    let two = shop.get(&path, THEIRS).header("origin", EVIL).send().await;
    two.refused(403, "origin_forbidden");
    let two = shop.get(&path, THEIRS).header("origin", THEIRS).send().await;
    two.refused(403, "origin_forbidden");
}

#[tokio::test]
async fn a_key_has_one_spelling_and_comes_alone() {
    let shop = shop().await;
    let (key, other) = (shop.key().await, shop.key().await);
    let digits = key.strip_prefix("lk_").unwrap();
    let get = async |query: &str| shop.get(&format!("/api/notifications?{query}"), THEIRS).send().await;
    get(&format!("key={}", key.replace("lk_", "%6Ck%5F"))).await.expect(200);
    get(&format!("%6b%65y={key}")).await.expect(200);
    for query in [
        "key=".to_owned(),
        "key".to_owned(),
        "key=null".to_owned(),
        format!("key={digits}"),
        format!("key=LK_{digits}"),
        format!("key={key}0"),
        format!("key=%20{key}"),
        format!("key={key}%00"),
        format!("key={key}%0d%0a"),
        format!("key=lk_{}", "0".repeat(10_000)),
        "key=lk_%EF%BC%91".to_owned(),
        "key=%FF%FE".to_owned(),
        "key='%20or%201=1".to_owned(),
        format!("key={key}&key={key}"),
        format!("key={key}&key={other}"),
        format!("key={EVIL}&key={key}"),
    ] {
        get(&query).await.refused(401, "unknown_listen_key");
        let (status, problem) = shop.listen(&query, THEIRS).await.err().unwrap();
        assert_eq!((status, &problem["code"]), (401, &json!("unknown_listen_key")), "{query}");
    }
    // Another name is another parameter, and no key.
    for query in [format!("Key={key}"), format!("key%5B%5D={key}"), format!("keys={key}")] {
        get(&query).await.refused(401, "login_required");
    }
}

#[tokio::test]
async fn the_key_decides_whatever_else_vouches_for_the_visitor() {
    // Everyone may connect and even hear: the key still says how.
    for audience in [Audience::Members, Audience::Everyone] {
        let shop = of(TestApp::spawn_with(|serve| {
            serve.audience = Some(audience);
            serve.allowed_origin = Some(vec![THEIRS.into()]);
        })
        .await)
        .await;
        let key = shop.key().await;
        shop.buy().await;
        let path = format!("/api/notifications?after=0&key={key}");
        let all = [
            ("cookie", shop.admin.cookie.clone()),
            ("authorization", format!("Bearer {}", shop.admin.token)),
        ];
        for headers in [&all[..1], &all[1..], &all[..]] {
            let call =
                headers.iter().fold(shop.get(&path, THEIRS), |call, (name, value)| call.header(name, value));
            assert_eq!(call.send().await.expect(200).json["notifications"][0]["data"]["nickname"], "k**");
            let mut headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            headers.push(("origin", THEIRS));
            let bearer = format!("shopbell, bearer.{}", shop.admin.token);
            headers.push(("sec-websocket-protocol", &bearer));
            let socket = format!("/ws?after=0&key={key}");
            let mut page = Ws::handshake(&shop.app, &socket, As::Guest, &headers).await.unwrap();
            assert_eq!(page.hello["user"], Value::Null);
            assert_eq!(page.headers["sec-websocket-protocol"], "shopbell");
            assert_eq!(page.expect("BUY_GOODS").await["nickname"], "k**");
            assert_eq!(page.ask("BUY", json!({"goodsId": shop.water})).await["code"], "listen_only");
        }
        // What vouches for the visitor makes no bad key good, and no other origin.
        for (path, status, code) in
            [("/api/notifications?key=lk_0", 401, "unknown_listen_key"), (&path, 403, "origin_forbidden")]
        {
            let origin = if status == 401 { THEIRS } else { &shop.app.url };
            let call = shop.get(path, origin).by(&shop.admin).header("cookie", &shop.admin.cookie);
            call.send().await.refused(status, code);
        }
        // Nor does a bad token take a good key's place.
        let call = shop.get(&path, THEIRS).token("nonsense").header("cookie", "shopbell_token=x");
        call.send().await.expect(200);
    }
}

#[tokio::test]
async fn socketio_takes_nothing_for_a_key_that_is_none() {
    let shop = shop().await;
    let key = shop.key().await;
    for (auth, code) in [
        (json!({}), "origin_forbidden"),
        (json!({"key": null}), "origin_forbidden"),
        (json!({"token": shop.kim.token}), "origin_forbidden"),
        (json!({"key": 5}), "unknown_listen_key"),
        (json!({"key": [key]}), "unknown_listen_key"),
        (json!({"key": {"key": key}}), "unknown_listen_key"),
        (json!({"key": true}), "unknown_listen_key"),
        (json!({"key": ""}), "unknown_listen_key"),
        (json!({"key": "lk_0", "token": shop.kim.token}), "unknown_listen_key"),
    ] {
        let polls = Polls::open(&shop, THEIRS).await;
        let answer = polls.connect(&auth).await;
        assert!(answer.starts_with("44") && answer.contains(code), "{auth}: {answer}");
    }
    for auth in [json!([key]), json!([shop.kim.token, null, null, key]), json!(key), json!(5)] {
        let polls = Polls::open(&shop, THEIRS).await;
        polls.post(&format!("40{auth}")).await;
        let answer = polls.poll().await.text;
        assert!(!answer.starts_with("40"), "{auth}: {answer}");
    }
    for auth in [json!({"key": key, "pid": 5, "offset": []}), json!({"key": key, "token": shop.kim.token})] {
        let polls = Polls::open(&shop, THEIRS).await;
        let answer = polls.connect(&auth).await;
        assert!(answer.starts_with("40"), "{auth}: {answer}");
    }
}

#[tokio::test]
async fn a_session_of_polls_belongs_to_the_page_that_began_it() {
    let shop = of(TestApp::spawn_with(|serve| serve.allowed_origin = Some(vec!["*".into()])).await).await;
    let key = shop.key().await;
    let others = json!({"origins": ["https://other.shop"]});
    shop.key_with(&others).await;
    let polls = Polls::open_any(&shop, THEIRS).await;
    polls.connect(&json!({"key": key})).await;
    for origin in ["https://other.shop", EVIL, "null", "http://their.shop"] {
        assert_eq!(shop.get(&polls.path, origin).send().await.status, 403, "{origin}");
        let post = shop.app.post(&polls.path).header("origin", origin).body("text/plain", "3");
        assert_eq!(post.send().await.status, 403, "{origin}");
        let upgrade = polls.path.replace("polling", "websocket");
        let upgrade = Ws::handshake(&shop.app, &upgrade, As::Guest, &[("origin", origin)]).await;
        assert_eq!(upgrade.err().unwrap().0, 403, "{origin}");
    }
    // A session id alone opens nothing, nor does the visitor's own log-in.
    assert_eq!(shop.app.get(&polls.path).send().await.status, 403);
    assert_eq!(shop.get(&polls.path, &shop.app.url).by(&shop.kim).send().await.status, 403);
    polls.post("3").await.expect(200);
    // Elsewhere a key is worth nothing, also where everyone may connect.
    let answer = Polls::open_any(&shop, EVIL).await.connect(&json!({"key": key})).await;
    assert!(answer.starts_with("44") && answer.contains("origin_forbidden"), "{answer}");
}

#[tokio::test]
async fn a_key_from_another_page_is_refused_on_an_open_connection() {
    let shop = of(TestApp::spawn_with(|serve| {
        serve.allowed_origin = Some(vec!["https://allowed.shop".into()]);
    })
    .await)
    .await;
    let key = shop.key().await;
    let others = shop.key_with(&json!({"origins": ["https://other.shop"]})).await;
    for (origin, key) in [("https://allowed.shop", &key), (&shop.app.url, &key), (THEIRS, &others)] {
        let path = Polls::open_any(&shop, origin).await;
        let answer = path.connect(&json!({"key": key})).await;
        assert!(answer.starts_with("44") && answer.contains("origin_forbidden"), "{origin}: {answer}");
    }
}

#[tokio::test]
async fn a_site_whose_own_origin_a_key_names_stays_what_it_was() {
    let shop = shop().await;
    let key = shop.key_with(&json!({"origins": [shop.app.url]})).await;
    // Its pages poll without an Origin, post with one, and are logged in by their cookie.
    let open = shop.app.get(POLLING).header("cookie", &shop.kim.cookie).send().await.expect(200);
    let open: Value = serde_json::from_str(open.text.strip_prefix('0').unwrap()).unwrap();
    let path = format!("{POLLING}&sid={}", open["sid"].as_str().unwrap());
    let post = shop.app.post(&path).header("origin", &shop.app.url).header("cookie", &shop.kim.cookie);
    post.body("text/plain", "40").send().await.expect(200);
    let connected = shop.app.get(&path).header("cookie", &shop.kim.cookie).send().await.expect(200);
    assert!(connected.text.starts_with("40"), "{}", connected.text);
    let mut member = Ws::open(&shop.app, As::Cookie(&shop.kim)).await;
    assert_eq!(member.hello["user"]["nickname"], "kim");
    let ordered = member.ask("BUY", json!({"goodsId": shop.water, "quantity": 1})).await;
    assert_eq!(ordered["ok"], true, "{ordered}");
    let headers = [("origin", shop.app.url.as_str()), ("cookie", shop.kim.cookie.as_str())];
    let socket = format!("/ws?key={key}");
    let mut listener = Ws::handshake(&shop.app, &socket, As::Guest, &headers).await.unwrap();
    assert_eq!(listener.hello["user"], Value::Null);
    assert_eq!(listener.ask("BUY", json!({"goodsId": shop.water})).await["code"], "listen_only");
}

#[tokio::test]
async fn a_key_opens_no_other_route() {
    let shop = shop().await;
    let key = shop.key().await;
    for (method, path) in [
        ("GET", "/api/users/me"),
        ("GET", "/api/orders"),
        ("GET", "/api/goods/cart"),
        ("POST", "/api/orders"),
        ("GET", "/api/admin/listen-keys"),
        ("DELETE", "/api/auth"),
    ] {
        let call = shop.app.request(method, &format!("{path}?key={key}")).header("origin", THEIRS);
        call.json(&json!({})).send().await.refused(401, "login_required");
        let call = shop.app.request(method, path).token(&key).header("origin", THEIRS);
        call.json(&json!({})).send().await.refused(401, "login_required");
    }
    // A key is no token, on any way that tokens take.
    let bearer = format!("Bearer {key}");
    let refused = Ws::handshake(&shop.app, "/ws", As::Guest, &[("authorization", &bearer)]).await;
    assert_eq!(refused.err().unwrap().0, 401);
}

#[tokio::test]
async fn guests_and_listeners_share_the_places_of_a_network() {
    let shop = of(TestApp::spawn_with(|serve| serve.max_sessions_per_address = Some(3)).await).await;
    let key = shop.key().await;
    let path = format!("key={key}");
    let mut pages = Vec::new();
    for _ in 0..3 {
        pages.push(shop.listen(&path, THEIRS).await.unwrap());
    }
    let (status, problem) = shop.listen(&path, THEIRS).await.err().unwrap();
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_connections")));
    // An EventSource would never come back after anything but 200.
    let stream = shop.get(&format!("/api/events?{path}"), THEIRS).send().await.expect(200);
    assert!(
        stream.text.contains("retry:") && stream.text.contains("too_many_connections"),
        "{}",
        stream.text
    );
    assert_eq!(stream.header("access-control-allow-origin"), THEIRS);
}

#[tokio::test]
async fn who_comes_while_the_key_ends_does_not_stay() {
    let shop = shop().await;
    for _ in 0..3 {
        let key = shop.key().await;
        let path = format!("key={key}");
        let come = async || {
            let mut pages = Vec::new();
            while let Some(page) = shop.knock(&path, THEIRS).await {
                pages.push(page);
            }
            pages
        };
        let end = async {
            shop.knock(&path, THEIRS).await.expect("the key holds");
            shop.revoke(&key).await;
        };
        let (first, second, third, ()) = tokio::join!(come(), come(), come(), end);
        for mut page in [first, second, third].into_iter().flatten() {
            let mut code = None;
            while let Some(Ok(message)) = within("the end", page.next()).await {
                if let Message::Close(frame) = message {
                    code = frame.map(|frame| u16::from(frame.code));
                }
            }
            assert_eq!(code, Some(4001));
        }
    }
}

#[tokio::test]
async fn there_are_only_so_many_keys() {
    let shop = shop().await;
    let now = shopbell::clock::now();
    let origin = PageOrigin::parse(THEIRS).unwrap();
    let make = (0..1000).map(|_| {
        let key = ListenKey {
            id: ListenKeyId::from_random(rand::random()),
            name: None,
            origins: vec![origin.clone()],
            display: NicknameDisplay::Masked,
            created_at: now,
            revoked_at: None,
        };
        shop.app.store.create_listen_key(key, 1000, now, None)
    });
    assert!(futures_util::future::join_all(make).await.iter().all(Result::is_ok));
    let body = json!({"origins": [THEIRS]});
    let make = async || shop.app.post("/api/admin/listen-keys").by(&shop.admin).json(&body).send().await;
    make().await.refused(409, "too_many_listen_keys");
    let listed = shop.app.get("/api/admin/listen-keys").by(&shop.admin).send().await.expect(200);
    assert_eq!(listed.json["listenKeys"].as_array().unwrap().len(), 1000);
    shop.revoke(listed.json["listenKeys"][7]["key"].as_str().unwrap()).await;
    make().await.expect(201);
}
