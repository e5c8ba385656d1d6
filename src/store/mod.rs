//! Where everything is kept. [`Store`] says it in the words of the shop: one method is one transaction is one
//! sentence. Callers never see SQL, and another database takes the place of SQLite without touching them.
//!
//! What a transaction tells the running program (new notifications, changed goods, ended log-ins) goes out through
//! the [`Feed`], after its COMMIT.

use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::{
    CartLine, Email, Goods, GoodsId, GoodsPatch, LoginSession, NewGoods, NewOrder, NewUser, Nickname, Offset,
    Order, OrderId, PasswordHash, Publication, Quantity, SessionId, Timestamp, User, UserId, UserPatch,
};

#[cfg(test)]
mod contract_tests;
mod errors;
pub mod feed;
pub mod sqlite;

pub use feed::Feed;
pub use sqlite::SqliteStore;

/// The store did not do it. What was to be written is not written.
///
/// It can be cloned because writes that commit together fail together.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// More writes wait than the queue takes, the database is locked by another process or the disk is full: it
    /// will pass.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The database cannot be read or written (file gone, permission, broken disk, store closed).
    #[error("the database failed: {0}")]
    Failed(#[source] Arc<sqlx::Error>),
    /// What is stored is not what this version writes.
    #[error("the database holds something unexpected: {0}")]
    Corrupt(String),
}

/// Why an account was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Another account has the address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// Another account has the nickname.
    #[error("the nickname is taken")]
    NicknameTaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the catalogue or a cart was not changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// No such goods.
    #[error("there are no such goods")]
    NotFound,
    /// The chosen id belongs to other goods.
    #[error("goods with this id exist")]
    GoodsExist,
    /// The cart holds the goods already.
    #[error("the goods are in the cart already")]
    AlreadyInCart,
    /// The cart has as many lines as an order may have.
    #[error("the cart is full")]
    CartFull,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an order was not placed. Nothing of it is kept then, its idempotency key neither.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// No goods with this id.
    #[error("there are no goods {0}")]
    GoodsNotFound(GoodsId),
    /// Fewer pieces are left than were asked for.
    #[error("{name} is out of stock")]
    OutOfStock {
        /// Of these goods.
        goods_id: GoodsId,
        /// Their name.
        name: String,
        /// So many are left.
        left: i64,
    },
    /// The stored cart is empty.
    #[error("the cart is empty")]
    CartEmpty,
    /// The stored cart is not the one that the page showed.
    #[error("the cart has changed")]
    CartChanged,
    /// The key was used for another order.
    #[error("the idempotency key was used for another order")]
    KeyReused,
    /// The order is too dear to be counted.
    #[error("the order is too large")]
    TooLarge,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an order was not canceled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// No such order, or not one that the caller may see.
    #[error("there is no such order")]
    NotFound,
    /// It was canceled before.
    #[error("the order is canceled already")]
    AlreadyCanceled,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An order that is durable.
#[derive(Clone, Debug)]
pub struct PlacedOrder {
    /// The order, as it was placed.
    pub order: Order,
    /// The offset of its notification; `None` when the buyer hides purchases.
    pub notification: Option<Offset>,
    /// It was placed before, under the same idempotency key.
    pub replayed: bool,
}

/// Which goods of the catalogue to list, newest id first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GoodsQuery {
    /// Only this category, exactly.
    pub category: Option<String>,
    /// Only names that contain this text, without regard to (ASCII) case.
    pub text: Option<String>,
    /// Only ids below this one.
    pub before: Option<GoodsId>,
    /// At most so many.
    pub limit: u32,
}

/// How far the log reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The id of the oldest notification that is kept; 1 while none was ever pruned.
    pub oldest: Offset,
    /// The id of the newest; 0 when there never was one.
    pub latest: Offset,
}

/// The log of a shop, as the real-time side reads it.
#[async_trait]
pub trait LogStore: Send + Sync + 'static {
    /// What committed transactions tell.
    fn feed(&self) -> &Arc<Feed>;
    /// Reads the log after an offset, oldest first.
    async fn log_after(&self, after: Offset, limit: u32) -> Result<Vec<Publication>, StoreError>;
    /// Lists the log-ins that were ended at or after a moment, by whichever process.
    async fn revoked_since(&self, moment: Timestamp) -> Result<Vec<SessionId>, StoreError>;
}

/// The data of a shop.
#[async_trait]
pub trait Store: LogStore {
    /// Fails when the database cannot be read or its writer does not run.
    async fn ping(&self) -> Result<(), StoreError>;
    /// Commits what is queued, then closes all connections; later calls fail.
    async fn close(&self);

    /// The value of a setting that outlives restarts, set to `default` if it has none yet.
    async fn setting(&self, key: &'static str, default: &str) -> Result<String, StoreError>;
    /// Changes a setting that outlives restarts.
    async fn change_setting(&self, key: &'static str, value: &str) -> Result<(), StoreError>;

    /// Creates an account.
    async fn create_user(&self, user: NewUser) -> Result<User, AccountError>;
    /// Finds an account and its password by its log-in.
    async fn user_by_email(&self, email: &Email) -> Result<Option<(User, PasswordHash)>, StoreError>;
    /// Whether an account has the nickname.
    async fn has_nickname(&self, nickname: &Nickname) -> Result<bool, StoreError>;
    /// Finds an account's password.
    async fn password_of(&self, user: UserId) -> Result<Option<PasswordHash>, StoreError>;
    /// Changes an account. A new password revokes all its log-ins but `keep`.
    async fn change_user(
        &self,
        user: UserId,
        patch: UserPatch,
        keep: &SessionId,
        now: Timestamp,
    ) -> Result<User, AccountError>;

    /// Records a log-in; `false` when the account is banned.
    async fn open_session(
        &self,
        id: &SessionId,
        user: UserId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Finds a log-in that is neither revoked nor expired, with its account.
    async fn session(&self, id: &SessionId, now: Timestamp) -> Result<Option<LoginSession>, StoreError>;
    /// Ends a log-in; the feed tells, so that its sockets close.
    async fn revoke_session(&self, id: &SessionId, now: Timestamp) -> Result<(), StoreError>;
    /// Bans an account, which ends its log-ins, or lets it log in again. Answers whether there is such an account.
    async fn ban(&self, email: &Email, banned: bool, now: Timestamp) -> Result<bool, StoreError>;

    /// Whether there are no accounts and no goods: what `--demo` may fill.
    async fn is_empty(&self) -> Result<bool, StoreError>;
    /// Lists goods, newest id first.
    async fn goods_list(&self, query: GoodsQuery) -> Result<Vec<Goods>, StoreError>;
    /// Finds goods.
    async fn goods(&self, id: GoodsId) -> Result<Option<Goods>, StoreError>;
    /// Puts goods on sale.
    async fn create_goods(&self, goods: NewGoods, now: Timestamp) -> Result<Goods, CatalogError>;
    /// Changes goods.
    async fn change_goods(
        &self,
        id: GoodsId,
        patch: GoodsPatch,
        now: Timestamp,
    ) -> Result<Goods, CatalogError>;
    /// Takes goods off sale and out of all carts. Orders keep their name and price.
    async fn delete_goods(&self, id: GoodsId) -> Result<(), CatalogError>;

    /// Lists a cart, in the order in which goods were put in.
    async fn cart(&self, user: UserId) -> Result<Vec<CartLine>, StoreError>;
    /// Puts goods in a cart, or changes how many.
    async fn put_in_cart(&self, user: UserId, goods: GoodsId, quantity: Quantity)
    -> Result<(), CatalogError>;
    /// Puts goods in a cart that does not hold them yet.
    async fn add_to_cart(&self, user: UserId, goods: GoodsId, quantity: Quantity)
    -> Result<(), CatalogError>;
    /// Takes goods out of a cart, if they are in it.
    async fn remove_from_cart(&self, user: UserId, goods: GoodsId) -> Result<(), StoreError>;

    /// Places an order: idempotency key, stock, names and prices, cart, order and notification, all or nothing.
    /// Answers when it is durable.
    async fn record_order(&self, order: NewOrder) -> Result<PlacedOrder, OrderError>;
    /// Cancels an order: status, stock and the notification that withdraws its alert. `owner` restricts whose.
    async fn cancel_order(
        &self,
        id: OrderId,
        owner: Option<UserId>,
        now: Timestamp,
    ) -> Result<Order, CancelError>;
    /// Lists someone's orders below an id, newest first.
    async fn orders_of(
        &self,
        user: UserId,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Vec<Order>, StoreError>;
    /// Finds someone's order.
    async fn order(&self, id: OrderId, owner: UserId) -> Result<Option<Order>, StoreError>;

    /// How far the log reaches.
    async fn reach(&self) -> Result<Reach, StoreError>;
    /// Prunes the beginning of the log: what was committed before a moment, and what is more than `keep` rows. A
    /// little at a time; answers how many rows went.
    async fn prune_log(&self, before: Timestamp, keep: u64) -> Result<u64, StoreError>;
    /// Forgets idempotency keys and log-ins that ended before `before`. A little at a time; answers how many rows.
    async fn forget(&self, before: Timestamp) -> Result<u64, StoreError>;
}
