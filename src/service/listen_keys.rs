//! Listen keys: made, listed and revoked by administrators, asked for at each handshake.
//!
//! The keys that hold are kept in memory, because CORS asks for them on every request of a page that is not ours, and
//! because whoever tries keys at random should cost no look into the store. What another process changes is known here
//! within half a second ([`ListenKeys::follow`]); the sessions of a revoked key are closed by the relay as those of ended
//! log-ins are.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::sync::Mutex;

use super::ServiceError;
use crate::{
    domain::{
        Actor, Fields, Invalid, KeyName, ListenKey, ListenKeyId, NicknameDisplay, PageOrigin, Timestamp,
        listen_key::{parse_display, parse_origins},
    },
    store::{ListenKeyError, ListenKeyStore, StoreError},
    telemetry::Outage,
};

/// Keys that may hold at the same time.
const MOST: u32 = 1000;
/// How long a revoked key is still listed.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);
/// How often the store is asked what another process changed: sessions end within a second, and new keys hold as soon.
const INTERVAL: Duration = Duration::from_millis(500);

/// The keys that hold.
#[derive(Default)]
struct Held {
    keys: HashMap<ListenKeyId, Arc<ListenKey>>,
    /// Of all of them.
    origins: HashSet<PageOrigin>,
}

impl Held {
    fn of(all: Vec<ListenKey>) -> Self {
        let mut held = Self::default();
        for key in all.into_iter().filter(|key| key.revoked_at.is_none()) {
            held.origins.extend(key.origins.iter().cloned());
            held.keys.insert(key.id, Arc::new(key));
        }
        held
    }
}

/// What an administrator says of a new key.
#[derive(Clone, Debug)]
pub struct WantedKey {
    /// What it is called.
    pub name: Option<KeyName>,
    /// Whose pages may use it.
    pub origins: Vec<PageOrigin>,
    /// How names are shown.
    pub display: NicknameDisplay,
}

impl WantedKey {
    /// Reads `origins, display?, name?`.
    ///
    /// # Errors
    /// Fields that are not valid or not known.
    pub fn read(fields: Fields) -> Result<Self, ServiceError> {
        const NONE: Invalid = Invalid::new("required", "a key needs the origin of the pages that may use it");
        let known = fields.only(&["origins", "display", "name"]);
        let origins = fields
            .raw("origins")
            .ok_or(NONE)
            .and_then(parse_origins)
            .map_err(|invalid| invalid.in_field("origins"));
        let display = fields.optional("display", parse_display);
        let name = fields.optional("name", KeyName::parse);
        let (origins, display, name, ()) = fields.finish((origins, display, name, known))?;
        Ok(Self { name, origins, display: display.unwrap_or(NicknameDisplay::Masked) })
    }
}

/// The use cases of listen keys.
pub struct ListenKeys {
    store: Arc<dyn ListenKeyStore>,
    held: RwLock<Arc<Held>>,
    /// One refresh at a time: what was read before a key was revoked must not be put in after.
    refreshing: Mutex<()>,
}

impl ListenKeys {
    /// Over a store, with the keys that it holds.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(store: Arc<dyn ListenKeyStore>) -> Result<Self, StoreError> {
        let keys = Self { store, held: RwLock::default(), refreshing: Mutex::default() };
        keys.refresh().await?;
        Ok(keys)
    }

    /// Finds a key that holds.
    #[must_use]
    pub fn find(&self, id: ListenKeyId) -> Option<Arc<ListenKey>> {
        self.held().keys.get(&id).cloned()
    }

    /// Whether no key holds.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held().keys.is_empty()
    }

    /// Whether some key holds for pages of an origin.
    #[must_use]
    pub fn has_origin(&self, origin: &PageOrigin) -> bool {
        self.held().origins.contains(origin)
    }

    /// Lists the keys that hold and those that were revoked lately, the newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&self) -> Result<Vec<ListenKey>, ServiceError> {
        Ok(self.store.listen_keys().await?)
    }

    /// Makes a key, which holds at once.
    ///
    /// # Errors
    /// [`ServiceError::TooManyListenKeys`], someone who is no administrator any more.
    pub async fn create(
        &self,
        wanted: WantedKey,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<ListenKey, ServiceError> {
        let key = ListenKey {
            id: ListenKeyId::from_random(rand::random()),
            name: wanted.name,
            origins: wanted.origins,
            display: wanted.display,
            created_at: now,
            revoked_at: None,
        };
        self.store.create_listen_key(key.clone(), MOST, now.minus(REMEMBERED), by).await?;
        self.refresh().await?;
        Ok(key)
    }

    /// Revokes a key: from now on it opens nothing, and what it has opened is closed within a second.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], someone who is no administrator any more.
    pub async fn revoke(
        &self,
        id: ListenKeyId,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        self.store.revoke_listen_key(id, by, now).await?;
        Ok(self.refresh().await?)
    }

    /// Keeps up with what other processes change, until it is dropped.
    pub async fn follow(self: Arc<Self>) {
        let outage = Outage::new("listen keys cannot be read");
        loop {
            tokio::time::sleep(INTERVAL).await;
            outage.note(&self.refresh().await);
        }
    }

    async fn refresh(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.refreshing.lock().await;
        let held = Arc::new(Held::of(self.store.listen_keys().await?));
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = held;
        Ok(())
    }

    fn held(&self) -> Arc<Held> {
        // Replaced as a whole, so that a panic elsewhere poisons nothing.
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl From<ListenKeyError> for ServiceError {
    fn from(error: ListenKeyError) -> Self {
        match error {
            ListenKeyError::TooMany => Self::TooManyListenKeys,
            ListenKeyError::NotFound => Self::NotFound,
            ListenKeyError::Denied(denied) => Self::Denied(denied),
            ListenKeyError::Store(error) => Self::Store(error),
        }
    }
}
