//! The use cases: what someone can do with the shop, one function each, from domain types to domain types.
//!
//! Nothing here knows of HTTP or sockets. The edges see one error, [`ServiceError`], and choose status, close code
//! and acknowledgement from it.

use crate::{
    domain::{FieldError, GoodsId, Offset, Price},
    limits::{LimitExceeded, RateExceeded, TooManyAttempts},
    media::PictureError,
    store::{AccountError, CancelError, CatalogError, Denied, OrderError, StoreError},
};

pub mod account_forms;
pub mod accounts;
pub mod alerts;
pub mod catalog;
pub mod demo;
pub mod endpoints;
pub mod history;
pub mod housekeeping;
pub mod import;
pub mod ingest;
pub mod leases;
pub mod ledger;
pub mod listen_keys;
pub mod media;
pub mod moderation;
pub mod orders;
pub mod passwords;
pub mod people;
pub mod poll_reports;
pub mod resets;
pub mod sources;
pub mod tokens;
pub mod vouching;
pub mod widget;

/// Why a use case was refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Fields of the request are not what they should be.
    #[error("{} fields are not valid", .0.len())]
    Validation(Vec<FieldError>),
    /// The password and its repetition differ.
    #[error("the passwords differ")]
    PasswordMismatch,
    /// The e-mail address or the password is wrong; which of them is not told.
    #[error("the e-mail address or the password is wrong")]
    BadCredentials,
    /// The account may not log in.
    #[error("the account is banned")]
    Banned,
    /// Too many log-ins failed, for the account or from the address.
    #[error(transparent)]
    TooManyAttempts(#[from] TooManyAttempts),
    /// The account orders too fast.
    #[error("too many orders")]
    TooManyOrders(RateExceeded),
    /// A source sends too much.
    #[error("too many receipts of one source")]
    TooManyReceipts(RateExceeded),
    /// A network reports too much of what visitors do with the widget.
    #[error("too many reports of one network")]
    TooManyCounts(RateExceeded),
    /// What came to the door of a source was not signed by it; a sentence that says why.
    #[error("{0}")]
    BadSignature(&'static str),
    /// What a source signed is not what such a source sends; a sentence that says why.
    #[error("{0}")]
    MalformedReceipt(String),
    /// The body of a receipt is no longer kept, or never was.
    #[error("what was received is no longer kept")]
    ReceiptForgotten,
    /// No mail goes out of here.
    #[error("mail is not configured")]
    MailNotConfigured,
    /// Too many links to a new password are asked for, or tried.
    #[error("too many links to a new password")]
    TooManyResets(RateExceeded),
    /// Too many registrations come from the network.
    #[error("too many registrations")]
    TooManyRegistrations(RateExceeded),
    /// There are as many sessions or connections as there may be.
    #[error("{0}")]
    Limit(#[from] LimitExceeded),
    /// Another account has the address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// Another account has the nickname.
    #[error("the nickname is taken")]
    NicknameTaken,
    /// There is no such thing, or not one that the caller may see.
    #[error("there is no such thing")]
    NotFound,
    /// Goods to order that do not exist.
    #[error("there are no goods {0}")]
    GoodsNotFound(GoodsId),
    /// The caller lost the right meanwhile.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The chosen id belongs to other goods, or did.
    #[error("goods with this id exist or existed")]
    GoodsExist,
    /// A precondition of the request does not hold: the thing is not what the caller has seen.
    #[error("it is not what If-Match names")]
    PreconditionFailed,
    /// The order comes to something else than the buyer was told.
    #[error("the order comes to another sum")]
    PriceChanged {
        /// What the buyer was told.
        expected: Price,
        /// What it comes to.
        total: Price,
    },
    /// The cart holds the goods already.
    #[error("the goods are in the cart already")]
    AlreadyInCart,
    /// Fewer pieces are left than were ordered.
    #[error("{name} is out of stock")]
    OutOfStock {
        /// Of these goods.
        goods_id: GoodsId,
        /// Their name.
        name: String,
        /// So many are left.
        left: i64,
    },
    /// The stored cart is not the one that the page showed.
    #[error("the cart has changed")]
    CartChanged,
    /// The key was used for another order.
    #[error("the idempotency key was used for another order")]
    IdempotencyKeyReused,
    /// The order was canceled before.
    #[error("the order is canceled already")]
    AlreadyCanceled,
    /// There are as many endpoints as there may be.
    #[error("there are as many endpoints as there may be")]
    TooManyEndpoints,
    /// Nothing is sent to an endpoint that is disabled.
    #[error("the endpoint is disabled")]
    EndpointDisabled,
    /// The log no longer has what is to be told again.
    #[error("the log no longer has this event")]
    Pruned,
    /// The log no longer reaches back so far.
    #[error("the log begins at {oldest}")]
    TooOld {
        /// The oldest notification that is kept.
        oldest: Offset,
    },
    /// More work waits than is taken on: it will pass.
    #[error("too much work waits: {0}")]
    Busy(&'static str),
    /// The server is about to end and takes no new work; another, or the next one, does.
    #[error("the server is about to end")]
    Restarting,
    /// What was uploaded is no picture that is taken.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// Nobody would be left to administrate.
    #[error("the last administrator must stay one")]
    LastAdmin,
    /// There are as many listen keys as there may be.
    #[error("there are too many listen keys")]
    TooManyListenKeys,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something failed that never should.
    #[error("{0}")]
    Internal(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ServiceError {
    /// One field that is not what it should be.
    #[must_use]
    pub fn field(field: &str, code: &'static str, message: &'static str) -> Self {
        Self::Validation(vec![FieldError { field: field.to_owned(), code, message }])
    }

    /// Something that never should fail did.
    pub(crate) fn internal(
        what: &'static str,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Internal(what, cause.into())
    }
}

impl From<FieldError> for ServiceError {
    fn from(error: FieldError) -> Self {
        Self::Validation(vec![error])
    }
}

impl From<Vec<FieldError>> for ServiceError {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::Validation(errors)
    }
}

impl From<AccountError> for ServiceError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::EmailTaken => Self::EmailTaken,
            AccountError::NicknameTaken => Self::NicknameTaken,
            AccountError::Denied(denied) => Self::Denied(denied),
            AccountError::Store(error) => Self::Store(error),
        }
    }
}

impl From<CatalogError> for ServiceError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::NotFound => Self::NotFound,
            CatalogError::GoodsExist => Self::GoodsExist,
            CatalogError::Changed => Self::PreconditionFailed,
            CatalogError::Incomplete => Self::field("name", "required", "this field is required"),
            CatalogError::ForeignPrice => {
                Self::field("price", "required", "goods are sold in the shop's currency: say a price in it")
            }
            CatalogError::OutOfStock { goods_id, name, left } => Self::OutOfStock { goods_id, name, left },
            CatalogError::NoChange(None) => Self::field("change", "not_counted", "this stock is not counted"),
            CatalogError::NoChange(Some(_)) => {
                Self::field("change", "out_of_range", "the stock would be too large")
            }
            CatalogError::Denied(denied) => Self::Denied(denied),
            CatalogError::AlreadyInCart => Self::AlreadyInCart,
            CatalogError::CartFull => Self::field("goodsId", "cart_full", "a cart has at most 100 lines"),
            CatalogError::Store(error) => Self::Store(error),
        }
    }
}

impl From<OrderError> for ServiceError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::GoodsNotFound(goods_id) => Self::GoodsNotFound(goods_id),
            OrderError::OutOfStock { goods_id, name, left } => Self::OutOfStock { goods_id, name, left },
            OrderError::CartEmpty => Self::field("fromCart", "cart_empty", "the cart is empty"),
            OrderError::CartChanged => Self::CartChanged,
            OrderError::KeyReused => Self::IdempotencyKeyReused,
            OrderError::TooLarge => Self::field("items", "out_of_range", "the order is too large"),
            OrderError::PriceChanged { expected, total } => Self::PriceChanged { expected, total },
            OrderError::Denied(denied) => Self::Denied(denied),
            OrderError::Store(error) => Self::Store(error),
        }
    }
}

impl From<CancelError> for ServiceError {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::NotFound => Self::NotFound,
            CancelError::AlreadyCanceled => Self::AlreadyCanceled,
            CancelError::Denied(denied) => Self::Denied(denied),
            CancelError::Store(error) => Self::Store(error),
        }
    }
}

/// One page of a list, and where the next begins.
#[derive(Clone, Debug)]
pub struct Page<T, Id> {
    /// What is on it.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` when nothing follows.
    pub next: Option<Id>,
}

impl<T, Id> Page<T, Id> {
    /// Cuts a page of `limit` from a list that was read with one entry more.
    #[must_use]
    pub fn cut(mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> Id) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(id);
        Self { items, next }
    }
}
