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
use tokio::net::TcpStream;

use crate::{
    protocol::frame::{self, Decoder, FrameError, Message},
    realtime::Outbox,
    service::admissions::Connected,
};

/// Bytes taken from a socket at a time.
const READ: usize = 64 * 1024;

thread_local! {
    /// One buffer per thread, not per session: it is empty again before another session has its turn.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
}

/// The context in which a peer runs.
pub type PeerContext<P> = WebsocketContext<Speaker<P>>;

/// Whoever speaks over a WebSocket.
pub trait Peer: Sized + Unpin + 'static {
    /// The connection stands.
    fn begin(&mut self) {}
    /// Something came, whatever it is. Answers whether it may be looked at.
    fn hear(&mut self) -> bool {
        true
    }
    /// A text message came.
    fn text(&mut self, text: String, context: &mut PeerContext<Self>);
    /// A binary message came.
    fn binary(&mut self, bytes: Vec<u8>);
    /// The client broke the protocol. What it is told has to go through the outbox.
    fn broke_protocol(&mut self, error: FrameError);
    /// The connection is gone.
    fn end(&mut self) {}
}

/// Which outbox writes to a socket: another one after an upgrade from polling.
#[derive(Clone)]
pub struct Line(Rc<LineState>);

struct LineState {
    outbox: RefCell<Rc<Outbox>>,
    /// The client broke the protocol: what it may still send is not understood, not even its good-bye, so that ours is
    /// the end.
    hang_up: Cell<bool>,
    /// The client is not listened to, because it does not take what it is told.
    held_back: Cell<bool>,
    /// Given back with the last of the connection.
    _connected: Option<Connected>,
}

impl Line {
    /// A line with this outbox, and the connection's place among all.
    #[must_use]
    pub fn new(outbox: Rc<Outbox>, connected: Option<Connected>) -> Self {
        Self(Rc::new(LineState {
            outbox: RefCell::new(outbox),
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
pub struct Speaker<P: Peer> {
    peer: P,
    line: Line,
}

impl<P: Peer> Actor for Speaker<P> {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.peer.begin();
    }
}

impl<P: Peer> StreamHandler<Result<Message, FrameError>> for Speaker<P> {
    fn handle(&mut self, message: Result<Message, FrameError>, context: &mut Self::Context) {
        let closing = self.line.outbox().is_closing();
        match message {
            Ok(Message::Close(reason)) => {
                if !closing {
                    context.close(reason.map(|(code, text)| (ws::CloseCode::from(code), text).into()));
                }
                context.stop();
            }
            _ if closing => {}
            Err(error) => {
                self.line.hang_up_when_flushed();
                self.peer.broke_protocol(error);
            }
            Ok(_) if !self.peer.hear() => {}
            Ok(Message::Text(text)) => self.peer.text(text, context),
            Ok(Message::Binary(bytes)) => self.peer.binary(bytes),
            // Not through the context: what it writes would come after all that the peer says to later messages.
            Ok(Message::Ping(payload)) => self.line.outbox().send(frame::pong(&payload)),
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
        self.line.outbox().abort();
        self.peer.end();
    }
}

/// Runs a connection on this thread until it ends. `already_read` are bytes that came right behind the handshake.
pub fn run<P: Peer>(socket: Rc<TcpStream>, line: Line, max_message: usize, already_read: &[u8], peer: P) {
    let incoming = Incoming::new(socket, line.clone(), max_message, already_read);
    let speaker = Speaker { peer, line: line.clone() };
    // The context wants a stream of bytes for the decoder of its own, which is laxer than RFC 6455 in what text it
    // takes and leaves fragments to be joined: it gets one without any, and our messages as a second stream.
    let context = WebsocketContext::with_factory(stream::pending(), move |context| {
        context.add_stream(incoming);
        speaker
    });
    actix_rt::spawn(Connection { line, context, context_ended: false });
}

/// The messages of a client, decoded as their bytes arrive.
struct Incoming {
    socket: Rc<TcpStream>,
    line: Line,
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
    fn new(socket: Rc<TcpStream>, line: Line, max_message: usize, already_read: &[u8]) -> Self {
        let mut incoming = Self {
            socket,
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
            self.failed = self.decoder.decode(bytes, &mut self.decoded).err();
            self.discarding = self.failed.is_some();
        }
    }

    /// Reads one piece; `None` when there is nothing to read now, 0 at the end.
    fn read(&mut self) -> Option<io::Result<usize>> {
        BUFFER.with_borrow_mut(|buffer| match self.socket.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Ok(length) => {
                self.accept(&buffer[..length]);
                Some(Ok(length))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

impl Stream for Incoming {
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
                return Poll::Ready(Some(Err(error)));
            }
            // An idle session keeps no queue.
            self.decoded = VecDeque::new();
            if std::mem::take(&mut self.had_turn) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if std::task::ready!(self.socket.poll_read_ready(context)).is_err() {
                return Poll::Ready(None);
            }
            match self.read() {
                None => {}
                Some(Ok(0) | Err(_)) => return Poll::Ready(None),
                Some(Ok(_)) => self.had_turn = true,
            }
        }
    }
}

/// Drives one socket until it ends: the actor's context and the outbox.
struct Connection<C> {
    line: Line,
    /// What the actor itself writes: the answer to a close frame.
    context: C,
    context_ended: bool,
}

impl<C, E> Future for Connection<C>
where
    C: Stream<Item = Result<Bytes, E>> + Unpin,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.line.outbox().is_aborted() {
            return Poll::Ready(());
        }
        while !self.context_ended {
            match self.context.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(frames))) => self.line.outbox().send(frames),
                Poll::Ready(_) => self.context_ended = true,
                Poll::Pending => break,
            }
        }
        let flushed = self.line.outbox().poll_flush(context);
        if !self.line.outbox().is_overfull() && self.line.0.held_back.take() {
            context.waker().wake_by_ref();
        }
        match flushed {
            Poll::Ready(Ok(())) if !self.context_ended => {
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
