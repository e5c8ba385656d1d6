//! Over a WebSocket: what waits leaves in as few writes as the socket takes.

use std::{
    cell::Ref,
    io::{self, IoSlice},
    task::{Context, Poll},
    time::Instant,
};

use bytes::{Buf, Bytes};
use rustix::{
    io::Errno,
    net::{SendFlags, Shutdown},
};
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
        drop(socket);
        self.tell_drained();
        Poll::Ready(Ok(()))
    }

    /// Ends this side of the connection once all is written, for a client whose own good-bye cannot be understood any
    /// more: it need not wait for ours to time out.
    pub fn hang_up(&self) {
        if let Some(socket) = self.socket().filter(|_| self.is_empty()) {
            // It fails where the client is gone, or this was done before.
            let _ = rustix::net::shutdown(&*socket, Shutdown::Write);
        }
    }

    /// The socket, when there is one. Not to be held while anything is sent.
    #[must_use]
    pub fn socket(&self) -> Option<Ref<'_, TcpStream>> {
        let socket = Ref::filter_map(self.way.borrow(), |way| match way {
            Way::Socket(socket) => Some(socket),
            Way::Polls(_) | Way::Stream(_) | Way::Gone => None,
        });
        socket.ok()
    }

    /// Takes the socket out, for another outbox. Nothing leaves through this one any more.
    #[must_use]
    pub fn take_socket(&self) -> Option<TcpStream> {
        match self.way.replace(Way::Gone) {
            Way::Socket(socket) => Some(socket),
            Way::Polls(_) | Way::Stream(_) | Way::Gone => None,
        }
    }

    /// Sends what the socket takes at once; answers how much that was.
    ///
    /// Past tokio, whose record of what is writable lies apart from all else: reading it would cost a fan-out more than
    /// to ask the kernel. [`Outbox::poll_flush`] finds out, and waits, should the socket be full.
    pub(super) fn send_now(&self, bytes: &Bytes) -> io::Result<usize> {
        let Some(socket) = self.socket() else { return Ok(0) };
        match rustix::net::send(&*socket, bytes, SendFlags::NOSIGNAL) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            sent => Ok(sent?),
        }
    }

    fn write_some(&self, socket: &TcpStream) -> io::Result<()> {
        let mut waiting = self.queue.borrow_mut();
        let Some(queue) = &mut *waiting else { return Ok(()) };
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
            *waiting = None;
        } else {
            queue.stalled_since = Instant::now();
        }
        Ok(())
    }
}
