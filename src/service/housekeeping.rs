//! Housekeeping in the background: prunes the log, and deletes idempotency keys and ended log-ins after their time.

use std::{sync::Arc, time::Duration};

use crate::{
    clock,
    config::Settings,
    domain::Timestamp,
    store::{Store, StoreError},
    telemetry::Outage,
};

/// Time between two rounds.
const INTERVAL: Duration = Duration::from_secs(60);
/// Pause between two steps, in which other writes commit.
const PAUSE: Duration = Duration::from_millis(50);
/// Idempotency keys and ended log-ins: "at least 24 h" (docs/contract.md §2), and a day for an operator to ask.
const RETENTION: Duration = Duration::from_hours(48);

/// How long what a source sent is kept (docs/contract.md §4, "Receipts"), beside what became of it.
const BODIES: Duration = Duration::from_hours(7 * 24);
/// Receipts that are kept, of all sources.
const RECEIPTS: u64 = 100_000;
/// What an endpoint was not told is kept for so long, whatever the log keeps for others: as long as it may fail.
const UNSENT: Duration = Duration::from_hours(5 * 24);
/// Attempts "can be read for 30 days" (docs/contract.md §5).
const ATTEMPTS: Duration = Duration::from_hours(30 * 24);

/// What administrators did is kept for so long, and no more than so many entries of it.
const AUDIT: Duration = Duration::from_hours(366 * 24);
const AUDIT_ENTRIES: u64 = 100_000;

/// From so many milliseconds on clocks are said to differ.
const DIFFERENT: u64 = 5000;

/// Runs until it is dropped.
pub async fn run(store: Arc<dyn Store>, settings: Arc<Settings>) {
    let outage = Outage::new("housekeeping fails");
    loop {
        outage.note(&round(&*store, &settings).await);
        tokio::time::sleep(INTERVAL).await;
    }
}

/// What is old is so by the clock that all nodes have in common: what one with a wrong clock deletes, all have lost.
async fn round(store: &dyn Store, settings: &Settings) -> Result<(), StoreError> {
    let here = clock::now();
    let now = store.now(here).await?;
    compare(here, now);
    let unsent = now.minus(UNSENT);
    while store.prune_log(now.minus(settings.history), settings.history_rows, unsent).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.prune_goods_events(now.minus(settings.history), unsent).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.forget_attempts(now.minus(ATTEMPTS)).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.forget_keys(now.minus(RETENTION)).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.forget_receipts(now.minus(BODIES), RECEIPTS).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.prune_audit(now.minus(AUDIT), AUDIT_ENTRIES).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.forget_sessions(now.minus(RETENTION)).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Tells the operator of clocks that differ: dates and the ends of log-ins are by that of the node.
fn compare(here: Timestamp, there: Timestamp) {
    let (here, there) = (here.as_millis(), there.as_millis());
    if here.abs_diff(there) >= DIFFERENT {
        let ahead_seconds = (here - there) / 1000;
        tracing::warn!(ahead_seconds, "the clock of this machine is not that of the database's");
    }
}
