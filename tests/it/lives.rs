//! How long sessions live: as long as their log-ins.

use std::time::{Duration, Instant};

use serde_json::json;
use shopbell::{
    clock,
    config::HumanDuration,
    domain::{Nickname, PersonPatch, Timestamp, UserPatch},
};

use crate::support::{As, SOON, TestApp, Ws, email_of, pass};

#[tokio::test]
async fn a_ban_by_another_process_closes_sockets_within_a_second() {
    let app = TestApp::spawn().await;
    let kim = app.member("kim").await;
    let mut socket = Ws::open(&app, As::Cookie(&kim)).await;
    let store = app.elsewhere().await;
    let id = app.id_of(&kim).await;
    let begin = Instant::now();
    store.change_person(id, PersonPatch::banned(true), None, clock::now()).await.unwrap();
    assert_eq!(socket.closed().await.0, 4001);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    app.get("/api/users/me").by(&kim).send().await.refused(401, "login_required");
    let again = json!({"email": email_of("kim"), "password": crate::support::PASSWORD});
    app.post("/api/auth").json(&again).send().await.refused(403, "banned");
    store.change_person(id, PersonPatch::banned(false), None, clock::now()).await.unwrap();
    app.post("/api/auth").json(&again).send().await.expect(200);
}

#[tokio::test]
async fn a_rename_by_another_process_is_seen_by_open_sockets() {
    let app = TestApp::spawn().await;
    let (kim, lee) = (app.member("kim").await, app.member("lee").await);
    let mut speaks = Ws::open(&app, As::Cookie(&kim)).await;
    let mut hears = Ws::open(&app, As::Cookie(&lee)).await;
    for socket in [&mut speaks, &mut hears] {
        socket.ask("enter_room", json!("lobby")).await;
    }
    let store = app.elsewhere().await;
    let patch = UserPatch { nickname: Some(Nickname::parse("kimmy").unwrap()), ..UserPatch::default() };
    let begin = Instant::now();
    store.change_user(app.id_of(&kim).await.into(), patch, None, clock::now()).await.unwrap();
    loop {
        speaks.ask("new_message", json!(["hi", "lobby"])).await;
        let said = hears.expect("new_message").await;
        if said[0] == "kimmy: hi" {
            break;
        }
        assert_eq!(said[0], "kim: hi");
        assert!(begin.elapsed() < SOON, "the old name is still told");
        pass(Duration::from_millis(150)).await;
    }
    // A socket that opens later has it, too.
    let again = Ws::open(&app, As::Cookie(&kim)).await;
    assert_eq!(again.hello["user"]["nickname"], "kimmy");
}

#[tokio::test]
async fn a_fresh_token_extends_a_socket_and_a_strangers_does_not() {
    let app =
        TestApp::spawn_with(|serve| serve.token_ttl = Some(HumanDuration(Duration::from_secs(3)))).await;
    let (kim, lee) = (app.member("kim").await, app.member("lee").await);
    let mut extended = Ws::open(&app, As::Cookie(&kim)).await;
    let mut left_alone = Ws::open(&app, As::Cookie(&kim)).await;
    assert_eq!(extended.ask("auth", json!({"token": "nonsense"})).await["code"], "login_required");
    assert_eq!(extended.ask("auth", json!({"token": lee.token})).await["code"], "forbidden");
    assert_eq!(extended.ask("auth", json!({})).await["code"], "validation");
    // The server looks for what has expired once a second: the fresh log-in ends later than that.
    pass(Duration::from_millis(1600)).await;
    let fresh = app.log_in("kim").await;
    assert_eq!(extended.ask("auth", json!({"token": fresh.token})).await["ok"], true);
    assert_eq!(left_alone.closed().await.0, 4001, "a socket ends with its token");
    assert_eq!(extended.ask("CHANGED_PAGE", json!("/")).await["ok"], true);
    assert_eq!(extended.closed().await.0, 4001);
}

#[tokio::test]
async fn the_log_reaches_back_as_far_as_it_was_told_to() {
    let app = TestApp::spawn_with(|serve| serve.history_rows = Some(2)).await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, None).await;
    for _ in 0..5 {
        app.order(&admin, goods, 1).await;
    }
    let store = app.elsewhere().await;
    // The server looks once a minute; an operator may not wait.
    while store.prune_log(clock::now().minus(Duration::from_secs(3600)), 2, Timestamp::MAX).await.unwrap() > 0
    {
    }
    let answer = app.get("/api/notifications?after=1").by(&admin).send().await.refused(410, "too_old");
    assert_eq!(answer.json["oldest"], 4);
    let answer = app.get("/api/notifications?after=3").by(&admin).send().await.expect(200);
    assert_eq!(answer.json["notifications"][0]["id"], 4);
}
