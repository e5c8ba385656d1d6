//! Permits for connections and sessions: how many there may be in all, of an address and of an account, and how often
//! one may begin. Says nothing about who someone is.
//!
//! Strangers and members are counted apart, and some permits are kept for members, so that strangers cannot use up what
//! members need, even from the same network. A permit is released when it is dropped, on whatever thread.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    budget::Budget,
    exceeded::LimitExceeded,
    network::network,
    places::{ConnectionPermit, PlaceLimits, Places},
    purse::Purse,
    rates::Rates,
    sessions::{BURST, Limits, Sessions},
    slot::{Count, Slot},
};
use crate::{config::Settings, domain::UserId, telemetry};

/// What the numbers call a connection that came too soon after others of its address.
const TOO_FAST: &str = "too_many_connects";
/// Connections of an address unless the settings say otherwise, let it have more sessions, or half of the whole is less.
const CONNECTIONS_OF_AN_ADDRESS: usize = 1000;
/// Sessions of an address unless the settings say otherwise, or half of the whole is less.
const SESSIONS_OF_AN_ADDRESS: usize = 500;
/// Sessions of an address that have begun and not said yet who they are, unless half of what it may have is less.
const PENDING: usize = 1000;

/// Connections a second that an address may open, for each session that it may begin a second, and at least.
const CONNECTIONS_A_HANDSHAKE: u32 = 10;
const CONNECTION_RATE: u32 = 500;
/// Seconds' worth of connections that an address may open at once.
const CONNECTION_BURST: u8 = 2;
/// Chat messages, joins and leaves a second of an account on all its sessions, and of all guests of a network.
const CHAT_RATE: u32 = 20;
/// Seconds' worth of these that may come at once.
const CHAT_BURST: u8 = 2;

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

impl From<Claim> for Count {
    fn from(claim: Claim) -> Self {
        match claim {
            Claim::Pending => Self::Pending,
            Claim::Guest => Self::Guest,
            Claim::Member(_) => Self::Member,
        }
    }
}

/// Hands out permits and counts them, for all threads.
#[derive(Debug)]
pub struct Permits {
    limits: Limits,
    places: Arc<Places>,
    budget: Arc<Budget>,
    sessions: Mutex<Sessions>,
    /// How fast each account begins sessions.
    handshakes: Rates<UserId>,
    accounts: Mutex<HashMap<UserId, usize>>,
    /// How fast each account, or each network's guests together, chat.
    chat: Rates<Talker>,
    /// How fast each network opens connections.
    connections: Rates<IpAddr>,
}

/// Who chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Talker {
    Account(UserId),
    Network(IpAddr),
}

impl Permits {
    /// With the limits of the settings. A quarter of all places is kept for members, and for those who are about to say
    /// who they are; those have half of it at most.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let all = settings.max_connections;
        let (reserved, half) = (all / 4, all.div_ceil(2));
        let proxies: Vec<_> = settings.trusted_proxy.iter().map(IpAddr::to_canonical).collect();
        let per_address = settings.max_sessions_per_address.unwrap_or(half.min(SESSIONS_OF_AN_ADDRESS));
        // Each session is a connection, too: whoever raises the one need not think of the other.
        let sessions = settings.max_sessions_per_address.map_or(0, |sessions| sessions.saturating_mul(2));
        let per_network = half.min(CONNECTIONS_OF_AN_ADDRESS).max(sessions);
        let per_network = settings.max_connections_per_address.unwrap_or(per_network);
        let places = PlaceLimits { all, reserved, per_network, proxies: proxies.clone() };
        Self {
            limits: Limits {
                all,
                guests: all - reserved,
                pending: (reserved / 2).max(1),
                per_account: settings.max_sessions_per_account,
                per_address,
                pending_per_address: per_address.div_ceil(2).min(PENDING),
                handshake_rate: settings.handshake_rate,
                proxies,
            },
            places: Places::new(places),
            budget: Budget::new(settings.memory_budget),
            sessions: Mutex::default(),
            handshakes: Rates::new(settings.handshake_rate, Duration::from_secs(1), BURST),
            accounts: Mutex::default(),
            chat: Rates::new(CHAT_RATE, Duration::from_secs(1), CHAT_BURST),
            connections: Rates::new(
                settings.handshake_rate.saturating_mul(CONNECTIONS_A_HANDSHAKE).max(CONNECTION_RATE),
                Duration::from_secs(1),
                CONNECTION_BURST,
            ),
        }
    }

    /// The network of an address. A trusted proxy that does not say for whom it asks is nobody's, and has no limit of
    /// its own.
    fn network(&self, address: IpAddr) -> Option<IpAddr> {
        let address = address.to_canonical();
        (!self.limits.proxies.contains(&address)).then(|| network(address))
    }

    /// On whose account the bytes of a request are.
    #[must_use]
    pub fn purse(&self, address: IpAddr, is_member: bool) -> Purse {
        Purse::of(Slot::of_request(self.network(address), is_member, &self.budget))
    }

    /// A permit for a connection of whatever kind from an address. `None` when they come too
    /// fast, or when there is no room even for a refusal.
    #[must_use]
    pub fn acquire_connection(&self, address: IpAddr, now: Instant) -> Option<ConnectionPermit> {
        if let Some(network) = self.network(address)
            && self.connections.take(network, now).is_err()
        {
            telemetry::refused(TOO_FAST);
            return None;
        }
        self.places.acquire(address)
    }

    /// Counts a chat message, a join or a leave; `false` when it is one too many. Guests count by the network of `purse`.
    #[must_use]
    pub fn take_chat(&self, account: Option<UserId>, purse: &Purse, now: Instant) -> bool {
        let talker = account.map(Talker::Account).or_else(|| purse.network().map(Talker::Network));
        talker.is_none_or(|talker| self.chat.take(talker, now).is_ok())
    }

    /// How many connections may speak HTTP: those with a place, and those that are only told that there is none.
    #[must_use]
    pub fn http_connections(&self) -> usize {
        self.places.http_connections()
    }

    /// A permit for a session from an address. How fast they begin is counted for who begins them: members by their
    /// account, guests by their address. Who has not said yet is counted when it does: a member must not have to share
    /// the rate of its address with strangers.
    ///
    /// # Errors
    /// [`LimitExceeded::HandshakeRate`], [`LimitExceeded::AddressSessions`], [`LimitExceeded::Connections`].
    pub fn acquire_session(
        self: &Arc<Self>,
        address: IpAddr,
        claim: Claim,
        now: Instant,
    ) -> Result<SessionPermit, LimitExceeded> {
        let slot = Slot::new(self.network(address), &self.budget);
        if claim != Claim::Pending {
            self.take_handshake(&slot, claim, now)?;
            slot.set_rated();
        }
        self.sessions().begin(&slot, claim.into(), &self.limits, now)?;
        telemetry::handshake();
        Ok(SessionPermit { permits: Arc::clone(self), of: Owner::Session(slot) })
    }

    /// Counts the beginning of a session.
    fn take_handshake(&self, slot: &Slot, claim: Claim, now: Instant) -> Result<(), LimitExceeded> {
        match claim {
            Claim::Member(account) => {
                self.handshakes.take(account, now).map_err(|_| LimitExceeded::HandshakeRate)
            }
            Claim::Guest | Claim::Pending => self.sessions().take_handshake(slot.network, &self.limits, now),
        }
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
    /// It took too long and was given up, there is no room for one more of its kind, or they begin too fast.
    pub fn settle(&self, claim: Claim, now: Instant) -> Result<(), LimitExceeded> {
        let Owner::Session(slot) = &self.of else { return Ok(()) };
        if self.is_given_up() {
            return Err(LimitExceeded::AddressSessions);
        }
        if !slot.take_rated() {
            self.permits.take_handshake(slot, claim, now)?;
        }
        let mut sessions = self.permits.sessions();
        match sessions.set(slot, claim.into(), &self.permits.limits) {
            // A member for whom there is no room among members takes the place of a stranger.
            Err(_) if matches!(claim, Claim::Member(_)) => {
                sessions.set(slot, Count::Guest, &self.permits.limits)
            }
            settled => settled,
        }
    }

    /// Whether the session made room for another.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        matches!(&self.of, Owner::Session(slot) if slot.is_given_up())
    }

    /// On whose account the session's bytes are.
    #[must_use]
    pub fn purse(&self) -> Purse {
        match &self.of {
            Owner::Session(slot) => Purse::of(Arc::clone(slot)),
            Owner::Account(_) => Purse::free(),
        }
    }
}

impl Drop for SessionPermit {
    fn drop(&mut self) {
        match &self.of {
            Owner::Session(slot) => {
                self.permits.sessions().clear(slot);
            }
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
    use super::{
        super::sessions::{Counts, MAX_IDLE},
        *,
    };
    use crate::{
        config::{CommonLayer, ServeLayer},
        limits::Standing,
    };

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
        assert_eq!(permits.sessions().counts(), Counts::default());
        assert!(permits.accounts().is_empty());
    }

    #[test]
    fn whoever_may_have_more_sessions_may_have_the_connections_for_them() {
        let permits = permits_with(|settings| {
            settings.max_connections = 8000;
            settings.max_sessions_per_address = Some(1500);
        });
        let start = Instant::now();
        let busy = |n: u64| {
            let permit = permits.acquire_connection(HERE, start + Duration::from_millis(10 * n)).unwrap();
            permit.place().unwrap().set_busy();
            permit
        };
        let open: Vec<_> = (0..3001).map(busy).collect();
        assert_eq!(open[2999].standing(), Standing::Served);
        assert_eq!(open[3000].standing(), Standing::Reserved);
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
    fn an_address_opens_so_many_connections_a_second_and_an_account_chats_so_much() {
        let permits = permits_with(|settings| settings.trusted_proxy = vec![IpAddr::from([10, 0, 0, 1])]);
        let now = Instant::now();
        let opened =
            |address, now| (0..5000).filter(|_| permits.acquire_connection(address, now).is_some()).count();
        assert_eq!(opened(HERE, now), 1000);
        assert_eq!(opened(HERE, now + Duration::from_secs(1)), 500);
        assert_eq!(opened(IpAddr::from([10, 0, 0, 1]), now), 5000, "a proxy has no limit of its own");
        let said =
            |account, purse: &Purse| (0..100).filter(|_| permits.take_chat(account, purse, now)).count();
        let (here, there) = (permits.purse(HERE, false), permits.purse(IpAddr::from([10, 0, 0, 2]), false));
        assert_eq!((said(Some(UserId(1)), &here), said(Some(UserId(1)), &there)), (40, 0));
        assert_eq!((said(None, &here), said(None, &here), said(None, &there)), (40, 0, 40));
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
        let permits = permits_with(|settings| {
            settings.max_connections = 4000;
            settings.max_sessions_per_address = Some(200);
        });
        let now = Instant::now();
        let begin = || permits.acquire_session(HERE, Claim::Pending, now).unwrap();
        let member = Claim::Member(UserId(1));
        let flood: Vec<_> = (0..100).map(|_| begin()).collect();
        let next = begin();
        assert!(flood[0].is_given_up() && !flood[1].is_given_up() && !next.is_given_up());
        assert!(flood[0].settle(member, now).is_err());
        assert_eq!(permits.sessions().counts().pending, 100);
        next.settle(member, now).unwrap();
        flood[1].settle(Claim::Guest, now).unwrap();
        let later: Vec<_> = (0..100).map(|_| begin()).collect();
        assert!(!next.is_given_up() && !flood[1].is_given_up() && flood[2].is_given_up());
        assert!(permits.sessions().remembered().1 <= 2 * 100 + 16);
        drop((flood, later));
        assert_eq!(permits.sessions().counts(), Counts { guests: 0, members: 1, pending: 0 });
    }

    #[test]
    fn members_who_say_late_who_they_are_need_nothing_of_their_address() {
        let permits = permits_with(|settings| {
            settings.max_connections = 100;
            settings.max_sessions_per_address = Some(10);
            settings.handshake_rate = 10;
        });
        let now = Instant::now();
        // Strangers use up the places and the rate of their address.
        let guests: Vec<_> =
            (0..100).map_while(|_| permits.acquire_session(HERE, Claim::Guest, now).ok()).collect();
        assert_eq!(guests.len(), 10);
        let mut late = Vec::new();
        for n in 0..5 {
            let permit = permits.acquire_session(HERE, Claim::Pending, now).unwrap();
            permit.settle(Claim::Member(UserId(n)), now).unwrap();
            late.push(permit);
        }
        let stranger = permits.acquire_session(HERE, Claim::Pending, now).unwrap();
        assert_eq!(stranger.settle(Claim::Guest, now), Err(LimitExceeded::AddressSessions));
        // An account, too, begins so many sessions a second: each CONNECT is one.
        let again = (0..100).take_while(|_| late[0].settle(Claim::Member(UserId(0)), now).is_ok()).count();
        assert_eq!(again, 39);
    }

    #[test]
    fn memory_is_bounded() {
        let permits = permits_with(|_| {});
        let now = Instant::now();
        for n in 0..250_000_u32 {
            drop(permits.acquire_session(IpAddr::from(n.to_be_bytes()), Claim::Guest, now));
        }
        assert!(permits.sessions().remembered().0 <= MAX_IDLE);
    }
}
