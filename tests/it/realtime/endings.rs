//! How sessions end, and what those hear that come back.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::{
    Bytes, Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use super::{
    raw::{close_code, raw_socket, read_until},
    shop,
};
use crate::support::{As, SOON, TestApp, Ws, prune_log};

// --- the past ---

#[tokio::test]
async fn a_session_that_comes_back_hears_all_it_missed_once() {
    let shop = shop().await;
    let buying = async {
        for _ in 0..60 {
            shop.app.order(&shop.kim, shop.water, 1).await;
        }
    };
    let listening = async {
        let mut heard: Vec<i64> = Vec::new();
        // Five sessions one after another, each taking up where the one before broke off.
        while heard.len() < 60 {
            let after = heard.last().copied().unwrap_or(0);
            let mut ws = Ws::open_at(&shop.app, &format!("/ws?after={after}"), As::Header(&shop.lee)).await;
            for _ in 0..12.min(60 - heard.len()) {
                heard.push(ws.expect("BUY_GOODS").await["id"].as_i64().unwrap());
            }
        }
        heard
    };
    let ((), heard) = tokio::join!(buying, listening);
    assert_eq!(heard, (1..=60).collect::<Vec<_>>());
    let mut late = Ws::open_at(&shop.app, "/ws?after=58", As::Subprotocol(&shop.lee)).await;
    assert_eq!(late.expect("BUY_GOODS").await["id"], 59);
    assert_eq!(late.expect("BUY_GOODS").await["id"], 60);
    shop.app.order(&shop.kim, shop.water, 1).await;
    assert_eq!(late.expect("BUY_GOODS").await["id"], 61);
}

#[tokio::test]
async fn a_long_past_comes_whole_while_more_is_bought() {
    let shop = shop().await;
    let buy = |orders: usize| {
        let shop = &shop;
        join_all((0..4).map(move |_| async move {
            for _ in 0..orders / 4 {
                shop.app.order(&shop.kim, shop.water, 1).await;
            }
        }))
    };
    // More than the server would read or send in one piece.
    buy(600).await;
    let mut sockets = [
        Ws::open_at(&shop.app, "/ws?after=0", As::Header(&shop.lee)).await,
        Ws::open_at(&shop.app, "/ws?after=300", As::Header(&shop.lee)).await,
    ];
    let listening = async {
        for (ws, first) in sockets.iter_mut().zip([1, 301]) {
            for id in first..=640 {
                assert_eq!(ws.expect("BUY_GOODS").await["id"], id);
            }
        }
    };
    tokio::join!(buy(40), listening);
}

#[tokio::test]
async fn a_past_that_is_gone_is_a_gap() {
    let shop = shop().await;
    for _ in 0..5 {
        shop.app.order(&shop.kim, shop.water, 1).await;
    }
    prune_log(&shop.app, 4).await;
    // Memory would still reach back: another start has the log alone.
    shop.app.shut_down();
    let database = shop.app.database.clone();
    let app = TestApp::spawn_in(|common, _| common.database_url = Some(database.into())).await;
    let mut ws = Ws::open_at(&app, "/ws?after=1", As::Header(&shop.lee)).await;
    let gap = ws.expect("gap").await;
    assert_eq!((&gap["after"], &gap["oldest"]), (&json!(1), &json!(4)));
    assert_eq!(ws.expect("BUY_GOODS").await["id"], 4);
    assert_eq!(ws.expect("BUY_GOODS").await["id"], 5);
}

// --- how sessions end ---

#[tokio::test]
async fn messages_that_break_the_protocol_close_the_socket() {
    let app = TestApp::spawn_with(|serve| serve.max_payload = Some(1000)).await;
    let invalid = Frame::message(Bytes::from_static(b"\xff\xfe{}"), OpCode::Data(Data::Text), true);
    for (message, code) in [
        (Message::binary(vec![1, 2, 3]), 1003),
        (Message::text("x".repeat(1001)), 1009),
        (Message::Frame(invalid), 1007),
    ] {
        let mut ws = Ws::open(&app, As::Guest).await;
        ws.send_message(message).await;
        assert_eq!(ws.closed().await.0, code);
    }
    let mut ws = Ws::open(&app, As::Guest).await;
    let page = format!("/{}", "x".repeat(900));
    assert_eq!(ws.ask("CHANGED_PAGE", json!(page)).await["ok"], true, "what fits is read");
}

#[tokio::test]
async fn frames_that_are_none_are_1002_and_lengths_that_lie_are_1009() {
    let app = TestApp::spawn().await;
    for (frame, code) in [
        // Not masked, RFC 6455 §5.1.
        (vec![0x81, 0x02, b'{', b'}'], 1002),
        // Reserved bits, §5.2.
        (vec![0xf1, 0x82, 0, 0, 0, 0, b'{', b'}'], 1002),
        // A reserved opcode.
        (vec![0x83, 0x80, 0, 0, 0, 0], 1002),
        // A continuation of nothing, §5.4.
        (vec![0x80, 0x82, 0, 0, 0, 0, b'{', b'}'], 1002),
        // A ping in fragments, §5.5.
        (vec![0x09, 0x80, 0, 0, 0, 0], 1002),
        // A petabyte.
        (vec![0x81, 0xff, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1009),
    ] {
        let mut socket = raw_socket(&app).await;
        socket.write_all(&frame).await.unwrap();
        let mut rest = Vec::new();
        read_until(&mut socket, &mut rest, |rest| close_code(rest).is_some()).await;
        assert_eq!(close_code(&rest), Some(code), "{frame:x?}: {rest:x?}");
    }
}

#[tokio::test]
async fn a_flood_is_cut_off() {
    let app = TestApp::spawn_with(|serve| serve.message_rate = Some(20)).await;
    let mut ws = Ws::open(&app, As::Guest).await;
    for _ in 0..500 {
        if !ws.try_send_text("{\"type\":\"CHANGED_PAGE\",\"payload\":\"/\"}").await {
            break;
        }
    }
    assert_eq!(ws.closed().await.0, 4029);
}

#[tokio::test]
async fn a_silent_peer_is_noticed_and_a_living_one_stays() {
    let app = TestApp::spawn_with(|serve| {
        serve.ping_interval = Some("300ms".parse().unwrap());
        serve.ping_timeout = Some("2s".parse().unwrap());
    })
    .await;
    let mut silent = raw_socket(&app).await;
    let begin = Instant::now();
    let mut living = Ws::open(&app, As::Guest).await;
    let silence = async {
        let mut rest = Vec::new();
        read_until(&mut silent, &mut rest, |rest| close_code(rest).is_some()).await;
        assert!(begin.elapsed() >= Duration::from_secs(2), "it was given time: {:?}", begin.elapsed());
    };
    let life = async {
        loop {
            living.pinged().await;
        }
    };
    tokio::select! {
        () = silence => {}
        () = life => {}
    }
    for _ in 0..2 {
        living.pinged().await;
    }
    assert_eq!(living.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
}

#[tokio::test]
async fn logging_out_closes_the_sockets_of_that_log_in() {
    let shop = shop().await;
    let elsewhere = shop.app.log_in("kim").await;
    let mut ending = Vec::new();
    for who in [As::Cookie(&shop.kim), As::Subprotocol(&shop.kim), As::Header(&shop.kim)] {
        ending.push(Ws::open(&shop.app, who).await);
    }
    let mut staying =
        [Ws::open(&shop.app, As::Header(&elsewhere)).await, Ws::open(&shop.app, As::Header(&shop.lee)).await];
    shop.app.delete("/api/auth").by(&shop.kim).send().await.expect(204);
    let begin = Instant::now();
    for ws in &mut ending {
        assert_eq!(ws.closed().await.0, 4001);
    }
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    for ws in &mut staying {
        assert_eq!(ws.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
    }
}

#[tokio::test]
async fn a_new_password_closes_the_sockets_of_all_earlier_log_ins() {
    let shop = shop().await;
    let thief = shop.app.log_in("kim").await;
    let mut theirs = Ws::open(&shop.app, As::Header(&thief)).await;
    let mut own = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    let body = json!({"password": "a better horse", "currentPassword": crate::support::PASSWORD});
    let changed = shop.app.patch("/api/users/me").by(&shop.kim).json(&body).send().await.expect(200);
    assert_eq!(theirs.closed().await.0, 4001);
    assert_eq!(own.closed().await.0, 4001);
    let token = changed.json["token"].as_str().unwrap().to_owned();
    let kim = crate::support::Person { token, ..shop.kim };
    let mut renewed = Ws::open(&shop.app, As::Header(&kim)).await;
    assert_eq!(renewed.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
}

#[tokio::test]
async fn a_socket_ends_no_later_than_its_token() {
    let app = TestApp::spawn_with(|serve| serve.token_ttl = Some("1s".parse().unwrap())).await;
    let kim = app.member("kim").await;
    let mut ws = Ws::open(&app, As::Header(&kim)).await;
    assert_eq!(ws.closed().await.0, 4001);
}

#[tokio::test]
async fn a_server_that_goes_away_says_when_to_come_back() {
    let app = TestApp::spawn().await;
    let kim = app.member("kim").await;
    let mut sessions = [Ws::open(&app, As::Header(&kim)).await, Ws::open(&app, As::Guest).await];
    app.shut_down();
    for ws in &mut sessions {
        let (code, reason) = ws.closed().await;
        assert_eq!(code, 1001);
        assert!(reason.chars().any(|c| c.is_ascii_digit()), "it names a delay: {reason:?}");
    }
}
