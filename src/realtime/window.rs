//! The seconds by which bursts are digested. The first alerts of a second are broadcast to everyone; what exceeds the
//! number that a session asked for is held back from it, and told it as a digest when the second is over.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::{
    announcement::Batch,
    hub::{Digest, Hubs},
};

/// How long the alerts of a burst are gathered.
const LENGTH: Duration = Duration::from_secs(1);
/// Publications that are kept for digests. Sessions that need older ones read the log.
const MOST: usize = 4096;

/// A second under way, and what was broadcast since the last digest.
#[derive(Default)]
pub(super) struct Window {
    /// When the second began: with its first publication.
    began: Option<Instant>,
    /// Publications of the second.
    told: u32,
    /// Each with its delivery, which says whether it was held back from some session.
    batches: VecDeque<(Arc<Batch>, JoinHandle<bool>)>,
    /// Publications in them.
    kept: usize,
    /// Of the digest before.
    closing: Option<JoinHandle<()>>,
    /// Something was held back from some session that nobody is asked about any more.
    is_held: bool,
}

impl Window {
    /// How many publications of this second come before the next one.
    pub(super) fn told(&mut self, now: Instant) -> u32 {
        if self.is_over(now) {
            (self.began, self.told) = (None, 0);
        }
        self.told
    }

    fn is_over(&self, now: Instant) -> bool {
        self.began.is_some_and(|began| now.duration_since(began) >= LENGTH)
    }

    /// A batch is being delivered.
    pub(super) fn add(&mut self, batch: Arc<Batch>, delivered: JoinHandle<bool>, now: Instant) {
        self.began.get_or_insert(now);
        self.told = self.told.saturating_add(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        self.kept += batch.len();
        self.batches.push_back((batch, delivered));
        while self.kept > MOST
            && let Some((gone, _)) = self.batches.pop_front()
        {
            self.kept -= gone.len();
            self.is_held = true;
        }
    }

    /// Sends the digest of a second that is over, when all of it was delivered and something of it was held back.
    pub(super) fn close_when_over(&mut self, now: Instant, hubs: &Hubs) {
        let is_closing = self.closing.as_ref().is_some_and(|closing| !closing.is_finished());
        if !self.is_over(now) || is_closing {
            return;
        }
        let before = std::mem::take(self);
        let hubs = hubs.clone();
        self.closing = Some(actix_rt::spawn(async move {
            let (batches, deliveries): (Vec<_>, Vec<_>) = before.batches.into_iter().unzip();
            let deliveries = join_all(deliveries).await;
            let is_held = before.is_held || deliveries.into_iter().any(|held| held.unwrap_or(true));
            if is_held && let Some(batch) = Batch::joined(&batches) {
                hubs.send(Digest(Arc::new(batch))).await;
            }
        }));
    }
}
