//! Permits for connections and sessions: how many there may be in all, of an address and of an account, and how often
//! one may begin. Says nothing about who someone is.
//!
//! Strangers and members are counted apart, and some permits are kept for members, so that strangers cannot use up what
//! members need, even from the same network. A permit is released when it is dropped, on whatever thread.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    exceeded::LimitExceeded,
    network::network,
    places::{ConnectionPermit, PlaceLimits, Places},
    rates::Rates,
    token_bucket::TokenBucket,
};
use crate::{config::Settings, domain::UserId, telemetry};

/// Seconds' worth of handshakes that an address may begin at once: after a restart all clients of an office come back together.
const BURST: u8 = 4;
/// Addresses without a session that are remembered for their rate: some 10 MB at worst.
const MAX_IDLE: usize = 100_000;
/// Sessions of an address unless the settings say otherwise, or half of the whole is less.
const SESSIONS_OF_AN_ADDRESS: usize = 30_000;
/// Sessions of a network that have begun and not said yet who they are. The oldest makes room for the next.
const PENDING: usize = 1000;

/// Who begins a session, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody yet: it may say later.
    Pending,
    /// Someone without a log-in.
    Guest,
    /// Someone with a valid log-in.
    Member(UserId),
}

/// Hands out permits and counts them, for all threads.
#[derive(Debug)]
pub struct Permits {
    limits: Limits,
    places: Arc<Places>,
    sessions: Mutex<Sessions>,
    /// How fast each account begins sessions.
    handshakes: Rates<UserId>,
    accounts: Mutex<HashMap<UserId, usize>>,
}

#[derive(Debug)]
struct Limits {
    /// Sessions in all, and of strangers.
    all: usize,
    strangers: usize,
    per_account: usize,
    per_address: usize,
    handshake_rate: u32,
    proxies: Vec<IpAddr>,
}

#[derive(Debug, Default)]
struct Sessions {
    strangers: usize,
    members: usize,
    addresses: HashMap<IpAddr, Address>,
    /// At this number idle addresses are forgotten.
    sweep_at: usize,
}

#[derive(Debug)]
struct Address {
    strangers: usize,
    members: usize,
    handshakes: TokenBucket,
    /// Oldest first; those that are settled or gone are left out when they are met.
    pending: VecDeque<Weak<Slot>>,
}

/// What a session counts as.
#[derive(Debug)]
struct Slot {
    address: Option<IpAddr>,
    count: Mutex<Count>,
    given_up: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Pending,
    Guest,
    Member,
    Nothing,
}

impl Slot {
    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permits {
    /// With the limits of the settings. What they leave open is half of the whole for a network; a quarter is kept for
    /// members.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let all = settings.max_connections;
        let (reserved, half) = (all / 4, all.div_ceil(2));
        let proxies: Vec<_> = settings.trusted_proxy.iter().map(IpAddr::to_canonical).collect();
        let places = PlaceLimits {
            all,
            reserved,
            per_network: settings.max_connections_per_address.unwrap_or(half),
            proxies: proxies.clone(),
        };
        Self {
            limits: Limits {
                all,
                strangers: all - reserved,
                per_account: settings.max_sessions_per_account,
                per_address: settings.max_sessions_per_address.unwrap_or(half.min(SESSIONS_OF_AN_ADDRESS)),
                handshake_rate: settings.handshake_rate,
                proxies,
            },
            places: Places::new(places),
            sessions: Mutex::default(),
            handshakes: Rates::new(settings.handshake_rate, Duration::from_secs(1), BURST),
            accounts: Mutex::default(),
        }
    }

    /// A permit for a connection of whatever kind from an address. `None` when there is no room even for a refusal.
    #[must_use]
    pub fn acquire_connection(&self, address: IpAddr) -> Option<ConnectionPermit> {
        self.places.acquire(address)
    }

    /// How many connections may speak HTTP: those with a place, and those that are only told that there is none.
    #[must_use]
    pub fn http_connections(&self) -> usize {
        self.places.http_connections()
    }

    /// A permit for a session from an address. A trusted proxy that does not say for whom it asks is nobody's address,
    /// and has no limit of its own.
    ///
    /// # Errors
    /// [`LimitExceeded::HandshakeRate`], [`LimitExceeded::AddressSessions`], [`LimitExceeded::Connections`].
    pub fn acquire_session(
        self: &Arc<Self>,
        address: IpAddr,
        claim: Claim,
        now: Instant,
    ) -> Result<SessionPermit, LimitExceeded> {
        let address = address.to_canonical();
        let address = (!self.limits.proxies.contains(&address)).then(|| network(address));
        if let Claim::Member(account) = claim {
            self.handshakes.take(account, now).map_err(|_| LimitExceeded::HandshakeRate)?;
        }
        let count = match claim {
            Claim::Pending => Count::Pending,
            Claim::Guest => Count::Guest,
            Claim::Member(_) => Count::Member,
        };
        let slot = Slot { address, count: Mutex::new(Count::Nothing), given_up: AtomicBool::new(false) };
        let slot = Arc::new(slot);
        let mut sessions = self.sessions();
        sessions.take_handshake(address, count, &self.limits, now)?;
        if count == Count::Pending {
            sessions.make_room(address);
        }
        sessions.set(&slot, count, &self.limits)?;
        drop(sessions);
        telemetry::handshake();
        Ok(SessionPermit { permits: Arc::clone(self), of: Owner::Session(slot) })
    }

    /// A second permit for a session that belongs to an account.
    ///
    /// # Errors
    /// [`LimitExceeded::AccountSessions`].
    pub fn acquire_account(self: &Arc<Self>, account: UserId) -> Result<SessionPermit, LimitExceeded> {
        let mut accounts = self.accounts();
        let sessions = accounts.entry(account).or_default();
        if *sessions >= self.limits.per_account {
            return Err(LimitExceeded::AccountSessions);
        }
        *sessions += 1;
        drop(accounts);
        Ok(SessionPermit { permits: Arc::clone(self), of: Owner::Account(account) })
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        // Counts stay usable whatever a panic left them at.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    fn address(&mut self, address: IpAddr, limits: &Limits, now: Instant) -> &mut Address {
        self.addresses.entry(address).or_insert_with(|| Address {
            strangers: 0,
            members: 0,
            handshakes: TokenBucket::new(limits.handshake_rate, BURST, now),
            pending: VecDeque::new(),
        })
    }

    /// Counts a handshake of a stranger; those of members are counted by their account.
    fn take_handshake(
        &mut self,
        address: Option<IpAddr>,
        count: Count,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), LimitExceeded> {
        let Some(address) = address else { return Ok(()) };
        self.sweep(now);
        let known = self.address(address, limits, now);
        if count == Count::Member || known.handshakes.take(now) {
            Ok(())
        } else {
            Err(LimitExceeded::HandshakeRate)
        }
    }

    /// Gives up the oldest session of an address that has not said who it is, when there are too many.
    fn make_room(&mut self, address: Option<IpAddr>) {
        let Some(known) = address.and_then(|address| self.addresses.get_mut(&address)) else { return };
        let is_pending =
            |slot: &Weak<Slot>| slot.upgrade().is_some_and(|slot| *slot.count() == Count::Pending);
        while known.pending.front().is_some_and(|slot| !is_pending(slot)) {
            known.pending.pop_front();
        }
        if known.pending.len() >= PENDING * 2 {
            known.pending.retain(is_pending);
        }
        if known.pending.len() < PENDING {
            return;
        }
        let oldest = known.pending.pop_front().and_then(|slot| slot.upgrade());
        if let Some(oldest) = oldest {
            oldest.given_up.store(true, Ordering::Relaxed);
            self.clear(&oldest);
        }
    }

    /// Counts a session as something else than before.
    fn set(&mut self, slot: &Arc<Slot>, count: Count, limits: &Limits) -> Result<(), LimitExceeded> {
        let is_member = count == Count::Member;
        let was_stranger = matches!(*slot.count(), Count::Pending | Count::Guest);
        let known = slot.address.and_then(|address| self.addresses.get_mut(&address));
        if is_member || !was_stranger {
            let of_address =
                known.as_ref().map_or(0, |known| if is_member { known.members } else { known.strangers });
            if of_address >= limits.per_address {
                return Err(LimitExceeded::AddressSessions);
            }
            let is_full = self.strangers + self.members >= limits.all && !was_stranger
                || !is_member && self.strangers >= limits.strangers;
            if is_full {
                return Err(LimitExceeded::Connections);
            }
        }
        if let Some(known) = known.filter(|_| count == Count::Pending) {
            known.pending.push_back(Arc::downgrade(slot));
        }
        self.clear(slot);
        *slot.count() = count;
        self.add(slot.address, count, 1);
        Ok(())
    }

    fn clear(&mut self, slot: &Slot) {
        let count = std::mem::replace(&mut *slot.count(), Count::Nothing);
        self.add(slot.address, count, -1);
    }

    fn add(&mut self, address: Option<IpAddr>, count: Count, by: isize) {
        let known = address.and_then(|address| self.addresses.get_mut(&address));
        let (all, of_address) = match count {
            Count::Nothing => return,
            Count::Member => (&mut self.members, known.map(|known| &mut known.members)),
            Count::Pending | Count::Guest => (&mut self.strangers, known.map(|known| &mut known.strangers)),
        };
        *all = all.saturating_add_signed(by);
        if let Some(of_address) = of_address {
            *of_address = of_address.saturating_add_signed(by);
        }
    }

    /// Forgets addresses without a session: first those whose bucket is full again, then, if that is not enough, all of
    /// them: a client with so many addresses is not slowed by a rate for each.
    fn sweep(&mut self, now: Instant) {
        if self.addresses.len() < self.sweep_at.max(MAX_IDLE) {
            return;
        }
        let has_sessions = |address: &Address| address.strangers + address.members > 0;
        self.addresses.retain(|_, address| has_sessions(address) || !address.handshakes.is_full(now));
        if self.addresses.len() >= MAX_IDLE {
            self.addresses.retain(|_, address| has_sessions(address));
        }
        self.sweep_at = self.addresses.len() + MAX_IDLE;
    }
}

/// The permit of a session, released when it is dropped.
#[derive(Debug)]
pub struct SessionPermit {
    permits: Arc<Permits>,
    of: Owner,
}

/// Whose sessions a permit counts among.
#[derive(Debug)]
enum Owner {
    /// Everyone's, and an address's unless that says nothing.
    Session(Arc<Slot>),
    Account(UserId),
}

impl SessionPermit {
    /// The session has said who it is.
    ///
    /// # Errors
    /// It took too long and was given up, or there is no room for one more of its kind.
    pub fn settle(&self, is_member: bool) -> Result<(), LimitExceeded> {
        let Owner::Session(slot) = &self.of else { return Ok(()) };
        let mut sessions = self.permits.sessions();
        let count = if is_member { Count::Member } else { Count::Guest };
        if self.is_given_up() {
            return Err(LimitExceeded::AddressSessions);
        }
        match sessions.set(slot, count, &self.permits.limits) {
            // A member for whom there is no room among members keeps the place of a stranger.
            Err(_) if is_member => sessions.set(slot, Count::Guest, &self.permits.limits),
            settled => settled,
        }
    }

    /// Whether the session made room for another.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        matches!(&self.of, Owner::Session(slot) if slot.given_up.load(Ordering::Relaxed))
    }
}

impl Drop for SessionPermit {
    fn drop(&mut self) {
        match &self.of {
            Owner::Session(slot) => self.permits.sessions().clear(slot),
            Owner::Account(account) => {
                let mut accounts = self.permits.accounts();
                if let Entry::Occupied(mut sessions) = accounts.entry(*account) {
                    *sessions.get_mut() -= 1;
                    if *sessions.get() == 0 {
                        sessions.remove();
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CommonLayer, ServeLayer};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn permits_with(change: impl FnOnce(&mut Settings)) -> Arc<Permits> {
        let mut settings = Settings::resolve(CommonLayer::default(), ServeLayer::default(), None).unwrap();
        change(&mut settings);
        Arc::new(Permits::new(&settings))
    }

    #[test]
    fn permits_are_released() {
        let permits = permits_with(|settings| {
            settings.max_sessions_per_address = Some(2);
            settings.max_sessions_per_account = 1;
        });
        let now = Instant::now();
        let acquire = |address: &str| permits.acquire_session(address.parse().unwrap(), Claim::Guest, now);
        let held = [acquire("2001:db8:1:1::1").unwrap(), acquire("2001:db8:1:1::2").unwrap()];
        assert!(matches!(acquire("2001:db8:1:1::3"), Err(LimitExceeded::AddressSessions)));
        assert!(acquire("2001:db8:1:2::1").is_ok());
        drop(held);
        assert!(acquire("2001:db8:1:1::3").is_ok());
        let permit = permits.acquire_account(UserId(1)).unwrap();
        assert!(matches!(permits.acquire_account(UserId(1)), Err(LimitExceeded::AccountSessions)));
        assert!(permits.acquire_account(UserId(2)).is_ok());
        drop(permit);
        assert!(permits.acquire_account(UserId(1)).is_ok());
        let sessions = permits.sessions();
        assert_eq!((sessions.strangers, sessions.members), (0, 0));
        assert!(permits.accounts().is_empty());
    }

    #[test]
    fn an_office_comes_back_at_once_and_a_flood_is_held_up() {
        let permits = permits_with(|settings| settings.handshake_rate = 10);
        let now = Instant::now();
        let begun =
            |now, claim| (0..100).filter(|_| permits.acquire_session(HERE, claim, now).is_ok()).count();
        assert_eq!(begun(now, Claim::Guest), 40);
        assert_eq!(begun(now + Duration::from_secs(1), Claim::Guest), 10);
        // Members are not held up by strangers of their network, nor by each other.
        assert_eq!(begun(now, Claim::Member(UserId(1))), 40);
        assert_eq!(begun(now, Claim::Member(UserId(2))), 40);
    }

    #[test]
    fn a_proxy_that_names_nobody_has_no_limit_of_its_own() {
        let permits = permits_with(|settings| {
            settings.max_sessions_per_address = Some(1);
            settings.trusted_proxy = vec![HERE];
        });
        let _one = permits.acquire_session(HERE, Claim::Guest, Instant::now()).unwrap();
        assert!(permits.acquire_session(HERE, Claim::Guest, Instant::now()).is_ok());
    }

    #[test]
    fn strangers_cannot_use_up_what_members_need() {
        let permits = permits_with(|settings| settings.max_connections = 8);
        let begin =
            |last, claim| permits.acquire_session(IpAddr::from([10, 0, 0, last]), claim, Instant::now());
        let mut strangers: Vec<_> = (0..100).filter_map(|_| begin(1, Claim::Guest).ok()).collect();
        assert_eq!(strangers.len(), 4, "a network has half");
        assert_eq!(begin(1, Claim::Guest).unwrap_err(), LimitExceeded::AddressSessions);
        strangers.extend((0..100).filter_map(|_| begin(2, Claim::Guest).ok()));
        assert_eq!(strangers.len(), 6, "a quarter is kept");
        assert_eq!(begin(3, Claim::Guest).unwrap_err(), LimitExceeded::Connections);
        let _members =
            [begin(1, Claim::Member(UserId(1))).unwrap(), begin(1, Claim::Member(UserId(2))).unwrap()];
        assert_eq!(begin(3, Claim::Member(UserId(3))).unwrap_err(), LimitExceeded::Connections);
    }

    #[test]
    fn who_does_not_say_who_it_is_makes_room_for_the_next() {
        let permits = permits_with(|settings| settings.handshake_rate = 1_000_000);
        let begin = || permits.acquire_session(HERE, Claim::Pending, Instant::now()).unwrap();
        let flood: Vec<_> = (0..PENDING).map(|_| begin()).collect();
        let next = begin();
        assert!(flood[0].is_given_up() && !flood[1].is_given_up() && !next.is_given_up());
        assert!(flood[0].settle(true).is_err());
        assert_eq!(permits.sessions().strangers, PENDING);
        next.settle(true).unwrap();
        flood[1].settle(false).unwrap();
        let later: Vec<_> = (0..PENDING).map(|_| begin()).collect();
        assert!(!next.is_given_up() && !flood[1].is_given_up() && flood[2].is_given_up());
        assert!(permits.sessions().addresses[&HERE].pending.len() <= 2 * PENDING);
        drop((flood, later));
        let sessions = permits.sessions();
        assert_eq!((sessions.strangers, sessions.members), (0, 1));
    }

    #[test]
    fn memory_is_bounded() {
        let permits = permits_with(|_| {});
        let now = Instant::now();
        for n in 0..250_000_u32 {
            drop(permits.acquire_session(IpAddr::from(n.to_be_bytes()), Claim::Guest, now));
        }
        assert!(permits.sessions().addresses.len() <= MAX_IDLE);
    }
}
