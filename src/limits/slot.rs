//! One session, as it is counted.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::budget::Budget;

/// What a session counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Pending,
    Guest,
    Member,
    Nothing,
}

/// A session, as it is counted.
#[derive(Debug)]
pub(super) struct Slot {
    /// Its network; `None` for a proxy that does not say for whom it asks.
    pub(super) network: Option<IpAddr>,
    /// Where its bytes are counted.
    pub(super) budget: Arc<Budget>,
    count: Mutex<Count>,
    given_up: AtomicBool,
    /// Its beginning was counted by the rate of who it said it is.
    rated: AtomicBool,
}

impl Slot {
    /// Of a session that is not counted yet.
    pub(super) fn new(network: Option<IpAddr>, budget: &Arc<Budget>) -> Arc<Self> {
        Arc::new(Self {
            network,
            budget: Arc::clone(budget),
            count: Mutex::new(Count::Nothing),
            given_up: AtomicBool::new(false),
            rated: AtomicBool::new(false),
        })
    }

    /// Of a request, which is no session and never counted as one.
    pub(super) fn of_request(network: Option<IpAddr>, is_member: bool, budget: &Arc<Budget>) -> Arc<Self> {
        let slot = Self::new(network, budget);
        *slot.count() = if is_member { Count::Member } else { Count::Guest };
        slot
    }

    pub(super) fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_member(&self) -> bool {
        *self.count() == Count::Member
    }

    /// Whether it made room for another.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// It makes room for another.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Notes that its beginning was counted by a rate.
    pub(super) fn set_rated(&self) {
        self.rated.store(true, Ordering::Relaxed);
    }

    /// Whether its beginning was counted by a rate; the next one was not.
    pub(super) fn take_rated(&self) -> bool {
        self.rated.swap(false, Ordering::Relaxed)
    }
}
