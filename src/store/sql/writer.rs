//! The one writer (group commit, docs/design/0003-one-writer-group-commit.md): jobs queue here, whatever has come in commits together as a batch, and each
//! caller gets its result after the COMMIT that holds its job. A job succeeds or fails by itself; its news go out after
//! the COMMIT.
//!
//! Jobs run in the writer's task, not in their callers': a caller that goes away undoes nothing.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::{oneshot, watch};

pub(super) use super::jobs::{Owner, Tx, closed};
use super::{
    conn::{Conn, Options, STATEMENT, in_time},
    errors::{Refusal, is_lost},
    jobs::{Job, Jobs, Taken, Task},
};
use crate::{
    domain::Currency,
    store::{Feed, LOW_STOCK, StoreError, feed::News},
    telemetry::{self, Database, Outage, Queue},
};

/// How many rows one job prunes or forgets. It holds up the orders that commit with it.
pub(super) const STEP: u32 = 250;

/// How long a server may take to begin a transaction: twice as long as that waits for other nodes (`lock_timeout`).
const BEGINNING: Duration = Duration::from_secs(4);

/// How long a commit may wait to be announced together with the next ones: what costs is to reach every session, not
/// how much it is sent.
const ANNOUNCED_TOGETHER: Duration = Duration::from_millis(4);

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
        let tx = Some(Tx::over(conn, currency, Arc::clone(&low_stock)));
        let task = WriterTask {
            tx,
            options,
            currency,
            feed,
            is_doubtful: false,
            unannounced_since: None,
            low_stock: Arc::clone(&low_stock),
            outage: Outage::new("nothing is committed"),
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
        self.jobs.add(owner.into(), Box::new(Task::new(work, caller)))?;
        telemetry::queue_grew(Queue::Writer);
        answer.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// Whether jobs are taken.
    pub(super) fn is_running(&self) -> bool {
        !self.jobs.is_closed()
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
    /// The connection may lead to where nothing can be written.
    is_doubtful: bool,
    /// When the oldest unannounced commit was made.
    unannounced_since: Option<Instant>,
    low_stock: Arc<AtomicI64>,
    outage: Outage,
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
        let outcome = self.transact_in_time(&mut batch).await;
        self.observe(batch.len(), started, outcome.as_ref().err());
        match outcome {
            Ok(mut news) => {
                self.feed.trace_commit(&mut news, started, batch.len());
                // Before the results: a caller that has one finds its news in the feed.
                if self.feed.add(news) {
                    self.unannounced_since.get_or_insert_with(Instant::now);
                }
                batch.into_iter().for_each(|job| job.answer(None));
                if std::mem::take(&mut self.is_doubtful) {
                    self.drop_connection().await;
                }
            }
            Err(failure) => {
                // Whether a transaction is still open is hard to know after a failure; a new connection has none.
                self.drop_connection().await;
                batch.into_iter().for_each(|job| job.answer(Some(&failure)));
            }
        }
    }

    /// A server that is gone without a word would hold the batch for as long as TCP believes in it.
    async fn transact_in_time(&mut self, batch: &mut [Box<dyn Job>]) -> Result<News, StoreError> {
        match self.options {
            Options::Sqlite(_) => self.transact(batch).await,
            Options::Postgres(..) => {
                let done = tokio::time::timeout(STATEMENT, Box::pin(self.transact(batch))).await;
                done.unwrap_or_else(|_| Err(StoreError::Busy("the database does not answer".to_owned())))
            }
        }
    }

    async fn transact(&mut self, batch: &mut [Box<dyn Job>]) -> Result<News, StoreError> {
        let tx = self.begin().await?;
        let (mut news, mut kept, mut is_doubtful) = (News::default(), 0, false);
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
            } else if tx.conn.is_shared() {
                // What passes may pass for others alone: connections to a server that was set to read only stay so when it
                // no longer is, or when another server has its address.
                is_doubtful |= matches!(job.failure(), Some(StoreError::Busy(_)));
            }
        }
        // With nothing to keep there is nothing to sync.
        let started = Instant::now();
        tx.conn.script(if kept == 0 { "rollback" } else { "commit" }).await?;
        if kept > 0 {
            telemetry::database(Database::Commit, started.elapsed());
        }
        self.is_doubtful = is_doubtful;
        Ok(news)
    }

    /// Begins the batch's transaction. A connection that was lost since the last one is made anew: nothing was done on it.
    async fn begin(&mut self) -> Result<&mut Tx, StoreError> {
        let is_fresh = self.tx.is_none();
        match begin_in_time(&mut self.connected().await?.conn).await {
            Err(lost) if is_lost(&lost) && !is_fresh => {
                tracing::warn!(error = %lost, "the writer's connection was lost, and is made anew");
                self.drop_connection().await;
                begin_in_time(&mut self.connected().await?.conn).await?;
            }
            began => began?,
        }
        let tx = self.connected().await?;
        if tx.conn.is_shared() {
            tx.silent = None;
        }
        Ok(tx)
    }

    async fn connected(&mut self) -> Result<&mut Tx, StoreError> {
        if self.tx.is_none() {
            let conn = self.options.connect().await?;
            let low_stock = Arc::clone(&self.low_stock);
            self.tx = Some(Tx::over(conn, self.currency, low_stock));
        }
        self.tx.as_mut().ok_or_else(closed)
    }

    /// Where the numbers of the writer are taken: jobs per batch, time per batch, failures.
    fn observe(&self, jobs: usize, started: Instant, failure: Option<&StoreError>) {
        telemetry::wrote(jobs, started.elapsed(), failure.is_some());
        self.outage.note(&failure.map_or(Ok(()), Err));
    }

    async fn drop_connection(&mut self) {
        if let Some(tx) = self.tx.take()
            && let Err(error) = tx.conn.close().await
        {
            tracing::warn!(%error, "the writer's connection did not close cleanly");
        }
    }
}

/// A file's lock has its own time.
async fn begin_in_time(conn: &mut Conn) -> Result<(), sqlx::Error> {
    in_time(conn.is_shared().then_some(BEGINNING), conn.begin_writing()).await
}

/// Runs a job. A panic is its own failure, not the writer's.
async fn attempt(job: &mut dyn Job, tx: &mut Tx) -> bool {
    // Unwind safe: a job that panicked is only answered after it, and its savepoint is rolled back.
    AssertUnwindSafe(job.run(tx)).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a write panicked and was undone");
        false
    })
}
