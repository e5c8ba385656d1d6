//! A TCP connection that serves HTTP, watched: a client that has stopped sending is noticed, a request whose head comes
//! too slowly ends it, and a response can cut it.
//!
//! HTTP goes on when a client has stopped sending, as it should: a client may close its side after a request and wait
//! for the response. But a poll or a stream without an end must not wait for ever.

use std::{
    cell::{Cell, OnceCell, RefCell},
    future::{Future, poll_fn},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};

use crate::{
    limits::{ConnectionPermit, Place, Standing, TokenBucket},
    telemetry,
};

#[derive(Default)]
struct State {
    /// Requests whose response is not finished, and all that there were.
    in_flight: Cell<usize>,
    requests: Cell<u64>,
    /// Requests that came since something was read: those after the first were pipelined.
    of_piece: Cell<usize>,
    /// Bytes that were read and belong to no request that has begun; below 0 while a body is still to come.
    ahead: Cell<i64>,
    /// The task that may read on when the request is done.
    reading: RefCell<Option<Waker>>,
    ended: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
    /// `None` where connections are not counted.
    place: OnceCell<Place>,
    cut: Cell<bool>,
    /// An upgrade that nobody takes: HTTP goes on with it.
    returned: Cell<Option<Box<Connection>>>,
    writing: RefCell<Option<Waker>>,
    /// Made with the first session that begins here.
    handshakes: Cell<Option<Box<TokenBucket>>>,
}

/// A handle on a connection, for the handlers of its requests.
#[derive(Clone, Default)]
pub struct ConnectionHandle(Rc<State>);

impl ConnectionHandle {
    /// Waits until the client has stopped sending.
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        let state = Rc::clone(&self.0);
        poll_fn(move |context| {
            if state.ended.get() {
                return Poll::Ready(());
            }
            state.waiting.replace(Some(context.waker().clone()));
            Poll::Pending
        })
    }

    /// A request came, of so many bytes; it is in flight until what is returned is dropped.
    #[must_use]
    pub fn track_request(&self, bytes: i64) -> RequestInFlight {
        self.0.ahead.set(self.0.ahead.get().saturating_sub(bytes));
        if self.0.in_flight.replace(self.0.in_flight.get() + 1) == 0 {
            self.0.place.get().map(Place::set_busy);
        }
        self.0.requests.set(self.0.requests.get() + 1);
        self.0.of_piece.set(self.0.of_piece.get() + 1);
        RequestInFlight(Rc::clone(&self.0))
    }

    /// Whether the last request came right behind another.
    pub(super) fn is_pipelined(&self) -> bool {
        self.0.of_piece.get() > 1
    }

    /// The connection, if a request on it was given back to HTTP: see [`Connection::give_back`].
    #[must_use]
    pub fn take_returned(&self) -> Option<Connection> {
        self.0.returned.take().map(|connection| *connection)
    }

    /// Counts a session that begins by a request of this connection; `false` when it is one too many. So many a second may
    /// begin, and `burst` times as many at once.
    #[must_use]
    pub fn take_handshake(&self, rate: u32, burst: u8) -> bool {
        let now = Instant::now();
        let fresh = || Box::new(TokenBucket::new(rate, burst, now));
        let mut handshakes = self.0.handshakes.take().unwrap_or_else(fresh);
        let taken = handshakes.take(now);
        self.0.handshakes.set(Some(handshakes));
        taken
    }

    fn set_ended(&self) {
        self.0.ended.set(true);
        if let Some(waker) = self.0.waiting.take() {
            waker.wake();
        }
    }

    /// Cuts the connection at its next write: HTTP does not look at a body while its client reads nothing, but it does
    /// write.
    pub fn cut(&self) {
        self.0.cut.set(true);
        if let Some(waker) = self.0.writing.take() {
            waker.wake();
        }
    }

    /// Fails once the connection is cut; registers the task to wake then.
    fn check_cut(&self, context: &Context<'_>) -> io::Result<()> {
        if self.0.cut.get() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        self.0.writing.replace(Some(context.waker().clone()));
        Ok(())
    }
}

/// A request whose response is not finished.
pub struct RequestInFlight(Rc<State>);

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
        if self.0.in_flight.get() == 0 {
            self.0.place.get().map(Place::set_idle);
        }
        if let Some(reader) = self.0.reading.take() {
            reader.wake();
        }
    }
}

/// Bytes that are read ahead of a request that is in flight. The dispatcher of HTTP would read 128 KiB, make of them all the
/// requests that they hold, of some 8 KB each, and never rest while there are more.
const READ_AHEAD: i64 = 512;
/// Bytes that are read at a time while no body is to come, for the same reason.
const PIECE: usize = 512;

/// How long a connection without a place of its own may be without a request.
const EXTRA_TIMEOUT: Duration = Duration::from_secs(1);

/// The time for the head of a request that has begun to come.
struct HeadTimer {
    requests: u64,
    timer: Pin<Box<Sleep>>,
}

/// A connection.
pub struct Connection {
    socket: TcpStream,
    /// `None` where connections are not counted.
    permit: Option<ConnectionPermit>,
    header_timeout: Duration,
    head: Option<HeadTimer>,
    /// How long the client may take nothing of what is written.
    write_timeout: Duration,
    write: Option<Pin<Box<Sleep>>>,
    /// A piece was read that filled its buffer: others come first now, then the next piece.
    had_turn: bool,
    /// Comes before what the socket brings.
    already_read: Bytes,
    /// For the handlers of its requests.
    pub handle: ConnectionHandle,
}

impl Connection {
    /// Over a socket, without limits.
    #[must_use]
    pub fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            permit: None,
            header_timeout: Duration::MAX,
            head: None,
            write_timeout: Duration::MAX,
            write: None,
            had_turn: false,
            already_read: Bytes::new(),
            handle: ConnectionHandle::default(),
        }
    }

    /// With its permit, with a time for the head of each request, and one for the client to take something of what is
    /// written. (HTTP itself keeps time for the first request of a connection only.)
    #[must_use]
    pub fn limited(
        mut self,
        permit: ConnectionPermit,
        header_timeout: Duration,
        write_timeout: Duration,
    ) -> Self {
        if let Some(place) = permit.place() {
            // It is not set before.
            let _ = self.handle.0.place.set(place.clone());
        }
        self.permit = Some(permit);
        self.header_timeout = header_timeout;
        self.write_timeout = write_timeout;
        self
    }

    /// What it may do.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.permit.as_ref().map_or(Standing::Served, ConnectionPermit::standing)
    }

    /// Ends the connection when its place was given to another.
    fn check_place(&self, context: &Context<'_>) -> io::Result<()> {
        match self.handle.0.place.get() {
            Some(place) if place.is_gone(context) => Err(io::ErrorKind::ConnectionAborted.into()),
            _ => Ok(()),
        }
    }

    /// Fails when the client takes nothing for too long.
    fn check_taken(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.write = None;
            return written;
        }
        let timeout = self.write_timeout;
        let timer = self.write.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        std::task::ready!(timer.as_mut().poll(context));
        telemetry::refused("response_not_read");
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Whether enough was read while a request is in flight, or its answer is not taken. (What is written wakes the task that
    /// reads, too: they are one.)
    fn is_far_ahead(&self) -> bool {
        self.is_busy() && self.handle.0.ahead.get() >= READ_AHEAD
    }

    /// Reads a piece of a head, or as much of a body as there is room for.
    fn poll_piece(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let socket = Pin::new(&mut self.socket);
        if self.handle.0.ahead.get() < 0 {
            return socket.poll_read(context, buffer);
        }
        let mut piece = [0; PIECE];
        let mut piece = ReadBuf::new(&mut piece[..buffer.remaining().min(PIECE)]);
        std::task::ready!(socket.poll_read(context, &mut piece))?;
        buffer.put_slice(piece.filled());
        Poll::Ready(Ok(()))
    }

    fn is_busy(&self) -> bool {
        self.handle.0.in_flight.get() > 0 || self.write.is_some()
    }

    /// Gives it back to HTTP, which begins anew with `already_read`.
    pub fn give_back(mut self, already_read: Bytes) {
        self.already_read = already_read;
        self.head = None;
        let handle = self.handle.clone();
        handle.0.returned.set(Some(Box::new(self)));
    }

    /// The socket and its permit, for something that is never idle.
    #[must_use]
    pub fn into_inner(self) -> (TcpStream, Option<ConnectionPermit>) {
        (self.socket, self.permit.map(ConnectionPermit::into_socket))
    }

    /// Whether the head of a request has taken too long. `read`: some bytes have just come.
    fn head_timed_out(&mut self, read: bool, context: &mut Context<'_>) -> bool {
        let standing = self.standing();
        let is_extra = standing != Standing::Served;
        let timeout = if is_extra { self.header_timeout.min(EXTRA_TIMEOUT) } else { self.header_timeout };
        let state = &self.handle.0;
        let requests = state.requests.get();
        if self.head.as_ref().is_some_and(|head| head.requests != requests || state.in_flight.get() > 0) {
            self.head = None;
        }
        let is_refused = matches!(standing, Standing::Refused(_));
        let begun = is_refused || is_extra && requests == 0 || read && requests > 0;
        if begun && self.head.is_none() && state.in_flight.get() == 0 {
            self.head = Some(HeadTimer { requests, timer: Box::pin(tokio::time::sleep(timeout)) });
        }
        self.head.as_mut().is_some_and(|head| head.timer.as_mut().poll(context).is_ready())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_place(context)?;
        if !self.already_read.is_empty() {
            let length = self.already_read.len().min(buffer.remaining());
            buffer.put_slice(&self.already_read.split_to(length));
            return Poll::Ready(Ok(()));
        }
        if std::mem::take(&mut self.had_turn) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.is_far_ahead() {
            self.handle.0.reading.replace(Some(context.waker().clone()));
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = self.poll_piece(context, buffer);
        let some = buffer.filled().len() > before;
        if some {
            let state = &self.handle.0;
            state.of_piece.set(0);
            let length = i64::try_from(buffer.filled().len() - before).unwrap_or(i64::MAX);
            state.ahead.set(state.ahead.get().saturating_add(length));
            self.had_turn = buffer.remaining() == 0 || buffer.filled().len() - before == PIECE;
        } else if read.is_pending() && !self.is_busy() {
            // Whatever was complete has begun.
            self.handle.0.ahead.set(0);
        }
        if self.head_timed_out(some, context) {
            telemetry::refused("request_timeout");
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let nothing = !some && buffer.remaining() > 0;
        if matches!(&read, Poll::Ready(Ok(())) if nothing) || matches!(&read, Poll::Ready(Err(_))) {
            self.handle.set_ended();
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.handle.check_cut(context)?;
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.check_taken(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.handle.check_cut(context)?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.handle.check_cut(context)?;
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        self.check_taken(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
