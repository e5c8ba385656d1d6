//! The fan-out of one thread: notifications to every session of its registry, some of them at a time, so that other work
//! of the thread has its turn.
//!
//! What commits while a fan-out is under way joins it. Sessions that it has not reached yet get all in one write; to
//! the others it comes round once more, with what they have not seen. So a burst costs little more than one alert.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    rc::Rc,
    sync::Arc,
};

use tokio::sync::oneshot;

use super::{Batch, Registry, Session};
use crate::{
    domain::Offset,
    telemetry::{self, TRANSPORTS},
};

/// How many sessions are reached before other work of the thread has its turn.
pub(super) const SESSIONS_PER_TURN: usize = 256;
/// How many the first turn reaches; each reaches twice as many as the one before. What a burst still has to bring is
/// read, committed and joins before many have been told of the first.
const FIRST_TURN: usize = 16;

/// The fan-out over a thread's [`Registry`].
pub(super) struct FanOut {
    registry: Rc<Registry>,
    /// What is being told, oldest first; each follows the one before in the log.
    rounds: RefCell<VecDeque<Round>>,
    /// The rounds from each of them on as one batch, with the last offset of the oldest round in it: what a session
    /// gets that has not seen that offset.
    joined: RefCell<Vec<(Offset, Arc<Batch>)>>,
    /// The slot at which the next turn begins.
    cursor: Cell<usize>,
    running: Cell<bool>,
}

struct Round {
    batch: Arc<Batch>,
    /// Slots that it has yet to come to.
    left: usize,
    done: oneshot::Sender<()>,
}

impl FanOut {
    pub(super) fn new(registry: Rc<Registry>) -> Rc<Self> {
        Rc::new(Self {
            registry,
            rounds: RefCell::default(),
            joined: RefCell::default(),
            cursor: Cell::default(),
            running: Cell::default(),
        })
    }

    /// Begins to deliver a batch that follows the one before. The future ends when it has reached every session.
    pub(super) fn deliver(self: &Rc<Self>, batch: Arc<Batch>) -> impl Future<Output = ()> + use<> {
        self.registry.begin(&batch);
        let (done, reached) = oneshot::channel();
        self.rounds.borrow_mut().push_back(Round { batch, left: self.registry.slots(), done });
        self.join();
        if !self.running.replace(true) {
            actix_rt::spawn(Rc::clone(self).run());
        }
        // It ends unanswered with its thread, whose sessions are gone then.
        async { drop(reached.await) }
    }

    async fn run(self: Rc<Self>) {
        let mut delivered = [0; TRANSPORTS.len()];
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
    fn turn(&self, most: usize, delivered: &mut [usize]) {
        let slots = self.registry.slots();
        let start = Some(self.cursor.get()).filter(|cursor| *cursor < slots).unwrap_or(0);
        let end = slots.min(start + most);
        let joined = self.joined.borrow();
        self.registry.each(start..end, |session: &Rc<Session>| {
            let position = session.position();
            if let Some((_, batch)) = joined.iter().find(|(last, _)| position < *last) {
                delivered[session.outbox.wire() as usize] += session.deliver(batch);
            }
        });
        self.cursor.set(end);
        for round in self.rounds.borrow_mut().iter_mut() {
            round.left = round.left.saturating_sub(end - start);
        }
    }

    /// Answers the rounds that have reached everyone.
    fn end_rounds(&self, delivered: &mut [usize]) {
        let mut rounds = self.rounds.borrow_mut();
        let before = rounds.len();
        while let Some(round) = rounds.pop_front_if(|round| round.left == 0) {
            let since_commit = round.batch.committed().elapsed();
            for (transport, delivered) in TRANSPORTS.into_iter().zip(&mut *delivered) {
                telemetry::alerts_delivered(transport, std::mem::take(delivered), since_commit);
            }
            // The relay may be gone.
            let _ = round.done.send(());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{GoodsId, NicknameDisplay, Notification, Publication, Timestamp},
        outbox::{Outbox, Wire},
        realtime::{Person, replay::tests::a_registry, session::Feeding},
    };

    fn batch(ids: std::ops::RangeInclusive<i64>) -> Arc<Batch> {
        let publication = |id| {
            let notification = Notification::Cancellation { goods_id: GoodsId(4), canceled: Offset(1) };
            Arc::new(Publication { id: Offset(id), date: Timestamp::from_millis(0), notification })
        };
        Arc::new(Batch::new(ids.map(publication).collect(), NicknameDisplay::Full).unwrap())
    }

    #[actix_rt::test]
    async fn what_joins_a_fan_out_reaches_everyone_once_and_in_order() {
        let registry = a_registry();
        let sessions: Vec<_> = (0..1000)
            .map(|number| {
                let (outbox, person) = (Outbox::to_polls(1 << 20), Person::Guest(number));
                let session = Session::new(&registry, None, person, outbox, Feeding::Live);
                registry.join(Rc::clone(&session));
                session
            })
            .collect();
        let fan_out = FanOut::new(Rc::clone(&registry));
        let first = fan_out.deliver(batch(1..=1));
        tokio::task::yield_now().await;
        // Some were told of the first by now, and others not.
        let told = sessions.iter().filter(|session| session.position() == Offset(1)).count();
        assert!((1..1000).contains(&told), "{told}");
        let second = fan_out.deliver(batch(2..=4));
        first.await;
        assert!(sessions.iter().all(|session| session.position() >= Offset(1)));
        second.await;
        let all = batch(1..=4).encoded_after(Offset(0), Wire::Polling).into_owned();
        for session in &sessions {
            let (answer, mut answered) = oneshot::channel();
            assert!(session.outbox.poll(answer));
            assert_eq!(answered.try_recv().unwrap(), all);
        }
        // It begins anew when something comes after an end.
        fan_out.deliver(batch(5..=5)).await;
        assert!(sessions.iter().all(|session| session.position() == Offset(5)));
    }
}
