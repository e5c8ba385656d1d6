//! Who may begin another session: how often an address may, how many an address and an account may have, and how many
//! connections there are in all. Says nothing about who someone is.
//!
//! A place is taken before credentials are looked up, so that a flood of bad ones costs no more than it may, and given
//! back when it is dropped, on whatever thread.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{bucket::Bucket, login_attempts::network};
use crate::{config::Settings, domain::UserId, telemetry};

/// Seconds' worth of handshakes that an address may begin at once: after a restart an office comes back together.
const BURST: u8 = 4;
/// Addresses without a session that are remembered for their rate: some 10 MB at worst.
const MAX_IDLE: usize = 100_000;
/// Connections beyond the most that are answered at all: with 503, or by health checks. Beyond those they are dropped.
const ANSWERED: usize = 16;

/// What the numbers call a connection that got no answer.
const DROPPED: &str = "connection_dropped";

/// What is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// The sessions of an account.
    #[error("the account has as many sessions as it may")]
    Account,
    /// The sessions of an address.
    #[error("the address has as many sessions as it may")]
    Address,
    /// The sessions that an address may begin within a moment.
    #[error("the address begins sessions too fast")]
    Handshakes,
    /// The connections of the server.
    #[error("the server has as many connections as it may")]
    Server,
}

impl Limit {
    /// The stable name of a refusal for it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Account => "too_many_sessions",
            Self::Address => "too_many_connections",
            Self::Handshakes => "too_many_handshakes",
            Self::Server => "server_full",
        }
    }

    /// When another try is worth it. The allowance for handshakes refills by itself, the others when someone leaves.
    #[must_use]
    pub fn retry_after(self) -> Duration {
        Duration::from_secs(if self == Self::Handshakes { 1 } else { 10 })
    }
}

/// Counts connections and sessions, for all threads.
#[derive(Debug)]
pub struct Admissions {
    limits: Limits,
    connections: AtomicUsize,
    /// Connections beyond those. Counted apart, so that many which come and go do not hold up the room that there is.
    extras: AtomicUsize,
    sessions: AtomicUsize,
    addresses: Mutex<Addresses>,
    accounts: Mutex<HashMap<UserId, usize>>,
}

#[derive(Debug)]
struct Limits {
    connections: usize,
    per_account: usize,
    per_address: usize,
    handshake_rate: u32,
    proxies: Vec<IpAddr>,
}

#[derive(Debug, Default)]
struct Addresses {
    known: HashMap<IpAddr, Address>,
    /// How many may be known before those are forgotten that matter no more.
    tidy_at: usize,
}

#[derive(Debug)]
struct Address {
    sessions: usize,
    handshakes: Bucket,
}

impl Admissions {
    /// With the limits of the settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            limits: Limits {
                connections: settings.max_connections,
                per_account: settings.max_sessions_per_account,
                per_address: settings.max_sessions_per_address,
                handshake_rate: settings.handshake_rate,
                proxies: settings.trusted_proxy.iter().map(IpAddr::to_canonical).collect(),
            },
            connections: AtomicUsize::default(),
            extras: AtomicUsize::default(),
            sessions: AtomicUsize::default(),
            addresses: Mutex::default(),
            accounts: Mutex::default(),
        }
    }

    /// A connection comes in, of whatever kind. `None` when there is no room even for a refusal.
    #[must_use]
    pub fn connect(self: &Arc<Self>) -> Option<Connected> {
        let is_extra = !take(&self.connections, self.limits.connections);
        if is_extra && !take(&self.extras, ANSWERED) {
            telemetry::refused(DROPPED);
            return None;
        }
        telemetry::connection_opened();
        Some(Connected { admissions: Arc::clone(self), is_extra })
    }

    /// How many connections may speak HTTP: those that there may be, and those that are told so when they are too many.
    #[must_use]
    pub fn in_http(&self) -> usize {
        self.limits.connections.saturating_add(ANSWERED)
    }

    /// Someone at an address wants to begin a session. A trusted proxy that does not say for whom it asks is nobody's
    /// address, and has no limit of its own.
    ///
    /// # Errors
    /// [`Limit::Handshakes`], [`Limit::Address`], [`Limit::Server`].
    pub fn arrive(self: &Arc<Self>, address: IpAddr, now: Instant) -> Result<Place, Limit> {
        // Those that poll have no connection of their own, but they are to be bounded as well.
        if !take(&self.sessions, self.limits.connections) {
            return Err(Limit::Server);
        }
        let mut place = Place { admissions: Arc::clone(self), of: Owner::Address(None) };
        if !self.limits.proxies.contains(&address.to_canonical()) {
            let address = network(address);
            self.addresses().arrive(address, &self.limits, now)?;
            place.of = Owner::Address(Some(address));
        }
        telemetry::handshake();
        Ok(place)
    }

    /// A session turns out to be of an account.
    ///
    /// # Errors
    /// [`Limit::Account`].
    pub fn identify(self: &Arc<Self>, account: UserId) -> Result<Place, Limit> {
        let mut accounts = self.accounts();
        let sessions = accounts.entry(account).or_default();
        if *sessions >= self.limits.per_account {
            return Err(Limit::Account);
        }
        *sessions += 1;
        drop(accounts);
        Ok(Place { admissions: Arc::clone(self), of: Owner::Account(account) })
    }

    fn addresses(&self) -> MutexGuard<'_, Addresses> {
        // Counts stay usable whatever a panic left them at.
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Addresses {
    fn arrive(&mut self, address: IpAddr, limits: &Limits, now: Instant) -> Result<(), Limit> {
        self.tidy(now);
        let known = self.known.entry(address).or_insert_with(|| Address {
            sessions: 0,
            handshakes: Bucket::new(limits.handshake_rate, BURST, now),
        });
        if !known.handshakes.take(now) {
            return Err(Limit::Handshakes);
        }
        if known.sessions >= limits.per_address {
            return Err(Limit::Address);
        }
        known.sessions += 1;
        Ok(())
    }

    /// Forgets addresses without a session: those whose bucket is full again, and when that is not enough the others
    /// too, because whoever has so many addresses is not held up by a rate for each.
    fn tidy(&mut self, now: Instant) {
        if self.known.len() < self.tidy_at.max(MAX_IDLE) {
            return;
        }
        self.known.retain(|_, address| address.sessions > 0 || !address.handshakes.is_full(now));
        if self.known.len() >= MAX_IDLE {
            self.known.retain(|_, address| address.sessions > 0);
        }
        self.tidy_at = self.known.len() + MAX_IDLE;
    }
}

/// Counts one more, if there may be.
fn take(counter: &AtomicUsize, most: usize) -> bool {
    let more = |count: usize| (count < most).then_some(count + 1);
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}

/// An open connection.
#[derive(Debug)]
pub struct Connected {
    admissions: Arc<Admissions>,
    is_extra: bool,
}

impl Connected {
    /// Whether it is one too many, let in for a refusal or a health check: it must not stay.
    #[must_use]
    pub fn is_extra(&self) -> bool {
        self.is_extra
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let Self { admissions, is_extra } = self;
        let counter = if *is_extra { &admissions.extras } else { &admissions.connections };
        counter.fetch_sub(1, Ordering::Relaxed);
        telemetry::connection_ended();
    }
}

/// The place of a session, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    admissions: Arc<Admissions>,
    of: Owner,
}

/// Among whose sessions a place is.
#[derive(Clone, Copy, Debug)]
enum Owner {
    /// Everyone's, and an address's unless that says nothing.
    Address(Option<IpAddr>),
    Account(UserId),
}

impl Drop for Place {
    fn drop(&mut self) {
        match self.of {
            Owner::Address(address) => {
                self.admissions.sessions.fetch_sub(1, Ordering::Relaxed);
                let mut addresses = self.admissions.addresses();
                if let Some(known) = address.and_then(|address| addresses.known.get_mut(&address)) {
                    known.sessions -= 1;
                }
            }
            Owner::Account(account) => {
                let mut accounts = self.admissions.accounts();
                if let Entry::Occupied(mut sessions) = accounts.entry(account) {
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

    fn admissions(change: impl FnOnce(&mut Settings)) -> Arc<Admissions> {
        let mut settings = Settings::resolve(CommonLayer::default(), ServeLayer::default(), None).unwrap();
        change(&mut settings);
        Arc::new(Admissions::new(&settings))
    }

    #[test]
    fn places_are_given_back() {
        let admissions = admissions(|settings| {
            settings.max_sessions_per_address = 2;
            settings.max_sessions_per_account = 1;
        });
        let now = Instant::now();
        let arrive = |address: &str| admissions.arrive(address.parse().unwrap(), now);
        let places = [arrive("2001:db8:1:1::1").unwrap(), arrive("2001:db8:1:1::2").unwrap()];
        assert!(matches!(arrive("2001:db8:1:1::3"), Err(Limit::Address)));
        assert!(arrive("2001:db8:1:2::1").is_ok());
        drop(places);
        assert!(arrive("2001:db8:1:1::3").is_ok());
        let place = admissions.identify(UserId(1)).unwrap();
        assert!(matches!(admissions.identify(UserId(1)), Err(Limit::Account)));
        assert!(admissions.identify(UserId(2)).is_ok());
        drop(place);
        assert!(admissions.identify(UserId(1)).is_ok());
        assert_eq!(admissions.sessions.load(Ordering::Relaxed), 0);
        assert!(admissions.accounts().is_empty());
    }

    #[test]
    fn an_office_comes_back_at_once_and_a_flood_is_held_up() {
        let admissions = admissions(|settings| settings.handshake_rate = 10);
        let now = Instant::now();
        let begun = |now| (0..100).filter(|_| admissions.arrive(HERE, now).is_ok()).count();
        assert_eq!(begun(now), 40);
        assert_eq!(begun(now + Duration::from_secs(1)), 10);
    }

    #[test]
    fn a_proxy_that_names_nobody_has_no_limit_of_its_own() {
        let admissions = admissions(|settings| {
            settings.max_sessions_per_address = 1;
            settings.trusted_proxy = vec![HERE];
        });
        let _one = admissions.arrive(HERE, Instant::now()).unwrap();
        assert!(admissions.arrive(HERE, Instant::now()).is_ok());
    }

    #[test]
    fn beyond_the_most_connections_some_are_answered_and_none_kept() {
        let admissions = admissions(|settings| settings.max_connections = 2);
        let mut open: Vec<_> = (0..100).filter_map(|_| admissions.connect()).collect();
        assert_eq!(open.len(), 2 + ANSWERED);
        assert_eq!(open.iter().filter(|connected| !connected.is_extra()).count(), 2);
        open.clear();
        assert!(!admissions.connect().unwrap().is_extra());
    }

    #[test]
    fn sessions_without_a_connection_are_bounded_too() {
        let admissions = admissions(|settings| settings.max_connections = 2);
        let begin = || admissions.arrive(HERE, Instant::now());
        let _two = [begin().unwrap(), begin().unwrap()];
        assert_eq!(begin().unwrap_err(), Limit::Server);
    }

    #[test]
    fn memory_is_bounded() {
        let admissions = admissions(|_| {});
        let now = Instant::now();
        for n in 0..250_000_u32 {
            drop(admissions.arrive(IpAddr::from(n.to_be_bytes()), now));
        }
        assert!(admissions.addresses().known.len() <= MAX_IDLE);
    }
}
