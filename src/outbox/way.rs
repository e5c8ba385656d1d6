//! What the bytes of a session leave through.

use bytes::Bytes;
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
