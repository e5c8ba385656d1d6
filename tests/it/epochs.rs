//! An offset belongs to a log: what a client kept of a database that was replaced is a gap, and never the wrong place.

use serde_json::json;

use crate::{
    events::Stream,
    socketio::Polling,
    support::{As, Person, TestApp, Ws, eventually},
};

/// A shop whose log has so many alerts, over a database file.
async fn shop_at(path: &std::path::Path, alerts: usize) -> (TestApp, Person) {
    let database = format!("sqlite://{}", path.display());
    let app = TestApp::spawn_in(|common, _| common.database_url = Some(database.into())).await;
    let admin = app.admin().await;
    let water = app.goods(&admin, "Water", 6.2, None).await;
    for _ in 0..alerts {
        app.order(&admin, water, 1).await;
    }
    app.told(&admin, alerts).await;
    (app, admin)
}

#[tokio::test]
async fn clients_of_a_replaced_database_are_told_of_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let (old, admin) = shop_at(&path, 3).await;
    let hello = Ws::open(&old, As::Header(&admin)).await.hello;
    let (epoch, offset) = (hello["epoch"].as_str().unwrap().to_owned(), 2);
    let (session, connected) = Polling::connect(&old, Some(&admin), "").await;
    let pid = connected["pid"].as_str().unwrap().to_owned();
    drop(session);
    let listed = old.get("/api/notifications").by(&admin).send().await.expect(200);
    assert_eq!(listed.json["epoch"], epoch.as_str());
    old.shut_down();
    eventually("the end", async || tokio::net::TcpStream::connect(old.addr()).await.is_err()).await;
    for end in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{end}", path.display())));
    }
    // The new log reaches further than the old one did: the number alone says nothing.
    let (new, admin) = shop_at(&path, 5).await;
    let query = format!("after={offset}&epoch={epoch}");

    let mut ws = Ws::open_at(&new, &format!("/ws?{query}"), As::Header(&admin)).await;
    assert_ne!(ws.hello["epoch"], epoch.as_str());
    assert_eq!(ws.expect("gap").await, json!({"after": 2, "oldest": 6}));
    for (query, headers) in [
        (query.clone(), vec![]),
        (format!("lastEventId={offset}&epoch={epoch}"), vec![]),
        (format!("epoch={epoch}"), vec![("Last-Event-ID", "2")]),
    ] {
        let mut stream = Stream::open(&new, &format!("/api/events?{query}"), &admin, &headers).await;
        assert_eq!(stream.next().await.unwrap().0, "5", "it goes on from the end: {query}");
        assert_eq!(stream.next().await.unwrap().1, "gap", "{query}");
    }
    let path = format!("/api/notifications?{query}");
    let refused = new.get(&path).by(&admin).send().await.refused(410, "too_old");
    assert_eq!(refused.json["oldest"], 1);
    let auth = json!({"pid": pid, "offset": "2"}).to_string();
    let (_, connected) = Polling::connect(&new, Some(&admin), &auth).await;
    assert_ne!(connected["pid"], pid.as_str(), "not recovered");
}

#[tokio::test]
async fn an_offset_beyond_the_end_of_the_log_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let (app, admin) = shop_at(&folder.path().join("shop.db"), 2).await;
    let mut ws = Ws::open_at(&app, "/ws?after=99", As::Header(&admin)).await;
    assert_eq!(ws.expect("gap").await, json!({"after": 99, "oldest": 3}));
    let mut stream = Stream::open(&app, "/api/events?after=99", &admin, &[]).await;
    assert_eq!(stream.expect("gap").await.2, json!({"after": 99, "oldest": 3}));
    app.get("/api/notifications?after=99").by(&admin).send().await.refused(410, "too_old");
    let at_the_end = app.get("/api/notifications?after=2").by(&admin).send().await.expect(200);
    assert_eq!(at_the_end.json["notifications"], json!([]));
    let epoch = ws.hello["epoch"].as_str().unwrap();
    let path = format!("/api/notifications?after=1&epoch={epoch}");
    let rest = app.get(&path).by(&admin).send().await.expect(200);
    assert_eq!(rest.json["notifications"][0]["id"], 2);
    let mut same = Ws::open_at(&app, &format!("/ws?after=1&epoch={epoch}"), As::Header(&admin)).await;
    assert_eq!(same.expect("BUY_GOODS").await["id"], 2);
    same.has_none("gap").await;
}
