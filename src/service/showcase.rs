//! The catalogue as everyone reads it: complete answers, kept in memory while the catalogue stays as it is.
//!
//! Nobody reads less than was acknowledged: the store's [`Feed`] counts each change before its caller is answered, the
//! count is taken before the database is read, and what was kept under an older count is thrown away. What another
//! process writes into the same file is not counted; therefore nothing is kept for longer than a second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::{
    domain::GoodsId,
    store::{Feed, GoodsQuery, StoreError},
};

/// After this an answer is read anew, for what another process may have written.
const MAX_AGE: Duration = Duration::from_secs(1);
/// The most answers that are kept. When there are more, or more bytes, all are thrown away: whoever asks for everything
/// there is gets it as fast as the database is, and the next second begins anew.
const MAX_DOCUMENTS: usize = 1024;
/// The most bytes of answers that are kept, one answer more in the worst case.
const MAX_BYTES: usize = 16 << 20;

/// An answer, ready to be sent. Copies share the bytes.
#[derive(Clone, Debug)]
pub struct Document {
    /// What is sent.
    pub body: Bytes,
    /// A strong validator: another one for every other body.
    pub tag: Bytes,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// A list.
    List(GoodsQuery),
    /// One of the goods.
    Goods(GoodsId),
}

/// The answers of a shop.
#[derive(Debug)]
pub struct Showcase {
    feed: Arc<Feed>,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    /// Of the catalogue that all of it shows.
    version: u64,
    slots: HashMap<Asked, Arc<Slot>>,
}

/// The place of an answer, filled by the first who asks while the others wait: a crowd that finds the shelf empty
/// reads the database once.
#[derive(Debug)]
struct Slot {
    since: Instant,
    document: OnceCell<Result<Option<Document>, StoreError>>,
}

impl Slot {
    fn is_good(&self, now: Instant) -> bool {
        now.duration_since(self.since) < MAX_AGE && !matches!(self.document.get(), Some(Err(_)))
    }

    fn bytes(&self) -> usize {
        match self.document.get() {
            Some(Ok(Some(document))) => document.body.len(),
            _ => 0,
        }
    }
}

impl Showcase {
    /// Of the store that tells this feed.
    #[must_use]
    pub fn new(feed: Arc<Feed>) -> Self {
        Self { feed, shelf: Mutex::default() }
    }

    /// What was asked for; `read` gets it from the store when it is not kept. `None`: there is no such thing.
    ///
    /// # Errors
    /// Those of `read`, for all who wait for it.
    pub async fn get(
        &self,
        asked: Asked,
        read: impl Future<Output = Result<Option<Document>, StoreError>>,
    ) -> Result<Option<Document>, StoreError> {
        let slot = self.slot(asked);
        if let Some(document) = slot.document.get() {
            return document.clone();
        }
        // Who goes away while reading leaves it to the next who waits.
        let document = slot.document.get_or_init(|| read).await.clone();
        self.trim();
        document
    }

    /// Where the answer is or will be. A new place is for what is read from now on.
    fn slot(&self, asked: Asked) -> Arc<Slot> {
        let now = Instant::now();
        let mut shelf = self.shelf();
        let version = self.feed.catalog_version();
        if shelf.version != version {
            *shelf = Shelf { version, slots: HashMap::new() };
        }
        if let Some(slot) = shelf.slots.get(&asked).filter(|slot| slot.is_good(now)) {
            return Arc::clone(slot);
        }
        if shelf.slots.len() >= MAX_DOCUMENTS {
            shelf.slots.clear();
        }
        let slot = Arc::new(Slot { since: now, document: OnceCell::new() });
        shelf.slots.insert(asked, Arc::clone(&slot));
        slot
    }

    fn trim(&self) {
        let mut shelf = self.shelf();
        if shelf.slots.values().map(|slot| slot.bytes()).sum::<usize>() > MAX_BYTES {
            shelf.slots.clear();
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // Every change under the lock is complete in itself.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
