//! The way out of a session, and its life: what is sent goes straight to the socket while that takes it, into a bounded
//! queue when it does not, or into the next poll's answer; and there is one way to end, [`Outbox::close`].
//!
//! Frames that wait together leave in one write. Broadcasts never let the queue grow past its limit: the caller asks
//! [`Outbox::has_room`] first, and a session without room reads on from the log when its outbox has drained.

mod close;
mod heartbeat;
mod limits;
mod polls;
mod queue;
mod socket;
mod stream;
mod sweeper;
mod way;
mod wire;

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

pub use self::{
    close::Close,
    heartbeat::Heartbeat,
    limits::OutboxLimits,
    sweeper::Sweeper,
    wire::{Args, PerWire, Wire},
};
use self::{
    queue::{Queue, QueueCell},
    way::{Polls, Way},
    wire::Goodbye,
};
use crate::{domain::Timestamp, limits::Purse, protocol::engineio, telemetry};
use bytes::Bytes;

/// An outbox is dropped when so many times its limit waits: broadcasts keep to the limit, answers to what the client
/// itself asks for do not.
const HARD_LIMIT_FACTOR: usize = 4;
/// Bytes of the largest single answer: an echo of the largest message.
const LARGEST_ANSWER: usize = 1 << 20;

/// Where a session is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// It is open.
    Open,
    /// Its client was asked to end the connection itself.
    Asked(Instant),
    /// The last bytes were sent, or wait; the connection ends when the client has read them.
    Closing(Instant),
    /// The connection is gone, or is to be dropped.
    Gone,
}

/// The outgoing side of one session.
///
/// In the order of the fields: what a fan-out reads of every session comes first and shares a cache line, which an
/// assertion below holds.
#[repr(C)]
pub struct Outbox {
    way: RefCell<Way>,
    /// In a box, because most of the time nothing waits.
    queue: QueueCell,
    life: Cell<Life>,
    wire: Cell<Wire>,
    /// Something was sent since the last sweep.
    told: Cell<bool>,
    /// Bytes that may wait.
    limit: u32,
    /// Wakes the task that drives the connection, to flush or to end.
    driver: Cell<Option<Waker>>,
    /// The session ends no later, by the wall clock.
    expires_at: Cell<Timestamp>,
    /// On whose account is what waits.
    purse: Purse,
    /// The last sign of life of the client.
    pub heartbeat: Heartbeat,
}

const _: () = assert!(std::mem::offset_of!(Outbox, driver) <= 96, "a fan-out reads what lies before it");

impl Outbox {
    /// An open one; `limit` is how many bytes of broadcasts may wait.
    fn new(way: Way, wire: Wire, purse: Purse, limit: usize) -> Self {
        Self {
            way: RefCell::new(way),
            queue: QueueCell::default(),
            life: Cell::new(Life::Open),
            wire: Cell::new(wire),
            told: Cell::new(true),
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            driver: Cell::default(),
            expires_at: Cell::new(Timestamp::MAX),
            purse,
            heartbeat: Heartbeat::new(Instant::now()),
        }
    }

    /// The form in which bytes leave. Changes with an upgrade from polling.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.get()
    }

    /// When the session ends at the latest.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at.get()
    }

    /// Sets when the session ends at the latest: with its log-in.
    pub fn expire_at(&self, moment: Timestamp) {
        self.expires_at.set(moment);
    }

    /// On whose account is what waits.
    #[must_use]
    pub fn purse(&self) -> &Purse {
        &self.purse
    }

    /// Bytes that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.with(|queue| queue.as_ref().map_or(0, |queue| queue.bytes()))
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.with(|queue| queue.is_none())
    }

    /// Whether `bytes` more may wait: within its own limit, and in the budget of all.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        self.queue.with(|queue| match queue {
            Some(queue) => queue.bytes() + bytes <= self.limit() && queue.has_room(bytes),
            None => true,
        })
    }

    /// Whether more waits than may, by answers to what the client itself says. It is not read from until it has taken
    /// some (backpressure).
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        self.life.get() == Life::Open && self.waiting() > self.limit()
    }

    /// Until when what was sent has arrived, as far as is known of a connection that has ended by now: a ping that was
    /// not answered says that it was lost before, and what waits did not leave.
    #[must_use]
    pub fn arrived_until(&self, ping_interval: Duration, now: Instant) -> Instant {
        let waits_since = self.queue.with(|queue| queue.as_ref().map(|queue| queue.stalled_since()));
        let sign = self.heartbeat.is_unanswered().then(|| self.heartbeat.last_sign(ping_interval));
        [waits_since, sign].into_iter().flatten().fold(now, Instant::min)
    }

    fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Whether something waits and none of it was taken for so long.
    fn is_stalled(&self, now: Instant, timeout: Duration) -> bool {
        self.queue.with(|queue| {
            queue.as_ref().is_some_and(|queue| now.duration_since(queue.stalled_since()) >= timeout)
        })
    }

    /// Sends bytes encoded for [`Outbox::wire`], at once if nothing waits before them. Bytes for a session that is
    /// closing are dropped.
    pub fn send(&self, bytes: &Bytes) {
        if self.life.get() == Life::Open {
            self.write(bytes);
        }
    }

    /// Sends what the program at the other end sees and a page does not: it does not count as telling the client
    /// something.
    fn ping(&self, bytes: &Bytes) {
        let told = self.told.get();
        self.send(bytes);
        self.told.set(told);
    }

    fn write(&self, bytes: &Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.told.set(true);
        let sent = if self.is_empty() { self.way.borrow().send_now(bytes) } else { Ok(0) };
        match sent {
            Ok(sent) if sent == bytes.len() => {}
            Ok(sent) => self.enqueue(bytes.slice(sent..)),
            Err(_) => self.close(Close::Lost),
        }
    }

    fn enqueue(&self, piece: Bytes) {
        self.queue.with(|queue| match queue {
            Some(queue) => queue.push(piece),
            None => *queue = Some(Queue::of(piece, &self.purse)),
        });
        if self.waiting() > HARD_LIMIT_FACTOR * self.limit().max(LARGEST_ANSWER) {
            return self.close(Close::Lost);
        }
        self.answer_poll();
        let counted = self.queue.with(|queue| queue.as_mut().map_or(Ok(()), |queue| queue.count()));
        if counted.is_err() && self.is_open() {
            // What waits stays until the client has had its time to read that there is no room.
            return self.close(Close::NoRoom);
        }
        self.wake();
    }

    /// Ends the session: the one way to do so, whoever ends it. What the client hears of it follows from the reason and
    /// the wire. Does nothing to a session that is closing already, but for [`Close::Lost`].
    pub fn close(&self, why: Close) {
        match (self.life.get(), why) {
            // A client that was asked to leave says that it does.
            (Life::Open, _)
            | (Life::Asked(_), Close::Left)
            | (Life::Asked(_) | Life::Closing(_), Close::Lost) => {}
            _ => return,
        }
        if !matches!(why, Close::Left | Close::Lost) {
            telemetry::session_closed(why.code());
        }
        match self.wire.get().goodbye(why) {
            Goodbye::Ask(bytes) => {
                self.write(&bytes);
                // Writing may have found the connection gone.
                if self.is_open() {
                    self.life.set(Life::Asked(Instant::now()));
                    self.wake();
                }
            }
            Goodbye::Last(bytes) => self.finish(&bytes, why),
            Goodbye::Now(bytes) => {
                if self.is_polled() {
                    self.write(&bytes);
                }
                self.drop_connection();
            }
            Goodbye::Drop => self.drop_connection(),
        }
    }

    /// Closes the session of a client that was asked to end the connection and did not.
    fn end_asked(&self) {
        let why = Close::LoggedOut;
        self.finish(&self.wire.get().last_bytes(why), why);
    }

    /// Sends the last bytes.
    fn finish(&self, bytes: &Bytes, why: Close) {
        self.life.set(Life::Closing(Instant::now()));
        if !self.keep_for_a_poll(bytes, why) {
            self.write(bytes);
        }
        self.wake();
    }

    /// Keeps the last bytes of a session that polls for a poll of their own, when something else waits: in one answer
    /// with messages they would be dealt with first, because clients look at messages a tick later. A client that was
    /// disconnected on purpose would then see a lost connection, and come back.
    fn keep_for_a_poll(&self, last: &Bytes, why: Close) -> bool {
        let is_empty = self.is_empty();
        let mut way = self.way.borrow_mut();
        let Some(polls) = way.polls_mut() else { return false };
        polls.closing = Some(why);
        polls.last = (!is_empty).then(|| last.clone());
        !is_empty
    }

    /// Answers the poll that waits with all that waits for it. The answer with the last bytes ends the session.
    fn answer_poll(&self) {
        if self.is_empty() || !self.is_polled() {
            return;
        }
        let (poll, last) = match self.way.borrow_mut().polls_mut() {
            Some(polls) => (polls.waiting.take(), polls.last.take()),
            None => return,
        };
        let (Some(poll), Some(queue)) = (poll, self.queue.take()) else { return };
        // The client was there a moment ago; should it be gone now, its session ends with its poll.
        let _ = poll.send(queue.join(&[engineio::SEPARATOR as u8]));
        match last {
            Some(last) => self.queue.set(Some(Queue::of(last, &self.purse))),
            None if matches!(self.life(), Life::Closing(_)) => self.close(Close::Lost),
            None => {}
        }
    }

    /// Whether a poll waits.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        self.way.borrow().polls().is_some_and(Polls::is_polled)
    }

    fn drop_connection(&self) {
        self.life.set(Life::Gone);
        let gone = match &mut *self.way.borrow_mut() {
            Way::Polls(polls) => {
                polls.waiting.take();
                polls.gone.take()
            }
            Way::Stream(cut) => {
                cut();
                None
            }
            Way::Socket(_) | Way::Taken => None,
        };
        self.wake();
        if let Some(gone) = gone {
            gone();
        }
    }

    fn life(&self) -> Life {
        self.life.get()
    }

    /// Whether the session is open: neither closing nor gone.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.life.get() == Life::Open
    }

    /// Whether the connection is gone or to be dropped.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.life.get() == Life::Gone
    }

    /// Whether the last bytes were sent, so that the connection only waits for its end.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        matches!(self.life.get(), Life::Closing(_) | Life::Gone)
    }

    /// Whether a ping would leave at once.
    fn is_reachable(&self) -> bool {
        !self.wire.get().is_polling() || self.is_polled()
    }

    /// Waits until nothing waits to be sent, or the session is no longer open. For one task at a time.
    pub fn drained(&self) -> impl Future<Output = ()> + '_ {
        poll_fn(|context| {
            self.queue.with(|queue| match queue {
                Some(queue) if self.is_open() => {
                    queue.register(context.waker());
                    Poll::Pending
                }
                _ => Poll::Ready(()),
            })
        })
    }

    /// Wakes the tasks that wait for the outbox.
    fn wake(&self) {
        if let Some(driver) = self.driver.take() {
            driver.wake_by_ref();
            self.driver.set(Some(driver));
        }
        if !self.is_open() {
            self.queue.with(|queue| queue.as_mut().map(|queue| queue.wake()));
        }
    }

    fn register_driver(&self, context: &Context<'_>) {
        let known = self.driver.take().filter(|known| known.will_wake(context.waker()));
        self.driver.set(Some(known.unwrap_or_else(|| context.waker().clone())));
    }
}
