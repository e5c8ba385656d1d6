//! A server of PostgreSQL that is gone without a word, or answers that it cannot write.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::timeout;

use super::{
    nodes::{apart, hang_up, process},
    postgres_store::server::{self, Line},
    *,
};
use crate::store::sql::statement;

/// For what the store waits: a statement, and what follows.
const DEADLINE: Duration = Duration::from_secs(30);

/// The readers of a store.
const READERS: usize = 4;

async fn readers(store: &SqlStore) -> Vec<Result<super::Reader, StoreError>> {
    join_all((0..READERS).map(|_| store.reader())).await
}

#[tokio::test]
async fn a_server_that_is_gone_without_a_word_holds_nobody_up_for_long() {
    let line = Line::lay().await;
    let store = Arc::new(postgres::open(&line.url, usd()).await.unwrap());
    let mut busy: Vec<_> = readers(&store).await.into_iter().map(Result::unwrap).collect();
    line.silence();
    // One waits for an answer; the others are given back.
    let mut asks = busy.pop().unwrap();
    let asked = tokio::spawn(async move { StoreError::from(process(&mut asks).await.unwrap_err()) });
    drop(busy);
    let error = timeout(DEADLINE, asked).await.expect("the reader waits no longer").unwrap();
    assert!(matches!(error, StoreError::Busy(_)), "{error:?}");
    let refused = timeout(DEADLINE, store.reach()).await.expect("nor does another").unwrap_err();
    assert!(matches!(refused, StoreError::Busy(_)), "{refused:?}");
    // Another server answers at the address: all readers are there again, although nobody has told the old connections.
    line.restore();
    let restored = timeout(DEADLINE, async { while readers(&store).await.iter().any(Result::is_err) {} });
    restored.await.expect("all readers have connections");
    a_user(&*store, "kim").await;
    let kept: i64 = sqlx::query_scalar("select count(*) from users")
        .fetch_one(&mut apart(&line.direct).await)
        .await
        .unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn a_connection_whose_answer_nobody_waits_for_is_not_given_to_anyone() {
    let store = postgres::open(&server::fresh_database().await, usd()).await.unwrap();
    let mut given_up = store.reader().await.unwrap();
    let pid = process(&mut given_up).await.unwrap();
    let sleep = statement::query_scalar::<i64>("select 1::bigint from pg_sleep(600)");
    assert!(timeout(Duration::from_millis(100), sleep.fetch_one(&mut given_up)).await.is_err());
    let Readers::Postgres(pool) = &store.readers else { panic!("it is PostgreSQL's") };
    let size = pool.size();
    drop(given_up);
    assert_eq!(pool.size(), size - 1, "its place is free at once");
    for reader in readers(&store).await {
        let mut reader = reader.expect("its turn is free");
        assert_ne!(process(&mut reader).await.unwrap(), pid);
    }
}

#[tokio::test]
async fn a_writer_does_not_stay_with_a_server_that_became_read_only() {
    let url = server::fresh_database().await;
    let store = postgres::open(&url, usd()).await.unwrap();
    let mut other = apart(&url).await;
    let name: String = sqlx::query_scalar("select current_database()").fetch_one(&mut other).await.unwrap();
    let alter = async |conn: &mut PgConnection, change: &str| {
        conn.execute(AssertSqlSafe(format!("alter database {name} {change}"))).await.unwrap();
    };
    alter(&mut other, "set default_transaction_read_only = on").await;
    hang_up(&mut other).await;
    let refused = store.change_setting("tea", "green").await.unwrap_err();
    assert!(matches!(refused, StoreError::Busy(_)), "{refused:?}");
    alter(&mut other, "reset default_transaction_read_only").await;
    store.change_setting("tea", "green").await.unwrap();
}
