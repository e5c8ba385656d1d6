//! The store in an SQL database: readers take turns in a pool, all writes go to the one `writer`. What only one of the
//! databases has is in `sqlite` and `postgres`, and in the sentences that [`either`](statement::either) says in two ways.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Instant,
};

use async_trait::async_trait;

use self::{
    conn::{Conn, Options, Readers},
    leasing::Leases,
    token_key::TokenKey,
    writer::Writer,
};
use super::{Feed, LogStore, Store, StoreError};
use crate::{
    domain::{Currency, Timestamp},
    telemetry,
};

mod accounts;
mod alerts;
mod attempts;
mod audit;
mod authority;
mod carts;
mod catalog;
mod check;
mod conn;
pub(super) mod copy;
mod deliveries;
mod endpoints;
mod errors;
mod figures;
mod finding;
mod foreign_goods;
mod goods_deeds;
mod importing;
mod ingesting;
mod jobs;
mod leases;
mod leasing;
mod ledger;
mod listen_keys;
mod listing;
mod log;
mod moderation;
mod moderation_rows;
mod news;
mod news_rows;
mod order_rows;
mod orders;
mod people;
mod personal;
mod placing;
pub(super) mod postgres;
mod privacy;
mod reading;
mod receipts;
mod resets;
mod rows;
mod silent;
mod sources;
pub(super) mod sqlite;
mod statement;
mod stock;
mod telling;
#[cfg(test)]
mod tests;
mod text;
mod token_key;
mod writer;

/// A database that was opened and brought up to date.
struct Opened {
    /// The writer's.
    conn: Conn,
    /// To connect the writer anew.
    options: Options,
    readers: Readers,
    key: TokenKey,
    leases: Leases,
}

/// A shop's data.
pub(super) struct SqlStore {
    readers: Readers,
    writer: Writer,
    currency: Currency,
    feed: Arc<Feed>,
    key: TokenKey,
    leases: Leases,
}

impl SqlStore {
    fn over(opened: Opened, currency: Currency) -> Self {
        let Opened { conn, options, readers, key, leases } = opened;
        let feed = Arc::new(Feed::default());
        let writer = Writer::start(conn, options, currency, feed.clone());
        Self { readers, writer, currency, feed, key, leases }
    }

    /// Waits for a reader's turn.
    async fn reader(&self) -> Result<Reader, StoreError> {
        let waiting = Instant::now();
        let conn = self.readers.acquire().await?;
        let began = Instant::now();
        telemetry::database(telemetry::Database::ReaderWait, began - waiting);
        Ok(Reader { conn, began })
    }
}

/// A connection that reads, until it is dropped; how long that took is measured.
struct Reader {
    conn: Conn,
    began: Instant,
}

impl Deref for Reader {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        telemetry::database(telemetry::Database::Read, self.began.elapsed());
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn ping(&self) -> Result<(), StoreError> {
        if !self.writer.is_running() {
            return Err(writer::closed());
        }
        self.reach().await.map(drop)
    }

    async fn now(&self, here: Timestamp) -> Result<Timestamp, StoreError> {
        Ok(self.reader().await?.now(here).await?)
    }

    async fn close(&self) {
        // The writer last: the last connection to close folds the write-ahead log into the file, and readers may not.
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(statement::query_scalar(
            "select not exists (select 1 from users) and not exists (select 1 from goods)",
        )
        .fetch_one(&mut *self.reader().await?)
        .await?)
    }

    fn watch_stock(&self, low: i64) {
        self.writer.watch_stock(low);
    }

    async fn setting(&self, key: &'static str, default: &str) -> Result<String, StoreError> {
        let kept = statement::query_scalar(
            "select value
             from settings
             where key = $1",
        )
        .bind(key)
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        if let Some(value) = kept {
            return Ok(value);
        }
        let default = default.to_owned();
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    // The update of nothing makes `returning` give the value that another process was first to set.
                    Ok(statement::query_scalar(
                        "insert into settings (key, value)
                         values ($1, $2)
                         on conflict (key) do update set value = settings.value
                         returning value",
                    )
                    .bind(key)
                    .bind(default)
                    .fetch_one(&mut tx.conn)
                    .await?)
                })
            })
            .await
    }

    async fn token_key(&self, fresh: &str) -> Result<String, StoreError> {
        match &self.key {
            TokenKey::Beside(path) => token_key::of_file(path, fresh),
            TokenKey::Within => self.setting(token_key::ROW, fresh).await,
        }
    }

    async fn change_setting(&self, key: &'static str, value: &str) -> Result<(), StoreError> {
        let value = value.to_owned();
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    statement::query(
                        "insert into settings (key, value)
                         values ($1, $2)
                         on conflict (key) do update set value = excluded.value",
                    )
                    .bind(key)
                    .bind(value)
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}
