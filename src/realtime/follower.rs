//! Reads the log for sessions that resume or could not keep up, until they have caught up with the broadcast.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use super::{
    announcement::Batch,
    log::Log,
    registry::Registry,
    session::{Feeding, Session},
};
use crate::{domain::Offset, store::StoreError, telemetry::Outage};

/// The most publications that are read at a time for one session.
const PAGE: usize = 256;
/// How long to wait before reading again after the store failed.
const RETRY: Duration = Duration::from_secs(1);

/// Follows the log for the sessions of one thread.
pub struct Follower {
    log: Log,
    registry: Rc<Registry>,
    page: usize,
    /// For all sessions of the thread: it is one log.
    outage: Outage,
}

impl Follower {
    /// For the sessions of a registry.
    #[must_use]
    pub fn new(log: Log, registry: Rc<Registry>) -> Rc<Self> {
        Self::with_page(log, registry, PAGE)
    }

    /// Like [`Follower::new`], reading at most `page` publications at a time.
    #[must_use]
    pub fn with_page(log: Log, registry: Rc<Registry>, page: usize) -> Rc<Self> {
        let outage = Outage::new("the log cannot be read for sessions that resume");
        Rc::new(Self { log, registry, page, outage })
    }

    /// Follows a session that has just fallen behind or begins there, until it is live or closed.
    ///
    /// What a session that lags costs is this task: a cursor, and no buffer.
    pub fn follow(self: &Rc<Self>, session: &Rc<Session>) {
        if session.feeding() != Feeding::Behind {
            return;
        }
        let (follower, session) = (Rc::clone(self), Rc::clone(session));
        let lagging = Lagging::count(&self.registry);
        actix_rt::spawn(async move {
            let _lagging = lagging;
            while follower.catch_up(&session).await.is_err() {
                tokio::time::sleep(RETRY).await;
            }
        });
    }

    async fn catch_up(&self, session: &Session) -> Result<(), StoreError> {
        let mut each = session.each_at_most();
        loop {
            session.outbox.drained().await;
            if !session.outbox.is_open() {
                return Ok(());
            }
            // Nothing is awaited between this check and going live, so that no broadcast comes between.
            let (after, latest) = (session.position(), self.registry.latest());
            if after >= latest {
                session.go_live();
                return Ok(());
            }
            let publications = self.log.after(after, self.page).await;
            self.outage.note(&publications);
            let publications = publications?;
            // Everything up to `latest` was in the log: what is missing was pruned.
            let oldest = publications.first().map_or(Offset(latest.0 + 1), |publication| publication.id);
            if after.0 + 1 < oldest.0 {
                session.tell_gap(after, oldest);
            }
            if let Some(batch) = Batch::new(publications, self.log.naming())
                && session.push_read(&batch, &mut each)
            {
                self.registry.tally().told_late(batch.len(), Instant::now());
            }
        }
    }
}

/// Counts a session that is followed, until it no longer is.
struct Lagging(Rc<Registry>);

impl Lagging {
    fn count(registry: &Rc<Registry>) -> Self {
        registry.tally().fell_behind();
        Self(Rc::clone(registry))
    }
}

impl Drop for Lagging {
    fn drop(&mut self) {
        self.0.tally().caught_up();
    }
}
