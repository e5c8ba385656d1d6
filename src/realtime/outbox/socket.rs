//! Over a WebSocket: what waits leaves in as few writes as the socket takes.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    net::Shutdown,
    rc::Rc,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Buf;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::{Outbox, Way};

/// How many waiting pieces one write gathers.
const GATHER: usize = 64;

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

    /// The socket, when there is one.
    #[must_use]
    pub fn socket(&self) -> Option<Rc<TcpStream>> {
        match &*self.way.borrow() {
            Way::Socket(socket) => Some(Rc::clone(socket)),
            Way::Polls(_) | Way::Stream(_) => None,
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
