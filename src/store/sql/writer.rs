//! The one writer (group commit, docs/design/0003-one-writer-group-commit.md): jobs queue here, whatever has come in commits together as a batch, and each
//! caller gets its result after the COMMIT that holds its job. A job succeeds or fails by itself; its news go out after
//! the COMMIT.
//!
//! Jobs run in the writer's task, not in their callers': a caller that goes away undoes nothing.

use std::{
    hash::{DefaultHasher, Hash, Hasher as _},
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::{Notify, oneshot, watch};

use super::{
    conn::{Conn, Options},
    errors::Refusal,
    silent::Silent,
};
use crate::{
    domain::{Currency, SourceId, UserId},
    limits::FairQueue,
    store::{Feed, LOW_STOCK, StoreError, feed::News},
    telemetry::{self, Queue, Sqlite},
};

/// How many rows one job prunes or forgets. It holds up the orders that commit with it.
pub(super) const STEP: u32 = 250;

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

/// How long a commit may wait to be announced together with the next ones: what costs is to reach every session, not
/// how much it is sent.
const ANNOUNCED_TOGETHER: Duration = Duration::from_millis(4);

/// What a job works with: the connection, inside a transaction, and what is to be announced when it commits.
pub(super) struct Tx {
    /// Inside the job's savepoint.
    pub(super) conn: Conn,
    /// What prices are counted in.
    pub(super) currency: Currency,
    /// Forgotten when the job fails.
    pub(super) news: News,
    low_stock: Arc<AtomicI64>,
    /// As `alerts::silent` read them; `None` until then, and when they have changed.
    pub(super) silent: Option<Silent>,
}

impl Tx {
    /// What a low stock is: so many pieces, or fewer.
    pub(super) fn low_stock(&self) -> i64 {
        self.low_stock.load(Ordering::Relaxed)
    }
}

/// A job whose result type is forgotten, so that different ones can queue together.
trait Job: Send {
    /// Does the work; `false` when it is to be undone.
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, bool>;
    /// Why the store failed it, once it ran.
    fn failure(&self) -> Option<StoreError>;
    /// Sends the caller its result. With a failure, nothing of the batch was written.
    fn answer(self: Box<Self>, failure: Option<&StoreError>);
}

struct Task<W, T, E> {
    work: Option<W>,
    result: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
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
struct Jobs {
    queue: Mutex<Queued>,
    changed: Notify,
}

struct Queued {
    jobs: FairQueue<Owner, Box<dyn Job>>,
    closed: bool,
}

impl Jobs {
    fn new() -> Arc<Self> {
        let queue = Queued { jobs: FairQueue::new(QUEUE), closed: false };
        Arc::new(Self { queue: Mutex::new(queue), changed: Notify::new() })
    }

    fn queue(&self) -> MutexGuard<'_, Queued> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, owner: Owner, job: Box<dyn Job>) -> Result<(), StoreError> {
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
    async fn next(&self) -> Option<Vec<Box<dyn Job>>> {
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

    fn is_empty(&self) -> bool {
        self.queue().jobs.is_empty()
    }

    /// Takes no more.
    fn close(&self) {
        self.queue().closed = true;
        self.changed.notify_one();
    }
}

/// What the writer's task holds of its jobs: when it ends, for whatever reason, nobody waits for it any more.
struct Taken(Arc<Jobs>);

impl Drop for Taken {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.closed = true;
        while queue.jobs.pop().is_some() {}
    }
}

/// The way to the writer.
pub(super) struct Writer {
    jobs: Arc<Jobs>,
    ended: watch::Receiver<()>,
    low_stock: Arc<AtomicI64>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

impl Writer {
    /// Starts the writer's task over its connection. `options` open another one when that fails.
    pub(super) fn start(conn: Conn, options: Options, currency: Currency, feed: Arc<Feed>) -> Self {
        let jobs = Jobs::new();
        let (ending, ended) = watch::channel(());
        let low_stock = Arc::new(AtomicI64::new(LOW_STOCK));
        let tx = Some(Tx {
            conn,
            currency,
            news: News::default(),
            low_stock: Arc::clone(&low_stock),
            silent: None,
        });
        let task = WriterTask {
            tx,
            options,
            currency,
            feed,
            unannounced_since: None,
            low_stock: Arc::clone(&low_stock),
        };
        tokio::spawn(task.run(Taken(Arc::clone(&jobs)), ending));
        Self { jobs, ended, low_stock }
    }

    /// Changes what a low stock is.
    pub(super) fn watch_stock(&self, low: i64) {
        self.low_stock.store(low, Ordering::Relaxed);
    }

    /// Queues a job and waits until it is durable. It is queued at the first poll and then runs to its end, whether
    /// or not the caller waits.
    pub(super) async fn write<T, E>(
        &self,
        work: impl for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Refusal + Send + 'static,
    {
        self.write_of(Owner::Nobody, work).await
    }

    /// Like [`Writer::write`], for a job that an account or a source asks for as often as it likes: it has a share of the queue.
    pub(super) async fn write_of<T, E>(
        &self,
        owner: impl Into<Owner>,
        work: impl for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Refusal + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        self.jobs.add(owner.into(), Box::new(Task { work: Some(work), result: None, caller }))?;
        telemetry::queue_grew(Queue::Writer);
        answer.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// Whether jobs are taken.
    pub(super) fn is_running(&self) -> bool {
        !self.jobs.queue().closed
    }

    /// Takes no more jobs, commits those that wait, and ends.
    pub(super) async fn close(&self) {
        self.jobs.close();
        // The task holds the sender: an error means that it has ended.
        let _ = self.ended.clone().changed().await;
    }
}

/// The task that writes.
struct WriterTask {
    /// `None` after a failure, until the next batch.
    tx: Option<Tx>,
    options: Options,
    currency: Currency,
    feed: Arc<Feed>,
    /// When the oldest unannounced commit was made.
    unannounced_since: Option<Instant>,
    low_stock: Arc<AtomicI64>,
}

impl WriterTask {
    /// `_ending` is dropped last: whoever waits for the end then knows that the file is closed.
    async fn run(mut self, jobs: Taken, _ending: watch::Sender<()>) {
        while let Some(batch) = jobs.0.next().await {
            self.handle(batch).await;
            self.announce(jobs.0.is_empty());
        }
        self.drop_connection().await;
    }

    /// Announces what was committed, at the latest when no more jobs wait.
    fn announce(&mut self, is_idle: bool) {
        if self.unannounced_since.is_some_and(|since| is_idle || since.elapsed() >= ANNOUNCED_TOGETHER) {
            self.unannounced_since = None;
            self.feed.announce();
        }
    }

    /// One batch, from BEGIN to the results.
    async fn handle(&mut self, mut batch: Vec<Box<dyn Job>>) {
        telemetry::queue_shrank(Queue::Writer, batch.len());
        let started = Instant::now();
        let outcome = self.transact(&mut batch).await;
        observe(batch.len(), started, outcome.as_ref().err());
        match outcome {
            Ok(news) => {
                // Before the results: a caller that has one finds its news in the feed.
                if self.feed.add(news) {
                    self.unannounced_since.get_or_insert_with(Instant::now);
                }
                batch.into_iter().for_each(|job| job.answer(None));
            }
            Err(failure) => {
                // Whether a transaction is still open is hard to know after a failure; a new connection has none.
                self.drop_connection().await;
                batch.into_iter().for_each(|job| job.answer(Some(&failure)));
            }
        }
    }

    async fn transact(&mut self, batch: &mut [Box<dyn Job>]) -> Result<News, StoreError> {
        let tx = self.connected().await?;
        let (mut news, mut kept) = (News::default(), 0);
        tx.conn.begin_writing().await?;
        for job in batch {
            // Every job begins in a savepoint in which nothing was done yet. One trip to the connection's thread
            // ends a savepoint and opens the next; rolling back to a savepoint leaves it open.
            tx.news = News::default();
            if attempt(job.as_mut(), tx).await {
                news.append(std::mem::take(&mut tx.news));
                kept += 1;
                tx.conn.script("release job; savepoint job").await?;
            } else if let Err(gone) = tx.conn.script("rollback to job").await {
                // SQLite has rolled back all by itself (https://www.sqlite.org/lang_transaction.html §3: disk full,
                // I/O error); the job knows why.
                return Err(job.failure().unwrap_or(gone.into()));
            }
        }
        // With nothing to keep there is nothing to sync.
        let started = Instant::now();
        tx.conn.script(if kept == 0 { "rollback" } else { "commit" }).await?;
        if kept > 0 {
            telemetry::sqlite(Sqlite::Commit, started.elapsed());
        }
        Ok(news)
    }

    async fn connected(&mut self) -> Result<&mut Tx, StoreError> {
        if self.tx.is_none() {
            let conn = self.options.connect().await?;
            let low_stock = Arc::clone(&self.low_stock);
            self.tx =
                Some(Tx { conn, currency: self.currency, news: News::default(), low_stock, silent: None });
        }
        self.tx.as_mut().ok_or_else(closed)
    }

    async fn drop_connection(&mut self) {
        if let Some(tx) = self.tx.take()
            && let Err(error) = tx.conn.close().await
        {
            tracing::warn!(%error, "the writer's connection did not close cleanly");
        }
    }
}

/// Runs a job. A panic is its own failure, not the writer's.
async fn attempt(job: &mut dyn Job, tx: &mut Tx) -> bool {
    // Unwind safe: a job that panicked is only answered after it, and its savepoint is rolled back.
    AssertUnwindSafe(job.run(tx)).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a write panicked and was undone");
        false
    })
}

/// Where the numbers of the writer are taken: jobs per batch, time per batch, failures.
fn observe(jobs: usize, started: Instant, failure: Option<&StoreError>) {
    telemetry::wrote(jobs, started.elapsed(), failure.is_some());
    if let Some(error) = failure {
        tracing::error!(jobs, %error, "nothing was committed");
    }
}
