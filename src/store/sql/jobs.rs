//! The jobs of the writer: what they work with, how they wait, and how each answers its caller.

use std::{
    hash::{DefaultHasher, Hash, Hasher as _},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, oneshot};

use super::{conn::Conn, errors::Refusal, silent::Silent};
use crate::{
    domain::{Currency, SourceId, UserId},
    limits::FairQueue,
    store::{StoreError, feed::News},
};

/// How many writes may wait. When full, a write is refused at once with [`StoreError::Busy`]: so many are about a
/// second of work, and a caller who is told so can wait better than a queue that grows.
const QUEUE: usize = 4096;

/// How many writes of one account may wait.
const SHARE: usize = QUEUE / 16;

/// How many writes of one source may wait: it speaks for all of its buyers.
const SOURCE_SHARE: usize = QUEUE / 4;

/// Whose jobs take turns with those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    /// The program's and the administrators'.
    Nobody,
    /// An account's.
    Account(UserId),
    /// A source's, by a hash of its name: two that share one share a turn.
    Source(u64),
}

impl Owner {
    /// That of a source.
    pub(super) fn source(id: &SourceId) -> Self {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        Self::Source(hasher.finish())
    }
}

impl From<Option<UserId>> for Owner {
    fn from(user: Option<UserId>) -> Self {
        user.map_or(Self::Nobody, Self::Account)
    }
}

/// How many jobs commit together at most: enough that the fsync no longer counts, few enough that the first of them
/// does not wait long.
const BATCH: usize = 256;

/// What a job works with: the connection, inside a transaction, and what is to be announced when it commits.
pub(super) struct Tx {
    /// Inside the job's savepoint.
    pub(super) conn: Conn,
    /// What prices are counted in.
    pub(super) currency: Currency,
    /// Forgotten when the job fails.
    pub(super) news: News,
    low_stock: Arc<AtomicI64>,
    /// As `alerts::silent` read them; `None` until then, when they have changed, and where others may have changed them.
    pub(super) silent: Option<Silent>,
}

impl Tx {
    /// On a connection on which nothing was done yet.
    pub(super) fn over(conn: Conn, currency: Currency, low_stock: Arc<AtomicI64>) -> Self {
        Self { conn, currency, news: News::default(), low_stock, silent: None }
    }

    /// What a low stock is: so many pieces, or fewer.
    pub(super) fn low_stock(&self) -> i64 {
        self.low_stock.load(Ordering::Relaxed)
    }
}

/// A job whose result type is forgotten, so that different ones can queue together.
pub(super) trait Job: Send {
    /// Does the work; `false` when it is to be undone.
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, bool>;
    /// Why the store failed it, once it ran.
    fn failure(&self) -> Option<StoreError>;
    /// Sends the caller its result. With a failure, nothing of the batch was written.
    fn answer(self: Box<Self>, failure: Option<&StoreError>);
}

/// A job with its result and who waits for that.
pub(super) struct Task<W, T, E> {
    work: Option<W>,
    result: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<W, T, E> Task<W, T, E> {
    pub(super) fn new(work: W, caller: oneshot::Sender<Result<T, E>>) -> Self {
        Self { work: Some(work), result: None, caller }
    }
}

impl<W, T, E> Job for Task<W, T, E>
where
    W: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send,
    T: Send,
    E: Refusal + Send,
{
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            if let Some(work) = self.work.take() {
                self.result = Some(work(tx).await);
            }
            matches!(self.result, Some(Ok(_)))
        })
    }

    fn failure(&self) -> Option<StoreError> {
        self.result.as_ref()?.as_ref().err()?.failure().cloned()
    }

    fn answer(self: Box<Self>, failure: Option<&StoreError>) {
        let result = match (failure, self.result) {
            // Even a job that refused by itself: it may have seen what another job of the batch did not keep.
            (Some(failure), _) => Err(failure.clone().into()),
            (None, Some(result)) => result,
            (None, None) => Err(panicked().into()),
        };
        // The caller may be gone; its job is done all the same.
        let _ = self.caller.send(result);
    }
}

fn panicked() -> StoreError {
    StoreError::failed("a write panicked and was undone")
}

pub(super) fn closed() -> StoreError {
    StoreError::failed("the store is closed")
}

/// The jobs that wait. Accounts take turns, and what belongs to no account has a turn like one of them.
pub(super) struct Jobs {
    queue: Mutex<Queued>,
    changed: Notify,
}

struct Queued {
    jobs: FairQueue<Owner, Box<dyn Job>>,
    closed: bool,
}

impl Jobs {
    pub(super) fn new() -> Arc<Self> {
        let queue = Queued { jobs: FairQueue::new(QUEUE), closed: false };
        Arc::new(Self { queue: Mutex::new(queue), changed: Notify::new() })
    }

    fn queue(&self) -> MutexGuard<'_, Queued> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, owner: Owner, job: Box<dyn Job>) -> Result<(), StoreError> {
        let mut queue = self.queue();
        if queue.closed {
            return Err(closed());
        }
        let share = match owner {
            Owner::Nobody => QUEUE,
            Owner::Account(_) => SHARE,
            Owner::Source(_) => SOURCE_SHARE,
        };
        queue
            .jobs
            .push(owner, share, job)
            .map_err(|_| StoreError::Busy(format!("{} writes are waiting", queue.jobs.len())))?;
        drop(queue);
        self.changed.notify_one();
        Ok(())
    }

    /// The next batch; `None` after [`Jobs::close`], once nothing waits.
    pub(super) async fn next(&self) -> Option<Vec<Box<dyn Job>>> {
        loop {
            {
                let mut queue = self.queue();
                let batch: Vec<_> = std::iter::from_fn(|| queue.jobs.pop()).take(BATCH).collect();
                if !batch.is_empty() {
                    return Some(batch);
                }
                if queue.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue().jobs.is_empty()
    }

    /// Whether no more are taken.
    pub(super) fn is_closed(&self) -> bool {
        self.queue().closed
    }

    /// Takes no more.
    pub(super) fn close(&self) {
        self.queue().closed = true;
        self.changed.notify_one();
    }
}

/// What the writer's task holds of its jobs: when it ends, for whatever reason, nobody waits for it any more.
pub(super) struct Taken(pub(super) Arc<Jobs>);

impl Drop for Taken {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.closed = true;
        while queue.jobs.pop().is_some() {}
    }
}
