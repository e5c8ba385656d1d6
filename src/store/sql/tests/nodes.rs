//! What only PostgreSQL has: several nodes on one database, and connections that are lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use sqlx::PgConnection;
use tokio::time::timeout;

use super::{postgres_store::server, *};
use crate::{
    domain::{Category, GoodsId, IdempotencyKey, NewOrder, OrderId, UserId},
    store::{AlertChange, AlertStore as _, Deed, OrderError, contract_tests::buy_as},
};

const DEADLINE: Duration = Duration::from_secs(60);

/// So many nodes, and the URL of their database.
async fn nodes<const N: usize>() -> ([SqlStore; N], String) {
    let url = server::fresh_database().await;
    let mut nodes = Vec::new();
    for _ in 0..N {
        nodes.push(postgres::open(&url, usd()).await.unwrap());
    }
    (nodes.try_into().ok().unwrap(), url)
}

/// A connection that is none of a node's.
pub(super) async fn apart(url: &str) -> PgConnection {
    PgConnection::connect(&url.replace("&pool=4", "")).await.unwrap()
}

/// Ends all connections of nodes, and returns how many there were once they are gone.
pub(super) async fn hang_up(conn: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select count(*) filter (where pg_terminate_backend(pid, 10000))
         from pg_stat_activity
         where datname = current_database() and application_name = 'shopbell'",
    )
    .fetch_one(conn)
    .await
    .unwrap()
}

async fn accounts(store: &SqlStore, count: usize) -> Vec<UserId> {
    let mut accounts = Vec::new();
    for n in 0..count {
        accounts.push(a_user(store, &format!("kim{n}")).await.user_id);
    }
    accounts
}

/// The offsets from 1 to `last` as a node's relay finds them: in memory, and in the log where that has a hole.
async fn relayed(store: &SqlStore, last: i64) -> Vec<i64> {
    let mut seen: Vec<i64> = Vec::new();
    while seen.last().is_none_or(|id| *id < last) {
        let after = Offset(seen.last().copied().unwrap_or_default());
        let before = seen.len();
        match store.feed().take_news(after, 64).publications.filter(|told| !told.is_empty()) {
            Some(told) => seen.extend(told.iter().map(|told| told.id.0)),
            None => seen.extend(store.log_after(after, 64).await.unwrap().iter().map(|told| told.id.0)),
        }
        if seen.len() == before {
            // Another node's commits are found by looking.
            drop(timeout(Duration::from_millis(5), store.feed().changed()).await);
        }
    }
    seen
}

#[tokio::test]
async fn two_nodes_place_orders_at_once_and_tell_them_in_one_order() {
    let ([a, b], _url) = nodes().await;
    let accounts = accounts(&a, 10).await;
    let water = some_goods(&a, "water", Some(300)).await.goods_id;
    let orders = join_all((0..500_usize).map(|n| {
        let node = if n.is_multiple_of(2) { &a } else { &b };
        buy(node, accounts[n % accounts.len()], lines(&[(water, 1)]))
    }));
    let all = async { tokio::join!(orders, relayed(&a, 300), relayed(&b, 300)) };
    let (orders, told_by_a, told_by_b) = timeout(DEADLINE, all).await.unwrap();
    let expected: Vec<i64> = (1..=300).collect();
    assert_eq!(told_by_a, expected);
    assert_eq!(told_by_b, expected);
    let mut offsets = Vec::new();
    for order in orders {
        match order {
            Ok(placed) => offsets.push(placed.notification.unwrap().0),
            Err(refused) => assert!(matches!(refused, OrderError::OutOfStock { left: 0, .. }), "{refused:?}"),
        }
    }
    offsets.sort_unstable();
    assert_eq!(offsets, expected);
    assert_eq!(b.goods(water).await.unwrap().unwrap().stock, Some(0));
}

#[tokio::test]
async fn a_category_that_one_node_silences_is_silent_on_all() {
    let ([a, b], _url) = nodes().await;
    let kim = a_user(&a, "kim").await.user_id;
    let water = some_goods(&a, "water", None).await;
    let told =
        async |node| buy(node, kim, lines(&[(water.goods_id, 1)])).await.unwrap().notification.is_some();
    assert!(told(&a).await && told(&b).await);
    let silence = async |never: Vec<Category>| {
        let deed = Deed { action: "alerts.change", subject: String::new(), details: json!({}) };
        let change = AlertChange { values: BTreeMap::new(), never: Some(never), deed };
        a.change_alerts(change, None, NOW).await.unwrap();
    };
    silence(vec![water.category.clone()]).await;
    assert!(!told(&a).await && !told(&b).await);
    silence(Vec::new()).await;
    assert!(told(&b).await && told(&a).await);
}

#[tokio::test]
async fn connections_that_were_lost_while_idle_fail_nothing() {
    let ([node], url) = nodes().await;
    let kim = a_user(&node, "kim").await.user_id;
    let water = some_goods(&node, "water", None).await.goods_id;
    let mut conn = apart(&url).await;
    for n in 1..=3 {
        // Some of the readers', and the writer's.
        join_all((0..4).map(|_| node.goods(water))).await;
        assert!(hang_up(&mut conn).await >= 2);
        let order = buy(&node, kim, lines(&[(water, 1)])).await.unwrap();
        assert_eq!(order.notification, Some(Offset(n)));
        assert!(hang_up(&mut conn).await >= 1);
        assert!(node.goods(water).await.unwrap().is_some());
    }
}

/// Which of the server's processes a connection is to.
pub(super) async fn process(conn: &mut Conn) -> Result<i64, sqlx::Error> {
    statement::query_scalar("select cast(pg_backend_pid() as bigint)").fetch_one(conn).await
}

/// All readers of a node at once.
async fn readers(node: &SqlStore) -> BTreeSet<i64> {
    let held = join_all((0..4).map(|_| node.reader())).await;
    let mut processes = BTreeSet::new();
    for reader in held {
        processes.insert(process(&mut reader.unwrap()).await.unwrap());
    }
    processes
}

#[tokio::test]
async fn what_was_connected_before_the_writer_had_to_connect_anew_is_not_used() {
    let ([node], url) = nodes().await;
    let kim = a_user(&node, "kim").await.user_id;
    let water = some_goods(&node, "water", None).await.goods_id;
    let before = readers(&node).await;
    let of_writer =
        node.writer.write(|tx| Box::pin(async move { Ok::<_, StoreError>(process(&mut tx.conn).await?) }));
    let ended: bool = sqlx::query_scalar("select pg_terminate_backend($1, 10000)")
        .bind(i32::try_from(of_writer.await.unwrap()).unwrap())
        .fetch_one(&mut apart(&url).await)
        .await
        .unwrap();
    assert!(ended);
    assert_eq!(readers(&node).await.difference(&before).count(), 0, "the readers' server may be what it was");
    buy(&node, kim, lines(&[(water, 1)])).await.unwrap();
    assert!(readers(&node).await.is_disjoint(&before));
}

#[tokio::test]
async fn what_is_written_on_a_connection_that_dies_is_busy_and_not_there() {
    let ([node], _url) = nodes().await;
    let kim = a_user(&node, "kim").await.user_id;
    let water = some_goods(&node, "water", Some(5)).await.goods_id;
    let dies = node.writer.write(|tx| {
        Box::pin(async move {
            tx.conn.script("select pg_terminate_backend(pg_backend_pid())").await?;
            Ok::<(), StoreError>(())
        })
    });
    let (before, dies, after) = tokio::join!(
        buy_as(&node, kim, lines(&[(water, 1)]), "before"),
        dies,
        buy_as(&node, kim, lines(&[(water, 1)]), "after"),
    );
    for refused in [&before, &after] {
        assert!(matches!(refused, Err(OrderError::Store(StoreError::Busy(_)))), "{refused:?}");
    }
    assert!(matches!(dies, Err(StoreError::Busy(_))), "{dies:?}");
    assert_eq!(node.orders_of(kim, None, 9).await.unwrap(), []);
    let again = buy_as(&node, kim, lines(&[(water, 1)]), "before").await.unwrap();
    assert_eq!((again.replayed, again.notification), (false, Some(Offset(1))));
    assert_eq!(node.goods(water).await.unwrap().unwrap().stock, Some(4));
}

/// Places an order as a client does that is told to come again.
async fn insist(node: &SqlStore, kim: UserId, water: GoodsId, key: String) -> OrderId {
    let key = Some(IdempotencyKey::parse(&key).unwrap());
    loop {
        let order = NewOrder { key: key.clone(), ..order(kim, lines(&[(water, 1)]), None) };
        match node.record_order(order).await {
            Ok(placed) => return placed.order.order_id,
            Err(OrderError::Store(StoreError::Busy(_))) => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(refused) => panic!("{refused:?}"),
        }
    }
}

#[tokio::test]
async fn orders_are_placed_once_however_often_connections_die() {
    const EACH: usize = 20;
    let ([a, b], url) = nodes().await;
    let accounts = accounts(&a, 10).await;
    let water = some_goods(&a, "water", None).await.goods_id;
    let (placed, mut progress) = tokio::sync::watch::channel(0);
    let shopper = async |n: usize| {
        let mut answered = Vec::new();
        for order in 0..EACH {
            let node = if (n + order).is_multiple_of(2) { &a } else { &b };
            answered.push(insist(node, accounts[n], water, format!("{n}-{order}")).await);
            placed.send_modify(|count| *count += 1);
        }
        answered
    };
    let shoppers = join_all((0..accounts.len()).map(shopper));
    let mut conn = apart(&url).await;
    let trouble = async {
        for times in 1..=10 {
            progress.wait_for(|count| *count >= times * 10).await.unwrap();
            hang_up(&mut conn).await;
        }
    };
    let (answered, ()) = timeout(DEADLINE, async { tokio::join!(shoppers, trouble) }).await.unwrap();
    for (kim, answered) in accounts.iter().zip(answered) {
        let mut kept: Vec<_> = a.orders_of(*kim, None, 100).await.unwrap();
        kept.reverse();
        assert_eq!(kept.iter().map(|order| order.order_id).collect::<Vec<_>>(), answered);
    }
    let last = i64::try_from(accounts.len() * EACH).unwrap();
    for node in [&a, &b] {
        assert_eq!(relayed(node, last).await, (1..=last).collect::<Vec<_>>());
        assert_eq!(node.reach().await.unwrap().latest, Offset(last));
    }
}
