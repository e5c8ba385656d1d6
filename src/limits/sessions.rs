//! The sessions that there are: how many, of which networks, how many of those have said who they are. Guests, members
//! and those who have not said yet are counted apart, so that none uses up what another needs.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Weak},
    time::Instant,
};

use super::{
    exceeded::LimitExceeded,
    slot::{Count, Slot},
    token_bucket::TokenBucket,
};

/// Seconds' worth of handshakes that an address may begin at once: after a restart all clients of an office come back together.
pub(super) const BURST: u8 = 4;
/// Addresses without a session that are remembered for their rate: some 10 MB at worst.
pub(super) const MAX_IDLE: usize = 100_000;

/// The limits of the settings.
#[derive(Debug)]
pub(super) struct Limits {
    /// Sessions in all.
    pub(super) all: usize,
    /// Of these, of guests.
    pub(super) guests: usize,
    /// Of these, of those who have not said who they are.
    pub(super) pending: usize,
    pub(super) per_account: usize,
    /// Of guests, and of members.
    pub(super) per_address: usize,
    /// Of those of an address who have not said who they are: the oldest makes room for the next.
    pub(super) pending_per_address: usize,
    pub(super) handshake_rate: u32,
    pub(super) proxies: Vec<IpAddr>,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) guests: usize,
    pub(super) members: usize,
    pub(super) pending: usize,
}

impl Counts {
    fn all(self) -> usize {
        self.guests + self.members + self.pending
    }

    fn add(&mut self, count: Count, by: isize) {
        let of = match count {
            Count::Pending => &mut self.pending,
            Count::Guest => &mut self.guests,
            Count::Member => &mut self.members,
            Count::Nothing => return,
        };
        *of = of.saturating_add_signed(by);
    }
}

#[derive(Debug)]
struct Address {
    counts: Counts,
    handshakes: TokenBucket,
    /// Oldest first; those that are settled or gone are left out when they are met.
    pending: VecDeque<Weak<Slot>>,
}

/// All of them, by their addresses.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    counts: Counts,
    addresses: HashMap<IpAddr, Address>,
    /// At this number idle addresses are forgotten.
    sweep_at: usize,
}

impl Sessions {
    fn address(&mut self, address: IpAddr, limits: &Limits, now: Instant) -> &mut Address {
        if self.addresses.len() >= self.sweep_at.max(MAX_IDLE) {
            self.sweep(now);
        }
        self.addresses.entry(address).or_insert_with(|| Address {
            counts: Counts::default(),
            handshakes: TokenBucket::new(limits.handshake_rate, BURST, now),
            pending: VecDeque::new(),
        })
    }

    /// Counts the beginning of a stranger's session.
    pub(super) fn take_handshake(
        &mut self,
        network: Option<IpAddr>,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), LimitExceeded> {
        let taken = network.is_none_or(|network| self.address(network, limits, now).handshakes.take(now));
        if taken { Ok(()) } else { Err(LimitExceeded::HandshakeRate) }
    }

    /// Counts a new session.
    pub(super) fn begin(
        &mut self,
        slot: &Arc<Slot>,
        count: Count,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), LimitExceeded> {
        if let Some(network) = slot.network {
            self.address(network, limits, now);
        }
        if count == Count::Pending {
            self.make_room(slot.network, limits);
        }
        self.set(slot, count, limits)?;
        let known = slot.network.and_then(|network| self.addresses.get_mut(&network));
        if let Some(known) = known.filter(|_| count == Count::Pending) {
            known.pending.push_back(Arc::downgrade(slot));
        }
        Ok(())
    }

    /// Gives up the oldest session of an address that has not said who it is, when there are too many.
    fn make_room(&mut self, network: Option<IpAddr>, limits: &Limits) {
        let is_full = self.counts.pending >= limits.pending || self.counts.all() >= limits.all;
        let Some(known) = network.and_then(|network| self.addresses.get_mut(&network)) else { return };
        let is_pending =
            |slot: &Weak<Slot>| slot.upgrade().is_some_and(|slot| *slot.count() == Count::Pending);
        while known.pending.front().is_some_and(|slot| !is_pending(slot)) {
            known.pending.pop_front();
        }
        if known.pending.len() > 2 * known.counts.pending + 16 {
            known.pending.retain(is_pending);
        }
        if known.counts.pending < limits.pending_per_address && !is_full {
            return;
        }
        let oldest = known.pending.pop_front().and_then(|slot| slot.upgrade());
        if let Some(oldest) = oldest {
            oldest.give_up();
            self.clear(&oldest);
        }
    }

    /// Counts a session as something else than before.
    pub(super) fn set(&mut self, slot: &Slot, count: Count, limits: &Limits) -> Result<(), LimitExceeded> {
        let before = self.clear(slot);
        let checked = if before == count { Ok(()) } else { self.check(slot.network, count, limits) };
        let count = if checked.is_ok() { count } else { before };
        *slot.count() = count;
        self.add(slot.network, count, 1);
        checked
    }

    /// Whether there is room for one more.
    fn check(&self, network: Option<IpAddr>, count: Count, limits: &Limits) -> Result<(), LimitExceeded> {
        let known = network.and_then(|network| self.addresses.get(&network));
        let of_address = known.map_or(Counts::default(), |known| known.counts);
        let (in_all, in_address) = match count {
            Count::Pending => (self.counts.pending < limits.pending, true),
            Count::Guest => (self.counts.guests < limits.guests, of_address.guests < limits.per_address),
            Count::Member => (true, of_address.members < limits.per_address),
            Count::Nothing => (true, true),
        };
        match (in_address, in_all && self.counts.all() < limits.all) {
            (false, _) => Err(LimitExceeded::AddressSessions),
            (true, false) => Err(LimitExceeded::Connections),
            (true, true) => Ok(()),
        }
    }

    /// Counts a session no longer; returns what it counted as.
    pub(super) fn clear(&mut self, slot: &Slot) -> Count {
        let count = std::mem::replace(&mut *slot.count(), Count::Nothing);
        self.add(slot.network, count, -1);
        count
    }

    fn add(&mut self, network: Option<IpAddr>, count: Count, by: isize) {
        self.counts.add(count, by);
        if let Some(known) = network.and_then(|network| self.addresses.get_mut(&network)) {
            known.counts.add(count, by);
        }
    }

    /// Forgets addresses without a session: first those whose bucket is full again, then, if that is not enough, all of
    /// them: a client with so many addresses is not slowed by a rate for each.
    fn sweep(&mut self, now: Instant) {
        let has_sessions = |address: &Address| address.counts.all() > 0;
        let in_use = self.addresses.values().filter(|address| has_sessions(address)).count();
        self.addresses.retain(|_, address| has_sessions(address) || !address.handshakes.is_full(now));
        if self.addresses.len() - in_use > MAX_IDLE / 2 {
            self.addresses.retain(|_, address| has_sessions(address));
        }
        self.sweep_at = in_use + MAX_IDLE;
    }

    /// How many there are in all.
    #[cfg(test)]
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Addresses that are remembered, and the longest list of those of one who have not said who they are.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> (usize, usize) {
        let longest = self.addresses.values().map(|address| address.pending.len()).max();
        (self.addresses.len(), longest.unwrap_or_default())
    }
}
