//! What became of the last look at each shop whose orders are read over REST: for administrators, since the program started.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::domain::{SourceId, Timestamp};

/// What became of the last look at a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollReport {
    /// When it ended.
    pub at: Timestamp,
    /// How many looks failed in a row, this one included.
    pub failures: u32,
    /// Why the last one failed, as a sentence; `None` where it did not.
    pub why: Option<String>,
}

/// The last reports, one for each source that is polled.
#[derive(Debug, Default)]
pub struct PollReports(Mutex<HashMap<SourceId, PollReport>>);

impl PollReports {
    /// Notes a look that ended, in the place of the one before.
    pub fn note(&self, id: &SourceId, report: PollReport) {
        self.reports().insert(id.clone(), report);
    }

    /// Forgets a source that is not polled any more.
    pub fn forget(&self, id: &SourceId) {
        self.reports().remove(id);
    }

    /// The last report of a source.
    #[must_use]
    pub fn of(&self, id: &SourceId) -> Option<PollReport> {
        self.reports().get(id).cloned()
    }

    fn reports(&self) -> std::sync::MutexGuard<'_, HashMap<SourceId, PollReport>> {
        // Each entry is replaced as a whole, so that a panic elsewhere spoils none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
