//! Two nodes on one database: who of them tells an endpoint, and what it hears when one of them is lost.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{
    super::Dispatcher,
    scene::{Scene, body, ids},
    shop::{Shop, eventually},
};
use crate::service::leases::{Leases, Terms, tests::Table};

const TERMS: Terms = Terms { ttl: Duration::from_secs(2), every: Duration::from_millis(50) };

/// A shop without a dispatcher of its own, and two nodes.
async fn scene() -> (Scene, Arc<Table>, [Dispatcher; 2]) {
    let mut scene = Scene::set("order.placed").await;
    scene.shop.stop().await;
    let table = Arc::new(Table::default());
    let node =
        |shop: &Shop, name: &str| shop.node(Leases::new(table.clone(), name.to_owned(), "endpoint", TERMS));
    let one = node(&scene.shop, "one");
    eventually("one node works", async || table.holder("endpoint:1").is_some()).await;
    let other = node(&scene.shop, "other");
    (scene, table, [one, other])
}

fn numbers(scene: &Scene) -> Vec<i64> {
    let received = scene.receiver.received();
    received.iter().map(|one| body(one)["data"]["orderId"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn while_both_live_one_of_them_tells_and_the_other_goes_on_when_it_ends() {
    let (scene, table, [one, other]) = scene().await;
    for _ in 0..50 {
        scene.order().await;
    }
    scene.received(50).await;
    assert_eq!(table.holder("endpoint:1").as_deref(), Some("one"));
    assert!(one.stop(Duration::from_secs(5)).await);
    scene.order().await;
    scene.received(51).await;
    assert_eq!(numbers(&scene), Vec::from_iter(1..=51), "once each, in the order of the log");
    assert_eq!(table.holder("endpoint:1").as_deref(), Some("other"));
    assert!(other.stop(Duration::from_secs(5)).await);
    assert_eq!(table.holder("endpoint:1"), None);
}

#[tokio::test]
async fn a_node_that_is_cut_off_stops_and_another_goes_on_where_it_was() {
    let (scene, table, [one, other]) = scene().await;
    scene.order().await;
    scene.received(1).await;
    table.cut_off("one");
    scene.order().await;
    scene.received(2).await;
    eventually("the other one works", async || table.holder("endpoint:1").as_deref() == Some("other")).await;
    // Still there and without a lease.
    for _ in 0..20 {
        scene.order().await;
    }
    let received = scene.received(22).await;
    assert_eq!(numbers(&scene), Vec::from_iter(1..=22), "once each, in the order of the log");
    assert_eq!(ids(&received).into_iter().collect::<BTreeSet<_>>().len(), 22);
    assert!(one.stop(Duration::from_secs(5)).await);
    assert!(other.stop(Duration::from_secs(5)).await);
}
