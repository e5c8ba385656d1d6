//! The contract of every store on both databases; and what only SQLite has: its file, its writer, its statements and
//! migrations.

use std::{
    future::Future,
    path::Path,
    task::{Context, Poll, Waker},
};

use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::*;
use crate::{
    domain::Offset,
    store::{
        CatalogStore, OrderStore,
        contract_tests::{NOW, a_user, buy, lines, order, some_goods, store_contract},
    },
};

mod administration;
mod alerts;
mod check;
mod copying;
mod migration;
mod nodes;
mod postgres_store;
mod refusals;
mod searching;
mod silence;
mod statements;

fn usd() -> Currency {
    "USD".parse().unwrap()
}

async fn open(path: &Path) -> Result<SqlStore, sqlite::OpenError> {
    sqlite::open(&format!("sqlite://{}", path.display()), usd()).await
}

async fn fresh() -> (SqlStore, TempDir) {
    let folder = TempDir::new().unwrap();
    (open(&folder.path().join("shop.db")).await.unwrap(), folder)
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

mod contract {
    use super::*;

    store_contract!(super::super::fresh);
}

mod file {
    use super::*;

    async fn refusal(path: &Path) -> String {
        open(path).await.err().expect("it must be refused").to_string()
    }

    #[tokio::test]
    async fn what_is_written_is_there_after_a_restart() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("my shop 100%.db");
        let store = open(&path).await.unwrap();
        let water = some_goods(&store, "water", None).await;
        store.close().await;
        assert!(path.is_file(), "{path:?} has the name that was asked for");
        assert!(store.create_user_fails().await, "a closed store takes nothing");
        let store = open(&path).await.unwrap();
        assert_eq!(store.goods(water.goods_id).await.unwrap(), Some(water));
        store.ping().await.unwrap();
    }

    impl SqlStore {
        async fn create_user_fails(&self) -> bool {
            self.ping().await.is_err() && self.change_setting("a", "b").await.is_err()
        }
    }

    #[tokio::test]
    async fn the_file_of_another_program_is_refused_and_not_touched() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("other.db");
        let mut other = raw(&path).await;
        other.execute("create table theirs (a)").await.unwrap();
        other.close().await.unwrap();
        let before = std::fs::read(&path).unwrap();
        assert_eq!(refusal(&path).await, format!("{} is not a shopbell database", path.display()));
        assert_eq!(std::fs::read(&path).unwrap(), before);

        let marked = folder.path().join("marked.db");
        raw(&marked).await.execute("pragma application_id = 7").await.unwrap();
        assert!(refusal(&marked).await.ends_with("is not a shopbell database"));
        let text = folder.path().join("text.db");
        std::fs::write(&text, "no database, but long enough for its header. ".repeat(50)).unwrap();
        assert!(refusal(&text).await.ends_with("is not a shopbell database"));
    }

    #[tokio::test]
    async fn a_file_of_another_version_is_refused() {
        for change in [
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
             values (9999, 'from the future', 1, x'00', 1)",
            "update _sqlx_migrations set checksum = x'00' where version = 2",
        ] {
            let folder = TempDir::new().unwrap();
            let path = folder.path().join("shop.db");
            open(&path).await.unwrap().close().await;
            raw(&path).await.execute(change).await.unwrap();
            let sentence =
                format!("the database {} was written by another version of shopbell", path.display());
            assert_eq!(refusal(&path).await, sentence);
        }
    }

    #[tokio::test]
    async fn a_place_where_no_file_can_be_is_named() {
        let folder = TempDir::new().unwrap();
        let nowhere = folder.path().join("missing").join("shop.db");
        assert!(refusal(&nowhere).await.contains("there is no folder"));
        assert!(refusal(folder.path()).await.ends_with("cannot be opened for reading and writing"));
        for (url, sentence) in [
            ("sqlite::memory:", "must name a file"),
            ("sqlite://shop.db?mode=memory", "must name a file"),
            ("sqlite://", "must have the form"),
            ("sqlite://shop.db?mode=ro", "must have the form"),
            ("mysql://kim:secret@db/shop", "must have the form"),
            ("postgres://kim:secret@db/shop?pool=0", "must have the form"),
            ("kim:secret", "must have the form"),
            ("shop.db", "must have the form"),
        ] {
            let refused = crate::store::open(url, usd()).await.err().expect("it must be refused").to_string();
            assert!(refused.contains(sentence) && !refused.contains("secret"), "{url}: {refused}");
        }
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let (store, _folder) = fresh().await;
        let mut reader = store.reader().await.unwrap();
        assert!(reader.script("delete from users").await.is_err());
    }
}

mod writing {
    use super::*;

    #[tokio::test]
    async fn a_caller_that_leaves_does_not_undo_its_order() {
        let (store, _folder) = fresh().await;
        let kim = a_user(&store, "kim").await.user_id;
        let water = some_goods(&store, "water", Some(5)).await.goods_id;
        let mut left = Box::pin(buy(&store, kim, lines(&[(water, 2)])));
        let first_poll = left.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(first_poll, Poll::Pending));
        drop(left);
        buy(&store, kim, lines(&[(water, 1)])).await.unwrap();
        assert_eq!(store.orders_of(kim, None, 10).await.unwrap().len(), 2);
        assert_eq!(store.goods(water).await.unwrap().unwrap().stock, Some(2));
    }

    #[tokio::test]
    async fn a_panic_undoes_its_own_job_only() {
        let (store, _folder) = fresh().await;
        let panics = store.writer.write(|tx| {
            Box::pin(async move {
                tx.conn.script("insert into settings values ('panicked', 'yes')").await?;
                if tx.news.goods.is_empty() {
                    panic!("in a test");
                }
                Ok::<(), StoreError>(())
            })
        });
        let (before, panicked, after) = tokio::join!(
            store.change_setting("before", "yes"),
            panics,
            store.change_setting("after", "yes"),
        );
        assert!(before.is_ok() && after.is_ok());
        assert!(matches!(panicked, Err(StoreError::Failed(_))), "{panicked:?}");
        for (key, value) in [("before", "yes"), ("panicked", "no"), ("after", "yes")] {
            assert_eq!(store.setting(key, "no").await.unwrap(), value, "{key}");
        }
    }

    #[tokio::test]
    async fn a_batch_that_cannot_commit_fails_whole_and_the_writer_goes_on() {
        let (store, _folder) = fresh().await;
        let kim = a_user(&store, "kim").await.user_id;
        let water = some_goods(&store, "water", None).await.goods_id;
        // What SQLite does by itself when the disk fails in the middle of a statement.
        let breaks = store.writer.write(|tx| {
            Box::pin(async move {
                tx.conn.script("rollback").await?;
                Ok::<(), StoreError>(())
            })
        });
        let (order, broken) = tokio::join!(buy(&store, kim, lines(&[(water, 1)])), breaks);
        assert!(order.is_err() && broken.is_err());
        assert_eq!(store.orders_of(kim, None, 10).await.unwrap(), []);
        assert!(store.feed().recent_after(Offset::START, 10).is_none(), "nothing was told");
        let next = buy(&store, kim, lines(&[(water, 1)])).await.unwrap();
        assert_eq!(next.notification, Some(Offset(1)));
    }

    #[tokio::test]
    async fn a_database_locked_by_another_program_is_busy_until_it_is_not() {
        let (store, folder) = fresh().await;
        let mut other = raw(&folder.path().join("shop.db")).await;
        other.execute("begin immediate").await.unwrap();
        let refused = store.change_setting("a", "b").await;
        assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
        other.execute("rollback").await.unwrap();
        store.change_setting("a", "b").await.unwrap();
    }

    #[tokio::test]
    async fn a_full_disk_is_busy_until_there_is_room() {
        let (store, _folder) = fresh().await;
        let limit = |sql: &'static str| {
            store.writer.write(move |tx| {
                Box::pin(async move {
                    tx.conn.script(sql).await?;
                    Ok::<(), StoreError>(())
                })
            })
        };
        // SQLite raises it to the size that the file has: no page more.
        limit("pragma max_page_count = 1").await.unwrap();
        let large = "x".repeat(100_000);
        let refused = store.change_setting("a", &large).await;
        assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
        limit("pragma max_page_count = 1000000").await.unwrap();
        store.change_setting("a", &large).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let (store, _folder) = fresh().await;
        let writes = (0..5000).map(|_| store.change_setting("a", "b"));
        let outcomes = futures_util::future::join_all(writes).await;
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Busy(_)))).count();
        assert_eq!(refused, 5000 - 4096);
    }

    #[tokio::test]
    async fn one_account_has_a_share_of_the_queue_and_others_come_in_between() {
        let (store, _folder) = fresh().await;
        let (kim, lee) = (a_user(&store, "kim").await.user_id, a_user(&store, "lee").await.user_id);
        let water = some_goods(&store, "water", None).await.goods_id;
        let flood = futures_util::future::join_all((0..1000).map(|_| buy(&store, kim, lines(&[(water, 1)]))));
        let (flood, other) = tokio::join!(flood, buy(&store, lee, lines(&[(water, 1)])));
        assert_eq!(flood.iter().filter(|placed| placed.is_ok()).count(), 4096 / 16);
        assert_eq!(other.unwrap().notification, Some(Offset(2)), "the second turn is another's");
    }

    #[tokio::test]
    async fn closing_commits_what_waits() {
        let (store, folder) = fresh().await;
        let (written, ()) = tokio::join!(store.change_setting("a", "b"), store.close());
        written.unwrap();
        let again = open(&folder.path().join("shop.db")).await.unwrap();
        assert_eq!(again.setting("a", "c").await.unwrap(), "b");
    }
}

/// `cargo test --release --lib durable -- --ignored --nocapture`; the file lies in `SHOPBELL_BENCH_DIR` or here, not
/// in a temporary folder, which may be memory.
#[tokio::test]
#[ignore = "a measurement"]
async fn durable_orders_per_second() {
    let folder = tempfile::tempdir_in(std::env::var("SHOPBELL_BENCH_DIR").unwrap_or(".".into())).unwrap();
    let store = open(&folder.path().join("shop.db")).await.unwrap();
    let kim = a_user(&store, "kim").await.user_id;
    for (what, stock, tasks, each) in
        [("uncounted", None, 64, 400), ("counted", Some(1_000_000), 64, 400), ("one by one", None, 1, 1000)]
    {
        let water = some_goods(&store, what, stock).await.goods_id;
        let shopper = || async {
            for _ in 0..each {
                let basket = lines(&[(water, 1)]);
                store.record_order(order(kim, basket, None)).await.unwrap();
            }
        };
        let started = std::time::Instant::now();
        futures_util::future::join_all((0..tasks).map(|_| shopper())).await;
        let rate = f64::from(tasks * each) / started.elapsed().as_secs_f64();
        println!("{what}: {rate:.0} durable orders a second, {tasks} at a time");
    }
}
