//! Permits for connections and sessions: how many there may be in all, of an address and of an account, and how often
//! one may begin. Says nothing about who someone is.
//!
//! Strangers and members are counted apart, and some permits are kept for members, so that strangers cannot use up what
//! members need, even from the same network. A permit is released when it is dropped, on whatever thread.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    account_sessions::AccountSessions,
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
    accounts: AccountSessions,
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
        let all = settings.max_connections - 2 * settings.tunnels();
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
            accounts: AccountSessions::default(),
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
        if !self.accounts.begin(account, self.limits.per_account) {
            return Err(LimitExceeded::AccountSessions);
        }
        Ok(SessionPermit { permits: Arc::clone(self), of: Owner::Account(account) })
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        // Counts stay usable whatever a panic left them at.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sessions of all accounts, counted.
    #[must_use]
    pub fn of_accounts(&self) -> &AccountSessions {
        &self.accounts
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
            Owner::Account(account) => self.permits.accounts.end(*account),
        }
    }
}

#[cfg(test)]
mod tests;
