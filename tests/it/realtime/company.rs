//! Who else is there, and what they say.

use std::time::Duration;

use serde_json::{Value, json};
use shopbell::domain::Role;

use super::shop;
use crate::support::{As, TestApp, Ws, pass, within};

// --- viewers ---

#[tokio::test]
async fn viewers_are_people_not_sockets() {
    let shop = shop().await;
    let page = json!("/detail.html?goodsId=4");
    let is = |n: i64| move |count: &Value| *count == json!(n);
    let mut kim = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    kim.send("CHANGED_PAGE", page.clone()).await;
    assert_eq!(kim.expect("SAME_PAGE_VIEWER_COUNT").await, 1, "a bare number, oneself included");
    let mut tab = Ws::open(&shop.app, As::Cookie(&shop.kim)).await;
    tab.send("CHANGED_PAGE", page.clone()).await;
    assert_eq!(tab.expect("SAME_PAGE_VIEWER_COUNT").await, 1, "two tabs are one person");
    let mut lee = Ws::open(&shop.app, As::Header(&shop.lee)).await;
    lee.send("CHANGED_PAGE", page.clone()).await;
    for ws in [&mut kim, &mut tab, &mut lee] {
        ws.expect_where("SAME_PAGE_VIEWER_COUNT", is(2)).await;
    }
    let mut guest = Ws::open(&shop.app, As::Guest).await;
    guest.send("CHANGED_PAGE", page.clone()).await;
    for ws in [&mut kim, &mut tab, &mut lee, &mut guest] {
        ws.expect_where("SAME_PAGE_VIEWER_COUNT", is(3)).await;
    }
    // One of two tabs leaves: still there. Then the other: gone.
    drop(tab);
    lee.send("CHANGED_PAGE", json!("/")).await;
    assert_eq!(lee.expect("SAME_PAGE_VIEWER_COUNT").await, 1);
    kim.expect_where("SAME_PAGE_VIEWER_COUNT", is(2)).await;
    drop(kim);
    guest.expect_where("SAME_PAGE_VIEWER_COUNT", is(1)).await;
}

#[tokio::test]
async fn a_guests_two_tabs_are_one_guest() {
    let app = TestApp::spawn().await;
    let mut first = Ws::open(&app, As::Guest).await;
    let cookie = first.headers.get("set-cookie").expect("a guest gets a cookie").to_str().unwrap().to_owned();
    for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    let mut second = Ws::handshake(&app, "/ws", As::Guest, &[("cookie", pair)]).await.expect("a handshake");
    let mut stranger = Ws::open(&app, As::Guest).await;
    first.send("CHANGED_PAGE", json!("/")).await;
    assert_eq!(first.expect("SAME_PAGE_VIEWER_COUNT").await, 1);
    second.send("CHANGED_PAGE", json!("/")).await;
    assert_eq!(second.expect("SAME_PAGE_VIEWER_COUNT").await, 1);
    stranger.send("CHANGED_PAGE", json!("/")).await;
    for ws in [&mut first, &mut second, &mut stranger] {
        ws.expect_where("SAME_PAGE_VIEWER_COUNT", |count| *count == 2).await;
    }
}

#[tokio::test]
async fn a_page_is_its_path_and_its_sorted_query() {
    let shop = shop().await;
    for (n, (one, same)) in [
        ("/detail.html?goodsId=4&a=1", "/detail?a=1&goodsId=4"),
        ("/goods.html?category=drink", "/goods?category=drink"),
        ("/detail?goodsId=5", "/detail.html?goodsId=5"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut kim = Ws::open(&shop.app, As::Header(&shop.kim)).await;
        let mut lee = Ws::open(&shop.app, As::Header(&shop.lee)).await;
        kim.send("CHANGED_PAGE", json!(one)).await;
        assert_eq!(kim.expect("SAME_PAGE_VIEWER_COUNT").await, 1, "{n}");
        lee.send("CHANGED_PAGE", json!(same)).await;
        assert_eq!(lee.expect("SAME_PAGE_VIEWER_COUNT").await, 2, "{one} and {same}");
    }
    let mut kim = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    let mut lee = Ws::open(&shop.app, As::Header(&shop.lee)).await;
    kim.send("CHANGED_PAGE", json!("/detail.html?goodsId=40")).await;
    kim.expect("SAME_PAGE_VIEWER_COUNT").await;
    lee.send("CHANGED_PAGE", json!("/detail.html?goodsId=41")).await;
    assert_eq!(lee.expect("SAME_PAGE_VIEWER_COUNT").await, 1, "other goods are another page");
}

// --- chat ---

#[tokio::test]
async fn people_in_a_room_hear_each_other() {
    let shop = shop().await;
    let mut kim = Ws::open(&shop.app, As::Header(&shop.kim)).await;
    let mut lee = Ws::open(&shop.app, As::Header(&shop.lee)).await;
    let mut outside = Ws::open(&shop.app, As::Header(&shop.admin)).await;
    assert_eq!(kim.ask("enter_room", json!("tea")).await["ok"], true);
    assert_eq!(lee.ask("enter_room", json!({"payload": "tea"})).await["ok"], true);
    assert_eq!(kim.expect("welcome").await, json!(["lee", 2]));
    assert_eq!(lee.ask("new_message", json!(["hello", "tea"])).await["ok"], true);
    assert_eq!(kim.expect("new_message").await, json!(["lee: hello", 2]));
    lee.has_none("new_message").await;
    outside.has_none("new_message").await;
    assert_eq!(outside.ask("new_message", json!(["hello", "tea"])).await["ok"], false, "not in the room");
    assert_eq!(lee.ask("leave_room", json!("tea")).await["ok"], true);
    assert_eq!(kim.expect("bye").await, json!(["lee", 1]));
    lee.ask("enter_room", json!("tea")).await;
    kim.expect("welcome").await;
    drop(lee);
    assert_eq!(kim.expect("bye").await, json!(["lee", 1]));
}

#[tokio::test]
async fn guests_chat_only_where_they_may() {
    let app = TestApp::spawn().await;
    let mut guest = Ws::open(&app, As::Guest).await;
    assert_eq!(guest.ask("enter_room", json!("tea")).await["ok"], false);
    let app = TestApp::spawn_with(|serve| serve.guest_chat = Some(true)).await;
    app.member("kim").await;
    let (mut guest, mut other) = (Ws::open(&app, As::Guest).await, Ws::open(&app, As::Guest).await);
    assert_eq!(guest.ask("nickname", json!("visitor")).await["ok"], true);
    assert_eq!(guest.ask("nickname", json!("<b>")).await["ok"], false);
    assert_eq!(guest.ask("enter_room", json!("tea")).await["ok"], true);
    assert_eq!(other.ask("enter_room", json!("tea")).await["ok"], true);
    assert_eq!(guest.ask("new_message", json!(["hello", "tea"])).await["ok"], true);
    assert_eq!(other.expect("new_message").await, json!(["visitor: hello", 2]));
    for taken in ["kim", "KIM", "кіm", "kirn", "shоpkeeper"] {
        let answer = other.ask("nickname", json!(taken)).await;
        assert_eq!(answer["code"], "nickname_taken", "{taken}");
    }
}

#[tokio::test]
async fn a_guest_gives_up_a_name_that_a_member_takes_and_a_member_goes_by_the_new_name() {
    let app = TestApp::spawn_with(|serve| serve.guest_chat = Some(true)).await;
    let kim = app.member("kim").await;
    let (mut guest, mut member) = (Ws::open(&app, As::Guest).await, Ws::open(&app, As::Header(&kim)).await);
    let mut listener = Ws::open(&app, As::Guest).await;
    for ws in [&mut guest, &mut member, &mut listener] {
        assert_eq!(ws.ask("enter_room", json!("tea")).await["ok"], true);
    }
    assert_eq!(guest.ask("nickname", json!("victim")).await["ok"], true);
    assert_eq!(guest.ask("new_message", json!(["one", "tea"])).await["ok"], true);
    assert_eq!(listener.expect("new_message").await, json!(["victim: one", 3]));
    app.create("Víctor", Role::Member).await;
    app.create("VICTIM", Role::Member).await;
    says(&mut guest, &mut listener, "guest").await;
    app.patch("/api/users/me").by(&kim).json(&json!({"nickname": "kimmy"})).send().await.expect(200);
    says(&mut member, &mut listener, "kimmy").await;
    assert_eq!(guest.ask("nickname", json!("kim")).await["ok"], true, "nobody has the old name");
}

/// Speaks until it is heard under a name, which must be soon.
async fn says(speaker: &mut Ws, listener: &mut Ws, name: &str) {
    let expected = json!([format!("{name}: again"), 3]);
    let heard = async {
        loop {
            assert_eq!(speaker.ask("new_message", json!(["again", "tea"])).await["ok"], true);
            if listener.expect("new_message").await == expected {
                return;
            }
            // A session may say ten things a second.
            pass(Duration::from_millis(120)).await;
        }
    };
    within("the name", heard).await;
}
