//! Guessing passwords is slow: 10 failed log-ins in 5 minutes for an account, 50 from an address, then none is
//! tried until the oldest of them is 5 minutes past. Says nothing about who may log in.
//!
//! An attempt is counted before its password is verified and given back if that was right, so that a hundred
//! attempts at the same moment cannot all slip through while the first is being hashed.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::domain::Timestamp;

/// How long a failure counts.
const WINDOW: Duration = Duration::from_mins(5);
const PER_ACCOUNT: usize = 10;
const PER_ADDRESS: usize = 50;
/// The most accounts and addresses that are remembered, some 20 MB at worst.
const MAX_KEYS: usize = 100_000;

/// What failures are counted for. Accounts by the hash of their log-in, so that a key of any length costs the same
/// and no e-mail address lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Account([u8; 32]),
    Address(IpAddr),
}

impl Key {
    fn account(log_in: &str) -> Self {
        Self::Account(Sha256::digest(log_in.trim().to_lowercase()).into())
    }

    fn address(address: IpAddr) -> Self {
        Self::Address(network(address))
    }

    const fn limit(&self) -> usize {
        match self {
            Self::Account(_) => PER_ACCOUNT,
            Self::Address(_) => PER_ADDRESS,
        }
    }
}

/// Whom an address stands for. An IPv6 subscriber has 2^64 addresses or more, so that the prefix counts (RFC 6177 §2).
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

type Failures = HashMap<Key, VecDeque<Timestamp>>;

/// Too many log-ins failed, for the account or from the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct TooManyAttempts {
    /// Whole seconds after which the next attempt is taken.
    pub retry_after: Duration,
}

/// Counts failed log-ins.
#[derive(Debug)]
pub struct Throttle {
    failures: Mutex<Failures>,
    max_keys: usize,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { failures: Mutex::default(), max_keys: MAX_KEYS }
    }
}

/// An attempt that counts as failed unless it is given back.
#[derive(Debug)]
#[must_use = "an attempt that was not a wrong password is to be given back"]
pub struct Attempt<'a> {
    throttle: &'a Throttle,
    keys: [Key; 2],
    at: Timestamp,
}

impl Throttle {
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
        let keys = [Key::account(log_in), Key::address(address)];
        let mut failures = self.failures();
        let wait = keys.iter().filter_map(|key| wait(&mut failures, key, now)).max();
        if let Some(millis) = wait {
            return Err(TooManyAttempts { retry_after: Duration::from_secs(millis.div_ceil(1000)) });
        }
        for key in keys {
            make_room(&mut failures, self.max_keys, key, now);
            failures.entry(key).or_default().push_back(now);
        }
        Ok(Attempt { throttle: self, keys, at: now })
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        // Counts stay usable whatever a panic left them at.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// It was not a wrong password: it does not count.
    pub fn give_back(self) {
        let mut failures = self.throttle.failures();
        for key in self.keys {
            if let Some(times) = failures.get_mut(&key) {
                if let Some(place) = times.iter().position(|at| *at == self.at) {
                    times.remove(place);
                }
                if times.is_empty() {
                    failures.remove(&key);
                }
            }
        }
    }
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
    // Both ways, so that a clock that was set back locks nobody out for longer than the window.
    (now.as_millis() - at.as_millis()).abs() < window_millis()
}

/// When full: what counts no longer goes, and if that is not enough the tenth that is least worth keeping. Keys at
/// their limit stay longest. Refusing instead would let whoever fills it lock everyone out.
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

    fn fail(throttle: &Throttle, log_in: &str, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        match throttle.attempt(log_in, address, now) {
            Ok(_) => Ok(()),
            Err(TooManyAttempts { retry_after }) => Err(retry_after.as_secs()),
        }
    }

    #[test]
    fn the_eleventh_failure_of_an_account_waits_exactly_until_the_first_is_five_minutes_past() {
        let throttle = Throttle::default();
        for second in 0..10 {
            assert_eq!(fail(&throttle, "kim@example.com", HERE, at(second)), Ok(()));
        }
        assert_eq!(fail(&throttle, " KIM@example.com", HERE, at(10)), Err(290));
        assert_eq!(fail(&throttle, "kim@example.com", HERE, at(299)), Err(1));
        assert_eq!(fail(&throttle, "kim@example.com", HERE, at(300)), Ok(()));
        assert_eq!(fail(&throttle, "kim@example.com", HERE, at(300)), Err(1));
    }

    #[test]
    fn an_address_has_fifty_failures_over_all_accounts() {
        let throttle = Throttle::default();
        for n in 0..50 {
            assert_eq!(fail(&throttle, &format!("{n}@example.com"), HERE, at(0)), Ok(()));
        }
        assert_eq!(fail(&throttle, "another@example.com", HERE, at(1)), Err(299));
        assert_eq!(fail(&throttle, "another@example.com", "10.0.0.2".parse().unwrap(), at(1)), Ok(()));
    }

    #[test]
    fn a_right_password_does_not_count() {
        let throttle = Throttle::default();
        for _ in 0..100 {
            throttle.attempt("kim@example.com", HERE, at(0)).unwrap().give_back();
        }
        assert!(throttle.failures().is_empty());
    }

    #[test]
    fn attempts_at_the_same_moment_do_not_overshoot() {
        let throttle = Throttle::default();
        let taken: Vec<_> =
            (0..100).filter_map(|_| throttle.attempt("kim@example.com", HERE, at(0)).ok()).collect();
        assert_eq!(taken.len(), 10);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let throttle = Throttle::default();
        for n in 0..50 {
            let address = format!("2001:db8:1:1::{n:x}").parse().unwrap();
            assert_eq!(fail(&throttle, &format!("{n}@example.com"), address, at(0)), Ok(()));
        }
        assert!(fail(&throttle, "x@example.com", "2001:db8:1:1:ffff::1".parse().unwrap(), at(0)).is_err());
        assert!(fail(&throttle, "x@example.com", "2001:db8:1:2::1".parse().unwrap(), at(0)).is_ok());
    }

    #[test]
    fn memory_is_bounded_and_a_locked_account_stays_locked() {
        let throttle = Throttle { max_keys: 100, ..Throttle::default() };
        for _ in 0..10 {
            let _ = fail(&throttle, "kim@example.com", "10.9.9.9".parse().unwrap(), at(0));
        }
        for n in 0..1000 {
            let address = IpAddr::from([10, 0, (n / 250) as u8, (n % 250) as u8]);
            assert_eq!(fail(&throttle, &format!("{n}@example.com"), address, at(1)), Ok(()));
            assert!(throttle.failures().len() <= 101);
        }
        assert!(fail(&throttle, "kim@example.com", HERE, at(2)).is_err());
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            let _ = fail(&throttle, "kim@example.com", HERE, at(100_000));
        }
        assert_eq!(fail(&throttle, "kim@example.com", HERE, at(0)), Ok(()));
    }
}
