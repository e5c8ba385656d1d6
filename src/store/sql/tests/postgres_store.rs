//! The contract of every store on PostgreSQL, and its statements on its schema.

use sqlx::{AssertSqlSafe, Column as _, PgConnection, SqlSafeStr as _, Statement as _, TypeInfo as _};

use super::{
    check::{CONTRADICTIONS, let_everything_happen},
    statements::Sentences,
    *,
};
use crate::store::sql::postgres::dialect;

#[expect(unreachable_pub, reason = "the tests of the whole program use it, too")]
#[path = "../../../../tests/it/support/postgres.rs"]
pub(super) mod server;

async fn fresh() -> (SqlStore, ()) {
    (postgres::open(&server::fresh_database().await, usd()).await.unwrap(), ())
}

mod contract {
    use super::*;

    store_contract!(super::fresh);
}

/// What a row's columns may be, because that is what the program reads: a number is an `i64` and nothing else.
const READ: [&str; 4] = ["INT8", "TEXT", "BOOL", "BYTEA"];

/// The names of what a script returns, or all that is wrong with it.
async fn columns(conn: &mut PgConnection, script: String) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for part in dialect::parts(script.leak()) {
        let prepared = conn.prepare(AssertSqlSafe(part.text()).into_sql_str()).await;
        let prepared = prepared.map_err(|error| format!("{error}\n{}", part.text()))?;
        for column in prepared.columns() {
            let kind = column.type_info().name();
            if !READ.contains(&kind) {
                return Err(format!("{} is {kind}\n{}", column.name(), part.text()));
            }
        }
        names = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
    }
    Ok(names)
}

#[tokio::test]
async fn every_statement_is_one_of_the_schema_and_returns_what_is_read() {
    let url = server::fresh_database().await;
    let store = postgres::open(&url, usd()).await.unwrap();
    let mut conn = PgConnection::connect(&url.replace("&pool=4", "")).await.unwrap();
    let sentences = Sentences::new();
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    for call in sentences.all() {
        let Some(sql) = call.postgres.clone() else { continue };
        match columns(&mut conn, sql).await {
            Ok(names) => found.push((call, names)),
            Err(error) => wrong.push(format!("{}: {error}", call.place)),
        }
    }
    assert!(wrong.is_empty(), "{} statements:\n\n{}", wrong.len(), wrong.join("\n\n"));
    sentences.check(found);
    store.close().await;
}

#[tokio::test]
async fn each_contradiction_is_said_in_a_line() {
    let of_a_server = (
        "alter table users disable trigger user",
        &["the trigger password_resets_end of users is switched off"][..],
    );
    for (damage, lines) in CONTRADICTIONS.into_iter().chain([of_a_server]) {
        let url = server::fresh_database().await;
        let store = postgres::open(&url, usd()).await.unwrap();
        let_everything_happen(&store).await;
        assert_eq!(postgres::check(&url).await.unwrap(), [""; 0]);
        let mut conn = PgConnection::connect(&url.replace("&pool=4", "")).await.unwrap();
        conn.execute(damage).await.unwrap();
        let found = postgres::check(&url).await.unwrap();
        for line in lines {
            assert!(found.iter().any(|said| said == line), "{damage}: {line:?} is not in {found:#?}");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn a_node_of_the_version_before_runs_beside_newer_ones_until_something_is_taken_away() {
    let url = server::fresh_database().await;
    let kim = {
        let store = postgres::open(&url, usd()).await.unwrap();
        let kim = a_user(&store, "kim").await.user_id;
        store.close().await;
        kim
    };
    let mut newer = PgConnection::connect(&url.replace("&pool=4", "")).await.unwrap();
    for change in [
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9001, 'expand', true, '', 1)",
        "alter table users add column birthday bigint",
        "alter table orders add column gift boolean not null default false",
        "update settings set value = '1000' where key = 'text_rules'",
    ] {
        newer.execute(change).await.unwrap();
    }
    // It starts, and what it writes has the defaults of what it does not know.
    let store = postgres::open(&url, usd()).await.unwrap();
    let water = some_goods(&store, "water", None).await.goods_id;
    buy(&store, kim, lines(&[(water, 1)])).await.unwrap();
    assert_eq!(store.setting("text_rules", "").await.unwrap(), "1000", "the newer rules hold");
    assert_eq!(postgres::check(&url).await.unwrap(), [""; 0]);
    store.close().await;
    newer.execute("insert into settings (key, value) values ('usable-from', '9001')").await.unwrap();
    let refused =
        [postgres::open(&url, usd()).await.err().unwrap(), postgres::check(&url).await.unwrap_err()];
    for refused in refused {
        assert_eq!(refused.to_string(), "the database was written by another version of shopbell");
    }
}
