//! The store in one SQLite file: readers take turns in a pool, all writes go to the one `writer`.

use std::{
    ops::{Deref, DerefMut},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use async_trait::async_trait;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};

pub(super) use self::backup::backup;
use self::{open::OpenError, writer::Writer};
use super::{Feed, LogStore, Store, StoreError};
use crate::{domain::Currency, telemetry};

mod accounts;
mod alerts;
mod audit;
mod authority;
mod backup;
mod carts;
mod catalog;
mod check;
mod deliveries;
mod endpoints;
mod errors;
mod figures;
mod files;
mod finding;
mod foreign_goods;
mod goods_deeds;
mod importing;
mod ingesting;
mod ledger;
mod listen_keys;
mod listing;
mod log;
mod moderation;
mod moderation_rows;
mod news;
mod news_rows;
mod open;
mod order_rows;
mod orders;
mod people;
mod personal;
mod placing;
mod privacy;
mod reading;
mod receipts;
mod resets;
mod rows;
mod silent;
mod sources;
mod stock;
mod telling;
#[cfg(test)]
mod tests;
mod text;
mod writer;

pub(super) use check::check;

/// A shop's data in one file.
pub(super) struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    currency: Currency,
    feed: Arc<Feed>,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens `sqlite://path/to/file.db` (relative; `sqlite:///` for an absolute path).
    pub(super) async fn open(url: &str, currency: Currency) -> Result<Self, OpenError> {
        let open::Opened { conn, options, readers } = open::open(url).await?;
        let path = options.get_filename().to_owned();
        let feed = Arc::new(Feed::default());
        let writer = Writer::start(conn, options, currency, feed.clone());
        Ok(Self { readers, writer, currency, feed, path })
    }

    /// Waits for a reader's turn.
    async fn reader(&self) -> Result<Reader, StoreError> {
        let waiting = Instant::now();
        let conn = self.readers.acquire().await?;
        let began = Instant::now();
        telemetry::sqlite(telemetry::Sqlite::ReaderWait, began - waiting);
        Ok(Reader { conn, began })
    }
}

/// A connection that reads, until it is dropped; how long that took is measured.
struct Reader {
    conn: PoolConnection<Sqlite>,
    began: Instant,
}

impl Deref for Reader {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.conn
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        telemetry::sqlite(telemetry::Sqlite::Read, self.began.elapsed());
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        if !self.writer.is_running() {
            return Err(writer::closed());
        }
        self.reach().await.map(drop)
    }

    async fn close(&self) {
        // The writer last: the last connection to close folds the write-ahead log into the file, and readers may not.
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar("select not exists (select 1 from users) and not exists (select 1 from goods)")
            .fetch_one(&mut *self.reader().await?)
            .await?)
    }

    fn watch_stock(&self, low: i64) {
        self.writer.watch_stock(low);
    }

    async fn setting(&self, key: &'static str, default: &str) -> Result<String, StoreError> {
        let kept = sqlx::query_scalar(
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
                    Ok(sqlx::query_scalar(
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
        files::token_key(&self.path, fresh).map_err(|error| {
            StoreError::Busy(format!("the token key beside {} cannot be kept: {error}", self.path.display()))
        })
    }

    async fn change_setting(&self, key: &'static str, value: &str) -> Result<(), StoreError> {
        let value = value.to_owned();
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    sqlx::query(
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
