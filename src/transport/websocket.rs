//! A WebSocket after its handshake: bytes in through the decoder to the session's actor, bytes out through the
//! outbox. Nothing of HTTP is left by now.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Instant,
};

use actix::AsyncContext;
use actix_web_actors::ws::WebsocketContext;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

use super::{Gateway, native::NativeSession};
use crate::{
    protocol::frame::{Decoder, FrameError, Message},
    realtime::{Session, registry::Slot, replay, session::Feeding},
    telemetry,
};

/// Bytes taken from a socket at a time.
const READ: usize = 64 * 1024;

thread_local! {
    /// One buffer per thread, not per session: it is empty again before another session has its turn.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
}

/// The messages of a client, decoded as their bytes arrive.
struct Incoming {
    session: Rc<Session>,
    decoder: Decoder,
    decoded: VecDeque<Message>,
    failed: Option<FrameError>,
    /// After an error bytes are thrown away: closing with unread bytes would reset the connection, and the close
    /// frame with its code would be lost.
    discarding: bool,
    /// A piece was read in this turn: others come first now, then the next.
    had_turn: bool,
}

impl Incoming {
    fn new(session: Rc<Session>, max_message: usize, already_read: &[u8]) -> Self {
        let mut incoming = Self {
            session,
            decoder: Decoder::new(max_message),
            decoded: VecDeque::new(),
            failed: None,
            discarding: false,
            had_turn: false,
        };
        incoming.accept(already_read);
        incoming
    }

    fn accept(&mut self, bytes: &[u8]) {
        if !self.discarding {
            self.failed = self.decoder.decode(bytes, &mut self.decoded).err();
            self.discarding = self.failed.is_some();
        }
    }

    /// Reads one piece; `None` when there is nothing to read now, 0 at the end.
    fn read(&mut self) -> Option<io::Result<usize>> {
        BUFFER.with_borrow_mut(|buffer| {
            let session = Rc::clone(&self.session);
            match session.outbox.socket().try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
                Ok(length) => {
                    self.accept(&buffer[..length]);
                    Some(Ok(length))
                }
                Err(error) => Some(Err(error)),
            }
        })
    }
}

impl Stream for Incoming {
    type Item = Result<Message, FrameError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(message) = self.decoded.pop_front() {
                return Poll::Ready(Some(Ok(message)));
            }
            if let Some(error) = self.failed.take() {
                return Poll::Ready(Some(Err(error)));
            }
            if std::mem::take(&mut self.had_turn) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if std::task::ready!(self.session.outbox.socket().poll_read_ready(context)).is_err() {
                return Poll::Ready(None);
            }
            match self.read() {
                None => {}
                Some(Ok(0) | Err(_)) => return Poll::Ready(None),
                Some(Ok(_)) => {
                    self.session.hear(Instant::now());
                    self.had_turn = true;
                }
            }
        }
    }
}

/// Drives one socket until it ends: the actor's context, the outbox, and reading on from the log.
struct Connection<C> {
    gateway: Rc<Gateway>,
    session: Rc<Session>,
    slot: Slot,
    /// What the actor itself writes: pongs, and the answer to a close frame.
    context: C,
    context_ended: bool,
}

/// Runs a session on a socket of its own, on this thread, until it ends.
pub(super) fn run(gateway: Rc<Gateway>, session: Rc<Session>, already_read: &[u8]) {
    let slot = gateway.registry.join(Rc::clone(&session));
    telemetry::session_opened();
    let incoming = Incoming::new(Rc::clone(&session), gateway.app.settings.max_payload, already_read);
    let actor = NativeSession::new(Rc::clone(&gateway), Rc::clone(&session), slot);
    // The context wants a stream of bytes for the decoder of its own, which is laxer than RFC 6455 in what text it
    // takes and leaves fragments to be joined: it gets one without any, and our messages as a second stream.
    let context = WebsocketContext::with_factory(stream::pending(), move |context| {
        context.add_stream(incoming);
        actor
    });
    actix_rt::spawn(Connection { gateway, session, slot, context, context_ended: false });
}

impl<C, E> Future for Connection<C>
where
    C: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.session.is_aborted() {
            return Poll::Ready(());
        }
        while !self.context_ended {
            match self.context.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(frames))) => self.session.outbox.send(frames),
                Poll::Ready(_) => self.context_ended = true,
                Poll::Pending => break,
            }
        }
        match self.session.outbox.poll_flush(context) {
            Poll::Ready(Ok(())) if !self.context_ended => {
                self.read_on_from_log();
                Poll::Pending
            }
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<C> Connection<C> {
    fn read_on_from_log(&self) {
        if self.session.feeding() == Feeding::Behind && !self.session.is_closing() {
            self.session.set_feeding(Feeding::CatchingUp);
            let (gateway, session) = (Rc::clone(&self.gateway), Rc::clone(&self.session));
            actix_rt::spawn(async move { replay::catch_up(&gateway.log, &gateway.registry, &session).await });
        }
    }
}

impl<C> Drop for Connection<C> {
    fn drop(&mut self) {
        // Whatever still holds the session (an order under way) finds it gone.
        self.session.abort();
        self.gateway.registry.leave(self.slot);
        telemetry::session_ended();
    }
}
