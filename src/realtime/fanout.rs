//! The fan-out of one thread: batches to every session of its registry, some of them at a time, so that other work of the
//! thread has its turn.
//!
//! A batch that comes while a fan-out is under way joins it. Sessions that it has not reached yet get all in one write;
//! the others get what they have not seen in one more round. So a burst costs little more than one alert.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use tokio::sync::oneshot;

use super::{
    announcement::Batch,
    follower::Follower,
    registry::Registry,
    session::{Delivery, Session},
};
use crate::{
    domain::Offset,
    outbox::{PerWire, Wire},
    telemetry,
};

/// How many sessions are reached before other work of the thread has its turn.
pub(super) const SESSIONS_PER_TURN: usize = 256;
/// How many the first turn reaches; each reaches twice as many as the one before. What a burst still has to bring is
/// read, committed and joins before many have been told of the first.
const FIRST_TURN: usize = 16;
/// Sessions that are touched before the first of them is served: they lie apart in memory, and the processor fetches
/// them at the same time instead of one after the other. Without it a fan-out to 10,000 sessions costs more, see
/// `bench/STEPS.md`.
const PREFETCH: usize = 16;

/// The fan-out over a thread's [`Registry`].
pub(super) struct FanOut {
    registry: Rc<Registry>,
    follower: Rc<Follower>,
    /// What is being delivered, oldest first; each follows the one before in the log.
    rounds: RefCell<VecDeque<Round>>,
    /// The rounds from each of them on as one batch, with the last offset of the oldest round in it: what a session
    /// gets that has not seen that offset.
    joined: RefCell<Vec<(Offset, Arc<Batch>)>>,
    /// The slot at which the next turn begins.
    cursor: Cell<usize>,
    running: Cell<bool>,
    /// Something is held back from some session, for a digest.
    held: Cell<bool>,
    /// A digest is on its way to the sessions: who it will leave something held back from is not known yet.
    digesting: Cell<bool>,
}

struct Round {
    batch: Arc<Batch>,
    /// Slots that it has not reached yet.
    left: usize,
    /// When it began, if it is traced.
    began: Option<Instant>,
    /// Told whether something is held back from some session.
    done: oneshot::Sender<bool>,
}

impl FanOut {
    pub(super) fn new(registry: Rc<Registry>, follower: Rc<Follower>) -> Rc<Self> {
        Rc::new(Self {
            registry,
            follower,
            rounds: RefCell::default(),
            joined: RefCell::default(),
            cursor: Cell::default(),
            running: Cell::default(),
            held: Cell::default(),
            digesting: Cell::default(),
        })
    }

    /// Begins to deliver a batch that follows the one before. The future ends when it has reached every session, and says
    /// whether something is held back from some of them.
    pub(super) fn deliver(self: &Rc<Self>, batch: Arc<Batch>) -> impl Future<Output = bool> + use<> {
        self.registry.begin(&batch);
        let (done, reached) = oneshot::channel();
        let (left, began) = (self.registry.slots(), batch.traced().map(|_| Instant::now()));
        self.rounds.borrow_mut().push_back(Round { batch, left, began, done });
        self.join();
        if !self.running.replace(true) {
            actix_rt::spawn(Rc::clone(self).run());
        }
        // It ends unanswered with its thread, whose sessions are gone then.
        async { reached.await.unwrap_or_default() }
    }

    /// Tells the sessions from which something was held back of a second that is over a digest of it. Nobody else is
    /// looked at while nothing is held back, and all are, when something is, as for one batch more.
    pub(super) async fn digest(self: Rc<Self>, second: Arc<Batch>) {
        if !self.held.take() {
            return;
        }
        self.digesting.set(true);
        let (mut start, mut told, mut is_more) = (0, 0, true);
        while is_more {
            is_more = self.registry.each(start..start + SESSIONS_PER_TURN, |session| {
                match session.deliver_digest(&second) {
                    Delivery::Sent(count) | Delivery::Held(count) => told += count,
                    Delivery::FellBehind => self.follower.follow(session),
                }
                if session.is_held_back(self.registry.latest()) {
                    self.held.set(true);
                }
            });
            start += SESSIONS_PER_TURN;
            tokio::task::yield_now().await;
        }
        self.digesting.set(false);
        self.registry.tally().told_late(told, Instant::now());
    }

    async fn run(self: Rc<Self>) {
        let mut delivered = PerWire::default();
        let mut most = FIRST_TURN;
        while !self.rounds.borrow().is_empty() {
            self.turn(most, &mut delivered);
            most = SESSIONS_PER_TURN.min(most * 2);
            self.end_rounds(&mut delivered);
            tokio::task::yield_now().await;
        }
        self.running.set(false);
    }

    /// Reaches the next sessions.
    fn turn(&self, most: usize, delivered: &mut PerWire<usize>) {
        let slots = self.registry.slots();
        let start = Some(self.cursor.get()).filter(|cursor| *cursor < slots).unwrap_or(0);
        let end = slots.min(start + most);
        let joined = self.joined.borrow();
        for group in self.registry.range(start..end).chunks(PREFETCH) {
            prefetch(group);
            for session in group.iter().flatten() {
                let position = session.position();
                let Some((_, batch)) = joined.iter().find(|(last, _)| position < *last) else { continue };
                match session.deliver(batch) {
                    Delivery::Sent(count) => *delivered.get_mut(session.outbox.wire()) += count,
                    Delivery::Held(count) => {
                        *delivered.get_mut(session.outbox.wire()) += count;
                        self.held.set(true);
                    }
                    Delivery::FellBehind => self.follower.follow(session),
                }
            }
        }
        self.cursor.set(end);
        for round in self.rounds.borrow_mut().iter_mut() {
            round.left = round.left.saturating_sub(end - start);
        }
    }

    /// Ends the rounds that have reached everyone.
    fn end_rounds(&self, delivered: &mut PerWire<usize>) {
        let mut rounds = self.rounds.borrow_mut();
        let before = rounds.len();
        while let Some(round) = rounds.pop_front_if(|round| round.left == 0) {
            let since_commit = round.batch.committed().elapsed();
            let mut alerts = 0;
            for wire in Wire::ALL {
                let count = std::mem::take(delivered.get_mut(wire));
                telemetry::alerts_delivered(wire.label(), count, since_commit);
                alerts += count;
            }
            self.registry.tally().broadcast(alerts, since_commit, Instant::now());
            if let Some((traced, began)) = round.batch.traced().zip(round.began) {
                traced.written(began, alerts);
            }
            // The relay may be gone.
            let _ = round.done.send(self.held.get() || self.digesting.get());
        }
        let ended = rounds.len() < before;
        drop(rounds);
        if ended {
            self.join();
        }
    }

    fn join(&self) {
        let rounds = self.rounds.borrow();
        let mut joined: Vec<(Offset, Arc<Batch>)> = Vec::with_capacity(rounds.len());
        for round in rounds.iter().rev() {
            let batch = match joined.last() {
                None => Arc::clone(&round.batch),
                Some((_, later)) => Arc::new(round.batch.followed_by(later)),
            };
            joined.push((round.batch.last(), batch));
        }
        joined.reverse();
        self.joined.replace(joined);
    }
}

/// Reads a little of each session, so that all of them are on their way into the cache.
fn prefetch(group: &[Option<Rc<Session>>]) {
    let waiting: usize = group.iter().flatten().map(|session| session.outbox.waiting()).sum();
    std::hint::black_box(waiting);
}
