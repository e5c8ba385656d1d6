//! Over a WebSocket: what waits leaves in as few writes as the socket takes.

use std::{
    cell::Ref,
    io::{self, IoSlice},
    task::{Context, Poll},
};

use rustix::net::Shutdown;
use tokio::net::TcpStream;

use super::{Outbox, way::Way};

/// How many waiting pieces one write gathers.
const GATHER: usize = 64;

impl Outbox {
    /// Writes what waits as far as the socket takes it. Ready when nothing waits any more, or with the error that
    /// ends the connection. Registers the task to wake when there is something to do.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.register_driver(context);
        if self.is_gone() {
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
        Poll::Ready(Ok(()))
    }

    /// Ends this side of the connection once all is written, for a client whose own close frame cannot be understood
    /// any more: it need not wait for ours to time out.
    pub fn shut_down_write(&self) {
        if let Some(socket) = self.socket().filter(|_| self.is_empty()) {
            // It fails where the client is gone, or this was done before.
            let _ = rustix::net::shutdown(&*socket, Shutdown::Write);
        }
    }

    /// The socket, when there is one. Not to be held while anything is sent.
    #[must_use]
    pub fn socket(&self) -> Option<Ref<'_, TcpStream>> {
        Ref::filter_map(self.way.borrow(), Way::socket).ok()
    }

    /// Takes the socket out, for another outbox. Nothing leaves through this one any more.
    #[must_use]
    pub fn take_socket(&self) -> Option<TcpStream> {
        match self.way.replace(Way::Taken) {
            Way::Socket(socket) => Some(socket),
            Way::Polls(_) | Way::Stream(_) | Way::Taken => None,
        }
    }

    fn write_some(&self, socket: &TcpStream) -> io::Result<()> {
        self.queue.with(|waiting| {
            let Some(queue) = waiting else { return Ok(()) };
            let mut slices = [IoSlice::new(&[]); GATHER];
            let gathered = queue.gather(&mut slices);
            let written = socket.try_write_vectored(&slices[..gathered])?;
            if queue.take(written) {
                *waiting = None;
            }
            Ok(())
        })
    }
}
