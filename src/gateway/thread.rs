//! What the clients of one worker thread share.

use std::{net::IpAddr, rc::Rc, sync::Arc, time::Instant};

use super::{
    resume::{Cursor, Start},
    visitor::Who,
};
use crate::{
    clock,
    domain::{Language, Offset},
    limits::{Claim, LimitExceeded, Purse, SessionLimits, SessionPermit},
    outbox::{Outbox, Sweeper},
    realtime::{
        Feeding, Follower, Hubs, Login, NewSession, Recovery, Registry, Session, Talk,
        recovery::{INCOMPLETE, new_id},
    },
    service::ServiceError,
    state::AppState,
};

/// Everything that a client of this thread needs.
pub struct Gateway {
    /// The use cases and settings.
    pub app: AppState,
    /// The sessions of this thread.
    pub registry: Rc<Registry>,
    /// Reads the log for sessions that are not up to date.
    pub follower: Rc<Follower>,
    /// The way to the sessions of all threads.
    pub hubs: Hubs,
    /// Makes and sweeps the outboxes of this thread.
    pub sweeper: Rc<Sweeper>,
    /// Puts sessions of Socket.IO back into their rooms and on their page.
    pub recovery: Arc<Recovery>,
    /// What was said in the rooms lately.
    pub talk: Arc<Talk>,
}

/// The setting that holds what [`Recovery`] keeps from one process to the next.
pub const RECOVERY: &str = "recovery";

impl Gateway {
    /// Whether a session gets alerts.
    #[must_use]
    pub fn is_audience(&self, who: &Who) -> bool {
        who.is_in(self.app.alerts.audience())
    }

    /// The permits of a session that begins with its handshake.
    ///
    /// # Errors
    /// There are as many sessions as there may be, in all, of the address or of the account.
    pub fn session_permits(
        &self,
        address: IpAddr,
        login: Option<&Login>,
    ) -> Result<Vec<SessionPermit>, LimitExceeded> {
        let claim = login.map_or(Claim::Guest, |login| Claim::Member(login.user_id));
        let session = self.app.permits.acquire_session(address, claim, Instant::now())?;
        let account = self.account_permit(login)?;
        Ok(std::iter::once(session).chain(account).collect())
    }

    /// The permit of a session of an account.
    ///
    /// # Errors
    /// The account has as many sessions as it may.
    pub fn account_permit(&self, login: Option<&Login>) -> Result<Option<SessionPermit>, LimitExceeded> {
        login.map(|login| self.app.permits.acquire_account(login.user_id)).transpose()
    }

    /// On whose account the bytes of a session with these permits are.
    #[must_use]
    pub fn purse(permits: &[SessionPermit]) -> Purse {
        permits.first().map(SessionPermit::purse).unwrap_or_default()
    }

    /// What a session begins with that starts at a place in the log.
    #[must_use]
    pub fn new_session(
        &self,
        outbox: Rc<Outbox>,
        who: Who,
        start: Start,
        permits: Vec<SessionPermit>,
    ) -> NewSession {
        let is_audience = self.is_audience(&who);
        let Who { login, person, is_masked } = who;
        let (position, feeding) = match start {
            _ if !is_audience => (self.registry.latest(), Feeding::Never),
            Start::Live | Start::Gap(_) => (self.registry.latest(), Feeding::Live),
            Start::After(offset) => (offset, Feeding::Behind),
        };
        let limits = SessionLimits::new(self.app.settings.message_rate, Instant::now());
        NewSession {
            id: new_id(clock::now()),
            outbox,
            login,
            person,
            is_masked,
            language: Language::default(),
            feeding,
            digest: None,
            position,
            limits,
            permits,
        }
    }

    /// Where a client starts that names a place in the log, or none. A place beyond the end of the log is one of
    /// another database.
    ///
    /// # Errors
    /// The store failed.
    pub async fn start(&self, cursor: Option<Cursor>) -> Result<Start, ServiceError> {
        let Some(Cursor { after, epoch }) = cursor else { return Ok(Start::Live) };
        if epoch.is_some_and(|epoch| epoch != self.epoch()) {
            return Ok(Start::Gap(after));
        }
        // Another thread may be ahead of this one.
        let is_known = after <= self.registry.latest() || after <= self.app.store.reach().await?.latest;
        Ok(if is_known { Start::After(after) } else { Start::Gap(after) })
    }

    /// Notes that a session begins or comes back, if it can come back one day.
    pub fn note_arrival(&self, session: &Session) {
        if can_return(session) {
            self.recovery.arrive(session.id);
        }
    }

    /// Notes that a session enters a room or looks at a page, if it can be put back there one day.
    pub fn note_place(&self, session: &Session) {
        if !can_return(session) {
            return;
        }
        session.note_placed();
        if self.recovery.place(session.id) {
            let store = Arc::clone(&self.app.store);
            actix_rt::spawn(async move {
                if let Err(error) = store.change_setting(RECOVERY, INCOMPLETE).await {
                    tracing::error!(%error, "after a crash, sessions may be told that they were recovered");
                }
            });
        }
    }

    /// Whether everything after a place in the log is still there.
    ///
    /// # Errors
    /// The store failed.
    pub async fn reaches_back_to(&self, after: Offset) -> Result<bool, ServiceError> {
        let reach = self.app.store.reach().await?;
        Ok(after.0 + 1 >= reach.oldest.0 && after <= reach.latest)
    }

    /// The epoch of the log.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.app.epoch
    }
}

fn can_return(session: &Session) -> bool {
    session.came_by.is_socketio() && session.feeding() != Feeding::Never
}
