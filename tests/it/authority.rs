//! Authority is looked at by the job that writes: what another process took away holds from its COMMIT on.

use serde_json::json;
use shopbell::{
    clock,
    domain::PersonPatch,
    store::{Sequence, Store},
};

use crate::support::{As, TestApp, Ws};

async fn orders(store: &dyn Store) -> usize {
    store.order_events_after(Sequence(0), 100_000).await.unwrap().len()
}

#[tokio::test]
async fn of_thousands_of_orders_that_wait_none_is_placed_after_a_ban() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, Some(1_000_000)).await;
    let kim = app.member("kim").await;
    let store = app.elsewhere().await;
    let mut socket = Ws::open(&app, As::Header(&kim)).await;
    let buy = json!({"type": "BUY", "payload": {"goodsId": goods, "quantity": 1}}).to_string();
    for _ in 0..3900 {
        // Beyond its rate a session is closed; what it has sent by then is on its way.
        if !socket.try_send_text(&buy).await {
            break;
        }
    }
    let id = app.id_of(&kim).await;
    store.change_person(id, PersonPatch::banned(true), None, clock::now()).await.unwrap();
    let placed = orders(&*store).await;
    socket.closed().await;
    // Whatever waited was handled by the time a later write is answered.
    app.patch(&format!("/api/goods/{goods}")).by(&admin).json(&json!({"price": 7})).send().await.expect(200);
    assert_eq!(orders(&*store).await, placed, "none after the ban");
    let left = app.stock(goods).await.as_i64().unwrap();
    assert_eq!(usize::try_from(1_000_000 - left).unwrap(), placed, "and none took stock");
}

#[tokio::test]
async fn a_request_on_its_way_does_what_its_log_in_may_when_it_is_done() {
    let app = TestApp::spawn().await;
    let admin = app.admin().await;
    let goods = app.goods(&admin, "Water", 6.2, Some(100)).await;
    let kim = app.member("kim").await;
    let order = json!({"items": [{"goodsId": goods, "quantity": 1}]});
    let buys: Vec<_> = (0..50).map(|_| app.post("/api/orders").by(&kim).json(&order).send()).collect();
    let leave = app.delete("/api/auth").by(&kim).send();
    let (answers, left) = tokio::join!(futures_util::future::join_all(buys), leave);
    left.expect(204);
    let mut placed = 0;
    for answer in answers {
        if answer.status == 201 {
            placed += 1;
        } else {
            answer.refused(401, "login_required");
        }
    }
    assert_eq!(app.stock(goods).await, 100 - placed);
    app.post("/api/orders").by(&kim).json(&order).send().await.refused(401, "login_required");
}
