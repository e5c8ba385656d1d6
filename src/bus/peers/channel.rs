//! A channel, for who uses it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::{
    super::node::NodeId,
    message::Key,
    slot::{Gone, PIECE, Slot},
    table::Table,
};

/// What the channels share with those who carry their messages.
#[derive(Default)]
pub(super) struct Shared {
    table: Mutex<Table>,
    /// There is something to send.
    pub(super) work: Notify,
    /// There was nothing left to send.
    pub(super) idle: Notify,
    /// A node was heard, or nobody was.
    pub(super) heard: Notify,
}

impl Shared {
    /// Does something with the table; who sends is woken when that leaves something to send.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Table) -> T) -> T {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let done = act(&mut table);
        if !table.is_idle() {
            self.work.notify_one();
        }
        done
    }
}

/// An ordered way of bytes to another node, and back. What was not said to be finished when it is dropped is given up, and
/// the other end learns that.
pub struct Channel {
    shared: Arc<Shared>,
    peer: NodeId,
    key: Key,
    slot: Arc<Slot>,
}

impl Channel {
    pub(super) fn new(shared: &Arc<Shared>, peer: NodeId, key: Key, slot: Arc<Slot>) -> Self {
        Self { shared: Arc::clone(shared), peer, key, slot }
    }

    /// Sends bytes, in as many pieces as that takes. Waits while the other end has not taken the earlier ones.
    ///
    /// # Errors
    /// The channel is no more.
    pub async fn send(&self, mut bytes: Bytes) -> Result<(), Gone> {
        loop {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            if self.slot.give(piece).await? {
                self.list();
            }
            if bytes.is_empty() {
                return Ok(());
            }
        }
    }

    /// Says no more: the other end takes what was sent, and then learns that this was all.
    pub fn finish(&self) {
        if self.slot.finish() {
            self.list();
        }
    }

    /// Takes the next piece; `None` when the other end says no more. May be dropped and called again.
    ///
    /// # Errors
    /// The channel is no more.
    pub async fn next(&self) -> Result<Option<Bytes>, Gone> {
        let (bytes, list) = self.slot.take().await?;
        if list {
            self.list();
        }
        Ok(bytes)
    }

    fn list(&self) {
        self.shared.with(|table| table.list(self.peer, self.key));
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if self.slot.leave() {
            self.list();
        }
    }
}
