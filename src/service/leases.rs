//! What this node works for, of what one node at a time works for: the endpoints that are told news, the sources that are
//! polled. Others take over what it no longer renews.
//!
//! Two nodes do not work for one name, with these exceptions, for which all such work must be right when it is done twice:
//! what is under way when a lease ends, and up to the next renewal after the database's clock jumped forward or this machine
//! was suspended.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    store::{LeaseStore, StoreError},
    telemetry,
};

/// How time passes. All nodes of a shop have the same.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long a lease holds after it was renewed.
    pub ttl: Duration,
    /// Between two renewals, and two looks for what others left.
    pub every: Duration,
}

impl Default for Terms {
    /// What a killed node leaves is taken over within 15 s: the rest of its lease, at most 10 s, and the time until another
    /// asks, at most 4 s for polls, which look every 2 s whether it is time to.
    fn default() -> Self {
        Self { ttl: Duration::from_secs(10), every: Duration::from_secs(2) }
    }
}

/// The right to work for a name, as long as it is renewed. Its end is by this machine's monotonic clock, counted from before
/// the database was asked: no later than the database lets others have it.
#[derive(Clone, Debug)]
pub struct Lease(watch::Receiver<Instant>);

impl Lease {
    /// Whether work may begin.
    #[must_use]
    pub fn holds(&self) -> bool {
        Instant::now() < *self.0.borrow()
    }

    /// Waits for its end.
    pub async fn over(&mut self) {
        while self.holds() {
            let end = *self.0.borrow_and_update();
            tokio::select! {
                () = sleep_until(end) => {}
                changed = self.0.changed() => if changed.is_err() {
                    // Nobody renews it any more.
                    sleep_until(end).await;
                },
            }
        }
    }
}

/// The leases of one kind.
pub struct Leases {
    store: Arc<dyn LeaseStore>,
    holder: String,
    kind: &'static str,
    terms: Terms,
    held: HashMap<String, watch::Sender<Instant>>,
    /// What was asked for last, and when.
    asked: Option<(BTreeSet<String>, Instant)>,
}

impl Leases {
    /// None yet. `holder` is this node's name and no other's, also not that of an earlier start.
    #[must_use]
    pub fn new(store: Arc<dyn LeaseStore>, holder: String, kind: &'static str, terms: Terms) -> Self {
        telemetry::leases(kind, 0);
        Self { store, holder, kind, terms, held: HashMap::new(), asked: None }
    }

    /// Holds what it can of `ids`, and nothing else. Asks the store when it is time to, or when there are more ids than
    /// before; to be called more often than [`Terms::every`]. Whether something is held that was not before: another node may
    /// have worked for it until now, so that what was read of it before is out of date.
    ///
    /// # Errors
    /// The store failed. Leases end by themselves, unless a later call renews them.
    pub async fn keep(&mut self, ids: impl IntoIterator<Item = String>) -> Result<bool, StoreError> {
        let names: BTreeSet<_> = ids.into_iter().map(|id| self.name(&id)).collect();
        let gone: Vec<_> = self.held.keys().filter(|name| !names.contains(*name)).cloned().collect();
        if !gone.is_empty() {
            self.held.retain(|name, _| names.contains(name));
            telemetry::leases(self.kind, self.held.len());
            self.store.release_leases(&gone, &self.holder).await?;
        }
        if let Some((before, _)) = &mut self.asked {
            before.retain(|name| names.contains(name));
        }
        let now = Instant::now();
        let is_due = self.asked.as_ref().is_none_or(|(before, at)| {
            now.duration_since(*at) >= self.terms.every || !names.is_subset(before)
        });
        if names.is_empty() || !is_due {
            return Ok(false);
        }
        let wanted: Vec<_> = names.iter().cloned().collect();
        let taken = self.store.take_leases(&wanted, &self.holder, self.terms.ttl).await?;
        self.asked = Some((names, now));
        Ok(self.adopt(taken, now + self.terms.ttl))
    }

    /// Goes by what the store said.
    fn adopt(&mut self, taken: Vec<String>, end: Instant) -> bool {
        let taken: BTreeSet<_> = taken.into_iter().collect();
        let lost = self.held.extract_if(|name, _| !taken.contains(name));
        for (name, lease) in lost {
            tracing::warn!(%name, "another node works for it now");
            lease.send_replace(Instant::now());
        }
        let mut is_more = false;
        for name in taken {
            // One that ran out meanwhile is over for good: another node may have had it.
            match self.held.get(&name).filter(|lease| Instant::now() < *lease.borrow()) {
                Some(lease) => drop(lease.send_replace(end)),
                None => {
                    tracing::debug!(%name, "this node works for it now");
                    self.held.insert(name, watch::channel(end).0);
                    is_more = true;
                }
            }
        }
        telemetry::leases(self.kind, self.held.len());
        is_more
    }

    /// The lease of an id, if it is held.
    #[must_use]
    pub fn of(&self, id: &str) -> Option<Lease> {
        let lease = self.held.get(&self.name(id)).map(|lease| Lease(lease.subscribe()));
        lease.filter(Lease::holds)
    }

    /// Lets others take them at once. Nothing must be under way any more.
    pub async fn release(mut self) {
        let names: Vec<_> = self.held.drain().map(|(name, _)| name).collect();
        telemetry::leases(self.kind, 0);
        if names.is_empty() {
            return;
        }
        if let Err(error) = self.store.release_leases(&names, &self.holder).await {
            tracing::warn!(%error, kind = self.kind, "other nodes wait until the leases of this one run out");
        }
    }

    fn name(&self, id: &str) -> String {
        format!("{}:{id}", self.kind)
    }
}

impl std::fmt::Debug for Leases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leases").field("kind", &self.kind).field("held", &self.held.len()).finish()
    }
}

#[cfg(test)]
pub(crate) mod tests;
