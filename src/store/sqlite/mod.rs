//! The store in one SQLite file: readers take turns in a pool, all writes go to the one `writer`. Here each
//! sentence of [`Store`] is only sent to where it is done.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Instant,
};

use async_trait::async_trait;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};

use self::writer::Writer;
use super::{
    AccountError, CancelError, CatalogError, Feed, GoodsQuery, LogStore, OrderError, PlacedOrder, Reach,
    Store, StoreError,
};
use crate::{
    domain::{
        CartLine, Currency, Email, Goods, GoodsId, GoodsPatch, LoginSession, NewGoods, NewOrder, NewUser,
        Nickname, Offset, Order, OrderId, PasswordHash, Publication, Quantity, SessionId, Timestamp, User,
        UserId, UserPatch,
    },
    telemetry,
};

mod accounts;
mod carts;
mod catalog;
mod log;
mod open;
mod orders;
mod placing;
mod rows;
#[cfg(test)]
mod tests;
mod writer;

pub use open::OpenError;

/// A shop's data in one file. Must be opened within a Tokio runtime, which must outlive it: the writer is a task there.
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    currency: Currency,
    feed: Arc<Feed>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens `sqlite://path/to/file.db` (relative; `sqlite:///` for an absolute path), creates it if there is none
    /// and brings it up to date. Prices are counted in `currency`.
    ///
    /// # Errors
    /// The URL is not one of a file, or the file is not ours, of another version, or cannot be used.
    pub async fn open(url: &str, currency: Currency) -> Result<Self, OpenError> {
        let open::Opened { conn, options, readers } = open::open(url).await?;
        let feed = Arc::new(Feed::default());
        let writer = Writer::start(conn, options, currency, feed.clone());
        Ok(Self { readers, writer, currency, feed })
    }

    async fn reader(&self) -> Result<Reader, StoreError> {
        let asked = Instant::now();
        let conn = self.readers.acquire().await?;
        let began = Instant::now();
        telemetry::sqlite(telemetry::Sqlite::ReaderWait, began - asked);
        Ok(Reader { conn, began })
    }
}

/// A reader's turn, whose time is taken.
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
impl LogStore for SqliteStore {
    fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    async fn log_after(&self, after: Offset, limit: u32) -> Result<Vec<Publication>, StoreError> {
        log::after(&mut *self.reader().await?, after, limit).await
    }

    async fn revoked_since(&self, moment: Timestamp) -> Result<Vec<SessionId>, StoreError> {
        accounts::revoked_since(&mut *self.reader().await?, moment).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        if !self.writer.is_running() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        log::reach(&mut *self.reader().await?).await.map(drop)
    }

    async fn close(&self) {
        // The writer last: the last connection to close folds the write-ahead log into the file, and readers may not.
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn setting(&self, key: &'static str, default: &str) -> Result<String, StoreError> {
        if let Some(value) = accounts::setting(&mut *self.reader().await?, key).await? {
            return Ok(value);
        }
        let default = default.to_owned();
        self.writer.write(move |tx| Box::pin(accounts::first_setting(tx, key, default))).await
    }

    async fn change_setting(&self, key: &'static str, value: &str) -> Result<(), StoreError> {
        let value = value.to_owned();
        self.writer.write(move |tx| Box::pin(accounts::change_setting(tx, key, value))).await
    }

    async fn create_user(&self, user: NewUser) -> Result<User, AccountError> {
        self.writer.write(|tx| Box::pin(accounts::create(tx, user))).await
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<(User, PasswordHash)>, StoreError> {
        accounts::by_email(&mut *self.reader().await?, email).await
    }

    async fn has_nickname(&self, nickname: &Nickname) -> Result<bool, StoreError> {
        accounts::has_nickname(&mut *self.reader().await?, nickname).await
    }

    async fn password_of(&self, user: UserId) -> Result<Option<PasswordHash>, StoreError> {
        accounts::password_of(&mut *self.reader().await?, user).await
    }

    async fn change_user(
        &self,
        user: UserId,
        patch: UserPatch,
        keep: &SessionId,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        let keep = *keep;
        self.writer.write(move |tx| Box::pin(accounts::change(tx, user, patch, keep, now))).await
    }

    async fn open_session(
        &self,
        id: &SessionId,
        user: UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = *id;
        self.writer.write(move |tx| Box::pin(accounts::open_session(tx, id, user, now, expires_at))).await
    }

    async fn session(&self, id: &SessionId, now: Timestamp) -> Result<Option<LoginSession>, StoreError> {
        accounts::session(&mut *self.reader().await?, id, now).await
    }

    async fn revoke_session(&self, id: &SessionId, now: Timestamp) -> Result<(), StoreError> {
        let id = *id;
        self.writer.write(move |tx| Box::pin(accounts::revoke(tx, id, now))).await
    }

    async fn ban(&self, email: &Email, banned: bool, now: Timestamp) -> Result<bool, StoreError> {
        let email = email.clone();
        self.writer.write(move |tx| Box::pin(accounts::ban(tx, email, banned, now))).await
    }

    async fn is_empty(&self) -> Result<bool, StoreError> {
        catalog::is_empty(&mut *self.reader().await?).await
    }

    async fn goods_list(&self, query: GoodsQuery) -> Result<Vec<Goods>, StoreError> {
        catalog::list(&mut *self.reader().await?, self.currency, query).await
    }

    async fn goods(&self, id: GoodsId) -> Result<Option<Goods>, StoreError> {
        catalog::find(&mut *self.reader().await?, self.currency, id).await
    }

    async fn create_goods(&self, goods: NewGoods, now: Timestamp) -> Result<Goods, CatalogError> {
        self.writer.write(move |tx| Box::pin(catalog::create(tx, goods, now))).await
    }

    async fn change_goods(
        &self,
        id: GoodsId,
        patch: GoodsPatch,
        now: Timestamp,
    ) -> Result<Goods, CatalogError> {
        self.writer.write(move |tx| Box::pin(catalog::change(tx, id, patch, now))).await
    }

    async fn delete_goods(&self, id: GoodsId) -> Result<(), CatalogError> {
        self.writer.write(move |tx| Box::pin(catalog::delete(tx, id))).await
    }

    async fn cart(&self, user: UserId) -> Result<Vec<CartLine>, StoreError> {
        carts::list(&mut *self.reader().await?, self.currency, user).await
    }

    async fn put_in_cart(
        &self,
        user: UserId,
        goods: GoodsId,
        quantity: Quantity,
    ) -> Result<(), CatalogError> {
        self.writer.write(move |tx| Box::pin(carts::put(tx, user, goods, quantity))).await
    }

    async fn add_to_cart(
        &self,
        user: UserId,
        goods: GoodsId,
        quantity: Quantity,
    ) -> Result<(), CatalogError> {
        self.writer.write(move |tx| Box::pin(carts::add(tx, user, goods, quantity))).await
    }

    async fn remove_from_cart(&self, user: UserId, goods: GoodsId) -> Result<(), StoreError> {
        self.writer.write(move |tx| Box::pin(carts::remove(tx, user, goods))).await
    }

    async fn record_order(&self, order: NewOrder) -> Result<PlacedOrder, OrderError> {
        self.writer.write(|tx| Box::pin(placing::place(tx, order))).await
    }

    async fn cancel_order(
        &self,
        id: OrderId,
        owner: Option<UserId>,
        now: Timestamp,
    ) -> Result<Order, CancelError> {
        self.writer.write(move |tx| Box::pin(orders::cancel(tx, id, owner, now))).await
    }

    async fn orders_of(
        &self,
        user: UserId,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<Order>, StoreError> {
        orders::list(&mut *self.reader().await?, self.currency, user, before, limit).await
    }

    async fn order(&self, id: OrderId, owner: UserId) -> Result<Option<Order>, StoreError> {
        orders::find(&mut *self.reader().await?, self.currency, id, Some(owner)).await
    }

    async fn reach(&self) -> Result<Reach, StoreError> {
        log::reach(&mut *self.reader().await?).await
    }

    async fn prune_log(&self, before: Timestamp, keep: u64) -> Result<u64, StoreError> {
        self.writer.write(move |tx| Box::pin(log::prune(tx, before, keep))).await
    }

    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.writer.write(move |tx| Box::pin(log::forget(tx, before))).await
    }
}
