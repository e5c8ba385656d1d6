//! Housekeeping in the background: prunes the log, and deletes idempotency keys and ended log-ins after their time.

use std::{sync::Arc, time::Duration};

use crate::{
    clock,
    config::Settings,
    domain::Timestamp,
    store::{Store, StoreError},
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

fn unsent() -> Timestamp {
    clock::now().minus(UNSENT)
}

/// Runs until it is dropped.
pub async fn run(store: Arc<dyn Store>, settings: Arc<Settings>) {
    loop {
        if let Err(error) = round(&*store, &settings).await {
            tracing::warn!(%error, "housekeeping failed; it tries again");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn round(store: &dyn Store, settings: &Settings) -> Result<(), StoreError> {
    while store.prune_log(clock::now().minus(settings.history), settings.history_rows, unsent()).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.prune_goods_events(clock::now().minus(settings.history), unsent()).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.forget_attempts(clock::now().minus(ATTEMPTS)).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.forget_keys(clock::now().minus(RETENTION)).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.forget_receipts(clock::now().minus(BODIES), RECEIPTS).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.prune_audit(clock::now().minus(AUDIT), AUDIT_ENTRIES).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    while store.forget_sessions(clock::now().minus(RETENTION)).await? > 0 {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
