//! What all threads of an attack share.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::members::Member;

/// What attackers know.
pub(super) struct Scene {
    pub(super) address: SocketAddr,
    pub(super) goods_id: u64,
    pub(super) attacker: Member,
    pub(super) over: AtomicBool,
    /// What they did: requests, messages, connections.
    pub(super) done: AtomicU64,
}

impl Scene {
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, done: usize) {
        self.done.fetch_add(done as u64, Ordering::Relaxed);
    }
}
