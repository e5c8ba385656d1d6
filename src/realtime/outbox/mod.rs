//! The way out of a session: straight to its socket while the socket takes it, into a bounded queue when not, or into
//! the next poll's answer.
//!
//! Frames that wait together leave in one write. The queue never grows past its limit by broadcasts: the caller
//! asks [`Outbox::has_room`] first, and a session without room reads on from the log when its way out has drained.

mod polls;
mod socket;
mod stream;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    os::fd::AsRawFd,
    rc::{Rc, Weak},
    task::{Context, Waker},
    time::Instant,
};

use bytes::{Buf, Bytes};
use tokio::net::TcpStream;

use self::polls::Polls;

use super::Pulse;
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
    /// A WebSocket.
    Socket(Rc<TcpStream>),
    /// Polls. In a box, because most ways out are another.
    Polls(Box<Polls>),
    /// The body of an answer that has no end. In a box, too.
    Stream(Box<Stream>),
}

struct Stream {
    /// Cuts the connection, whose task may not look at it while the client reads nothing.
    cut: Box<dyn Fn()>,
}

#[derive(Default)]
struct Queue {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

/// The outgoing side of one session.
pub struct Outbox {
    way: RefCell<Way>,
    wire: Cell<Wire>,
    queue: RefCell<Queue>,
    limit: usize,
    /// Wakes whoever drives the socket, to flush or to end.
    driver: Cell<Option<Waker>>,
    /// Since when nothing was taken although something waits.
    stalled_since: Cell<Option<Instant>>,
    closing_since: Cell<Option<Instant>>,
    broken: Cell<bool>,
    observer: Cell<Option<Weak<dyn Drained>>>,
    /// The heartbeat of the connection, kept by whoever serves it.
    pub pulse: Pulse,
}

impl Outbox {
    /// Over a WebSocket; `limit` is how many bytes may wait.
    #[must_use]
    pub fn to_socket(socket: Rc<TcpStream>, wire: Wire, limit: usize) -> Rc<Self> {
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
            queue: RefCell::default(),
            limit,
            driver: Cell::default(),
            stalled_since: Cell::default(),
            closing_since: Cell::default(),
            broken: Cell::new(false),
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
        self.queue.borrow().bytes
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
        waiting == 0 || waiting + bytes <= self.limit
    }

    /// Whether more waits than may: answers to what the client itself says are not held back. It is not listened to
    /// any more until it has taken some.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        self.queue.borrow().bytes > self.limit && !self.is_closing() && !self.is_aborted()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.borrow().pieces.is_empty()
    }

    /// Since when nothing was taken although something waits.
    #[must_use]
    pub fn stalled_since(&self) -> Option<Instant> {
        self.stalled_since.get()
    }

    /// Sends what is written down for [`Outbox::wire`], at once if nothing waits before it.
    pub fn send(&self, mut bytes: Bytes) {
        if self.broken.get() || self.is_closing() || bytes.is_empty() {
            return;
        }
        if let Some(socket) = self.socket().filter(|_| self.is_empty()) {
            match socket.try_write(&bytes) {
                Ok(written) if written == bytes.len() => return,
                Ok(written) => bytes.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return self.abort(),
            }
        }
        let mut queue = self.queue.borrow_mut();
        if queue.pieces.is_empty() {
            self.stalled_since.set(Some(Instant::now()));
        }
        queue.bytes += bytes.len();
        queue.pieces.push_back(bytes);
        let hopeless = queue.bytes > HOPELESS * self.limit.max(LARGEST_ANSWER);
        drop(queue);
        if hopeless {
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
            Wire::Native | Wire::SocketIo => self.send(frame::close(code, reason)),
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
        self.stalled_since.set(None);
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
