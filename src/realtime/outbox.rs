//! The way out of a session: straight to its socket while the socket takes it, into a bounded queue when not.
//!
//! Frames that wait together leave in one write. The queue never grows past its limit by broadcasts: the caller
//! asks [`Outbox::has_room`] first, and a session without room reads on from the log when its socket has drained.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io::{self, IoSlice},
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::{Buf, Bytes};
use tokio::net::TcpStream;

/// How many waiting pieces one write gathers.
const GATHER: usize = 64;

#[derive(Default)]
struct Queue {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

/// The outgoing side of one socket.
pub struct Outbox {
    socket: TcpStream,
    queue: RefCell<Queue>,
    limit: usize,
    /// Wakes whoever drives the socket, to flush or to end.
    driver: RefCell<Option<Waker>>,
    /// Since when the socket has taken nothing although something waits.
    stalled_since: Cell<Option<Instant>>,
    broken: Cell<bool>,
}

impl Outbox {
    /// Over a socket; `limit` is how many bytes may wait.
    #[must_use]
    pub fn new(socket: TcpStream, limit: usize) -> Self {
        Self {
            socket,
            queue: RefCell::default(),
            limit,
            driver: RefCell::default(),
            stalled_since: Cell::default(),
            broken: Cell::new(false),
        }
    }

    /// The socket, for whoever reads from it.
    #[must_use]
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Whether `bytes` more may wait.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        let waiting = self.queue.borrow().bytes;
        waiting == 0 || waiting + bytes <= self.limit
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.borrow().pieces.is_empty()
    }

    /// Since when the socket has taken nothing although something waits.
    #[must_use]
    pub fn stalled_since(&self) -> Option<Instant> {
        self.stalled_since.get()
    }

    /// Sends bytes, at once if nothing waits before them.
    pub fn send(&self, mut bytes: Bytes) {
        if self.broken.get() {
            return;
        }
        let mut queue = self.queue.borrow_mut();
        if queue.pieces.is_empty() {
            match self.socket.try_write(&bytes) {
                Ok(written) if written == bytes.len() => return,
                Ok(written) => bytes.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    self.broken.set(true);
                    self.wake();
                    return;
                }
            }
            self.stalled_since.set(Some(Instant::now()));
        }
        queue.bytes += bytes.len();
        queue.pieces.push_back(bytes);
        if queue.pieces.len() == 1 {
            self.wake();
        }
    }

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
        while !self.is_empty() {
            std::task::ready!(self.socket.poll_write_ready(context))?;
            match self.write_some() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Wakes the task that drives the socket.
    pub fn wake(&self) {
        if let Some(driver) = self.driver.borrow().as_ref() {
            driver.wake_by_ref();
        }
    }

    fn remember(&self, context: &Context<'_>) {
        let mut driver = self.driver.borrow_mut();
        match driver.as_mut() {
            Some(known) => known.clone_from(context.waker()),
            None => *driver = Some(context.waker().clone()),
        }
    }

    fn write_some(&self) -> io::Result<()> {
        let mut queue = self.queue.borrow_mut();
        let mut slices = [IoSlice::new(&[]); GATHER];
        let gathered = queue.pieces.len().min(GATHER);
        for (slice, piece) in slices.iter_mut().zip(&queue.pieces) {
            *slice = IoSlice::new(piece);
        }
        let mut written = self.socket.try_write_vectored(&slices[..gathered])?;
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
            self.stalled_since.set(None);
        } else {
            self.stalled_since.set(Some(Instant::now()));
        }
        Ok(())
    }
}
