//! What a store does for news as endpoints are told them: order events and goods events as one log.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{NewsItem, Place, Timestamp};

/// What endpoints were not told yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events and deliveries, of all enabled endpoints together.
    pub events: u64,
    /// When the oldest of them happened.
    pub oldest: Option<Timestamp>,
}

/// News.
#[async_trait]
pub trait NewsStore: Send + Sync + 'static {
    /// Reads what happened behind a place, oldest first.
    async fn news_after(&self, place: Place, limit: u32) -> Result<Vec<NewsItem>, StoreError>;
    /// The end of all news.
    async fn end_of_news(&self) -> Result<Place, StoreError>;
    /// What all enabled endpoints were not told yet.
    async fn backlog(&self) -> Result<Backlog, StoreError>;
    /// Prunes the goods events from before a moment, but not those since `unsent` that an endpoint was not told. A few
    /// at a time; returns how many.
    async fn prune_goods_events(&self, before: Timestamp, unsent: Timestamp) -> Result<u64, StoreError>;
}
