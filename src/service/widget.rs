//! What visitors do with the widget, counted: how often alerts are shown, clicked and closed. It says nothing of anyone.
//!
//! Anybody may report, so that the numbers are no more than a hint; what one network may add is bounded. They are kept in
//! memory for some seconds and written together, one row a day.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::ServiceError;
use crate::{
    clock,
    domain::{Day, Timestamp, WidgetCounts},
    limits::{Rates, network},
    store::{FigureStore, StoreError},
    telemetry::Outage,
};

/// Reports a second from one network, behind which there may be an office.
const RATE: u32 = 20;
/// So many times as many at once.
const BURST: u8 = 3;
/// How often what was counted is written.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long the counts of a day are kept.
const KEPT: Duration = Duration::from_hours(24 * 400);

/// The counts of the widget.
pub struct Widget {
    store: Arc<dyn FigureStore>,
    rates: Rates<IpAddr>,
    /// Not written yet: of today, and around midnight of yesterday.
    pending: Mutex<BTreeMap<Day, WidgetCounts>>,
    /// Held while they are written, and while they are read together with what was written.
    writing: tokio::sync::Mutex<()>,
}

impl Widget {
    /// Over a store.
    #[must_use]
    pub fn new(store: Arc<dyn FigureStore>) -> Self {
        let rates = Rates::new(RATE, Duration::from_secs(1), BURST);
        Self { store, rates, pending: Mutex::default(), writing: tokio::sync::Mutex::default() }
    }

    /// Whether an address may report.
    ///
    /// # Errors
    /// [`ServiceError::TooManyCounts`]: its network reports too much.
    pub fn admit(&self, address: IpAddr, now: Instant) -> Result<(), ServiceError> {
        self.rates.take(network(address), now).map_err(ServiceError::TooManyCounts)
    }

    /// Counts what a page reports.
    pub fn count(&self, counts: WidgetCounts, now: Timestamp) {
        if !counts.is_empty() {
            *self.pending().entry(clock::day(now)).or_default() += counts;
        }
    }

    /// The counts of today.
    ///
    /// # Errors
    /// The store failed.
    pub async fn today(&self, now: Timestamp) -> Result<WidgetCounts, StoreError> {
        let _nothing_moves = self.writing.lock().await;
        let today = clock::day(now);
        let mut counts = self.store.widget_counts(today).await?;
        counts += self.pending().get(&today).copied().unwrap_or_default();
        Ok(counts)
    }

    /// Writes what was counted.
    ///
    /// # Errors
    /// The store failed; what is not written is tried again.
    pub async fn write(&self, now: Timestamp) -> Result<(), StoreError> {
        let _nothing_is_read = self.writing.lock().await;
        let forget = clock::day(now.minus(KEPT));
        loop {
            let Some((day, counts)) = self.pending().pop_first() else { return Ok(()) };
            if let Err(error) = self.store.count_widget(day, counts, forget).await {
                *self.pending().entry(day).or_default() += counts;
                return Err(error);
            }
        }
    }

    /// Writes again and again, until it is dropped.
    pub async fn run(self: Arc<Self>) {
        let outage = Outage::new("the counts of the widget cannot be written");
        loop {
            tokio::time::sleep(INTERVAL).await;
            outage.note(&self.write(clock::now()).await);
        }
    }

    fn pending(&self) -> MutexGuard<'_, BTreeMap<Day, WidgetCounts>> {
        // Every change under the lock is complete in itself, so that a panic elsewhere poisons nothing.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
