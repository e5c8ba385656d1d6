//! What is kept, for how long, and that nobody reads what is older than an acknowledged write.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;

use super::*;
use crate::{
    domain::{Category, Goods, GoodsAction, GoodsEvent, GoodsName, Price, ThumbnailUrl, Timestamp},
    store::feed::News,
};

/// A showcase over a feed, whose store is a number and counts how often it is read.
#[derive(Default)]
struct World {
    reads: AtomicUsize,
    goods: AtomicUsize,
}

fn showcase() -> Showcase {
    Showcase::new(Arc::new(Feed::default()))
}

fn changed() -> News {
    let goods = Goods {
        goods_id: GoodsId(1),
        name: GoodsName::parse("water").unwrap(),
        thumbnail_url: ThumbnailUrl::parse("/a.svg").unwrap(),
        category: Category::parse("drink").unwrap(),
        price: Price { minor: 1, currency: "USD".parse().unwrap() },
        stock: None,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    };
    News { goods: vec![GoodsEvent { action: GoodsAction::Update, goods }], ..News::default() }
}

fn document(bytes: usize) -> Document {
    Document { body: vec![b'x'; bytes].into(), tag: Bytes::new() }
}

impl World {
    async fn ask(&self, showcase: &Showcase, id: i64) -> usize {
        let read = async {
            self.reads.fetch_add(1, Ordering::Relaxed);
            let goods = self.goods.load(Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(Some(document(goods)))
        };
        showcase.get(Asked::Goods(GoodsId(id)), read).await.unwrap().unwrap().body.len()
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_crowd_reads_once_and_again_after_each_change() {
    let (showcase, world) = (showcase(), World::default());
    let crowd = || futures_util::future::join_all((0..64).map(|_| world.ask(&showcase, 1)));
    assert_eq!(crowd().await, [0; 64]);
    assert_eq!(world.reads(), 1);
    world.goods.store(7, Ordering::Relaxed);
    showcase.feed.tell(News::default());
    assert_eq!(world.ask(&showcase, 1).await, 0, "nothing was told");
    showcase.feed.tell(changed());
    assert_eq!(crowd().await, [7; 64]);
    assert_eq!(world.reads(), 2);
}

#[tokio::test]
async fn what_was_read_before_a_change_is_not_kept_after_it() {
    let (showcase, world) = (showcase(), World::default());
    let slow = showcase.get(Asked::Goods(GoodsId(1)), async {
        world.goods.store(1, Ordering::Relaxed);
        showcase.feed.tell(changed());
        Ok(Some(document(0)))
    });
    assert_eq!(slow.await.unwrap().unwrap().body.len(), 0, "asked before the change was acknowledged");
    assert_eq!(world.ask(&showcase, 1).await, 1);
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_wait_and_forgotten() {
    let (showcase, world) = (showcase(), World::default());
    let fail = || {
        showcase.get(Asked::Goods(GoodsId(1)), async {
            world.reads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Err(StoreError::Busy("on purpose".to_owned()))
        })
    };
    let (one, other) = tokio::join!(fail(), fail());
    assert!(one.is_err() && other.is_err());
    assert_eq!(world.reads(), 1);
    assert_eq!(world.ask(&showcase, 1).await, 0);
}

#[tokio::test]
async fn a_reader_who_goes_away_leaves_it_to_the_next() {
    let (showcase, world) = (showcase(), World::default());
    assert_eq!(world.ask(&showcase, 1).now_or_never(), None, "it waits for the store");
    assert_eq!(world.ask(&showcase, 1).await, 0);
    assert_eq!(world.reads(), 2);
}

#[tokio::test]
async fn there_is_an_end_to_what_is_kept() {
    let (showcase, world) = (showcase(), World::default());
    for id in 0..=i64::try_from(MAX_DOCUMENTS).unwrap() {
        world.ask(&showcase, id).await;
    }
    assert!(showcase.shelf().slots.len() <= MAX_DOCUMENTS);
    world.goods.store(MAX_BYTES / 4, Ordering::Relaxed);
    for id in 2000..2010 {
        world.ask(&showcase, id).await;
        let kept: usize = showcase.shelf().slots.values().map(|slot| slot.bytes()).sum();
        assert!(kept <= MAX_BYTES, "{kept}");
    }
}
