//! The one sweeper of a worker thread makes its outboxes and looks after them: heartbeats, stalled clients, log-ins that expire, and good-byes that are not
//! answered, for every session of the thread on whatever wire.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::{Duration, Instant},
};

use super::{Close, Life, Outbox, OutboxLimits, Wire, heartbeat::Due, way::Way};
use tokio::net::TcpStream;

use crate::{clock, domain::Timestamp, limits::Purse, telemetry};

/// Time between a good-bye and dropping the connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for a client to end the connection itself after it was asked to.
const ASK_TIMEOUT: Duration = Duration::from_millis(500);

type Round = Box<dyn Fn(Instant)>;

/// Sweeps the outboxes of its thread.
pub struct Sweeper {
    /// What they are granted.
    pub limits: OutboxLimits,
    outboxes: RefCell<Vec<Weak<Outbox>>>,
    /// What others do in each round.
    rounds: RefCell<Vec<Round>>,
    /// When it was made: the start of the clock by which it knows who was told nothing.
    made: Instant,
    /// When the last round was, and whether it came late.
    swept: Cell<Instant>,
    late: Cell<bool>,
    /// Bytes that waited in the last round.
    waiting: Cell<usize>,
}

impl Sweeper {
    /// Over no outboxes yet.
    #[must_use]
    pub fn new(limits: OutboxLimits) -> Rc<Self> {
        Rc::new(Self {
            limits,
            outboxes: RefCell::default(),
            rounds: RefCell::default(),
            made: Instant::now(),
            swept: Cell::new(Instant::now()),
            late: Cell::new(false),
            waiting: Cell::new(0),
        })
    }

    /// Time between two rounds: a fraction of the heartbeat, so that no ping and no end is late by much. Log-ins that
    /// expire must end "within a second" (docs/design/0009-sessions-end-with-log-ins.md).
    #[must_use]
    pub fn interval(&self) -> Duration {
        let shortest = self.limits.ping_interval.min(self.limits.ping_timeout) / 32;
        shortest.clamp(Duration::from_millis(2), Duration::from_millis(250))
    }

    /// Sweeps until its thread ends.
    pub async fn run(self: Rc<Self>) {
        let mut ticks = tokio::time::interval(self.interval());
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sweep(Instant::now(), clock::now());
        }
    }

    /// Calls `act` in each round.
    pub fn each_round(&self, act: Round) {
        self.rounds.borrow_mut().push(act);
    }

    /// An outbox over a WebSocket. What waits in it is on the account of `purse`.
    #[must_use]
    pub fn to_socket(&self, socket: TcpStream, wire: Wire, purse: Purse) -> Rc<Outbox> {
        self.watch(Way::Socket(socket), wire, purse)
    }

    /// An outbox into the answers to polls.
    #[must_use]
    pub fn to_polls(&self, purse: Purse) -> Rc<Outbox> {
        self.watch(Way::Polls(Box::default()), Wire::Polling, purse)
    }

    /// An outbox into the body of a response that has no end; `cut` cuts its connection.
    #[must_use]
    pub fn to_stream(&self, cut: Box<dyn Fn()>, purse: Purse) -> Rc<Outbox> {
        self.watch(Way::Stream(cut), Wire::Sse, purse)
    }

    fn watch(&self, way: Way, wire: Wire, purse: Purse) -> Rc<Outbox> {
        let outbox = Rc::new(Outbox::new(way, wire, purse, self.limits.bytes));
        self.outboxes.borrow_mut().push(Rc::downgrade(&outbox));
        outbox
    }

    /// One round.
    pub fn sweep(&self, now: Instant, clock: Timestamp) {
        let since_last = now.saturating_duration_since(self.swept.replace(now));
        self.late.set(since_last > self.lateness());
        // Clients may come while the list is walked.
        let mut outboxes = self.outboxes.take();
        let mut waiting = 0;
        let millis = self.clock(now);
        outboxes.retain(|outbox| {
            let Some(outbox) = outbox.upgrade() else { return false };
            waiting += outbox.waiting();
            self.check_life(&outbox, now, clock);
            self.check_quiet(&outbox, millis);
            self.check_heartbeat(&outbox, now);
            true
        });
        outboxes.append(&mut self.outboxes.borrow_mut());
        self.outboxes.replace(outboxes);
        telemetry::outbox_bytes(self.waiting.replace(waiting), waiting);
        for round in &*self.rounds.borrow() {
            round(now);
        }
    }

    fn check_life(&self, outbox: &Outbox, now: Instant, clock: Timestamp) {
        match outbox.life() {
            Life::Open if outbox.expires_at() <= clock => outbox.close(Close::LoggedOut),
            Life::Open if outbox.is_stalled(now, self.limits.stall_timeout) => outbox.close(Close::TooSlow),
            Life::Asked(since) if now.duration_since(since) >= ASK_TIMEOUT => outbox.end_asked(),
            Life::Closing(since) if now.duration_since(since) >= CLOSE_TIMEOUT => outbox.close(Close::Lost),
            Life::Open | Life::Asked(_) | Life::Closing(_) | Life::Gone => {}
        }
    }

    /// Milliseconds since this sweeper was made. They wrap after 49 days, which only a difference of two would notice.
    fn clock(&self, now: Instant) -> u32 {
        now.duration_since(self.made).as_millis() as u32
    }

    /// Gives a client a sign of life that was told nothing for a heartbeat. Who was told something is known to a round:
    /// sending itself reads no clock.
    fn check_quiet(&self, outbox: &Outbox, now: u32) {
        if outbox.told.replace(false) {
            return outbox.heartbeat.told(now);
        }
        let heartbeat = u32::try_from(self.limits.ping_interval.as_millis()).unwrap_or(u32::MAX);
        // What waits is more than a sign of life.
        if !outbox.heartbeat.is_quiet(now, heartbeat) || !outbox.is_empty() {
            return;
        }
        if let Some(alive) = outbox.wire().alive() {
            outbox.send(&alive);
        }
    }

    /// Gives up a client whose time is up without waiting for the next round, unless this thread was held up itself: what
    /// just came may have lain unread.
    pub fn check_now(&self, outbox: &Outbox) {
        let now = Instant::now();
        let held_up = self.late.get() || now.saturating_duration_since(self.swept.get()) > self.lateness();
        let wire = outbox.wire().heartbeat(&self.limits);
        let timeout = wire.timeout.unwrap_or(wire.interval);
        let is_over = || outbox.heartbeat.is_over(now, wire.interval, timeout, outbox.is_reachable());
        if !held_up && outbox.life() == Life::Open && is_over() {
            outbox.close(Close::Silent);
        }
    }

    /// Time after the last round from which this thread counts as held up.
    fn lateness(&self) -> Duration {
        self.interval() * 4
    }

    fn check_heartbeat(&self, outbox: &Outbox, now: Instant) {
        if outbox.life() != Life::Open {
            return;
        }
        let wire = outbox.wire().heartbeat(&self.limits);
        let timeout = wire.timeout.unwrap_or(wire.interval);
        match outbox.heartbeat.due(now, wire.interval, timeout, outbox.is_reachable()) {
            Due::Nothing => {}
            Due::Ping => {
                outbox.ping(&wire.ping);
                if wire.timeout.is_none() {
                    outbox.heartbeat.hear(now);
                }
            }
            Due::Dead => outbox.close(Close::Silent),
        }
    }
}
