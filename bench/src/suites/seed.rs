//! A database of shopbell with a long log, written by SQL: ordering a million times would take minutes.

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::{Result, context::Context, peers::Seed};

/// What orders and alerts of the last day look like: `?1` is how many, `?2` the goods, `?3` now in milliseconds.
const STATEMENTS: [&str; 3] = [
    "with recursive numbers (number) as (select 1 union all select number + 1 from numbers where number < ?1)
     insert into orders (user_id, status, total, created_at)
     select (select min(user_id) from users), 'placed', 450, ?3 - 86400000 + number * 86400000 / ?1
     from numbers where ?2 = ?2",
    "insert into order_items (order_id, line, goods_id, name, price, quantity)
     select order_id, 0, ?2, 'Goods 1', 450, 1 from orders where ?1 = ?1 and ?3 = ?3",
    "insert into order_events (sequence, announced_as, kind, order_id, goods_id, nickname, first_goods_name,
                               other_goods, quantity, created_at)
     select number, number, 'placed', order_id, ?2, 'kim', 'Goods 1', 0, 1, created_at
     from (select row_number() over (order by order_id) as number, order_id, created_at from orders)
     where ?1 = ?1 and ?3 = ?3
     order by number",
];

/// A shop in which so many orders were placed, in a folder that lives as long as the second value.
///
/// # Errors
/// The server does not come up, or its schema is another.
pub(super) fn database(notifications: u32, context: &Context) -> Result<(Seed, TempDir)> {
    context.step(&format!("writing a database with {notifications} notifications"));
    let folder = TempDir::new()?;
    let seed = Seed::create(folder.path(), 1, &context.shopbell)?;
    let database = &seed.database;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let now = i64::try_from(now)?;
    let goods = i64::try_from(seed.goods_id)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let options = SqliteConnectOptions::new().filename(database);
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let mut transaction = connection.begin().await?;
        for statement in STATEMENTS {
            sqlx::query(statement)
                .bind(notifications)
                .bind(goods)
                .bind(now)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        // As after a backup: nothing is left to be moved from the write-ahead log.
        sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut connection).await?;
        connection.close().await
    })?;
    let size = fs::metadata(database)?.len() / 1024 / 1024;
    context.step(&format!("it has {size} MB"));
    Ok((seed, folder))
}
