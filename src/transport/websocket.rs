//! A WebSocket after its handshake: bytes in through the decoder to the connection's actor, bytes out through the
//! outbox. Nothing of HTTP is left by now, and what messages mean is for the [`Peer`].

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use actix::{Actor, ActorContext, AsyncContext, StreamHandler};
use actix_web_actors::ws::{self, WebsocketContext};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

use crate::{
    limits::admission::Connected,
    outbox::Outbox,
    protocol::frame::{self, Decoder, FrameError, Message},
};

/// Bytes taken from a socket at a time.
const READ: usize = 64 * 1024;

thread_local! {
    /// One buffer per thread, not per session: it is empty again before another session has its turn.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
}

/// Whoever speaks over a WebSocket.
pub trait Peer: Sized + 'static {
    /// The connection stands.
    fn begin(&self) {}
    /// Something came, whatever it is. Answers whether it may be looked at.
    fn hear(&self) -> bool {
        true
    }
    /// A text message came.
    fn text(&self, text: String, line: &Line<Self>);
    /// A binary message came.
    fn binary(&self, bytes: Vec<u8>, line: &Line<Self>);
    /// The client broke the protocol. What it is told has to go through the outbox.
    fn broke_protocol(&self, error: FrameError, line: &Line<Self>);
    /// The connection is gone.
    fn end(&self, line: &Line<Self>);
}

/// Who speaks over a socket, and which outbox writes to it: another one after an upgrade from polling.
pub struct Line<P>(Rc<LineState<P>>);

impl<P> Clone for Line<P> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

struct LineState<P> {
    peer: P,
    outbox: RefCell<Rc<Outbox>>,
    /// The actor has ended.
    context_ended: Cell<bool>,
    /// The client broke the protocol: what it may still send is not understood, not even its good-bye, so that ours is
    /// the end.
    hang_up: Cell<bool>,
    /// The client is not listened to, because it does not take what it is told.
    held_back: Cell<bool>,
    /// Given back with the last of the connection.
    _connected: Option<Connected>,
}

impl<P> Line<P> {
    /// A line with this outbox, and the connection's place among all.
    #[must_use]
    pub fn new(peer: P, outbox: Rc<Outbox>, connected: Option<Connected>) -> Self {
        Self(Rc::new(LineState {
            peer,
            outbox: RefCell::new(outbox),
            context_ended: Cell::new(false),
            hang_up: Cell::new(false),
            held_back: Cell::new(false),
            _connected: connected,
        }))
    }

    /// The outbox that writes now.
    #[must_use]
    pub fn outbox(&self) -> Rc<Outbox> {
        Rc::clone(&self.0.outbox.borrow())
    }

    /// Another outbox writes from now on.
    pub fn switch(&self, outbox: Rc<Outbox>) {
        self.0.outbox.replace(outbox);
    }

    fn hang_up_when_flushed(&self) {
        self.0.hang_up.set(true);
    }
}

/// The actor of a connection.
struct Speaker<P: Peer>(Line<P>);

impl<P: Peer> Actor for Speaker<P> {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.0.0.peer.begin();
    }
}

impl<P: Peer> StreamHandler<Result<Message, FrameError>> for Speaker<P> {
    fn handle(&mut self, message: Result<Message, FrameError>, context: &mut Self::Context) {
        let Self(line) = self;
        let (peer, closing) = (&line.0.peer, line.outbox().is_closing());
        match message {
            Ok(Message::Close(reason)) => {
                if !closing {
                    context.close(reason.map(|(code, text)| (ws::CloseCode::from(code), text).into()));
                }
                context.stop();
            }
            _ if closing => {}
            Err(error) => {
                line.hang_up_when_flushed();
                peer.broke_protocol(error, line);
            }
            Ok(_) if !peer.hear() => {}
            Ok(Message::Text(text)) => peer.text(text, line),
            Ok(Message::Binary(bytes)) => peer.binary(bytes, line),
            // Not through the context: what it writes would come after all that the peer says to later messages.
            Ok(Message::Ping(payload)) => line.outbox().send(&frame::pong(&payload)),
            Ok(Message::Pong(_)) => {}
        }
    }
}

/// The decoder of the context itself has nothing to decode, see [`run`].
impl<P: Peer> StreamHandler<Result<ws::Message, ws::ProtocolError>> for Speaker<P> {
    fn handle(&mut self, _: Result<ws::Message, ws::ProtocolError>, _: &mut Self::Context) {}
}

impl<P: Peer> Drop for Speaker<P> {
    fn drop(&mut self) {
        // Whatever still holds the outbox (an order under way) finds it gone.
        self.0.outbox().abort();
        self.0.0.peer.end(&self.0);
    }
}

/// Runs a connection on this thread until it ends. `already_read` are bytes that came right behind the handshake.
pub fn run<P: Peer>(line: Line<P>, max_message: usize, already_read: &[u8]) {
    let incoming = Incoming::new(line.clone(), max_message, already_read);
    let speaker = Speaker(line.clone());
    // The context wants a stream of bytes for the decoder of its own, which is laxer than RFC 6455 in what text it
    // takes and leaves fragments to be joined: it gets one without any, and our messages as a second stream.
    let context = WebsocketContext::with_factory(stream::pending(), move |context| {
        context.add_stream(incoming);
        speaker
    });
    // In a box, because a task's size is rounded up to 128 bytes: with the context in it, that would be 640.
    actix_rt::spawn(Connection { line, context: Box::new(context) });
}

/// The messages of a client, decoded as their bytes arrive.
struct Incoming<P> {
    line: Line<P>,
    decoder: Decoder,
    decoded: VecDeque<Message>,
    /// In a box, because it comes once at most.
    failed: Option<Box<FrameError>>,
    /// After an error bytes are thrown away: closing with unread bytes would reset the connection, and the close
    /// frame with its code would be lost.
    discarding: bool,
    /// A piece was read in this turn: others come first now, then the next.
    had_turn: bool,
}

impl<P> Incoming<P> {
    fn new(line: Line<P>, max_message: usize, already_read: &[u8]) -> Self {
        let mut incoming = Self {
            line,
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
            self.failed = self.decoder.decode(bytes, &mut self.decoded).err().map(Box::new);
            self.discarding = self.failed.is_some();
        }
    }

    /// Reads one piece, when there is any; 0 at the end.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let outbox = self.line.outbox();
        let Some(socket) = outbox.socket() else { return Poll::Ready(Ok(0)) };
        BUFFER.with_borrow_mut(|buffer| {
            loop {
                std::task::ready!(socket.poll_read_ready(context))?;
                match socket.try_read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Poll::Ready(Err(error)),
                    Ok(length) => {
                        self.accept(&buffer[..length]);
                        return Poll::Ready(Ok(length));
                    }
                }
            }
        })
    }
}

impl<P> Stream for Incoming<P> {
    type Item = Result<Message, FrameError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.line.outbox().is_overfull() {
                // `Connection` wakes this up when there is room.
                self.line.0.held_back.set(true);
                return Poll::Pending;
            }
            if let Some(message) = self.decoded.pop_front() {
                return Poll::Ready(Some(Ok(message)));
            }
            if let Some(error) = self.failed.take() {
                return Poll::Ready(Some(Err(*error)));
            }
            // An idle session keeps no queue.
            self.decoded = VecDeque::new();
            if std::mem::take(&mut self.had_turn) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            match std::task::ready!(self.poll_read(context)) {
                Ok(0) | Err(_) => return Poll::Ready(None),
                Ok(_) => self.had_turn = true,
            }
        }
    }
}

/// Drives one socket until it ends: the actor's context and the outbox.
struct Connection<P, C> {
    line: Line<P>,
    /// What the actor itself writes: the answer to a close frame.
    context: C,
}

impl<P, C, E> Future for Connection<P, C>
where
    C: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.line.outbox().is_aborted() {
            return Poll::Ready(());
        }
        while !self.line.0.context_ended.get() {
            match self.context.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(frames))) => self.line.outbox().send(&frames),
                Poll::Ready(_) => self.line.0.context_ended.set(true),
                Poll::Pending => break,
            }
        }
        let flushed = self.line.outbox().poll_flush(context);
        if !self.line.outbox().is_overfull() && self.line.0.held_back.take() {
            context.waker().wake_by_ref();
        }
        match flushed {
            Poll::Ready(Ok(())) if !self.line.0.context_ended.get() => {
                if self.line.0.hang_up.take() {
                    self.line.outbox().hang_up();
                }
                Poll::Pending
            }
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    }
}
