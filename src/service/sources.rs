//! Sources: made, listed, changed and removed by administrators, asked for at each receipt. What they say is `ingest`'s.
//!
//! The sources that hold are kept in memory, so that whoever tries names at random costs no look into the store. What another
//! process changes is known here within half a second ([`Sources::follow`]).

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use super::ServiceError;
use crate::{
    domain::{
        Actor, BuyerDisplay, Field, Fields, GoodsName, Invalid, Poll, SourceId, SourceName, SourceRecord,
        SourceSettings, Timestamp, number, source::MAX_ANNOUNCE_WITHIN,
    },
    hooks::{Secret, SourceKind, WebUrl},
    store::{Source, SourceError, SourceStore, StoreError},
    telemetry::Outage,
};

/// How often the store is asked what another process changed.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long older secrets hold beside a new one: the other system may sign with them for a while (Shopify says an hour), and
/// somebody has to enter the new one there.
pub const OVERLAP: Duration = Duration::from_hours(48);
/// Older than this an order is no news, where nothing else is said.
pub const ANNOUNCE_WITHIN: Duration = Duration::from_hours(1);
/// Receipts a second of a source, where nothing else is said.
pub const RATE: u32 = 200;
/// The most receipts a second.
const MAX_RATE: u32 = 100_000;

/// What an administrator says of a new source.
#[derive(Clone, Debug)]
pub struct WantedSource {
    /// Of which kind it is.
    pub kind: SourceKind,
    /// What is set about it.
    pub settings: SourceSettings,
    /// What the other system signs with, if it made that.
    pub secret: Option<Secret>,
}

impl WantedSource {
    /// Reads `kind, name, secret?, buyer?, goodsName?, announceWithin?, rate?, pollUrl?, pollKey?`.
    ///
    /// # Errors
    /// Fields that are not valid or not known; a secret that such a source needs.
    pub fn read(fields: Fields) -> Result<Self, ServiceError> {
        const KIND: Invalid = Invalid::new("invalid", "kind is shopify, woocommerce, stripe or standard");
        let known = fields.only(&[&["kind", "secret"][..], &SETTINGS].concat());
        let kind = fields.required("kind", |text| text.parse::<SourceKind>().map_err(|_| KIND));
        let secret = match &kind {
            Ok(kind) => fields.optional("secret", |text| Secret::parse(*kind, text)),
            Err(_) => Ok(None),
        };
        let named = fields.required("name", |_| Ok(()));
        let changes = if named.is_ok() { Changes::of(&fields) } else { Ok(Changes::default()) };
        let (kind, secret, (), changes, ()) = fields.finish((kind, secret, named, changes, known))?;
        let name = changes.name.clone().unwrap_or_else(|| SourceName::trusted(kind.to_string()));
        let settings = changes.apply(usual(name));
        let wanted = Self { kind, settings, secret };
        wanted.check()?;
        Ok(wanted)
    }

    /// That it is whole.
    ///
    /// # Errors
    /// A poll where there is none to be; half of one; no secret where the other system makes it.
    pub fn check(&self) -> Result<(), ServiceError> {
        if self.secret.is_none() && !self.kind.makes_secret_here() {
            return Err(ServiceError::field(
                "secret",
                "required",
                "this kind of source is told its secret here",
            ));
        }
        check_poll(self.kind, &self.settings)
    }
}

/// The settings of a source of which nothing but the name is said.
#[must_use]
pub fn usual(name: SourceName) -> SourceSettings {
    SourceSettings {
        name,
        buyer: BuyerDisplay::default(),
        goods_name: None,
        announce_within: ANNOUNCE_WITHIN,
        rate: RATE,
        poll: None,
    }
}

fn check_poll(kind: SourceKind, settings: &SourceSettings) -> Result<(), ServiceError> {
    match &settings.poll {
        Some(_) if kind != SourceKind::WooCommerce => {
            Err(ServiceError::field("pollUrl", "invalid", "only a woocommerce source is polled"))
        }
        Some(poll) if poll.key.is_empty() => {
            Err(ServiceError::field("pollKey", "required", "polling needs pollUrl and pollKey"))
        }
        Some(poll) if poll.url.is_empty() => {
            Err(ServiceError::field("pollUrl", "required", "polling needs pollUrl and pollKey"))
        }
        _ => Ok(()),
    }
}

/// The fields that can be changed.
const SETTINGS: [&str; 7] = ["name", "buyer", "goodsName", "announceWithin", "rate", "pollUrl", "pollKey"];

/// What changes about a source; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    name: Option<SourceName>,
    buyer: Option<BuyerDisplay>,
    goods_name: Option<Option<GoodsName>>,
    announce_within: Option<Duration>,
    rate: Option<u32>,
    poll_url: Option<Option<String>>,
    poll_key: Option<String>,
}

impl Changes {
    /// Reads what is to change.
    ///
    /// # Errors
    /// Fields that are not valid or not known.
    pub fn read(fields: Fields) -> Result<Self, ServiceError> {
        let known = fields.only(&SETTINGS);
        let changes = Self::of(&fields);
        let (changes, ()) = fields.finish((changes, known))?;
        Ok(changes)
    }

    fn of(fields: &Fields) -> Result<Self, Vec<crate::domain::FieldError>> {
        use crate::domain::fields::ReadFields as _;
        let shown = (
            fields.optional("name", SourceName::parse),
            fields.optional("buyer", BuyerDisplay::parse),
            nullable(fields, "goodsName", GoodsName::parse),
        );
        let rest = (
            fields.optional("announceWithin", announce_within),
            fields.optional("rate", rate),
            nullable(fields, "pollUrl", poll_url),
            fields.optional("pollKey", poll_key),
        );
        let ((name, buyer, goods_name), (announce_within, rate, poll_url, poll_key)) =
            (shown.gather(), rest.gather()).gather()?;
        Ok(Self { name, buyer, goods_name, announce_within, rate, poll_url, poll_key })
    }

    fn apply(self, before: SourceSettings) -> SourceSettings {
        let poll = match (self.poll_url, before.poll) {
            (None, None) => self.poll_key.map(|key| Poll { url: String::new(), key }),
            (None, Some(poll)) => Some(Poll { key: self.poll_key.unwrap_or(poll.key), ..poll }),
            (Some(None), _) => None,
            (Some(Some(url)), before) => {
                // Another shop is not sent the key of this one.
                let same = before.filter(|poll| poll.url == url).map(|poll| poll.key);
                Some(Poll { url, key: self.poll_key.or(same).unwrap_or_default() })
            }
        };
        SourceSettings {
            name: self.name.unwrap_or(before.name),
            buyer: self.buyer.unwrap_or(before.buyer),
            goods_name: self.goods_name.unwrap_or(before.goods_name),
            announce_within: self.announce_within.unwrap_or(before.announce_within),
            rate: self.rate.unwrap_or(before.rate),
            poll,
        }
    }
}

/// A field that can be taken away with `null`, or in a form with nothing.
fn nullable<T>(
    fields: &Fields,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, Invalid>,
) -> Field<Option<Option<T>>> {
    if fields.is_null(name) {
        return Ok(Some(None));
    }
    fields.optional(name, |text| if text.is_empty() { Ok(None) } else { parse(text).map(Some) })
}

/// Reads how old an order may be to be news, `1h` or `90s`: up to a year.
///
/// # Errors
/// Anything else.
pub fn announce_within(text: &str) -> Result<Duration, Invalid> {
    const BAD: Invalid = Invalid::new("invalid", "announceWithin is a time such as 1h, at most a year");
    humantime::parse_duration(text).ok().filter(|time| *time <= MAX_ANNOUNCE_WITHIN).ok_or(BAD)
}

/// Reads receipts a second, 1 to 100,000.
///
/// # Errors
/// Anything else.
pub fn rate(text: &str) -> Result<u32, Invalid> {
    const BAD: Invalid = Invalid::new("out_of_range", "rate is a whole number from 1 to 100000");
    let rate = number::whole(text).and_then(|rate| u32::try_from(rate).ok());
    rate.filter(|rate| (1..=MAX_RATE).contains(rate)).ok_or(BAD)
}

/// Reads the address of a shop whose orders are read.
///
/// # Errors
/// No `http(s)` URL.
pub fn poll_url(text: &str) -> Result<String, Invalid> {
    const BAD: Invalid = Invalid::new("invalid", "pollUrl is the http(s) address of the shop");
    WebUrl::parse(text).map(|url| url.as_str().trim_end_matches('/').to_owned()).ok_or(BAD)
}

/// Reads the key of WooCommerce's REST API, `ck_…:cs_…`.
///
/// # Errors
/// Anything else.
pub fn poll_key(text: &str) -> Result<String, Invalid> {
    const BAD: Invalid = Invalid::new("invalid", "pollKey is ck_…:cs_…, the two keys of the REST API");
    let text = text.trim();
    let whole = text.split_once(':').is_some_and(|(key, secret)| !key.is_empty() && !secret.is_empty());
    let plain = text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
    if whole && plain { Ok(text.to_owned()) } else { Err(BAD) }
}

/// The use cases of sources.
pub struct Sources {
    store: Arc<dyn SourceStore>,
    held: RwLock<Arc<HashMap<SourceId, Arc<Source>>>>,
}

impl Sources {
    /// Over a store, with the sources that it holds.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(store: Arc<dyn SourceStore>) -> Result<Self, StoreError> {
        let sources = Self { store, held: RwLock::default() };
        sources.refresh().await?;
        Ok(sources)
    }

    /// Finds a source that holds.
    #[must_use]
    pub fn find(&self, id: &SourceId) -> Option<Arc<Source>> {
        self.held().get(id).cloned()
    }

    /// The sources that hold, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Source>> {
        self.held().values().cloned().collect()
    }

    /// Lists the sources, the oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&self) -> Result<Vec<Source>, ServiceError> {
        Ok(self.store.sources().await?)
    }

    /// Finds one, as the store has it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn get(&self, id: &SourceId) -> Result<Source, ServiceError> {
        let found = self.store.sources().await?.into_iter().find(|source| source.record.id == *id);
        found.ok_or(ServiceError::NotFound)
    }

    /// Makes a source. Returns it, and the secret that was made for it, which is not shown again.
    ///
    /// # Errors
    /// Someone who is no administrator any more.
    pub async fn create(
        &self,
        wanted: WantedSource,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(Source, Option<Secret>), ServiceError> {
        let WantedSource { kind, settings, secret } = wanted;
        let id = SourceId::from_random(rand::random());
        let made = secret.is_none().then(|| Secret::made(&rand::random()));
        let record =
            SourceRecord { id: id.clone(), settings, currency: None, poll_cursor: None, created_at: now };
        self.store.create_source(record, kind, secret.or_else(|| made.clone()), by).await?;
        self.refresh().await?;
        Ok((self.get(&id).await?, made))
    }

    /// Changes what is set about a source.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], half of a poll, someone who is no administrator any more.
    pub async fn change(
        &self,
        id: &SourceId,
        changes: Changes,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Source, ServiceError> {
        let source = self.get(id).await?;
        let settings = changes.apply(source.record.settings);
        check_poll(source.kind, &settings)?;
        self.store.change_source(id.clone(), settings, by, now).await?;
        self.refresh().await?;
        self.get(id).await
    }

    /// Gives a source another secret: the one that the other system made, or a new one. The ones before it hold for two
    /// more days. Returns the secret that was made here.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], a secret that such a source needs, someone who is no administrator any more.
    pub async fn rotate(
        &self,
        id: &SourceId,
        secret: Option<&str>,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(Source, Option<Secret>), ServiceError> {
        let kind = self.get(id).await?.kind;
        let given = secret.map(|text| Secret::parse(kind, text)).transpose();
        let given = given.map_err(|invalid| invalid.in_field("secret"))?;
        if given.is_none() && !kind.makes_secret_here() {
            return Err(ServiceError::field(
                "secret",
                "required",
                "this kind of source is told its secret here",
            ));
        }
        let made = given.is_none().then(|| Secret::made(&rand::random()));
        let Some(next) = given.or_else(|| made.clone()) else { return Err(ServiceError::NotFound) };
        self.store.add_secret(id.clone(), next, now.plus(OVERLAP), by, now).await?;
        self.refresh().await?;
        Ok((self.get(id).await?, made))
    }

    /// Ends all secrets of a source but the newest.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], someone who is no administrator any more.
    pub async fn drop_old(
        &self,
        id: &SourceId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<Source, ServiceError> {
        self.store.drop_old_secrets(id.clone(), by, now).await?;
        self.refresh().await?;
        self.get(id).await
    }

    /// Removes a source: it says nothing more; its orders stay.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], someone who is no administrator any more.
    pub async fn remove(&self, id: &SourceId, by: Option<Actor>, now: Timestamp) -> Result<(), ServiceError> {
        self.store.remove_source(id.clone(), by, now).await?;
        Ok(self.refresh().await?)
    }

    /// Keeps up with what other processes change, until it is dropped.
    pub async fn follow(self: Arc<Self>) {
        let outage = Outage::new("sources cannot be read");
        loop {
            tokio::time::sleep(INTERVAL).await;
            outage.note(&self.refresh().await);
        }
    }

    async fn refresh(&self) -> Result<(), StoreError> {
        let found = self.store.sources().await?;
        let held = found.into_iter().map(|source| (source.record.id.clone(), Arc::new(source))).collect();
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
        Ok(())
    }

    fn held(&self) -> Arc<HashMap<SourceId, Arc<Source>>> {
        // Replaced as a whole, so that a panic elsewhere poisons nothing.
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl From<SourceError> for ServiceError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::NotFound => Self::NotFound,
            SourceError::Denied(denied) => Self::Denied(denied),
            SourceError::Store(error) => Self::Store(error),
        }
    }
}
