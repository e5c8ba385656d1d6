//! What a store does for the log of order events, and for the part of it that the audience sees.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Feed, StoreError};
use crate::domain::{Epoch, Nickname, Offset, OrderId, Publication, SessionId, Timestamp, UserId};

/// How far the log reaches, as the audience sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Which log it is: offsets that were kept under another epoch are none of this one's.
    pub epoch: Epoch,
    /// The offset of the oldest notification that is kept, one more than `latest` when none is; 1 while none was ever
    /// pruned.
    pub oldest: Offset,
    /// The offset of the newest; 0 when there never was one.
    pub latest: Offset,
}

/// A place in the log of order events, announced or not: from 1, without holes; 0 is before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence(pub i64);

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderEventKind {
    /// It was placed.
    Placed,
    /// It was canceled.
    Canceled,
}

/// One entry of the log: every order and every cancellation has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEvent {
    /// Its place in the log.
    pub sequence: Sequence,
    /// Which order.
    pub order_id: OrderId,
    /// What happened to it.
    pub kind: OrderEventKind,
    /// When it was committed, by the server's clock.
    pub at: Timestamp,
    /// Under which offset the audience was told; `None` when it was not.
    pub announced_as: Option<Offset>,
}

/// The log of a shop.
#[async_trait]
pub trait LogStore: Send + Sync + 'static {
    /// What commits of this process announce.
    fn feed(&self) -> &Arc<Feed>;
    /// Lists the log-ins that were ended at or after a moment, and the listen keys as what their sessions end by, by
    /// whichever process: the feed of this one does not know of all.
    async fn revoked_since(&self, moment: Timestamp) -> Result<Vec<SessionId>, StoreError>;
    /// Lists the accounts that took a nickname at or after a moment, by whichever process: new ones and renamed ones.
    async fn named_since(&self, moment: Timestamp) -> Result<Vec<(UserId, Nickname)>, StoreError>;

    /// Reads what the audience sees of the log after an offset, oldest first.
    async fn log_after(&self, after: Offset, limit: u32) -> Result<Vec<Publication>, StoreError>;
    /// Reads the whole log after a place in it, oldest first.
    async fn order_events_after(&self, after: Sequence, limit: u32) -> Result<Vec<OrderEvent>, StoreError>;
    /// How far the log reaches.
    async fn reach(&self) -> Result<Reach, StoreError>;
    /// Gives the log another epoch: after a restore, which may have taken back offsets that clients have seen.
    async fn new_epoch(&self, epoch: Epoch) -> Result<(), StoreError>;
    /// Prunes the beginning of the log: what was committed before a moment, and what is more than `keep` events; but not
    /// what was committed since `unsent` and an endpoint was not told yet. A few at a time; returns how many events went.
    async fn prune_log(&self, before: Timestamp, keep: u64, unsent: Timestamp) -> Result<u64, StoreError>;
}
