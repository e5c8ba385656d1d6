//! The way out of a session: straight to its socket while the socket takes it, into a bounded queue when not, or into
//! the next poll's answer.
//!
//! Frames that wait together leave in one write. The queue never grows past its limit by broadcasts: the caller
//! asks [`Outbox::has_room`] first, and a session without room reads on from the log when its way out has drained.

pub mod heartbeat;
mod polls;
mod socket;
mod stream;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    os::fd::AsRawFd,
    rc::{Rc, Weak},
    task::{Context, Waker},
    time::Instant,
};

use bytes::Bytes;
use tokio::net::TcpStream;

pub use self::heartbeat::{Beat, Pulse};
use self::polls::Polls;

use crate::{protocol::frame, telemetry};

/// So many times its limit may wait for a session before it is dropped: broadcasts keep to the limit, answers to what
/// the client itself asks for do not.
const HOPELESS: usize = 4;
/// The largest single answer: an echo of the largest message.
const LARGEST_ANSWER: usize = 1 << 20;

/// How what is said to a session is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// The envelope of `/ws`, as WebSocket frames.
    Native,
    /// Socket.IO packets as WebSocket frames.
    SocketIo,
    /// Socket.IO packets as a polling payload.
    Polling,
    /// Server-Sent Events.
    Sse,
}

impl Wire {
    /// What the numbers call it.
    #[must_use]
    pub fn transport(self) -> &'static str {
        telemetry::TRANSPORTS[self as usize]
    }
}

/// Who is told that everything that waited has left.
pub trait Drained {
    /// There is room again.
    fn drained(self: Rc<Self>);
}

enum Way {
    /// A WebSocket. Not behind a pointer: a fan-out should find it where it finds the outbox.
    Socket(TcpStream),
    /// Polls. In a box, because most ways out are another.
    Polls(Box<Polls>),
    /// The body of an answer that has no end. In a box, too.
    Stream(Box<Stream>),
    /// None any more: the socket was taken.
    Gone,
}

struct Stream {
    /// Cuts the connection, whose task may not look at it while the client reads nothing.
    cut: Box<dyn Fn()>,
}

/// What waits. Never empty.
struct Queue {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    /// Since when nothing was taken.
    stalled_since: Instant,
}

impl Queue {
    fn of(piece: Bytes) -> Box<Self> {
        let mut queue = Self { pieces: VecDeque::new(), bytes: 0, stalled_since: Instant::now() };
        queue.push(piece);
        Box::new(queue)
    }

    fn push(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        self.pieces.push_back(piece);
    }
}

/// The outgoing side of one session.
///
/// In the order of the fields: what a fan-out reads of every session comes first and lies together.
#[repr(C)]
pub struct Outbox {
    way: RefCell<Way>,
    wire: Cell<Wire>,
    broken: Cell<bool>,
    /// Bytes that may wait.
    limit: u32,
    /// In a box, because most of the time nothing waits.
    queue: RefCell<Option<Box<Queue>>>,
    closing_since: Cell<Option<Instant>>,
    /// Wakes whoever drives the socket, to flush or to end.
    driver: Cell<Option<Waker>>,
    observer: Cell<Option<Weak<dyn Drained>>>,
    /// The heartbeat of the connection, kept by whoever serves it.
    pub pulse: Pulse,
}

impl Outbox {
    /// Over a WebSocket; `limit` is how many bytes may wait.
    #[must_use]
    pub fn to_socket(socket: TcpStream, wire: Wire, limit: usize) -> Rc<Self> {
        Rc::new(Self::new(Way::Socket(socket), wire, limit))
    }

    /// Into the answers to polls.
    #[must_use]
    pub fn to_polls(limit: usize) -> Rc<Self> {
        Rc::new(Self::new(Way::Polls(Box::default()), Wire::Polling, limit))
    }

    /// Into the body of an answer that has no end; `cut` ends its connection.
    #[must_use]
    pub fn to_stream(limit: usize, cut: Box<dyn Fn()>) -> Rc<Self> {
        Rc::new(Self::new(Way::Stream(Box::new(Stream { cut })), Wire::Sse, limit))
    }

    fn new(way: Way, wire: Wire, limit: usize) -> Self {
        Self {
            way: RefCell::new(way),
            wire: Cell::new(wire),
            broken: Cell::new(false),
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            queue: RefCell::default(),
            closing_since: Cell::default(),
            driver: Cell::default(),
            observer: Cell::default(),
            pulse: Pulse::new(Instant::now()),
        }
    }

    /// How what goes through it is written down. Changes with an upgrade from polling.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.get()
    }

    /// Names who is told when everything that waited has left.
    pub fn observe(&self, observer: Weak<dyn Drained>) {
        self.observer.set(Some(observer));
    }

    /// How many bytes wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.borrow().as_ref().map_or(0, |queue| queue.bytes)
    }

    /// Looks at what sending will need, so that it is near when it does. What it answers means nothing.
    #[must_use]
    pub fn look(&self) -> usize {
        let socket = match &*self.way.borrow() {
            Way::Socket(socket) => usize::try_from(socket.as_raw_fd()).unwrap_or_default(),
            _ => 0,
        };
        socket ^ self.waiting()
    }

    /// Whether `bytes` more may wait.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        let waiting = self.waiting();
        waiting == 0 || waiting + bytes <= self.limit()
    }

    /// Whether more waits than may: answers to what the client itself says are not held back. It is not listened to
    /// any more until it has taken some.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        self.waiting() > self.limit() && !self.is_closing() && !self.is_aborted()
    }

    fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.borrow().is_none()
    }

    /// Since when nothing was taken although something waits.
    #[must_use]
    pub fn stalled_since(&self) -> Option<Instant> {
        self.queue.borrow().as_ref().map(|queue| queue.stalled_since)
    }

    /// Sends what is written down for [`Outbox::wire`], at once if nothing waits before it.
    pub fn send(&self, bytes: &Bytes) {
        if self.broken.get() || self.is_closing() || bytes.is_empty() {
            return;
        }
        let sent = if self.is_empty() { self.send_now(bytes) } else { Ok(0) };
        match sent {
            Ok(sent) if sent == bytes.len() => {}
            Ok(sent) => self.put_off(bytes.slice(sent..)),
            Err(_) => self.abort(),
        }
    }

    /// Lets a piece wait for its turn.
    fn put_off(&self, piece: Bytes) {
        match &mut *self.queue.borrow_mut() {
            Some(queue) => queue.push(piece),
            empty => *empty = Some(Queue::of(piece)),
        }
        if self.waiting() > HOPELESS * self.limit().max(LARGEST_ANSWER) {
            // Broadcasts stop long before: these are answers to a client that asks and does not read.
            return self.abort();
        }
        self.release_poll();
        self.wake();
    }

    /// Says good-bye: nothing is sent after it, and the connection ends when the client has answered,
    /// or soon without.
    pub fn close(&self, code: u16, reason: &str) {
        if self.is_closing() {
            return;
        }
        match self.wire.get() {
            Wire::Native | Wire::SocketIo => self.send(&frame::close(code, reason)),
            Wire::Polling => self.end_polls(code, reason),
            // A stream just ends.
            Wire::Sse => {}
        }
        self.closing_since.set(Some(Instant::now()));
        self.wake();
    }

    /// Whether good-bye was said.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing_since.get().is_some()
    }

    /// When good-bye was said.
    #[must_use]
    pub fn closing_since(&self) -> Option<Instant> {
        self.closing_since.get()
    }

    /// Drops the connection.
    pub fn abort(&self) {
        self.broken.set(true);
        self.drop_poll();
        if let Way::Stream(stream) = &*self.way.borrow() {
            (stream.cut)();
        }
        self.wake();
    }

    /// Whether the connection is gone or to be dropped.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        self.broken.get()
    }

    /// Wakes the task that drives the socket.
    pub fn wake(&self) {
        if let Some(driver) = self.driver.take() {
            driver.wake_by_ref();
            self.driver.set(Some(driver));
        }
    }

    fn tell_drained(&self) {
        let observer = self.observer.take();
        let session = observer.as_ref().and_then(Weak::upgrade);
        self.observer.set(observer);
        if let Some(session) = session {
            session.drained();
        }
    }

    fn remember(&self, context: &Context<'_>) {
        let known = self.driver.take().filter(|known| known.will_wake(context.waker()));
        self.driver.set(Some(known.unwrap_or_else(|| context.waker().clone())));
    }
}
