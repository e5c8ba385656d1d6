//! Slows the guessing of passwords: after 10 failed log-ins in 5 minutes for an account from one network, 50 from a
//! network, or 100 for an account from everywhere, the next attempt is refused until the oldest of them is 5 minutes
//! past. Only the first counts where the account has logged in before, so that others lock nobody out. Says nothing
//! about who may log in.
//!
//! An attempt is counted before its password is verified and refunded if that was right, so that a hundred
//! attempts at the same moment cannot all slip through while the first is being hashed.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    net::IpAddr,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::network::network;
use crate::domain::Timestamp;

/// How long a failure counts.
const WINDOW: Duration = Duration::from_mins(5);
const PER_ACCOUNT_AND_NETWORK: usize = 10;
const PER_NETWORK: usize = 50;
const PER_ACCOUNT: usize = 100;
/// The most accounts and networks that are remembered, some 30 MB at worst.
const MAX_KEYS: usize = 100_000;

/// The hash of a log-in, so that a key of any length costs the same and no e-mail address is kept in memory.
type Account = [u8; 32];

/// What failures are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// An account from one network.
    Pair(Account, IpAddr),
    Network(IpAddr),
    Account(Account),
}

impl Key {
    const fn limit(&self) -> usize {
        match self {
            Self::Pair(..) => PER_ACCOUNT_AND_NETWORK,
            Self::Network(_) => PER_NETWORK,
            Self::Account(_) => PER_ACCOUNT,
        }
    }
}

fn account(log_in: &str) -> Account {
    Sha256::digest(log_in.trim().to_lowercase()).into()
}

type Failures = HashMap<Key, VecDeque<Timestamp>>;

/// Too many log-ins failed, for the account or from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct TooManyAttempts {
    /// Whole seconds after which the next attempt is taken.
    pub retry_after: Duration,
}

/// How an attempt ended, for the other nodes of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guess {
    account: Account,
    network: IpAddr,
    /// Whether the password was right.
    right: bool,
}

/// Counts failed log-ins, those of this node and those that [`LoginThrottle::hear`] is told of.
pub struct LoginThrottle {
    failures: Mutex<Failures>,
    /// From where accounts have logged in, and when last.
    known: Mutex<HashMap<(Account, IpAddr), Timestamp>>,
    max_keys: usize,
    others: OnceLock<Box<dyn Fn(Guess) + Send + Sync>>,
}

impl fmt::Debug for LoginThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginThrottle").field("max_keys", &self.max_keys).finish_non_exhaustive()
    }
}

impl Default for LoginThrottle {
    fn default() -> Self {
        Self {
            failures: Mutex::default(),
            known: Mutex::default(),
            max_keys: MAX_KEYS,
            others: OnceLock::new(),
        }
    }
}

/// An attempt that counts as failed unless it is refunded.
#[derive(Debug)]
#[must_use = "an attempt that was not a wrong password must be refunded"]
pub struct Attempt<'a> {
    throttle: &'a LoginThrottle,
    keys: [Key; 3],
    at: Timestamp,
    account: Account,
    network: IpAddr,
    is_settled: bool,
}

impl LoginThrottle {
    /// Tells others how attempts end from now on. Only the first call counts.
    pub fn tell_others(&self, tell: impl Fn(Guess) + Send + Sync + 'static) {
        drop(self.others.set(Box::new(tell)));
    }

    /// Counts what another node was told.
    pub fn hear(&self, Guess { account, network, right }: Guess, now: Timestamp) {
        if right {
            return self.remember(account, network, now);
        }
        let mut failures = self.failures();
        for key in keys(account, network) {
            add(&mut failures, self.max_keys, key, now);
        }
    }

    fn tell(&self, guess: Guess) {
        if let Some(tell) = self.others.get() {
            tell(guess);
        }
    }

    /// Counts an attempt for an account (known or not) and an address.
    ///
    /// # Errors
    /// [`TooManyAttempts`] with the seconds after which an attempt will be taken.
    pub fn attempt(
        &self,
        log_in: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Attempt<'_>, TooManyAttempts> {
        let (account, network) = (account(log_in), network(address));
        let keys = keys(account, network);
        // What others did from this network, or to this account from elsewhere, is not held against its owner.
        let decisive = if self.knows(account, network) { &keys[..1] } else { &keys[..] };
        let mut failures = self.failures();
        let wait = decisive.iter().filter_map(|key| wait(&mut failures, key, now)).max();
        if let Some(millis) = wait {
            return Err(TooManyAttempts { retry_after: Duration::from_secs(millis.div_ceil(1000)) });
        }
        for key in keys {
            add(&mut failures, self.max_keys, key, now);
        }
        Ok(Attempt { throttle: self, keys, at: now, account, network, is_settled: false })
    }

    fn knows(&self, account: Account, network: IpAddr) -> bool {
        self.known().contains_key(&(account, network))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<(Account, IpAddr), Timestamp>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, account: Account, network: IpAddr, now: Timestamp) {
        let mut known = self.known();
        if known.len() >= self.max_keys && !known.contains_key(&(account, network)) {
            let mut times: Vec<_> = known.values().copied().collect();
            let (_, middle, _) = times.select_nth_unstable(self.max_keys / 10);
            let oldest = *middle;
            known.retain(|_, at| *at > oldest);
        }
        known.insert((account, network), now);
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        // Counts stay usable whatever a panic left them at.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The password was right: the attempt does not count, and the account is known in this network.
    pub fn succeed(self) {
        self.throttle.remember(self.account, self.network, self.at);
        self.throttle.tell(Guess { account: self.account, network: self.network, right: true });
        self.refund();
    }

    /// It was not a wrong password: it does not count.
    pub fn refund(mut self) {
        self.is_settled = true;
        let mut failures = self.throttle.failures();
        for key in self.keys {
            if let Some(times) = failures.get_mut(&key) {
                if let Some(index) = times.iter().position(|at| *at == self.at) {
                    times.remove(index);
                }
                if times.is_empty() {
                    failures.remove(&key);
                }
            }
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            self.throttle.tell(Guess { account: self.account, network: self.network, right: false });
        }
    }
}

const fn keys(account: Account, network: IpAddr) -> [Key; 3] {
    [Key::Pair(account, network), Key::Network(network), Key::Account(account)]
}

/// Counts a failure. No key remembers more than fill its limit: what others tell must not grow it.
fn add(failures: &mut Failures, max_keys: usize, key: Key, now: Timestamp) {
    make_room(failures, max_keys, key, now);
    let times = failures.entry(key).or_default();
    if times.len() >= 2 * key.limit() {
        times.pop_front();
    }
    times.push_back(now);
}

fn window_millis() -> i64 {
    i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds until an attempt is taken; `None` when it is taken now. Forgets what counts no longer.
fn wait(failures: &mut Failures, key: &Key, now: Timestamp) -> Option<u64> {
    let times = failures.get_mut(key)?;
    times.retain(|at| counts(*at, now));
    // Taken again when the failure that fills the limit has left the window.
    let filling = times.len().checked_sub(key.limit())?;
    let left = times.get(filling)?.as_millis() + window_millis() - now.as_millis();
    u64::try_from(left).ok()
}

fn counts(at: Timestamp, now: Timestamp) -> bool {
    // Both ways, so that a clock that was set back locks no account out for longer than the window.
    (now.as_millis() - at.as_millis()).abs() < window_millis()
}

/// When full: drops keys whose failures have expired and, if that is not enough, the tenth with the oldest failures;
/// keys at their limit go last. Refusing instead would let a client that fills the table lock everyone out.
fn make_room(failures: &mut Failures, max_keys: usize, key: Key, now: Timestamp) {
    if failures.len() < max_keys || failures.contains_key(&key) {
        return;
    }
    failures.retain(|_, times| times.back().is_some_and(|at| counts(*at, now)));
    if failures.len() < max_keys {
        return;
    }
    let worth = |key: &Key, times: &VecDeque<Timestamp>| (times.len() >= key.limit(), times.back().copied());
    let mut order: Vec<_> = failures.iter().map(|(key, times)| (worth(key, times), *key)).collect();
    order.sort_unstable_by_key(|(worth, _)| *worth);
    for (_, key) in order.iter().take(max_keys.div_ceil(10)) {
        failures.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000_000 + seconds * 1000)
    }

    fn fail(throttle: &LoginThrottle, log_in: &str, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        match throttle.attempt(log_in, address, now) {
            Ok(_) => Ok(()),
            Err(TooManyAttempts { retry_after }) => Err(retry_after.as_secs()),
        }
    }

    #[test]
    fn the_eleventh_failure_of_an_account_waits_exactly_until_the_first_is_five_minutes_past() {
        let throttle = LoginThrottle::default();
        for second in 0..10 {
            assert_eq!(fail(&throttle, "kim@example.com", HERE, at(second)), Ok(()));
        }
        assert_eq!(fail(&throttle, " KIM@example.com", HERE, at(10)), Err(290));
        assert_eq!(fail(&throttle, "kim@example.com", HERE, at(299)), Err(1));
        assert_eq!(fail(&throttle, "kim@example.com", HERE, at(300)), Ok(()));
        assert_eq!(fail(&throttle, "kim@example.com", HERE, at(300)), Err(1));
    }

    #[test]
    fn others_lock_nobody_out_where_the_account_has_logged_in_before() {
        let throttle = LoginThrottle::default();
        let elsewhere = |n: u8| IpAddr::from([10, 0, 0, n]);
        throttle.attempt("kim@example.com", HERE, at(0)).unwrap().succeed();
        for n in 0..100 {
            assert_eq!(fail(&throttle, "kim@example.com", elsewhere(n), at(1)), Ok(()));
        }
        assert!(fail(&throttle, "kim@example.com", elsewhere(200), at(2)).is_err(), "from everywhere");
        assert!(fail(&throttle, "lee@example.com", elsewhere(200), at(2)).is_ok());
        // Nor by failures with other accounts from the same network.
        for n in 0..50 {
            assert_eq!(fail(&throttle, &format!("{n}@example.com"), HERE, at(2)), Ok(()));
        }
        assert!(fail(&throttle, "lee@example.com", HERE, at(3)).is_err());
        for _ in 0..10 {
            assert_eq!(fail(&throttle, "kim@example.com", HERE, at(3)), Ok(()));
        }
        assert!(fail(&throttle, "kim@example.com", HERE, at(3)).is_err(), "its own failures count");
    }

    #[test]
    fn an_address_has_fifty_failures_over_all_accounts() {
        let throttle = LoginThrottle::default();
        for n in 0..50 {
            assert_eq!(fail(&throttle, &format!("{n}@example.com"), HERE, at(0)), Ok(()));
        }
        assert_eq!(fail(&throttle, "another@example.com", HERE, at(1)), Err(299));
        assert_eq!(fail(&throttle, "another@example.com", "10.0.0.2".parse().unwrap(), at(1)), Ok(()));
    }

    #[test]
    fn a_right_password_does_not_count() {
        let throttle = LoginThrottle::default();
        for _ in 0..100 {
            throttle.attempt("kim@example.com", HERE, at(0)).unwrap().refund();
        }
        assert!(throttle.failures().is_empty());
    }

    #[test]
    fn attempts_at_the_same_moment_do_not_overshoot() {
        let throttle = LoginThrottle::default();
        let taken: Vec<_> =
            (0..100).filter_map(|_| throttle.attempt("kim@example.com", HERE, at(0)).ok()).collect();
        assert_eq!(taken.len(), 10);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let throttle = LoginThrottle::default();
        for n in 0..50 {
            let address = format!("2001:db8:1:1::{n:x}").parse().unwrap();
            assert_eq!(fail(&throttle, &format!("{n}@example.com"), address, at(0)), Ok(()));
        }
        assert!(fail(&throttle, "x@example.com", "2001:db8:1:1:ffff::1".parse().unwrap(), at(0)).is_err());
        assert!(fail(&throttle, "x@example.com", "2001:db8:1:2::1".parse().unwrap(), at(0)).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_a_locked_account_stays_locked() {
        let throttle = LoginThrottle { max_keys: 100, ..LoginThrottle::default() };
        for _ in 0..10 {
            let _ = fail(&throttle, "kim@example.com", "10.9.9.9".parse().unwrap(), at(0));
        }
        for n in 0..1000 {
            let address = IpAddr::from([10, 0, (n / 250) as u8, (n % 250) as u8]);
            assert_eq!(fail(&throttle, &format!("{n}@example.com"), address, at(1)), Ok(()));
            assert!(throttle.failures().len() <= 103);
        }
        assert!(fail(&throttle, "kim@example.com", "10.9.9.9".parse().unwrap(), at(2)).is_err());
        for n in 0..1000 {
            let address = IpAddr::from([10, 1, (n / 250) as u8, (n % 250) as u8]);
            throttle.attempt("lee@example.com", address, at(3)).unwrap().succeed();
        }
        assert!(throttle.known().len() <= 100);
    }

    #[test]
    fn what_another_node_was_told_counts_here() {
        use std::sync::Arc;
        let (a, b) = (LoginThrottle::default(), Arc::new(LoginThrottle::default()));
        a.tell_others({
            let b = Arc::clone(&b);
            move |guess| b.hear(serde_json::from_str(&serde_json::to_string(&guess).unwrap()).unwrap(), at(0))
        });
        for _ in 0..10 {
            fail(&a, "kim@example.com", HERE, at(0)).unwrap();
        }
        assert!(fail(&b, "kim@example.com", HERE, at(1)).is_err());
        a.attempt("lee@example.com", HERE, at(0)).unwrap().refund();
        a.attempt("lee@example.com", HERE, at(0)).unwrap().succeed();
        assert!(b.knows(account("lee@example.com"), network(HERE)));
        for _ in 0..9 {
            fail(&b, "lee@example.com", HERE, at(1)).unwrap();
        }
        for _ in 0..1000 {
            b.hear(Guess { account: account("kim@example.com"), network: HERE, right: false }, at(2));
        }
        assert!(b.failures().values().all(|times| times.len() <= 200));
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let throttle = LoginThrottle::default();
        for _ in 0..10 {
            let _ = fail(&throttle, "kim@example.com", HERE, at(100_000));
        }
        assert_eq!(fail(&throttle, "kim@example.com", HERE, at(0)), Ok(()));
    }
}
