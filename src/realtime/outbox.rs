//! The way out of a session: straight to its socket while the socket takes it, into a bounded queue when not, or into
//! the next poll's answer.
//!
//! Frames that wait together leave in one write. The queue never grows past its limit by broadcasts: the caller
//! asks [`Outbox::has_room`] first, and a session without room reads on from the log when its way out has drained.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io::{self, IoSlice},
    net::Shutdown,
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::{net::TcpStream, sync::oneshot};

use crate::{
    protocol::{self, engineio, frame},
    telemetry,
};

/// How many waiting pieces one write gathers.
const GATHER: usize = 64;
/// Good-bye to a client that polls.
const CLOSE: Bytes = Bytes::from_static(b"1");

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
    /// Polls; the one that waits, if any.
    Polls(Option<oneshot::Sender<Bytes>>),
    /// The body of an answer that has no end.
    Stream,
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
    driver: RefCell<Option<Waker>>,
    /// Since when nothing was taken although something waits.
    stalled_since: Cell<Option<Instant>>,
    closing_since: Cell<Option<Instant>>,
    /// Whether good-bye is still to be said to a poll, after what waits.
    farewell: Cell<bool>,
    broken: Cell<bool>,
    observer: RefCell<Option<Weak<dyn Drained>>>,
    /// Cuts the connection of a stream, whose task may not look at it while the client reads nothing.
    cut: Option<Box<dyn Fn()>>,
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
        Rc::new(Self::new(Way::Polls(None), Wire::Polling, limit))
    }

    /// Into the body of an answer that has no end; `cut` ends its connection.
    #[must_use]
    pub fn to_stream(limit: usize, cut: Box<dyn Fn()>) -> Rc<Self> {
        Rc::new(Self { cut: Some(cut), ..Self::new(Way::Stream, Wire::Sse, limit) })
    }

    fn new(way: Way, wire: Wire, limit: usize) -> Self {
        Self {
            way: RefCell::new(way),
            wire: Cell::new(wire),
            queue: RefCell::default(),
            limit,
            driver: RefCell::default(),
            stalled_since: Cell::default(),
            closing_since: Cell::default(),
            farewell: Cell::default(),
            broken: Cell::new(false),
            observer: RefCell::default(),
            cut: None,
        }
    }

    /// How what goes through it is written down. Changes with an upgrade from polling.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire.get()
    }

    /// Names who is told when everything that waited has left.
    pub fn observe(&self, observer: Weak<dyn Drained>) {
        self.observer.replace(Some(observer));
    }

    /// Whether `bytes` more may wait.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        let waiting = self.queue.borrow().bytes;
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

    /// Says good-bye on a WebSocket: nothing is sent after it, and the connection ends when the client has answered,
    /// or soon without.
    pub fn close(&self, code: u16, reason: &str) {
        if self.is_closing() {
            return;
        }
        match self.wire.get() {
            Wire::Native | Wire::SocketIo => self.send(frame::close(code, reason)),
            // In one answer with what it ends it would be dealt with first: clients look at messages a tick later, so
            // that they would take being disconnected on purpose for a lost connection, and come back.
            Wire::Polling if !self.is_empty() => self.farewell.set(true),
            Wire::Polling => self.send(CLOSE),
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
        if let Way::Polls(poll) = &mut *self.way.borrow_mut() {
            poll.take();
        }
        if let Some(cut) = &self.cut {
            cut();
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
        if let Some(driver) = self.driver.borrow().as_ref() {
            driver.wake_by_ref();
        }
    }

    fn tell_drained(&self) {
        self.stalled_since.set(None);
        let observer = self.observer.borrow().as_ref().and_then(Weak::upgrade);
        if let Some(observer) = observer {
            observer.drained();
        }
    }
}

/// Polls.
impl Outbox {
    /// Takes a poll, to be answered with all that waits as soon as anything does. Answers `false` when another poll
    /// waits already, or there are no polls on this way out.
    pub fn poll(&self, answer: oneshot::Sender<Bytes>) -> bool {
        match &mut *self.way.borrow_mut() {
            Way::Polls(waiting) if waiting.as_ref().is_none_or(oneshot::Sender::is_closed) => {
                *waiting = Some(answer)
            }
            _ => return false,
        }
        self.release_poll();
        true
    }

    /// Whether a poll waits.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        matches!(&*self.way.borrow(), Way::Polls(Some(poll)) if !poll.is_closed())
    }

    /// Whether the poll that waited was given up by its client.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        matches!(&*self.way.borrow(), Way::Polls(Some(poll)) if poll.is_closed())
    }

    /// Answers the poll that waits with all that waits for it.
    fn release_poll(&self) {
        let poll = match &mut *self.way.borrow_mut() {
            Way::Polls(poll) if !self.is_empty() => poll.take(),
            _ => None,
        };
        let Some(poll) = poll else { return };
        let body = {
            let queue = self.queue.borrow();
            join(&queue.pieces)
        };
        if poll.send(body).is_ok() {
            self.queue.replace(Queue::default());
            if self.farewell.take() {
                let mut queue = self.queue.borrow_mut();
                queue.bytes += CLOSE.len();
                queue.pieces.push_back(CLOSE);
            }
            self.tell_drained();
        }
    }

    /// Goes on over a WebSocket: what waited for a poll is written down anew, a good-bye too.
    ///
    /// # Panics
    /// Never: what waits was encoded here.
    pub fn upgrade(&self, socket: Rc<TcpStream>) {
        self.way.replace(Way::Socket(socket));
        self.wire.set(Wire::SocketIo);
        let waiting = self.queue.replace(Queue::default());
        self.stalled_since.set(None);
        let closing = self.closing_since.take();
        let payload = join(&waiting.pieces);
        let text = std::str::from_utf8(&payload).unwrap_or_default();
        for packet in engineio::decode_payload(text, usize::MAX).unwrap_or_default() {
            if packet != engineio::Packet::Close {
                self.send(protocol::engineio_frame(&packet));
            }
        }
        if closing.is_some() {
            self.close(1000, "");
        }
        if self.is_empty() {
            self.tell_drained();
        }
    }
}

/// Streams.
impl Outbox {
    /// The next part of a body: all that waits. `None` after good-bye.
    pub fn poll_body(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        self.remember(context);
        if self.is_aborted() {
            return Poll::Ready(None);
        }
        let waiting = self.queue.replace(Queue::default());
        if waiting.pieces.is_empty() {
            return if self.is_closing() { Poll::Ready(None) } else { Poll::Pending };
        }
        self.tell_drained();
        Poll::Ready(Some(waiting.pieces.into_iter().flatten().collect()))
    }
}

fn join(pieces: &VecDeque<Bytes>) -> Bytes {
    if let [only] = pieces.as_slices().0
        && pieces.len() == 1
    {
        return only.clone();
    }
    let mut joined = Vec::new();
    for piece in pieces {
        if !joined.is_empty() {
            joined.push(engineio::SEPARATOR as u8);
        }
        joined.extend_from_slice(piece);
    }
    joined.into()
}

/// Sockets.
impl Outbox {
    /// Writes what waits as far as the socket takes it. Ready when nothing waits any more, or with the error that
    /// ends the connection. Remembers the task to wake when there is something to do.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.remember(context);
        if self.broken.get() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let Some(socket) = self.socket().filter(|_| !self.is_empty()) else { return Poll::Ready(Ok(())) };
        while !self.is_empty() {
            std::task::ready!(socket.poll_write_ready(context))?;
            match self.write_some(&socket) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.tell_drained();
        Poll::Ready(Ok(()))
    }

    /// Ends this side of the connection once all is written, for a client whose own good-bye cannot be understood any
    /// more: it need not wait for ours to time out.
    pub fn hang_up(&self) {
        if let Some(socket) = self.socket().filter(|_| self.is_empty()) {
            // It fails where the client is gone, or this was done before.
            drop(SockRef::from(&*socket).shutdown(Shutdown::Write));
        }
    }

    fn socket(&self) -> Option<Rc<TcpStream>> {
        match &*self.way.borrow() {
            Way::Socket(socket) => Some(Rc::clone(socket)),
            Way::Polls(_) | Way::Stream => None,
        }
    }

    fn remember(&self, context: &Context<'_>) {
        let mut driver = self.driver.borrow_mut();
        match driver.as_mut() {
            Some(known) => known.clone_from(context.waker()),
            None => *driver = Some(context.waker().clone()),
        }
    }

    fn write_some(&self, socket: &TcpStream) -> io::Result<()> {
        let mut queue = self.queue.borrow_mut();
        let mut slices = [IoSlice::new(&[]); GATHER];
        let gathered = queue.pieces.len().min(GATHER);
        for (slice, piece) in slices.iter_mut().zip(&queue.pieces) {
            *slice = IoSlice::new(piece);
        }
        let mut written = socket.try_write_vectored(&slices[..gathered])?;
        queue.bytes -= written;
        while let Some(first) = queue.pieces.front_mut() {
            if first.len() > written {
                first.advance(written);
                break;
            }
            written -= first.len();
            queue.pieces.pop_front();
        }
        if queue.pieces.is_empty() {
            // An idle session keeps no buffer.
            queue.pieces = VecDeque::new();
        } else {
            self.stalled_since.set(Some(Instant::now()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1024;

    #[derive(Default)]
    struct Reader(Cell<u32>);

    impl Drained for Reader {
        fn drained(self: Rc<Self>) {
            self.0.set(self.0.get() + 1);
        }
    }

    fn poll(outbox: &Outbox) -> oneshot::Receiver<Bytes> {
        let (answer, answered) = oneshot::channel();
        assert!(outbox.poll(answer));
        answered
    }

    #[test]
    fn good_bye_to_a_poll_comes_after_what_waits_and_alone() {
        let outbox = Outbox::to_polls(LIMIT);
        outbox.send(Bytes::from_static(b"41"));
        outbox.close(4001, "the log-in ended");
        assert_eq!(poll(&outbox).try_recv().unwrap(), "41");
        assert_eq!(poll(&outbox).try_recv().unwrap(), "1");
        assert!(poll(&outbox).try_recv().is_err());
    }

    #[actix_rt::test]
    async fn an_upgrade_takes_what_waits_and_good_bye_along_and_says_that_it_left() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let (outbox, reader) = (Outbox::to_polls(LIMIT), Rc::new(Reader::default()));
        let observer: Weak<dyn Drained> = Rc::downgrade(&(Rc::clone(&reader) as Rc<dyn Drained>));
        outbox.observe(observer);
        outbox.send(Bytes::from_static(b"41"));
        outbox.close(4001, "the log-in ended");
        outbox.upgrade(Rc::new(socket));
        assert_eq!(reader.0.get(), 1);
        let expected = [&frame::text("41")[..], &frame::close(1000, "")[..]].concat();
        let mut heard = Vec::new();
        while heard.len() < expected.len() {
            client.readable().await.unwrap();
            drop(client.try_read_buf(&mut heard));
        }
        assert_eq!(heard, expected);
    }
}
