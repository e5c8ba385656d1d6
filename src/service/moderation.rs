//! Order in the rooms: what visitors report, what administrators do about it, and who may not speak.
//!
//! Who may not speak is in memory, because every message asks. Accounts are kept in the store, too; guests have none, and
//! are kept silent for a time by what they bring: a cookie, and a network.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use super::{Page, ServiceError};
use crate::{
    clock,
    domain::{Actor, NewReport, Report, ReportId, ReportOutcome, Speaker, Timestamp, UserId},
    limits::{RateExceeded, Rates},
    store::{ModerationError, ModerationStore, MutedGuest},
    telemetry::Outage,
};

/// Reports that are kept, open or closed. Beyond it the oldest go.
const MOST: u32 = 1000;
/// Reports of an account, or of the guests of a network.
const REPORTS_PER_MINUTE: u32 = 10;
/// How long a guest is kept silent by its cookie.
const COOKIE_MUTE: Duration = Duration::from_hours(24);
/// How long the guests of a network are kept silent with one of them, who may drop the cookie. Others may be there, too.
const NETWORK_MUTE: Duration = Duration::from_hours(1);
/// How often the store is asked who may not speak.
const INTERVAL: Duration = Duration::from_millis(500);
/// Guests, and networks, that are kept silent at the same time. Beyond it the one whose time ends first may speak.
const MAX_MUTED_GUESTS: usize = 10_000;

/// Who reports, for the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reporter {
    Member(UserId),
    Network(Option<IpAddr>),
}

impl From<Speaker> for Reporter {
    fn from(speaker: Speaker) -> Self {
        match speaker {
            Speaker::Member(user) => Self::Member(user),
            Speaker::Guest { network, .. } => Self::Network(network),
        }
    }
}

/// Guests that may not speak, until when.
#[derive(Default)]
struct MutedGuests {
    visitors: HashMap<u64, Instant>,
    networks: HashMap<IpAddr, Instant>,
}

/// The use cases of who keeps order in the rooms.
pub struct Moderation {
    store: Arc<dyn ModerationStore>,
    muted: RwLock<HashSet<UserId>>,
    guests: Mutex<MutedGuests>,
    rates: Rates<Reporter>,
    /// One refresh at a time: what was read before an account was muted must not be put in after.
    refreshing: tokio::sync::Mutex<()>,
}

impl Moderation {
    /// Over a store, with the accounts that may not speak.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(store: Arc<dyn ModerationStore>) -> Result<Self, ServiceError> {
        let rates = Rates::new(REPORTS_PER_MINUTE, Duration::from_mins(1), 1);
        let moderation = Self {
            store,
            muted: RwLock::default(),
            guests: Mutex::default(),
            rates,
            refreshing: tokio::sync::Mutex::default(),
        };
        moderation.refresh().await?;
        Ok(moderation)
    }

    /// Whether someone may not speak.
    #[must_use]
    pub fn is_muted(&self, speaker: Speaker, now: Instant) -> bool {
        match speaker {
            Speaker::Member(user) => {
                self.muted.read().unwrap_or_else(PoisonError::into_inner).contains(&user)
            }
            Speaker::Guest { visitor, network } => {
                let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
                let by_network = network.and_then(|network| guests.networks.get(&network));
                let mut until = guests.visitors.get(&visitor).into_iter().chain(by_network);
                until.any(|until| now < *until)
            }
        }
    }

    /// Counts a report.
    ///
    /// # Errors
    /// It is one too many.
    pub fn admit_report(&self, by: Speaker, now: Instant) -> Result<(), RateExceeded> {
        self.rates.take(by.into(), now)
    }

    /// Keeps a report for administrators. A message that was reported before is reported once.
    ///
    /// # Errors
    /// The store failed.
    pub async fn report(&self, report: NewReport) -> Result<(), ServiceError> {
        Ok(self.store.report(report, MOST).await?)
    }

    /// Lists reports, the newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn reports(
        &self,
        open: Option<bool>,
        before: Option<ReportId>,
        limit: u32,
    ) -> Result<Page<Report, ReportId>, ServiceError> {
        let found = self.store.reports(open, before, limit.saturating_add(1)).await?;
        Ok(Page::cut(found, limit, |report| report.report_id))
    }

    /// Closes a report. Who said the message is kept silent with [`ReportOutcome::Muted`], at once and on all sessions.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], someone who is no administrator any more.
    pub async fn close(
        &self,
        id: ReportId,
        outcome: ReportOutcome,
        by: Actor,
        now: Timestamp,
        monotonic: Instant,
    ) -> Result<Report, ServiceError> {
        let report = self.store.close_report(id, outcome, by, now).await?;
        if outcome == ReportOutcome::Muted {
            match report.said.speaker {
                Speaker::Member(_) => self.refresh().await?,
                Speaker::Guest { visitor, network } => {
                    self.silence(MutedGuest { visitor, network, at: now }, now, monotonic);
                }
            }
        }
        Ok(report)
    }

    /// Reads again who may not speak; it holds at once and on all of their sessions.
    ///
    /// # Errors
    /// The store failed.
    pub async fn refresh(&self) -> Result<(), ServiceError> {
        let _one_at_a_time = self.refreshing.lock().await;
        let muted = self.store.muted().await?.into_iter().collect();
        *self.muted.write().unwrap_or_else(PoisonError::into_inner) = muted;
        let (now, monotonic) = (clock::now(), Instant::now());
        for guest in self.store.muted_guests(now.minus(COOKIE_MUTE)).await? {
            self.silence(guest, now, monotonic);
        }
        Ok(())
    }

    /// Keeps up with what is in the store, until it is dropped: a request that ends early, or a store that fails for a
    /// moment, must not leave an account silent, or heard, until a restart.
    pub async fn follow(self: Arc<Self>) {
        let outage = Outage::new("who may not speak cannot be read");
        loop {
            tokio::time::sleep(INTERVAL).await;
            outage.note(&self.refresh().await);
        }
    }

    /// Keeps a guest silent for what is left of its time.
    fn silence(&self, guest: MutedGuest, now: Timestamp, monotonic: Instant) {
        // The clock of another node may be ahead of this one's.
        let passed = u64::try_from(now.as_millis() - guest.at.as_millis()).unwrap_or(0);
        let left = |time: Duration| time.saturating_sub(Duration::from_millis(passed));
        let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        put(&mut guests.visitors, guest.visitor, monotonic, left(COOKIE_MUTE));
        if let Some(network) = guest.network {
            put(&mut guests.networks, network, monotonic, left(NETWORK_MUTE));
        }
    }
}

/// Keeps one silent from now on, for so long, or for as long as it is silent already.
fn put<K: Copy + Eq + Hash>(muted: &mut HashMap<K, Instant>, key: K, now: Instant, time: Duration) {
    if let Some(until) = muted.get_mut(&key) {
        *until = (now + time).max(*until);
        return;
    }
    if time.is_zero() {
        return;
    }
    if muted.len() >= MAX_MUTED_GUESTS {
        muted.retain(|_, until| now < *until);
    }
    if muted.len() >= MAX_MUTED_GUESTS
        && let Some(first) = muted.iter().min_by_key(|(_, until)| **until).map(|(key, _)| *key)
    {
        muted.remove(&first);
    }
    muted.insert(key, now + time);
}

impl From<ModerationError> for ServiceError {
    fn from(error: ModerationError) -> Self {
        match error {
            ModerationError::NotFound => Self::NotFound,
            ModerationError::Denied(denied) => Self::Denied(denied),
            ModerationError::Store(error) => Self::Store(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_and_the_guests_of_a_network_report_ten_a_minute() {
        let rates = Rates::new(REPORTS_PER_MINUTE, Duration::from_mins(1), 1);
        let (now, network) = (Instant::now(), Some("192.0.2.7".parse().unwrap()));
        let guest = |visitor| Reporter::from(Speaker::Guest { visitor, network });
        let reports = (0..30).filter(|n| rates.take(guest(*n), now).is_ok()).count();
        assert_eq!(reports, 10, "whatever their cookies say");
        assert!(rates.take(Reporter::from(Speaker::Member(UserId(1))), now).is_ok());
    }

    #[test]
    fn as_many_guests_are_silent_as_fit_and_those_longest_to_go_stay() {
        let (mut muted, now) = (HashMap::new(), Instant::now());
        let later = now + Duration::from_secs(1);
        put(&mut muted, 0, now, COOKIE_MUTE);
        for key in 1..=MAX_MUTED_GUESTS {
            put(&mut muted, key, later, COOKIE_MUTE);
        }
        assert_eq!(muted.len(), MAX_MUTED_GUESTS);
        assert!(!muted.contains_key(&0) && muted.contains_key(&1));
        put(&mut muted, 0, later + COOKIE_MUTE, COOKIE_MUTE);
        assert_eq!(muted.len(), 1, "their time is over");
    }
}
