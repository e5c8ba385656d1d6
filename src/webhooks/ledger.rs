//! Keeps what attempts changed: what comes within a moment, from all endpoints, is one transaction. What is lost when the
//! program is killed in that moment is sent again, under the same name.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep, timeout_at},
};

use crate::{
    domain::{AttemptRecord, EndpointId, Place},
    store::{Store, StoreError},
    telemetry::Outage,
};

/// How long the first of a group waits for others.
const GATHER: Duration = Duration::from_millis(20);
/// The most attempts in one transaction, and that may wait for it: when full, nothing more is sent.
pub(super) const GROUP: usize = 256;
/// Before a transaction that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Something to keep.
pub(super) enum Entry {
    /// An attempt; who needs to know when it is kept waits for that.
    Attempt(Box<AttemptRecord>, Option<oneshot::Sender<()>>),
    /// What an endpoint is not told lies behind it, or is lost.
    Pass { id: EndpointId, generation: i64, place: Place, lost: i64 },
}

/// Keeps what comes until nobody is left who could send anything.
pub(super) async fn keep(
    store: Arc<dyn Store>,
    mut entries: mpsc::Receiver<Entry>,
    ends: watch::Receiver<bool>,
) {
    let mut next = None;
    let not_kept = Outage::new("how far endpoints were told is not kept");
    let not_recorded = Outage::new("deliveries are not recorded; nothing is sent until they are");
    loop {
        let first = match next.take() {
            Some(entry) => entry,
            None => match entries.recv().await {
                Some(entry) => entry,
                None => return,
            },
        };
        match first {
            Entry::Pass { id, generation, place, lost } => {
                // Not worth a second try: the next one says the same and more, but for what was lost.
                not_kept.note(&store.pass_over(id, generation, place, lost).await);
            }
            Entry::Attempt(record, told) => {
                let mut group = Group { records: vec![*record], told: Vec::from_iter(told) };
                next = group.gather(&mut entries).await;
                group.write(&*store, &ends, &not_recorded).await;
            }
        }
    }
}

struct Group {
    records: Vec<AttemptRecord>,
    told: Vec<oneshot::Sender<()>>,
}

impl Group {
    /// Takes what comes within a moment, until somebody waits for it. Answers what came and is no attempt.
    async fn gather(&mut self, entries: &mut mpsc::Receiver<Entry>) -> Option<Entry> {
        let end = Instant::now() + GATHER;
        while self.told.is_empty() && self.records.len() < GROUP {
            match timeout_at(end, entries.recv()).await {
                Ok(Some(Entry::Attempt(record, told))) => {
                    self.records.push(*record);
                    self.told.extend(told);
                }
                Ok(Some(other)) => return Some(other),
                Ok(None) | Err(_) => return None,
            }
        }
        None
    }

    /// Writes them, again and again if need be: while they are not kept nothing more is sent.
    async fn write(self, store: &dyn Store, ends: &watch::Receiver<bool>, outage: &Outage) {
        loop {
            let recorded = store.record_attempts(self.records.clone()).await;
            outage.note(&recorded);
            match recorded {
                Ok(()) => break,
                Err(error) if *ends.borrow() => return given_up(&error),
                Err(_) => {}
            }
            sleep(AGAIN).await;
        }
        // Who waited may have ended.
        for told in self.told {
            let _ = told.send(());
        }
    }
}

fn given_up(error: &StoreError) {
    tracing::error!(%error, "the last deliveries are not recorded and will be sent again");
}
