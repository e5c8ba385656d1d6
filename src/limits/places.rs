//! Places for connections: how many in all, of one network, and those that are kept for members. When there is none,
//! a connection that waits for its next request makes room for the newcomer.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Context,
};

use futures_util::task::AtomicWaker;

use super::{exceeded::LimitExceeded, network::network};
use crate::telemetry;

/// Connections without a place that are answered at all: with a refusal, or by health checks. Beyond those they are
/// dropped.
pub(super) const ANSWERED: usize = 16;

/// What the numbers call a connection that got no answer.
const DROPPED: &str = "connection_dropped";
/// What the numbers call an idle connection that made room.
const GAVE_WAY: &str = "idle_connection_gave_way";

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Everything.
    Served,
    /// It has a place that is kept for members: only they, and those who log in, are served.
    Reserved,
    /// There is no place for it: it is told so and no more.
    Refused(LimitExceeded),
}

/// How many places there are.
#[derive(Debug)]
pub(super) struct PlaceLimits {
    /// In all.
    pub(super) all: usize,
    /// Of these, for members.
    pub(super) reserved: usize,
    /// Of one network.
    pub(super) per_network: usize,
    /// Who asks for others, and is no network.
    pub(super) proxies: Vec<IpAddr>,
}

/// The places, for all threads.
#[derive(Debug)]
pub(super) struct Places {
    limits: PlaceLimits,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    served: usize,
    reserved: usize,
    refused: usize,
    /// Counts idle times, so that the oldest is the smallest.
    clock: u64,
    networks: HashMap<IpAddr, Network>,
    /// Connections with a place that wait for a request, by when that began.
    idle: BTreeMap<u64, Arc<Slot>>,
    idle_reserved: BTreeMap<u64, Arc<Slot>>,
}

#[derive(Debug, Default)]
struct Network {
    served: usize,
    idle: BTreeSet<u64>,
}

/// What a connection is counted as.
#[derive(Clone, Copy, Debug)]
struct Count {
    /// `None` for a proxy.
    network: Option<IpAddr>,
    standing: Standing,
}

#[derive(Debug)]
struct Slot {
    count: Count,
    /// It gave its place to another; its connection is to end.
    gone: AtomicBool,
    waker: AtomicWaker,
    /// When it became idle. Only changed under the lock.
    idle_since: Mutex<Option<u64>>,
}

impl Places {
    pub(super) fn new(limits: PlaceLimits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// How many connections may speak HTTP: those with a place, and those that are only told that there is none.
    pub(super) fn http_connections(&self) -> usize {
        self.limits.all.saturating_add(ANSWERED)
    }

    /// A place for a connection from an address, idle until its first request. `None` when there is no room even for
    /// a refusal.
    pub(super) fn acquire(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionPermit> {
        let address = address.to_canonical();
        let network = (!self.limits.proxies.contains(&address)).then(|| network(address));
        let mut taken = self.taken();
        let Some(standing) = taken.find(&self.limits, network) else {
            telemetry::refused(DROPPED);
            return None;
        };
        let count = Count { network, standing };
        taken.add(count);
        let slot = Slot {
            count,
            gone: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            idle_since: Mutex::default(),
        };
        let slot = Arc::new(slot);
        taken.set_idle(&slot);
        drop(taken);
        telemetry::connection_opened();
        Some(ConnectionPermit(Held::Place(Place { places: Arc::clone(self), slot })))
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Counts stay usable whatever a panic left them at.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn find(&mut self, limits: &PlaceLimits, network: Option<IpAddr>) -> Option<Standing> {
        let of_network = |taken: &Self| {
            network.and_then(|network| taken.networks.get(&network)).map_or(0, |network| network.served)
        };
        if of_network(self) >= limits.per_network && !network.is_some_and(|network| self.evict_of(network)) {
            return self.find_reserved(limits, LimitExceeded::AddressConnections);
        }
        if self.served >= limits.all - limits.reserved && !self.evict_oldest() {
            return self.find_reserved(limits, LimitExceeded::Connections);
        }
        Some(Standing::Served)
    }

    fn find_reserved(&mut self, limits: &PlaceLimits, limit: LimitExceeded) -> Option<Standing> {
        if self.reserved < limits.reserved {
            return Some(Standing::Reserved);
        }
        let oldest = self.idle_reserved.first_key_value().map(|(_, slot)| Arc::clone(slot));
        if let Some(oldest) = oldest {
            self.evict(&oldest);
            return Some(Standing::Reserved);
        }
        (self.refused < ANSWERED).then_some(Standing::Refused(limit))
    }

    fn evict_of(&mut self, network: IpAddr) -> bool {
        let oldest = self.networks.get(&network).and_then(|network| network.idle.first().copied());
        let slot = oldest.and_then(|oldest| self.idle.get(&oldest)).cloned();
        slot.is_some_and(|slot| self.evict(&slot))
    }

    fn evict_oldest(&mut self) -> bool {
        let slot = self.idle.first_key_value().map(|(_, slot)| Arc::clone(slot));
        slot.is_some_and(|slot| self.evict(&slot))
    }

    fn evict(&mut self, slot: &Arc<Slot>) -> bool {
        telemetry::refused(GAVE_WAY);
        self.release(slot);
        slot.waker.wake();
        true
    }

    fn add(&mut self, count: Count) {
        match count.standing {
            Standing::Served => {
                self.served += 1;
                if let Some(network) = count.network {
                    self.networks.entry(network).or_default().served += 1;
                }
            }
            Standing::Reserved => self.reserved += 1,
            Standing::Refused(_) => self.refused += 1,
        }
    }

    /// Gives a place back, once.
    fn release(&mut self, slot: &Slot) {
        self.set_busy(slot);
        if !slot.gone.swap(true, Ordering::AcqRel) {
            self.subtract(slot.count);
        }
    }

    fn subtract(&mut self, count: Count) {
        match count.standing {
            Standing::Served => {
                self.served -= 1;
                if let Some(Entry::Occupied(mut network)) =
                    count.network.map(|network| self.networks.entry(network))
                {
                    network.get_mut().served -= 1;
                    if network.get().served == 0 {
                        network.remove();
                    }
                }
            }
            Standing::Reserved => self.reserved -= 1,
            Standing::Refused(_) => self.refused -= 1,
        }
    }

    fn set_idle(&mut self, slot: &Arc<Slot>) {
        if slot.gone.load(Ordering::Acquire) {
            return;
        }
        self.clock += 1;
        let now = self.clock;
        match slot.count.standing {
            Standing::Served => {
                self.idle.insert(now, Arc::clone(slot));
                if let Some(network) = slot.count.network.and_then(|network| self.networks.get_mut(&network))
                {
                    network.idle.insert(now);
                }
            }
            Standing::Reserved => drop(self.idle_reserved.insert(now, Arc::clone(slot))),
            Standing::Refused(_) => return,
        }
        *slot.since() = Some(now);
    }

    fn set_busy(&mut self, slot: &Slot) {
        let Some(since) = slot.since().take() else { return };
        self.idle_reserved.remove(&since);
        if self.idle.remove(&since).is_some()
            && let Some(network) = slot.count.network.and_then(|network| self.networks.get_mut(&network))
        {
            network.idle.remove(&since);
        }
    }
}

impl Slot {
    fn since(&self) -> MutexGuard<'_, Option<u64>> {
        self.idle_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a connection, for those who know whether it is used.
#[derive(Clone, Debug)]
pub struct Place {
    places: Arc<Places>,
    slot: Arc<Slot>,
}

impl Place {
    /// The connection waits for a request: it may be ended in favor of a newcomer.
    pub fn set_idle(&self) {
        self.places.taken().set_idle(&self.slot);
    }

    /// The connection is used.
    pub fn set_busy(&self) {
        self.places.taken().set_busy(&self.slot);
    }

    /// Whether the place was given to another, so that the connection must end. Registers the task to wake then.
    pub fn is_gone(&self, context: &Context<'_>) -> bool {
        self.slot.waker.register(context.waker());
        self.slot.gone.load(Ordering::Acquire)
    }
}

/// The permit of an open connection, released when it is dropped.
#[derive(Debug)]
pub struct ConnectionPermit(Held);

#[derive(Debug)]
enum Held {
    Place(Place),
    /// Of a connection that is never idle: it needs no more than to be counted.
    Socket(Arc<Places>, Count),
    /// Its place was given to another.
    Nothing,
}

impl ConnectionPermit {
    /// What the connection may do.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.0 {
            Held::Place(place) => place.slot.count.standing,
            Held::Socket(_, count) => count.standing,
            Held::Nothing => Standing::Served,
        }
    }

    /// Its place, while it may become idle.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match &self.0 {
            Held::Place(place) => Some(place),
            Held::Socket(..) | Held::Nothing => None,
        }
    }

    /// For a socket, which is never idle: the place, which knows the task of HTTP that it would wake, is let go.
    #[must_use]
    pub fn into_socket(mut self) -> Self {
        if let Held::Place(place) = &self.0 {
            let mut taken = place.places.taken();
            taken.set_busy(&place.slot);
            let held = if place.slot.gone.swap(true, Ordering::AcqRel) {
                Held::Nothing
            } else {
                Held::Socket(Arc::clone(&place.places), place.slot.count)
            };
            drop(taken);
            drop(place.slot.waker.take());
            self.0 = held;
        }
        self
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        match &self.0 {
            Held::Place(place) => place.places.taken().release(&place.slot),
            Held::Socket(places, count) => places.taken().subtract(*count),
            Held::Nothing => {}
        }
        telemetry::connection_ended();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(all: usize, reserved: usize, per_network: usize) -> Arc<Places> {
        Places::new(PlaceLimits { all, reserved, per_network, proxies: vec![address(99)] })
    }

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn busy(places: &Arc<Places>, last: u8) -> ConnectionPermit {
        let permit = places.acquire(address(last)).unwrap();
        permit.place().unwrap().set_busy();
        permit
    }

    fn is_gone(permit: &ConnectionPermit) -> bool {
        permit.place().unwrap().slot.gone.load(Ordering::Relaxed)
    }

    #[test]
    fn a_socket_is_counted_until_it_ends_and_makes_no_room() {
        let places = places(1, 0, 1);
        let socket = places.acquire(address(1)).unwrap().into_socket();
        assert_eq!(
            places.acquire(address(1)).unwrap().standing(),
            Standing::Refused(LimitExceeded::AddressConnections)
        );
        drop(socket);
        let evicted = places.acquire(address(1)).unwrap();
        let newcomer = places.acquire(address(1)).unwrap();
        drop(evicted.into_socket());
        assert_eq!((newcomer.standing(), places.taken().served), (Standing::Served, 1), "given back once");
    }

    #[test]
    fn a_network_has_a_share_and_members_have_places_of_their_own() {
        let places = places(8, 2, 4);
        let _first: Vec<_> = (0..4).map(|_| busy(&places, 1)).collect();
        let fifth = busy(&places, 1);
        assert_eq!(fifth.standing(), Standing::Reserved);
        let _others: Vec<_> = (0..2).map(|_| busy(&places, 2)).collect();
        let last = busy(&places, 3);
        assert_eq!(last.standing(), Standing::Reserved);
        let refused: Vec<_> = (0..100).filter_map(|_| places.acquire(address(3))).collect();
        assert_eq!(refused.len(), ANSWERED);
        assert_eq!(refused[0].standing(), Standing::Refused(LimitExceeded::Connections));
        assert_eq!(places.acquire(address(1)).map(|permit| permit.standing()), None, "no room for a refusal");
        drop(refused);
        assert_eq!(
            places.acquire(address(1)).unwrap().standing(),
            Standing::Refused(LimitExceeded::AddressConnections)
        );
    }

    #[test]
    fn the_oldest_idle_connection_makes_room() {
        let places = places(4, 0, 4);
        let idle: Vec<_> = (0..4).map(|n| places.acquire(address(n)).unwrap()).collect();
        idle[0].place().unwrap().set_busy();
        let _newcomer = places.acquire(address(5)).unwrap();
        let gone: Vec<_> = idle.iter().map(is_gone).collect();
        assert_eq!(gone, [false, true, false, false]);
        drop(idle);
        let taken = places.taken();
        assert_eq!((taken.served, taken.idle.len(), taken.networks.len()), (1, 1, 1));
    }

    #[test]
    fn a_network_at_its_share_makes_room_among_its_own() {
        let places = places(8, 0, 2);
        let (other, first) = (places.acquire(address(1)).unwrap(), places.acquire(address(2)).unwrap());
        let (_second, third) = (places.acquire(address(2)).unwrap(), places.acquire(address(2)).unwrap());
        assert!(is_gone(&first) && !is_gone(&other));
        assert_eq!(third.standing(), Standing::Served);
        let proxied: Vec<_> = (0..6).map(|_| busy(&places, 99).standing()).collect();
        assert!(proxied.iter().all(|standing| *standing == Standing::Served));
    }
}
