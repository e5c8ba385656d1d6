//! What a page hears with a key, on each transport.

use std::time::Instant;

use serde_json::{Value, json};
use shopbell::{config::NicknameStyle, service::listen_keys::ListenKeys, store};
use tokio::net::TcpStream;

use super::{EVIL, POLLING, Polls, Shop, THEIRS, of, preflight, shop};
use crate::{
    events::Stream,
    support::{As, SOON, TestApp, Ws, eventually, within},
};

#[tokio::test]
async fn a_page_hears_masked_names_and_resumes_where_it_stopped() {
    let shop = shop().await;
    let key = shop.key().await;
    let mut page = shop.listen(&format!("key={key}"), THEIRS).await.unwrap();
    assert_eq!((&page.hello["user"], &page.hello["latest"]), (&Value::Null, &json!(0)));
    assert!(!page.headers.contains_key("set-cookie"), "nobody is to be known again");
    let mut member = Ws::open(&shop.app, As::Cookie(&shop.admin)).await;
    shop.buy().await;
    let heard = page.expect("BUY_GOODS").await;
    assert_eq!((&heard["nickname"], &heard["id"]), (&json!("k**"), &json!(1)));
    assert_eq!(member.expect("BUY_GOODS").await["nickname"], "kim", "the shop's own audience sees names");
    drop(page);

    for _ in 0..3 {
        shop.buy().await;
    }
    let epoch = member.hello["epoch"].as_str().unwrap();
    let mut page = shop.listen(&format!("after=1&epoch={epoch}&key={key}"), THEIRS).await.unwrap();
    for id in 2..=4 {
        let heard = page.expect("BUY_GOODS").await;
        assert_eq!((&heard["nickname"], &heard["id"]), (&json!("k**"), &json!(id)));
    }
    let mut page = shop.listen(&format!("key={key}&after=1&epoch=0000000000000000"), THEIRS).await.unwrap();
    assert_eq!(page.expect("gap").await["after"], 1);
}

#[tokio::test]
async fn a_key_may_show_names_as_the_shop_does() {
    let full = json!({"origins": [THEIRS], "display": "full"});
    let shop = shop().await;
    let key = shop.key_with(&full).await;
    let mut page = shop.listen(&format!("key={key}"), THEIRS).await.unwrap();
    shop.buy().await;
    assert_eq!(page.expect("BUY_GOODS").await["nickname"], "kim");

    let masked =
        of(TestApp::spawn_with(|serve| serve.nickname_display = Some(NicknameStyle::Masked)).await).await;
    let key = masked.key_with(&full).await;
    let mut page = masked.listen(&format!("key={key}"), THEIRS).await.unwrap();
    masked.buy().await;
    assert_eq!(page.expect("BUY_GOODS").await["nickname"], "k**", "never more than the shop's own audience");
}

#[tokio::test]
async fn a_stream_and_the_list_hear_the_same() {
    let shop = shop().await;
    let key = shop.key().await;
    shop.buy().await;
    shop.app.told(&shop.admin, 1).await;
    let list = format!("/api/notifications?after=0&key={key}");
    let listed = shop.get(&list, THEIRS).send().await.expect(200);
    assert_eq!(listed.json["notifications"][0]["data"]["nickname"], "k**");
    assert_eq!(listed.header("access-control-allow-origin"), THEIRS);
    assert_eq!(listed.header("access-control-allow-credentials"), "");

    let path = format!("/api/events?key={key}");
    let mut stream = open_stream(&shop, &path, &[]).await;
    let (id, _, hello) = stream.expect("hello").await;
    assert_eq!((id.as_str(), &hello["user"]), ("1", &Value::Null));
    shop.buy().await;
    let (id, _, heard) = stream.expect("BUY_GOODS").await;
    assert_eq!((id.as_str(), &heard["nickname"]), ("2", &json!("k**")));
    drop(stream);
    let mut again = open_stream(&shop, &path, &[("last-event-id", "0")]).await;
    for id in ["1", "2"] {
        let (seen, _, heard) = again.expect("BUY_GOODS").await;
        assert_eq!((seen.as_str(), &heard["nickname"]), (id, &json!("k**")));
    }
}

async fn open_stream(shop: &Shop, path: &str, headers: &[(&str, &str)]) -> Stream {
    let headers = [&[("origin", THEIRS)], headers].concat();
    // Its cookie is the visitor's own affair.
    Stream::open(&shop.app, path, &shop.admin, &headers).await
}

#[tokio::test]
async fn socketio_brings_its_key_with_connect_and_recovers() {
    let shop = shop().await;
    let key = shop.key().await;
    shop.buy().await;
    shop.app.told(&shop.admin, 1).await;
    let polls = Polls::open(&shop, THEIRS).await;
    let connected = polls.connect(&json!({"key": key})).await;
    let (connected, rest) = connected.split_once('\x1e').unwrap_or((&connected, ""));
    let connected: Value = serde_json::from_str(connected.strip_prefix("40").unwrap()).unwrap();
    let pid = connected["pid"].as_str().unwrap();
    let offset = if rest.is_empty() { polls.poll().await.expect(200).text } else { rest.to_owned() };
    assert_eq!(offset, r#"42["offset","1"]"#);
    shop.buy().await;
    let heard = polls.poll().await.expect(200);
    assert!(
        heard.text.contains(r#""nickname":"k**""#) && heard.text.contains(r#"["offset","2"]"#),
        "{}",
        heard.text
    );
    assert_eq!(heard.header("access-control-allow-origin"), THEIRS);
    assert_eq!(heard.header("access-control-allow-credentials"), "");

    // Back after a while, over a WebSocket, from the first.
    let (again, heard) = socketio(
        &shop,
        &[("origin", THEIRS)],
        &json!({"key": key, "pid": pid, "offset": "1"}),
        r#"["offset","2"]"#,
    )
    .await;
    assert!(again.contains(pid), "{again}");
    assert!(heard.contains(r#""id":2"#) && heard.contains("k**") && !heard.contains("kim"), "{heard}");
    let other = shop.key().await;
    let (again, _) =
        socketio(&shop, &[("origin", THEIRS)], &json!({"key": other, "pid": pid, "offset": "1"}), "offset")
            .await;
    assert!(!again.contains(pid), "another key's page does not take its place: {again}");
}

/// Opens a Socket.IO session over a WebSocket; what CONNECT was answered, and all that came up to a packet with `last`.
async fn socketio(shop: &Shop, headers: &[(&str, &str)], auth: &Value, last: &str) -> (String, String) {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", shop.app.addr());
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        let name: tokio_tungstenite::tungstenite::http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(shop.app.addr()).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    socket.send(Message::text(format!("40{auth}"))).await.unwrap();
    let (mut connected, mut heard) = (String::new(), String::new());
    while !heard.contains(last) {
        let Some(Ok(Message::Text(packet))) = within("a packet", socket.next()).await else { break };
        if packet.starts_with("40") || packet.starts_with("44") {
            connected = packet.to_string();
        }
        if packet.starts_with("44") {
            break;
        }
        heard.push_str(&packet);
    }
    (connected, heard)
}

#[tokio::test]
async fn a_page_can_do_nothing_but_listen() {
    let shop = shop().await;
    let key = shop.key().await;
    let mut page = shop.listen(&format!("key={key}"), THEIRS).await.unwrap();
    for (event, payload) in [
        ("BUY", json!({"goodsId": shop.water})),
        ("CHANGED_PAGE", json!("/detail.html?goodsId=1")),
        ("nickname", json!("lee")),
        ("enter_room", json!("lobby")),
        ("leave_room", json!("lobby")),
        ("new_message", json!(["hi", "lobby"])),
        ("auth", json!({"token": shop.kim.token})),
        ("no_such_event", json!({})),
    ] {
        let answer = page.ask(event, payload).await;
        assert_eq!((&answer["ok"], &answer["code"]), (&json!(false), &json!("listen_only")), "{event}");
    }
    page.send("BUY", json!({"goodsId": shop.water})).await;
    assert_eq!(page.expect("error").await["code"], "listen_only");
    assert_eq!(shop.app.log(&shop.admin).await.len(), 0);

    let polls = Polls::open(&shop, THEIRS).await;
    polls.connect(&json!({"key": key})).await;
    polls.post(&format!(r#"421["BUY",{{"goodsId":{}}}]"#, shop.water)).await.expect(200);
    let mut answer = String::new();
    while !answer.contains("431") {
        answer = polls.poll().await.expect(200).text;
    }
    assert!(answer.contains("listen_only"), "{answer}");
}

#[tokio::test]
async fn the_end_of_a_key_ends_what_it_has_opened() {
    let shop = shop().await;
    let key = shop.key().await;
    let other = shop.key().await;
    let path = format!("key={key}");
    let mut page = shop.listen(&path, THEIRS).await.unwrap();
    let mut stays = shop.listen(&format!("key={other}"), THEIRS).await.unwrap();
    let mut member = Ws::open(&shop.app, As::Cookie(&shop.kim)).await;
    let mut stream = open_stream(&shop, &format!("/api/events?key={key}"), &[]).await;
    stream.expect("hello").await;
    let polls = Polls::open(&shop, THEIRS).await;
    polls.connect(&json!({"key": key})).await;
    let revoked = Instant::now();
    shop.revoke(&key).await;
    assert_eq!(page.closed().await.0, 4001);
    assert!(revoked.elapsed() < SOON, "{:?}", revoked.elapsed());
    assert!(stream.next().await.is_none());
    eventually("the end of the polls", async || polls.poll().await.status == 400).await;
    let (status, problem) = shop.listen(&path, THEIRS).await.err().unwrap();
    assert_eq!((status, &problem["code"]), (401, &json!("unknown_listen_key")));
    for route in ["/api/events", "/api/notifications"] {
        let refused =
            shop.get(&format!("{route}?{path}"), THEIRS).send().await.refused(401, "unknown_listen_key");
        assert_eq!(refused.header("access-control-allow-origin"), "");
    }
    shop.buy().await;
    assert_eq!(stays.expect("BUY_GOODS").await["nickname"], "k**");
    assert_eq!(member.expect("BUY_GOODS").await["nickname"], "kim");
}

#[tokio::test]
async fn a_key_of_another_process_holds_and_ends_within_a_second() {
    let shop = shop().await;
    let url = shop.app.database.clone();
    let theirs = store::open(&url, "USD".parse().unwrap()).await.unwrap();
    let keys = ListenKeys::open(theirs.clone()).await.unwrap();
    let body = json!({"origins": [THEIRS]});
    let wanted = shopbell::service::listen_keys::WantedKey::read(shopbell::domain::Fields::new(
        body.as_object().unwrap().clone(),
    ));
    let key = keys.create(wanted.unwrap(), None, shopbell::clock::now()).await.unwrap().id;
    let path = format!("key={key}");
    let made = Instant::now();
    eventually("the key", async || shop.listen(&path, THEIRS).await.is_ok()).await;
    assert!(made.elapsed() < SOON, "{:?}", made.elapsed());
    let mut page = shop.listen(&path, THEIRS).await.unwrap();
    let revoked = Instant::now();
    theirs.revoke_listen_key(key, None, shopbell::clock::now()).await.unwrap();
    assert_eq!(page.closed().await.0, 4001);
    assert!(revoked.elapsed() < SOON, "{:?}", revoked.elapsed());
    // One that comes before the key is forgotten here is closed at once, before it is greeted.
    eventually("the end of the key", async || shop.knock(&path, THEIRS).await.is_none()).await;
    theirs.close().await;
}

#[tokio::test]
async fn its_origins_need_no_setting_and_others_get_nothing() {
    let shop = shop().await;
    let key = shop.key().await;
    let (list, stream) = (format!("/api/notifications?key={key}"), format!("/api/events?key={key}"));
    for path in [&list, &stream, POLLING] {
        let granted = preflight(&shop, path, THEIRS).await.expect(204);
        assert_eq!(granted.header("access-control-allow-origin"), THEIRS, "{path}");
        assert_eq!(granted.header("access-control-allow-credentials"), "", "{path}");
        preflight(&shop, path, EVIL).await.refused(403, "origin_forbidden");
    }
    // Nothing else of the shop is theirs to read.
    for path in ["/api/goods", "/api/shop", "/api/users/me", &format!("/api/orders?key={key}")] {
        preflight(&shop, path, THEIRS).await.refused(403, "origin_forbidden");
        assert_eq!(shop.get(path, THEIRS).send().await.header("access-control-allow-origin"), "", "{path}");
    }
    preflight(&shop, "/api/notifications", THEIRS).await.refused(403, "origin_forbidden");
    for path in [&list, &stream] {
        let refused = shop.get(path, EVIL).send().await.refused(403, "origin_forbidden");
        assert_eq!(refused.header("access-control-allow-origin"), "");
        shop.app.get(path).send().await.refused(403, "origin_forbidden");
    }
    let (status, problem) = shop.listen(&format!("key={key}"), EVIL).await.err().unwrap();
    assert_eq!((status, &problem["code"]), (403, &json!("origin_forbidden")));
    let none = Ws::handshake(&shop.app, &format!("/ws?key={key}"), As::Guest, &[]).await.err().unwrap();
    assert_eq!((none.0, &none.1["code"]), (403, &json!("origin_forbidden")));
}
