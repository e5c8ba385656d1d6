//! One budget of bytes for everything that is partial or waits, in the whole process: messages and bodies that have not
//! come to their end, orders that wait, and what clients have not taken of what they were sent. Strangers have a half of
//! it, a network a quarter for its strangers and another for its members, so that what members need is never used up by
//! others. Says nothing about what happens to a session for which there is no room.
//!
//! How something is counted here is said by [`Charge`](super::Charge).

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::telemetry;

/// Bytes are counted in steps of so many; what does not fill the first is free.
pub(super) const STEP: usize = 4096;

/// What the numbers call it when there is no room.
const FULL: &str = "memory_budget_full";

/// There is no room for more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no room for more that waits")]
pub struct NoRoom;

/// The budget, for all threads.
#[derive(Debug)]
pub(super) struct Budget {
    all: usize,
    used: Mutex<Used>,
}

/// Steps in use.
#[derive(Debug, Default)]
struct Used {
    all: usize,
    strangers: usize,
    networks: HashMap<(IpAddr, bool), usize>,
}

impl Budget {
    /// Of so many bytes.
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { all: (bytes / STEP).max(4), used: Mutex::default() })
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        // Counts stay usable whatever a panic left them at.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fits(&self, used: &Used, network: Option<IpAddr>, is_member: bool, steps: usize) -> bool {
        let of_network = network.and_then(|network| used.networks.get(&(network, is_member)));
        used.all + steps <= self.all
            && (is_member || used.strangers + steps <= self.all / 2)
            && (network.is_none() || of_network.copied().unwrap_or_default() + steps <= self.all / 4)
    }

    /// Whether there is room for so many steps more of a network.
    pub(super) fn has_room(&self, network: Option<IpAddr>, is_member: bool, steps: usize) -> bool {
        self.fits(&self.used(), network, is_member, steps)
    }

    pub(super) fn take(&self, network: Option<IpAddr>, is_member: bool, steps: usize) -> Result<(), NoRoom> {
        let mut used = self.used();
        if !self.fits(&used, network, is_member, steps) {
            telemetry::refused(FULL);
            return Err(NoRoom);
        }
        used.all += steps;
        if !is_member {
            used.strangers += steps;
        }
        if let Some(network) = network {
            *used.networks.entry((network, is_member)).or_default() += steps;
        }
        telemetry::held_bytes(used.all * STEP);
        Ok(())
    }

    pub(super) fn give_back(&self, network: Option<IpAddr>, is_member: bool, steps: usize) {
        let mut used = self.used();
        used.all -= steps;
        if !is_member {
            used.strangers -= steps;
        }
        if let Some(Entry::Occupied(mut of_network)) =
            network.map(|network| used.networks.entry((network, is_member)))
        {
            *of_network.get_mut() -= steps;
            if *of_network.get() == 0 {
                of_network.remove();
            }
        }
        telemetry::held_bytes(used.all * STEP);
    }
}

#[cfg(test)]
impl Budget {
    /// Steps in use, of these of strangers, and the number of networks that have some.
    pub(super) fn in_use(&self) -> (usize, usize, usize) {
        let used = self.used();
        (used.all, used.strangers, used.networks.len())
    }
}
