//! The past: reading the log for sessions that resume or could not keep up.

#[cfg(test)]
pub(super) mod tests;

use std::{rc::Rc, sync::Arc, time::Duration};

use super::{Announcement, Batch, Registry, Session, session::Feeding};
use crate::{
    domain::{NicknameDisplay, Offset, Publication, SessionId, Timestamp},
    store::{Feed, LogStore, StoreError},
    telemetry,
};

/// The most notifications that are read at a time for one session.
const PAGE: usize = if cfg!(test) { 4 } else { 256 };

/// How long to wait before reading again after the store failed.
const RETRY: Duration = Duration::from_secs(1);

/// The log as sessions read it: from memory while that reaches back, else from the store.
#[derive(Clone)]
pub struct Log {
    store: Arc<dyn LogStore>,
    display: NicknameDisplay,
}

impl Log {
    /// Over a store; `display` is how nicknames appear.
    #[must_use]
    pub fn new(store: Arc<dyn LogStore>, display: NicknameDisplay) -> Self {
        Self { store, display }
    }

    /// How nicknames appear.
    #[must_use]
    pub fn display(&self) -> NicknameDisplay {
        self.display
    }

    /// What committed transactions tell.
    #[must_use]
    pub fn feed(&self) -> &Arc<Feed> {
        self.store.feed()
    }

    /// The notifications after an offset, at most `limit`. `look` reads the store even when memory says that there
    /// is nothing new.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn after(
        &self,
        after: Offset,
        limit: usize,
        look: bool,
    ) -> Result<Vec<Arc<Publication>>, StoreError> {
        match self.feed().recent_after(after, limit) {
            Some(recent) if !(look && recent.is_empty()) => Ok(recent),
            _ => {
                let limit = u32::try_from(limit).unwrap_or(u32::MAX);
                Ok(self.store.log_after(after, limit).await?.into_iter().map(Arc::new).collect())
            }
        }
    }

    /// The log-ins that were ended at or after a moment, by whichever process.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn revoked_since(&self, moment: Timestamp) -> Result<Vec<SessionId>, StoreError> {
        self.store.revoked_since(moment).await
    }
}

/// Feeds a session from the log until it has caught up with the live broadcast, then lets it go on live.
///
/// One whose outbox is full is left [`Feeding::Behind`]: whoever drains the outbox calls this again.
pub async fn catch_up(registry: &Registry, session: &Rc<Session>) {
    session.set_feeding(Feeding::CatchingUp);
    while let Err(error) = try_catch_up(registry.log(), registry, session).await {
        tracing::error!(%error, "the log cannot be read for a session that resumes");
        tokio::time::sleep(RETRY).await;
    }
}

async fn try_catch_up(log: &Log, registry: &Registry, session: &Rc<Session>) -> Result<(), StoreError> {
    while !session.is_closing() {
        // Nothing is awaited between this check and going live, so that no broadcast comes between.
        let (after, told) = (session.position(), registry.latest());
        if after >= told {
            session.set_feeding(Feeding::Live);
            return Ok(());
        }
        // What another process wrote was broadcast from the store, and memory knows nothing of it.
        let publications = log.after(after, PAGE, true).await?;
        // All that was told was in the log: what is missing was pruned.
        let oldest = publications.first().map_or(Offset(told.0 + 1), |publication| publication.id);
        if after.0 + 1 < oldest.0 {
            telemetry::gap();
            let gap = Announcement::new("gap", format!(r#"{{"after":{after},"oldest":{oldest}}}"#));
            session.send(gap.encoded(session.outbox.wire()));
            session.set_position(Offset(oldest.0 - 1));
        }
        if let Some(batch) = Batch::new(publications, log.display())
            && !session.push(&batch)
        {
            return Ok(());
        }
    }
    Ok(())
}
