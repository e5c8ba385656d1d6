//! What a store does for order in the rooms: who may not speak, and what was reported.

use std::net::IpAddr;

use async_trait::async_trait;

use super::{Denied, StoreError};
use crate::domain::{Actor, NewReport, Report, ReportId, ReportOutcome, Timestamp, UserId};

/// Why something was not done about a report.
#[derive(Debug, thiserror::Error)]
pub enum ModerationError {
    /// No such report, or account that it is about.
    #[error("there is no such report or account")]
    NotFound,
    /// The caller may not, or no longer.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A guest that was muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MutedGuest {
    /// The number of its cookie.
    pub visitor: u64,
    /// Its network, if that says anything.
    pub network: Option<IpAddr>,
    /// When that was.
    pub at: Timestamp,
}

/// Reports and mutes. Who changes something must still be an administrator when it is done.
#[async_trait]
pub trait ModerationStore: Send + Sync + 'static {
    /// The accounts that may not speak, in no order that means anything.
    async fn muted(&self) -> Result<Vec<UserId>, StoreError>;
    /// The guests that were muted since then.
    async fn muted_guests(&self, since: Timestamp) -> Result<Vec<MutedGuest>, StoreError>;
    /// Keeps a report, and of all of them the `most` newest. A message that was reported before stays reported once.
    async fn report(&self, report: NewReport, most: u32) -> Result<(), StoreError>;
    /// Lists reports, the newest first: those before a place, the open or the closed ones, or all.
    async fn reports(
        &self,
        open: Option<bool>,
        before: Option<ReportId>,
        limit: u32,
    ) -> Result<Vec<Report>, StoreError>;
    /// Closes a report; with [`ReportOutcome::Muted`] a member who said it may not speak any more.
    async fn close_report(
        &self,
        id: ReportId,
        outcome: ReportOutcome,
        by: Actor,
        now: Timestamp,
    ) -> Result<Report, ModerationError>;
    /// What was reported of what an account has said, and what it has reported: the newest first.
    async fn kept_reports(
        &self,
        user: UserId,
        before: Option<ReportId>,
        limit: u32,
    ) -> Result<Vec<Report>, StoreError>;
}
