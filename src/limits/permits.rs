//! Permits for connections and sessions: how many there may be in all, of an address and of an account, and how often
//! an address may begin one. Says nothing about who someone is.
//!
//! A permit is acquired before credentials are looked up, so that a flood of bad ones stays cheap, and released when it
//! is dropped, on whatever thread.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{network::network, token_bucket::TokenBucket};
use crate::{config::Settings, domain::UserId, telemetry};

/// Seconds' worth of handshakes that an address may begin at once: after a restart all clients of an office come back together.
const BURST: u8 = 4;
/// Addresses without a session that are remembered for their rate: some 10 MB at worst.
const MAX_IDLE: usize = 100_000;
/// Connections beyond the most that are answered at all: with 503, or by health checks. Beyond those they are dropped.
const ANSWERED: usize = 16;

/// What the numbers call a connection that got no answer.
const DROPPED: &str = "connection_dropped";

/// The limit that refuses a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    /// Sessions of an account.
    #[error("the account has as many sessions as it may")]
    AccountSessions,
    /// Sessions of an address.
    #[error("the address has as many sessions as it may")]
    AddressSessions,
    /// Sessions that an address may begin within a moment.
    #[error("the address begins sessions too fast")]
    HandshakeRate,
    /// Connections of the server.
    #[error("the server has as many connections as it may")]
    Connections,
}

impl LimitExceeded {
    /// When to try again: the handshake rate refills by itself, the others when a session ends.
    #[must_use]
    pub fn retry_after(self) -> Duration {
        Duration::from_secs(if self == Self::HandshakeRate { 1 } else { 10 })
    }
}

/// Hands out permits and counts them, for all threads.
#[derive(Debug)]
pub struct Permits {
    limits: Limits,
    connections: AtomicUsize,
    /// Connections over the limit. Counted apart, so that many which come and go take no room from the others.
    over_limit: AtomicUsize,
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
    /// At this number idle addresses are forgotten.
    sweep_at: usize,
}

#[derive(Debug)]
struct Address {
    sessions: usize,
    handshakes: TokenBucket,
}

impl Permits {
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
            over_limit: AtomicUsize::default(),
            sessions: AtomicUsize::default(),
            addresses: Mutex::default(),
            accounts: Mutex::default(),
        }
    }

    /// A permit for a connection of whatever kind. `None` when there is no room even for a refusal.
    #[must_use]
    pub fn acquire_connection(self: &Arc<Self>) -> Option<ConnectionPermit> {
        let is_over_limit = !count(&self.connections, self.limits.connections);
        if is_over_limit && !count(&self.over_limit, ANSWERED) {
            telemetry::refused(DROPPED);
            return None;
        }
        telemetry::connection_opened();
        Some(ConnectionPermit { permits: Arc::clone(self), is_over_limit })
    }

    /// How many connections may speak HTTP: those within the limit, and those that are only told that they are over it.
    #[must_use]
    pub fn http_connections(&self) -> usize {
        self.limits.connections.saturating_add(ANSWERED)
    }

    /// A permit for a session from an address. A trusted proxy that does not say for whom it asks is nobody's address,
    /// and has no limit of its own.
    ///
    /// # Errors
    /// [`LimitExceeded::HandshakeRate`], [`LimitExceeded::AddressSessions`], [`LimitExceeded::Connections`].
    pub fn acquire_session(
        self: &Arc<Self>,
        address: IpAddr,
        now: Instant,
    ) -> Result<SessionPermit, LimitExceeded> {
        // Sessions that poll have no connection of their own and are bounded too.
        if !count(&self.sessions, self.limits.connections) {
            return Err(LimitExceeded::Connections);
        }
        let mut permit = SessionPermit { permits: Arc::clone(self), of: Owner::Address(None) };
        if !self.limits.proxies.contains(&address.to_canonical()) {
            let address = network(address);
            self.addresses().acquire(address, &self.limits, now)?;
            permit.of = Owner::Address(Some(address));
        }
        telemetry::handshake();
        Ok(permit)
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

    fn addresses(&self) -> MutexGuard<'_, Addresses> {
        // Counts stay usable whatever a panic left them at.
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Addresses {
    fn acquire(&mut self, address: IpAddr, limits: &Limits, now: Instant) -> Result<(), LimitExceeded> {
        self.sweep(now);
        let known = self.known.entry(address).or_insert_with(|| Address {
            sessions: 0,
            handshakes: TokenBucket::new(limits.handshake_rate, BURST, now),
        });
        if !known.handshakes.take(now) {
            return Err(LimitExceeded::HandshakeRate);
        }
        if known.sessions >= limits.per_address {
            return Err(LimitExceeded::AddressSessions);
        }
        known.sessions += 1;
        Ok(())
    }

    /// Forgets addresses without a session: first those whose bucket is full again, then, if that is not enough, all of
    /// them: a client with so many addresses is not slowed by a rate for each.
    fn sweep(&mut self, now: Instant) {
        if self.known.len() < self.sweep_at.max(MAX_IDLE) {
            return;
        }
        self.known.retain(|_, address| address.sessions > 0 || !address.handshakes.is_full(now));
        if self.known.len() >= MAX_IDLE {
            self.known.retain(|_, address| address.sessions > 0);
        }
        self.sweep_at = self.known.len() + MAX_IDLE;
    }
}

/// Counts one more; `false` at the limit.
fn count(counter: &AtomicUsize, most: usize) -> bool {
    let more = |count: usize| (count < most).then_some(count + 1);
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}

/// The permit of an open connection, released when it is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    permits: Arc<Permits>,
    is_over_limit: bool,
}

impl ConnectionPermit {
    /// Whether it is over the limit, let in only for a refusal or a health check.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        self.is_over_limit
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let Self { permits, is_over_limit } = self;
        let counter = if *is_over_limit { &permits.over_limit } else { &permits.connections };
        counter.fetch_sub(1, Ordering::Relaxed);
        telemetry::connection_ended();
    }
}

/// The permit of a session, released when it is dropped.
#[derive(Debug)]
pub struct SessionPermit {
    permits: Arc<Permits>,
    of: Owner,
}

/// Whose sessions a permit counts among.
#[derive(Clone, Copy, Debug)]
enum Owner {
    /// Everyone's, and an address's unless that says nothing.
    Address(Option<IpAddr>),
    Account(UserId),
}

impl Drop for SessionPermit {
    fn drop(&mut self) {
        match self.of {
            Owner::Address(address) => {
                self.permits.sessions.fetch_sub(1, Ordering::Relaxed);
                let mut addresses = self.permits.addresses();
                if let Some(known) = address.and_then(|address| addresses.known.get_mut(&address)) {
                    known.sessions -= 1;
                }
            }
            Owner::Account(account) => {
                let mut accounts = self.permits.accounts();
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

    fn permits_with(change: impl FnOnce(&mut Settings)) -> Arc<Permits> {
        let mut settings = Settings::resolve(CommonLayer::default(), ServeLayer::default(), None).unwrap();
        change(&mut settings);
        Arc::new(Permits::new(&settings))
    }

    #[test]
    fn permits_are_released() {
        let permits = permits_with(|settings| {
            settings.max_sessions_per_address = 2;
            settings.max_sessions_per_account = 1;
        });
        let now = Instant::now();
        let acquire = |address: &str| permits.acquire_session(address.parse().unwrap(), now);
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
        assert_eq!(permits.sessions.load(Ordering::Relaxed), 0);
        assert!(permits.accounts().is_empty());
    }

    #[test]
    fn an_office_comes_back_at_once_and_a_flood_is_held_up() {
        let permits = permits_with(|settings| settings.handshake_rate = 10);
        let now = Instant::now();
        let begun = |now| (0..100).filter(|_| permits.acquire_session(HERE, now).is_ok()).count();
        assert_eq!(begun(now), 40);
        assert_eq!(begun(now + Duration::from_secs(1)), 10);
    }

    #[test]
    fn a_proxy_that_names_nobody_has_no_limit_of_its_own() {
        let permits = permits_with(|settings| {
            settings.max_sessions_per_address = 1;
            settings.trusted_proxy = vec![HERE];
        });
        let _one = permits.acquire_session(HERE, Instant::now()).unwrap();
        assert!(permits.acquire_session(HERE, Instant::now()).is_ok());
    }

    #[test]
    fn beyond_the_most_connections_some_are_answered_and_none_kept() {
        let permits = permits_with(|settings| settings.max_connections = 2);
        let mut open: Vec<_> = (0..100).filter_map(|_| permits.acquire_connection()).collect();
        assert_eq!(open.len(), 2 + ANSWERED);
        assert_eq!(open.iter().filter(|permit| !permit.is_over_limit()).count(), 2);
        open.clear();
        assert!(!permits.acquire_connection().unwrap().is_over_limit());
    }

    #[test]
    fn sessions_without_a_connection_are_bounded_too() {
        let permits = permits_with(|settings| settings.max_connections = 2);
        let begin = || permits.acquire_session(HERE, Instant::now());
        let _two = [begin().unwrap(), begin().unwrap()];
        assert_eq!(begin().unwrap_err(), LimitExceeded::Connections);
    }

    #[test]
    fn memory_is_bounded() {
        let permits = permits_with(|_| {});
        let now = Instant::now();
        for n in 0..250_000_u32 {
            drop(permits.acquire_session(IpAddr::from(n.to_be_bytes()), now));
        }
        assert!(permits.addresses().known.len() <= MAX_IDLE);
    }
}
