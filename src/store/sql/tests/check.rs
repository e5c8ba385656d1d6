//! `check` finds nothing wrong with a shop that runs, and each contradiction that is put into its file.

use sqlx::AssertSqlSafe;

use super::*;
use crate::{
    domain::{GoodsPatch, StockChange, Timestamp, UserPatch},
    store::{
        AccountStore,
        contract_tests::{buy_as, log_in},
    },
};

async fn found(folder: &TempDir) -> Vec<String> {
    sqlite::check(&format!("sqlite://{}", folder.path().join("shop.db").display())).await.unwrap()
}

async fn busy_shop() -> (SqlStore, TempDir) {
    let (store, folder) = fresh().await;
    let_everything_happen(&store).await;
    (store, folder)
}

/// Makes of an empty shop one in which everything happened that can: orders 1 to 6, of which 2 (hidden), 3 and 5 are
/// canceled.
pub(super) async fn let_everything_happen(store: &SqlStore) {
    let kim = a_user(store, "kim").await.user_id;
    let lee = a_user(store, "lee").await.user_id;
    let hide = UserPatch { hide_purchases: Some(true), ..UserPatch::default() };
    store.change_user(lee.into(), hide, Some(log_in(9)), NOW).await.unwrap();
    let water = some_goods(store, "water", Some(20)).await.goods_id;
    let air = some_goods(store, "air", None).await.goods_id;
    let gone = some_goods(store, "gone", Some(5)).await.goods_id;
    let mut placed = Vec::new();
    for (user, key, pieces) in [(kim, "1", 1), (lee, "2", 2), (kim, "3", 3), (kim, "4", 1), (kim, "5", 2)] {
        let basket = lines(&[(water, pieces), (air, 1), (gone, 1)]);
        placed.push(buy_as(store, user, basket, key).await.unwrap().order.order_id);
    }
    store.cancel_order(placed[1], None, NOW).await.unwrap();
    store.delete_goods(gone, None, None, NOW).await.unwrap();
    store.cancel_order(placed[2], None, NOW).await.unwrap();
    let set = |stock| GoodsPatch { stock: Some(stock), ..GoodsPatch::default() };
    store.change_stock(water, StockChange { pieces: 7, reason: None }, None, NOW).await.unwrap();
    store.change_goods(water, set(None), None, None, NOW).await.unwrap();
    store.cancel_order(placed[4], None, NOW).await.unwrap();
    store.change_goods(water, set(Some(9)), None, None, NOW).await.unwrap();
    store.change_goods(air, set(Some(3)), None, None, NOW).await.unwrap();
    buy(store, kim, lines(&[(air, 2), (water, 2)])).await.unwrap();
}

#[tokio::test]
async fn nothing_is_wrong_with_a_shop_that_runs() {
    let (store, folder) = busy_shop().await;
    assert_eq!(found(&folder).await, [""; 0]);
    let events = store.order_events_after(crate::store::Sequence(0), 100).await.unwrap().len();
    for kept in (0..events).rev() {
        let mut pruned = 1;
        while pruned > 0 {
            pruned = store
                .prune_log(Timestamp::from_millis(0), u64::try_from(kept).unwrap(), Timestamp::MAX)
                .await
                .unwrap();
        }
        assert_eq!(found(&folder).await, [""; 0], "with {kept} events kept");
    }
    let kim = crate::domain::UserId(1);
    buy(&store, kim, lines(&[(crate::domain::GoodsId(2), 1)])).await.unwrap();
    assert_eq!(found(&folder).await, [""; 0]);
}

/// What is put into a busy shop's database, and what is said of it then.
pub(super) const CONTRADICTIONS: [(&str, &[&str]); 13] = [
    (
        "update goods set stock = stock + 1 where goods_id = 1",
        &["goods 1 have a stock of 8, changes and orders come to 7"],
    ),
    (
        "update orders set total = total + 1 where order_id = 4",
        &["order 4 has the total 1861, its lines come to 1860"],
    ),
    (
        "update order_items set price = price - 1 where order_id = 4 and line = 0",
        &["order 4 has the total 1860, its lines come to 1859"],
    ),
    (
        "delete from order_events where sequence = 4",
        &[
            "the log has a hole: event 5 follows 3",
            "the log has a hole: offset 4 follows 2",
            "order 4 has no event in the log",
        ],
    ),
    (
        "delete from order_events where order_id = 2 and kind = 'canceled'",
        &["the log has a hole: event 7 follows 5", "order 2 is canceled, but the log does not say so"],
    ),
    (
        "update orders set status = 'canceled' where order_id = 4",
        &["order 4 is canceled, but the log does not say so"],
    ),
    (
        "update orders set status = 'placed' where order_id = 2",
        &[
            "order 2 is not canceled, but the log says so",
            "order 2 has 1 pieces of goods 3, took 1 and returned 1",
            "order 2 has 2 pieces of goods 1, took 2 and returned 2",
        ],
    ),
    (
        "update order_events set withdraws = 3 where kind = 'canceled' and order_id = 3",
        &["the cancellation of order 3 does not withdraw its alert"],
    ),
    (
        "update order_events set quantity = 9 where order_id = 1",
        &["the event of order 1 does not say what the order does"],
    ),
    (
        "update order_items set taken = 0 where order_id = 6 and goods_id = 1",
        &["goods 1 have a stock of 7, changes and orders come to 9"],
    ),
    ("delete from gone_goods", &["goods 3 were ordered and are neither sold nor gone"]),
    (
        "insert into gone_goods (goods_id) values (2)",
        &["goods 2 are on sale under the number of goods that are gone"],
    ),
    (
        "update idempotency_keys set user_id = 2 where order_id = 1",
        &["an idempotency key names order 1, which is of another account"],
    ),
];

#[tokio::test]
async fn each_contradiction_is_said_in_a_line() {
    let of_a_file = [
        (
            "pragma ignore_check_constraints = on; update goods set stock = -1 where goods_id = 1",
            &["the file is damaged: CHECK constraint failed in goods"][..],
        ),
        (
            "pragma foreign_keys = off; delete from orders where order_id = 6",
            &["row 9 of order_events refers to a row of orders that is not there"],
        ),
    ];
    for (damage, lines) in CONTRADICTIONS.into_iter().chain(of_a_file) {
        let (store, folder) = busy_shop().await;
        let path = folder.path().join("shop.db");
        let mut conn = raw(&path).await;
        conn.execute(AssertSqlSafe(damage)).await.unwrap();
        let found = found(&folder).await;
        for line in lines {
            assert!(found.iter().any(|said| said == line), "{damage}: {line:?} is not in {found:#?}");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn a_check_makes_and_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.db");
    let url = format!("sqlite://{}", path.display());
    let refused = async || sqlite::check(&url).await.expect_err("it must be refused").to_string();
    assert_eq!(refused().await, format!("there is no database {}", path.display()));
    assert!(!path.exists());
    raw(&path).await.execute("create table theirs (a)").await.unwrap();
    assert_eq!(refused().await, format!("{} is not a shopbell database", path.display()));
    std::fs::remove_file(&path).unwrap();
    let mark = format!("pragma application_id = {}", sqlite::open::APPLICATION_ID);
    let mut old = raw(&path).await;
    old.execute(AssertSqlSafe(mark)).await.unwrap();
    sqlite::open::MIGRATIONS.run_to(5, &mut old).await.unwrap();
    assert!(refused().await.ends_with("is of an older version: run shopbell migrate"));
    old.close().await.unwrap();
    open(&path).await.unwrap().close().await;
    let before = std::fs::read(&path).unwrap();
    assert_eq!(found(&folder).await, [""; 0]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
