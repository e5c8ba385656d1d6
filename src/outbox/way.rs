//! What the bytes of a session leave through.

use std::io;

use bytes::Bytes;
use rustix::{io::Errno, net::SendFlags};
use tokio::{net::TcpStream, sync::oneshot};

use super::close::Close;

/// One of them at a time.
pub(super) enum Way {
    /// A WebSocket. Not behind a pointer: a fan-out finds it where it finds the outbox.
    Socket(TcpStream),
    /// The answers to polls. In a box, because most sessions don't poll.
    Polls(Box<Polls>),
    /// The body of a response that has no end; the closure cuts its connection, whose task may not look at the body
    /// while the client reads nothing.
    Stream(Box<dyn Fn()>),
    /// Nothing any more: the socket went to another outbox.
    Taken,
}

/// The polls of a session.
#[derive(Default)]
pub(super) struct Polls {
    /// The poll that waits, if any.
    pub(super) waiting: Option<oneshot::Sender<Bytes>>,
    /// Why the session is closing, to be said again after an upgrade.
    pub(super) closing: Option<Close>,
    /// The last bytes, when they are to leave alone, after what waits.
    pub(super) last: Option<Bytes>,
    /// Who is told that the session is gone: no task drives it.
    pub(super) gone: Option<Box<dyn FnOnce()>>,
}

impl Way {
    /// Sends what a socket takes at once; returns how much that was.
    ///
    /// Past tokio, whose record of what is writable lies apart from all else: reading it would cost a fan-out more than
    /// asking the kernel. Flushing finds out, and waits, should the socket be full.
    pub(super) fn send_now(&self, bytes: &Bytes) -> io::Result<usize> {
        let Self::Socket(socket) = self else { return Ok(0) };
        match rustix::net::send(socket, bytes, SendFlags::NOSIGNAL) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            sent => Ok(sent?),
        }
    }

    /// The socket, when there is one.
    pub(super) fn socket(&self) -> Option<&TcpStream> {
        if let Self::Socket(socket) = self { Some(socket) } else { None }
    }

    /// The polls, when there are any.
    pub(super) fn polls(&self) -> Option<&Polls> {
        if let Self::Polls(polls) = self { Some(polls) } else { None }
    }

    /// The polls, to change them.
    pub(super) fn polls_mut(&mut self) -> Option<&mut Polls> {
        if let Self::Polls(polls) = self { Some(polls) } else { None }
    }
}

impl Polls {
    /// Whether a poll waits whose client is still there.
    pub(super) fn is_polled(&self) -> bool {
        self.waiting.as_ref().is_some_and(|poll| !poll.is_closed())
    }
}
