//! The rows that statements return, and the domain's types that come of them. What a row holds was parsed when it was
//! written and is trusted, as far as a type allows. A test holds the columns of every statement to the fields here.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{
    domain::{
        About, AuditId, BuyerDisplay, CartLine, Category, Currency, Description, Elsewhere, Email, Goods,
        GoodsId, GoodsName, KeyName, ListenKey, ListenKeyId, LoginSession, Nickname, NicknameDisplay,
        Notification, Offset, OrderId, PageOrigin, PageUrl, PasswordHash, Person, Poll, Price, Publication,
        Quantity, Role, SessionId, Sku, SourceId, SourceName, SourceRecord, SourceSettings, StockChangeId,
        StockRecord, StockRecordKind, ThumbnailUrl, Timestamp, User, UserId,
    },
    hooks::{Secret, SourceKind},
    store::{AuditEntry, KeptLogIn, KeptSecret, Receipt, ReceiptId, Source, StoreError},
};

/// A name outside of what this version knows.
pub(super) fn corrupt(what: &str, value: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("{what} is {value}"))
}

/// A number of pieces.
pub(super) fn quantity(pieces: i64) -> Result<Quantity, StoreError> {
    Quantity::new(pieces).ok_or_else(|| corrupt("a quantity", pieces))
}

/// The currency that a row names; where it names none it is the shop's.
pub(super) fn currency(code: Option<&str>, shop: Currency) -> Result<Currency, StoreError> {
    code.map_or(Ok(shop), |code| code.parse().map_err(|_| corrupt("a currency", code)))
}

/// A role by its name.
pub(super) fn role(name: &str) -> Result<Role, StoreError> {
    Role::parse(name).map_err(|_| corrupt("a role", name))
}

#[derive(FromRow)]
pub(super) struct UserRow {
    user_id: i64,
    email: String,
    nickname: String,
    role: String,
    hide_purchases: bool,
    created_at: i64,
}

impl UserRow {
    pub(super) fn user(self) -> Result<User, StoreError> {
        Ok(User {
            user_id: UserId(self.user_id),
            email: Email::trusted(self.email),
            nickname: Nickname::trusted(self.nickname),
            role: role(&self.role)?,
            hide_purchases: self.hide_purchases,
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

/// An account as administrators see it.
#[derive(FromRow)]
pub(super) struct PersonRow {
    #[sqlx(flatten)]
    user: UserRow,
    banned_at: Option<i64>,
    orders: i64,
    log_ins: i64,
}

impl PersonRow {
    pub(super) fn person(self) -> Result<Person, StoreError> {
        Ok(Person {
            user: self.user.user()?,
            banned_at: self.banned_at.map(Timestamp::from_millis),
            orders: self.orders,
            log_ins: self.log_ins,
        })
    }
}

#[derive(FromRow)]
pub(super) struct CredentialsRow {
    #[sqlx(flatten)]
    user: UserRow,
    password_hash: String,
}

impl CredentialsRow {
    pub(super) fn credentials(self) -> Result<(User, PasswordHash), StoreError> {
        Ok((self.user.user()?, PasswordHash(self.password_hash)))
    }
}

#[derive(FromRow)]
pub(super) struct SessionRow {
    #[sqlx(flatten)]
    user: UserRow,
    expires_at: i64,
}

impl SessionRow {
    pub(super) fn session(self, id: SessionId) -> Result<LoginSession, StoreError> {
        Ok(LoginSession { id, user: self.user.user()?, expires_at: Timestamp::from_millis(self.expires_at) })
    }
}

#[derive(FromRow, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct GoodsRow {
    goods_id: i64,
    sku: Option<String>,
    name: String,
    description: String,
    thumbnail_url: String,
    url: Option<String>,
    category: String,
    price: i64,
    currency: Option<String>,
    stock: Option<i64>,
    announce: bool,
    listed: bool,
    created_at: i64,
    updated_at: i64,
}

impl GoodsRow {
    pub(super) fn of(goods: &Goods) -> Self {
        Self {
            goods_id: goods.goods_id.0,
            sku: goods.about.sku.as_ref().map(|sku| sku.as_str().to_owned()),
            name: goods.name.as_str().to_owned(),
            description: goods.about.description.as_str().to_owned(),
            thumbnail_url: goods.thumbnail_url.as_str().to_owned(),
            url: goods.about.url.as_ref().map(|url| url.as_str().to_owned()),
            category: goods.category.as_str().to_owned(),
            price: goods.price.minor,
            currency: Some(goods.price.currency.code().to_owned()),
            stock: goods.stock,
            announce: goods.about.announce,
            listed: goods.about.listed,
            created_at: goods.created_at.as_millis(),
            updated_at: goods.updated_at.as_millis(),
        }
    }

    /// `shop` is the currency of the shop, in which goods of its own are priced.
    pub(super) fn goods(self, shop: Currency) -> Result<Goods, StoreError> {
        Ok(Goods {
            goods_id: GoodsId(self.goods_id),
            name: GoodsName::trusted(self.name),
            thumbnail_url: ThumbnailUrl::trusted(self.thumbnail_url),
            category: Category::trusted(self.category),
            price: Price { minor: self.price, currency: currency(self.currency.as_deref(), shop)? },
            stock: self.stock,
            about: About {
                sku: self.sku.map(Sku::trusted),
                description: Description::trusted(self.description),
                url: self.url.map(PageUrl::trusted),
                announce: self.announce,
                listed: self.listed,
            },
            created_at: Timestamp::from_millis(self.created_at),
            updated_at: Timestamp::from_millis(self.updated_at),
        })
    }
}

#[derive(FromRow)]
pub(super) struct StockRow {
    change_id: i64,
    goods_id: i64,
    kind: String,
    change: i64,
    stock: Option<i64>,
    reason: Option<String>,
    user_id: Option<i64>,
    nickname: Option<String>,
    created_at: i64,
}

impl StockRow {
    pub(super) fn record(self) -> Result<StockRecord, StoreError> {
        Ok(StockRecord {
            change_id: StockChangeId(self.change_id),
            goods_id: GoodsId(self.goods_id),
            kind: match self.kind.as_str() {
                "opening" => StockRecordKind::Opening,
                "set" => StockRecordKind::Set,
                "change" => StockRecordKind::Change,
                other => return Err(corrupt("a change of a stock", other)),
            },
            change: self.change,
            stock: self.stock,
            reason: self.reason,
            by: self.user_id.map(UserId).zip(self.nickname),
            at: Timestamp::from_millis(self.created_at),
        })
    }
}

#[derive(FromRow)]
pub(super) struct CartRow {
    #[sqlx(flatten)]
    goods: GoodsRow,
    quantity: i64,
}

impl CartRow {
    pub(super) fn line(self, currency: Currency) -> Result<CartLine, StoreError> {
        Ok(CartLine { quantity: quantity(self.quantity)?, goods: self.goods.goods(currency)? })
    }
}

/// What the audience sees of an event. The columns of a purchase are null in a cancellation, and the other way round.
#[derive(FromRow)]
pub(super) struct NotificationRow {
    id: i64,
    goods_id: i64,
    nickname: Option<String>,
    first_goods_name: Option<String>,
    other_goods: Option<i64>,
    quantity: Option<i64>,
    withdraws: Option<i64>,
    created_at: i64,
    goods_url: Option<String>,
    thumbnail_url: Option<String>,
    ordered_at: Option<i64>,
}

impl NotificationRow {
    pub(super) fn publication(self) -> Result<Publication, StoreError> {
        let goods_id = GoodsId(self.goods_id);
        let purchase = (self.first_goods_name, self.other_goods, self.quantity);
        let notification = match (purchase, self.withdraws) {
            ((Some(first_goods_name), Some(other_goods), Some(quantity)), None) => {
                let nickname = self.nickname;
                let ordered_at = self.ordered_at.map(Timestamp::from_millis);
                let elsewhere = Elsewhere::of(self.goods_url, self.thumbnail_url, ordered_at);
                Notification::Purchase {
                    nickname,
                    goods_id,
                    first_goods_name,
                    other_goods,
                    quantity,
                    elsewhere,
                }
            }
            (_, Some(canceled)) => Notification::Cancellation { goods_id, canceled: Offset(canceled) },
            _ => return Err(corrupt("a notification without its columns", self.id)),
        };
        let date = Timestamp::from_millis(self.created_at);
        Ok(Publication { id: Offset(self.id), date, notification })
    }
}

#[derive(FromRow)]
pub(super) struct ListenKeyRow {
    key: String,
    name: Option<String>,
    display: String,
    origins: String,
    created_at: i64,
    revoked_at: Option<i64>,
}

impl ListenKeyRow {
    pub(super) fn key(self) -> Result<ListenKey, StoreError> {
        Ok(ListenKey {
            id: listen_key_id(&self.key)?,
            name: self.name.map(KeyName::trusted),
            origins: self.origins.split(' ').map(|origin| PageOrigin::trusted(origin.to_owned())).collect(),
            display: match self.display.as_str() {
                "masked" => NicknameDisplay::Masked,
                "full" => NicknameDisplay::Full,
                other => return Err(corrupt("a display", other)),
            },
            created_at: Timestamp::from_millis(self.created_at),
            revoked_at: self.revoked_at.map(Timestamp::from_millis),
        })
    }
}

/// Reads the text of a listen key.
pub(super) fn listen_key_id(text: &str) -> Result<ListenKeyId, StoreError> {
    ListenKeyId::parse(text).ok_or_else(|| corrupt("a listen key", text))
}

#[derive(FromRow)]
pub(super) struct KeptLogInRow {
    session_id: String,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl KeptLogInRow {
    pub(super) fn log_in(self) -> Result<KeptLogIn, StoreError> {
        Ok(KeptLogIn {
            id: session_id(&self.session_id)?,
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: Timestamp::from_millis(self.expires_at),
            revoked_at: self.revoked_at.map(Timestamp::from_millis),
        })
    }
}

fn session_id(text: &str) -> Result<SessionId, StoreError> {
    SessionId::parse(text).ok_or_else(|| StoreError::Corrupt(format!("{text:?} is no log-in")))
}

#[derive(FromRow)]
pub(super) struct SourceRow {
    pub(super) source_id: String,
    kind: String,
    name: String,
    buyer: String,
    goods_name: Option<String>,
    announce_within: i64,
    rate: i64,
    currency: Option<String>,
    poll_url: Option<String>,
    poll_key: Option<String>,
    poll_cursor: Option<String>,
    created_at: i64,
}

impl SourceRow {
    pub(super) fn source(self, secrets: Vec<SecretRow>) -> Result<Source, StoreError> {
        let kind: SourceKind = self.kind.parse().map_err(|_| corrupt("a kind of source", &self.kind))?;
        let secrets = secrets.into_iter().map(|row| row.secret(kind)).collect::<Result<_, _>>()?;
        let settings = SourceSettings {
            name: SourceName::trusted(self.name),
            buyer: BuyerDisplay::parse(&self.buyer)
                .map_err(|_| corrupt("a display of buyers", &self.buyer))?,
            goods_name: self.goods_name.map(GoodsName::trusted),
            announce_within: Duration::from_millis(u64::try_from(self.announce_within).unwrap_or_default()),
            rate: u32::try_from(self.rate).unwrap_or(u32::MAX),
            poll: self.poll_url.zip(self.poll_key).map(|(url, key)| Poll { url, key }),
        };
        let currency = self.currency.map(|code| code.parse().map_err(|_| corrupt("a currency", code)));
        let record = SourceRecord {
            id: SourceId::trusted(self.source_id),
            settings,
            currency: currency.transpose()?,
            poll_cursor: self.poll_cursor,
            created_at: Timestamp::from_millis(self.created_at),
        };
        Ok(Source { record, kind, secrets })
    }
}

#[derive(FromRow)]
pub(super) struct SecretRow {
    pub(super) source_id: String,
    secret: String,
    created_at: i64,
    ends_at: Option<i64>,
}

impl SecretRow {
    fn secret(self, kind: SourceKind) -> Result<KeptSecret, StoreError> {
        // What it is must not get into a log line.
        let secret =
            Secret::parse(kind, &self.secret).map_err(|_| corrupt("a secret", "none of its kind"))?;
        let created_at = Timestamp::from_millis(self.created_at);
        Ok(KeptSecret { secret, created_at, ends_at: self.ends_at.map(Timestamp::from_millis) })
    }
}

#[derive(FromRow)]
pub(super) struct ReceiptRow {
    receipt_id: i64,
    received_at: i64,
    via: String,
    topic: Option<String>,
    number: Option<String>,
    outcome: String,
    why: String,
    order_id: Option<i64>,
    body: Option<Vec<u8>>,
}

impl ReceiptRow {
    pub(super) fn receipt(self) -> Receipt {
        Receipt {
            id: ReceiptId(self.receipt_id),
            received_at: Timestamp::from_millis(self.received_at),
            via: self.via,
            topic: self.topic,
            number: self.number,
            outcome: self.outcome,
            why: self.why,
            order_id: self.order_id.map(OrderId),
            body: self.body.map(|body| String::from_utf8_lossy(&body).into_owned()),
        }
    }
}

/// A deed of an administrator.
#[derive(FromRow)]
pub(super) struct AuditRow {
    audit_id: i64,
    at: i64,
    user_id: Option<i64>,
    nickname: Option<String>,
    action: String,
    subject: String,
    details: String,
}

impl AuditRow {
    pub(super) fn entry(self) -> Result<AuditEntry, StoreError> {
        Ok(AuditEntry {
            id: AuditId(self.audit_id),
            at: Timestamp::from_millis(self.at),
            admin: self.user_id.map(UserId).zip(self.nickname),
            action: self.action,
            subject: self.subject,
            details: serde_json::from_str(&self.details).map_err(|_| corrupt("a deed", self.audit_id))?,
        })
    }
}

/// Reads the ids of log-ins.
pub(super) fn session_ids(texts: &[String]) -> Result<Vec<SessionId>, StoreError> {
    texts.iter().map(|text| session_id(text)).collect()
}
