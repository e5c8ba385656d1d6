//! Caches the catalog's most frequent answers, ready to be sent: bodies with their `ETag`.
//!
//! No client reads less than was acknowledged: the store's [`Feed`] counts each change of the catalog before its writer
//! is answered, that version is part of the key, and it is read before the database is. What was kept under an older
//! version is never found again. Changes by other processes are not counted, so that nothing is kept for longer than a
//! second.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;

use crate::{
    domain::GoodsId,
    store::{Feed, GoodsQuery, StoreError},
    web::etag::Document,
};

/// After this an answer is read again: another process may have changed the catalog.
const MAX_AGE: Duration = Duration::from_secs(1);
/// The most bytes that are kept, keys and entries included.
const MAX_BYTES: u64 = 16 << 20;
/// What an entry is taken to cost beside its body: key, hash table, queues. More than it does.
const ENTRY_BYTES: usize = 1024;

/// What a client requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Request {
    /// A list.
    List(GoodsQuery),
    /// One of the goods.
    Goods(GoodsId),
    /// The categories.
    Categories,
}

/// The cache; copies share it.
#[derive(Clone, Debug)]
pub struct CatalogCache {
    feed: Arc<Feed>,
    /// By catalog version and request; `None`: there is no such thing.
    documents: Cache<(u64, Request), Option<Document>>,
}

impl CatalogCache {
    /// An empty cache of the store that has this feed.
    #[must_use]
    pub fn new(feed: Arc<Feed>) -> Self {
        let documents = Cache::builder()
            .max_capacity(MAX_BYTES)
            .weigher(|_, document: &Option<Document>| {
                let body = document.as_ref().map_or(0, |document| document.body.len());
                u32::try_from(ENTRY_BYTES + body).unwrap_or(u32::MAX)
            })
            .time_to_live(MAX_AGE)
            .build();
        Self { feed, documents }
    }

    /// The answer to a request, read by `read` when it is not kept. Requests that come meanwhile wait for that one read.
    ///
    /// # Errors
    /// Those of `read`, for all that wait for it; they are not kept.
    pub(super) async fn get(
        &self,
        request: Request,
        read: impl Future<Output = Result<Option<Document>, StoreError>>,
    ) -> Result<Option<Document>, StoreError> {
        let key = (self.feed.catalog_version(), request);
        self.documents.try_get_with(key, read).await.map_err(Arc::unwrap_or_clone)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use futures_util::{FutureExt as _, future::join_all};

    use super::*;
    use crate::{
        domain::{
            About, Category, Goods, GoodsAction, GoodsEvent, GoodsName, Price, ThumbnailUrl, Timestamp,
        },
        store::feed::News,
    };

    /// A cache over a feed whose store is one number, and how often that was read.
    struct World {
        cache: CatalogCache,
        reads: AtomicUsize,
        goods: AtomicUsize,
    }

    fn world() -> World {
        let cache = CatalogCache::new(Arc::new(Feed::default()));
        World { cache, reads: AtomicUsize::new(0), goods: AtomicUsize::new(0) }
    }

    fn changed() -> News {
        let goods = Goods {
            goods_id: GoodsId(1),
            name: GoodsName::parse("water").unwrap(),
            thumbnail_url: ThumbnailUrl::parse_url("/a.svg").unwrap(),
            category: Category::parse("drink").unwrap(),
            price: Price { minor: 1, currency: "USD".parse().unwrap() },
            stock: None,
            about: About::default(),
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
        };
        News { goods: vec![GoodsEvent { action: GoodsAction::Update, goods }], ..News::default() }
    }

    fn document(bytes: usize) -> Option<Document> {
        Some(Document { body: vec![b'x'; bytes].into(), tag: Bytes::new() })
    }

    impl World {
        async fn get(&self, id: i64) -> usize {
            let read = async {
                self.reads.fetch_add(1, Ordering::Relaxed);
                let goods = self.goods.load(Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok(document(goods))
            };
            self.cache.get(Request::Goods(GoodsId(id)), read).await.unwrap().unwrap().body.len()
        }

        fn reads(&self) -> usize {
            self.reads.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn a_crowd_reads_once_and_again_after_each_change() {
        let world = world();
        let crowd = || join_all((0..64).map(|_| world.get(1)));
        assert_eq!(crowd().await, [0; 64]);
        assert_eq!(world.reads(), 1);
        world.goods.store(7, Ordering::Relaxed);
        world.cache.feed.tell(News::default());
        assert_eq!(world.get(1).await, 0, "nothing was told");
        world.cache.feed.tell(changed());
        assert_eq!(crowd().await, [7; 64]);
        assert_eq!(world.reads(), 2);
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        let world = world();
        let slow = world.cache.get(Request::Goods(GoodsId(1)), async {
            world.goods.store(1, Ordering::Relaxed);
            world.cache.feed.tell(changed());
            Ok(document(0))
        });
        assert_eq!(slow.await.unwrap().unwrap().body.len(), 0, "asked before the change was acknowledged");
        assert_eq!(world.get(1).await, 1);
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_who_wait_and_forgotten() {
        let world = world();
        let fail = || {
            world.cache.get(Request::Goods(GoodsId(1)), async {
                world.reads.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Err(StoreError::Busy("on purpose".to_owned()))
            })
        };
        let (one, other) = tokio::join!(fail(), fail());
        assert!(one.is_err() && other.is_err());
        assert_eq!(world.reads(), 1);
        assert_eq!(world.get(1).await, 0);
    }

    #[tokio::test]
    async fn a_reader_who_goes_away_leaves_it_to_the_next() {
        let world = world();
        assert_eq!(world.get(1).now_or_never(), None, "it waits for the store");
        assert_eq!(world.get(1).await, 0);
        assert_eq!(world.reads(), 2);
    }

    #[tokio::test]
    async fn there_is_an_end_to_what_is_kept() {
        let world = world();
        world.goods.store(1 << 20, Ordering::Relaxed);
        for id in 0..50 {
            world.get(id).await;
        }
        world.cache.documents.run_pending_tasks().await;
        assert!(world.cache.documents.weighted_size() <= MAX_BYTES);
        assert!(world.cache.documents.entry_count() >= 10, "but it keeps what it can");
    }
}
