//! A shop moves into another database and is the same shop there.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::Notify;

use super::{check::let_everything_happen, postgres_store::server, *};
use crate::store::sql::copy::{CopyError, Progress, in_batches};

/// A row or more for each table that `let_everything_happen` leaves empty, and a number of a report that is gone.
const MORE: &str = "
    insert into settings values ('currency', 'USD');
    insert into sessions values ('abc', 1, 1, 9223372036854775807, null), ('abd', 2, 1, 5, 3);
    insert into carts (user_id, goods_id, quantity) values (1, 2, 1), (2, 1, 999);
    insert into goods_events (after_order, topic, goods_id, data, created_at)
    values (0, 'goods.updated', 1, '{}', 1), (2, 'stock.low', 1, '{\"a\": \"물 \\u0000\"}', 2);
    insert into endpoints (url, topics, secret, place_orders, place_goods, created_at)
    values ('https://a.example/', 'order.placed', 's', 0, 0, 1);
    insert into deliveries (endpoint_id, message, kind, event_at, status, tries, updated_at)
    values (1, 'm', 'order.placed', 1, 'delivered', 1, 1);
    insert into attempts (delivery_id, at, status, error, millis, answer)
    values (1, 1, 200, null, 3, ''), (1, 2, null, 'no answer', 3, 'é');
    insert into listen_keys values ('lk_1', null, 'masked', 'https://a.example', 1, null);
    insert into sources (source_id, kind, name, buyer, announce_within, rate, created_at)
    values ('src_1', 'stripe', 'Their shop', 'none', 0, 1, 1);
    insert into source_secrets values ('src_1', 'whsec_1', 1, null);
    insert into source_orders values ('src_1', '#1', 'unpaid', null, 1);
    insert into source_refunds values ('src_1', '#1', 'd1', 5);
    insert into source_goods values ('src_1', 'id:1', 1);
    insert into receipts (source_id, received_at, via, outcome, why, body)
    values ('src_1', 1, 'hook', 'kept', 'why', x'00ff00'), ('src_1', 2, 'poll', 'kept', 'why', x''),
           ('src_1', 3, 'poll', 'kept', 'why', null);
    insert into audit (at, user_id, action, subject, details) values (1, 1, 'goods.update', 'goods 1', '{}');
    insert into alert_settings values ('audience', '\"everyone\"');
    insert into silent_categories values ('food', 'Food');
    insert into widget_counts values ('2026-11-26', 1, 2, 3);
    insert into password_resets values ('r', 1, 1);
    insert into mutes values (2, 1);
    insert into reports (report_id, room, nickname, message, said_at, user_id, reported_at)
    values (7, 'lobby', 'lee', 'spam', 1, 2, 2), (70, 'lobby', 'lee', 'more', 1, 2, 2);
    delete from reports where report_id = 70;
";

/// A closed shop with rows in every table, and its URL.
async fn shop(folder: &TempDir) -> String {
    let path = folder.path().join("shop.db");
    let store = open(&path).await.unwrap();
    let_everything_happen(&store).await;
    store.token_key("the key of the log-ins, of 32 bytes").await.unwrap();
    store.close().await;
    change(&path, MORE).await;
    at(folder, "shop.db")
}

fn at(folder: &TempDir, name: &str) -> String {
    format!("sqlite://{}", folder.path().join(name).display())
}

async fn change(path: &Path, sql: &'static str) {
    let mut conn = raw(path).await;
    conn.execute(sql).await.unwrap();
    conn.close().await.unwrap();
}

/// Copies two rows at a time.
async fn copy(from: &str, to: &str, progress: &mut Progress<'_>) -> Result<u64, CopyError> {
    let (source, target) = match (from.starts_with("sqlite"), to.starts_with("sqlite")) {
        (true, true) => (sqlite::source(from).await.unwrap(), sqlite::target(to).await.unwrap()),
        (true, false) => (sqlite::source(from).await.unwrap(), postgres::target(to).await.unwrap()),
        (false, true) => (postgres::source(from).await.unwrap(), sqlite::target(to).await.unwrap()),
        (false, false) => (postgres::source(from).await.unwrap(), postgres::target(to).await.unwrap()),
    };
    in_batches(source, target, 2, progress).await
}

async fn copied(from: &str, to: &str) -> u64 {
    copy(from, to, &mut |_, _, _| {}).await.unwrap()
}

async fn refused(from: &str, to: &str) -> String {
    copy(from, to, &mut |_, _, _| {}).await.unwrap_err().to_string()
}

/// All that is in a file but the record of its migrations, as SQLite writes values. Also the numbers that were given.
async fn dump(folder: &TempDir, name: &str) -> BTreeMap<String, Vec<String>> {
    let mut conn = raw(&folder.path().join(name)).await;
    let tables: Vec<(String, String)> = sqlx::query_as(
        "select tables.name, group_concat('quote(\"' || columns.name || '\")', ' || '','' || ')
         from sqlite_schema as tables join pragma_table_info(tables.name) as columns
         where tables.type = 'table' and tables.name <> '_sqlx_migrations'
         group by 1",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let mut dump = BTreeMap::new();
    for (table, columns) in tables {
        let sql = format!("select {columns} from \"{table}\" order by 1");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut conn).await.unwrap();
        let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(!rows.is_empty(), "no test looks at {table}");
        dump.insert(table, rows);
    }
    dump
}

#[tokio::test]
async fn a_shop_goes_to_postgresql_and_back_as_it_was() {
    let folder = TempDir::new().unwrap();
    let shop = shop(&folder).await;
    let (one, other) = (server::fresh_database().await, server::fresh_database().await);
    let rows = copied(&shop, &one).await;
    assert_eq!(copied(&one, &other).await, rows);
    assert_eq!(copied(&other, &at(&folder, "back.db")).await, rows);
    assert_eq!(copied(&at(&folder, "back.db"), &at(&folder, "again.db")).await, rows);
    let before = dump(&folder, "shop.db").await;
    assert_eq!(dump(&folder, "back.db").await, before);
    assert_eq!(dump(&folder, "again.db").await, before);

    // Each is a shop, with the same log and the same log-ins, in which no number means a second thing.
    let key = std::fs::read_to_string(folder.path().join("shop.db-key")).unwrap();
    let epoch = open(&folder.path().join("shop.db")).await.unwrap().reach().await.unwrap().epoch;
    let stores = [
        open(&folder.path().join("again.db")).await.unwrap(),
        postgres::open(&one, usd()).await.unwrap(),
        postgres::open(&other, usd()).await.unwrap(),
    ];
    for store in stores {
        assert_eq!(store.reach().await.unwrap().epoch, epoch);
        assert_eq!(store.token_key("another key of the log-ins, of 32 bytes").await.unwrap(), key);
        let goods = some_goods(&store, "new", None).await.goods_id;
        assert_eq!(goods.0, 4);
        let placed = buy(&store, crate::domain::UserId(1), lines(&[(goods, 1)])).await.unwrap();
        assert_eq!(placed.order.order_id.0, 7);
        let report = store.writer.write(|tx| {
            Box::pin(async move {
                let report: i64 = statement::query_scalar(
                    "insert into reports (room, nickname, message, said_at, user_id, reported_at)
                     values ('lobby', 'lee', 'even more', 1, 2, 2)
                     returning report_id",
                )
                .fetch_one(&mut tx.conn)
                .await?;
                Ok::<i64, StoreError>(report)
            })
        });
        assert_eq!(report.await.unwrap(), 71);
        store.close().await;
    }
}

/// Copies until so many rows of a table are there, and is broken off.
async fn break_off(from: &str, to: &str, when: &str) -> u64 {
    let (reached, mut done) = (Notify::new(), 0);
    let mut progress = |what: &str, now: u64, _: u64| {
        done = now;
        if what == when {
            reached.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = reached.notified() => {}
        ended = copy(from, to, &mut progress) => panic!("it was not broken off: {ended:?}"),
    }
    done
}

#[tokio::test]
async fn what_was_broken_off_is_no_shop_and_goes_on_where_it_stood() {
    let folder = TempDir::new().unwrap();
    let shop = shop(&folder).await;
    let before = dump(&folder, "shop.db").await;
    let there = server::fresh_database().await;
    let back = at(&folder, "back.db");
    for (from, to) in [(&shop, &there), (&there, &back)] {
        let mut done = 0;
        for when in ["copying goods", "copying order_items", "comparing users"] {
            let reached = break_off(from, to, when).await;
            assert!(reached > done, "{when}: {reached} are not more than {done}");
            done = if when.starts_with("copying") { reached } else { 0 };
            let error = crate::store::open(to, usd()).await.err().expect("it is no shop").to_string();
            assert!(error.contains("was not finished"), "{error}");
            assert!(refused(to, &at(&folder, "half.db")).await.contains("was not finished"));
        }
        copied(from, to).await;
        crate::store::open(to, usd()).await.unwrap().close().await;
    }
    assert_eq!(dump(&folder, "back.db").await, before);
}

#[tokio::test]
async fn only_an_empty_database_is_filled() {
    let folder = TempDir::new().unwrap();
    let shop = shop(&folder).await;
    let there = server::fresh_database().await;
    copied(&shop, &there).await;
    assert!(refused(&shop, &there).await.contains("holds rows already"));
    assert!(refused(&there, &shop).await.contains("holds rows already"));

    // A part of a copy of the shop as it was, or of another shop.
    let half = at(&folder, "half.db");
    break_off(&shop, &half, "copying goods").await;
    let store = open(&folder.path().join("shop.db")).await.unwrap();
    buy(&store, crate::domain::UserId(1), lines(&[(crate::domain::GoodsId(2), 1)])).await.unwrap();
    store.close().await;
    assert!(refused(&shop, &half).await.contains("a part of another copy"));

    // Log-ins would end.
    std::fs::write(folder.path().join("new.db-key"), "another key of the log-ins, of 32 bytes").unwrap();
    assert!(refused(&shop, &at(&folder, "new.db")).await.contains("a key of the log-ins"));
}

/// Copies, and changes a file when comparing begins.
async fn copy_while(from: &str, to: &str, path: &Path, sql: &'static str) -> CopyError {
    let mut changed = false;
    let mut progress = |what: &str, _: u64, _: u64| {
        if what.starts_with("comparing") && !std::mem::replace(&mut changed, true) {
            let another_program = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(change(path, sql));
            };
            std::thread::scope(|scope| scope.spawn(another_program).join().unwrap());
        }
    };
    copy(from, to, &mut progress).await.unwrap_err()
}

#[tokio::test]
async fn what_is_not_the_same_is_named() {
    let folder = TempDir::new().unwrap();
    let shop = shop(&folder).await;
    let damage = "
        update users set email = 'pest@example.com', nickname = 'pest' where user_id = 2;
        delete from source_secrets;
        insert into widget_counts values ('2026-11-27', 0, 0, 0)";
    let path = folder.path().join("copy.db");
    let error = copy_while(&shop, &at(&folder, "copy.db"), &path, damage).await;
    let CopyError::Differs(lines) = error else { panic!("{error}") };
    assert_eq!(
        lines,
        [
            "source_secrets \"src_1\" (hidden) is not in the copy",
            "users 2 differs in email, nickname",
            "widget_counts \"2026-11-27\" is only in the copy",
        ]
    );
    assert!(open(&path).await.err().unwrap().to_string().contains("was not finished"));
}

#[tokio::test]
async fn a_source_that_was_written_meanwhile_is_noticed() {
    let folder = TempDir::new().unwrap();
    let shop = shop(&folder).await;
    let path = folder.path().join("shop.db");
    let more = "insert into mutes values (1, 1)";
    let error = copy_while(&shop, &at(&folder, "copy.db"), &path, more).await;
    assert!(matches!(error, CopyError::Moved), "{error}");
}

#[tokio::test]
async fn what_a_text_of_postgresql_cannot_hold_is_replaced() {
    let folder = TempDir::new().unwrap();
    let shop = shop(&folder).await;
    let answer = "update attempts set answer = 'a' || char(0) || 'b' where attempt_id = 2";
    change(&folder.path().join("shop.db"), answer).await;
    let there = server::fresh_database().await;
    copied(&shop, &there).await;
    copied(&there, &at(&folder, "back.db")).await;
    let mut conn = raw(&folder.path().join("back.db")).await;
    let answer: String = sqlx::query_scalar("select answer from attempts where attempt_id = 2")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(answer, "a\u{fffd}b");
}
