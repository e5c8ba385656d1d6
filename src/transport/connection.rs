//! A socket that says when its client has stopped sending. HTTP goes on then, as it should: whoever has sent a request
//! may close its side and wait for the answer. But a poll or a stream without an end must not wait for ever.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};

use crate::{limits::admission::Connected, telemetry};

#[derive(Default)]
struct State {
    /// Requests whose answer is not finished, and all that there were.
    under_way: Cell<usize>,
    requests: Cell<u64>,
    ended: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
    cut: Cell<bool>,
    writing: RefCell<Option<Waker>>,
}

/// Whether the client of a connection has stopped sending, and the way to end its connection from this side.
#[derive(Clone, Default)]
pub struct Ended(Rc<State>);

impl Ended {
    /// Waits until it has.
    pub fn wait(&self) -> impl Future<Output = ()> + use<> {
        let state = Rc::clone(&self.0);
        poll_fn(move |context| {
            if state.ended.get() {
                return Poll::Ready(());
            }
            state.waiting.replace(Some(context.waker().clone()));
            Poll::Pending
        })
    }

    /// A request came on it; it is under way until what is answered is dropped.
    #[must_use]
    pub fn request(&self) -> UnderWay {
        self.0.under_way.set(self.0.under_way.get() + 1);
        self.0.requests.set(self.0.requests.get() + 1);
        UnderWay(Rc::clone(&self.0))
    }

    fn tell(&self) {
        self.0.ended.set(true);
        if let Some(waker) = self.0.waiting.take() {
            waker.wake();
        }
    }

    /// Ends the connection: HTTP does not look at a body while its client reads nothing, but it does write.
    pub fn cut(&self) {
        self.0.cut.set(true);
        if let Some(waker) = self.0.writing.take() {
            waker.wake();
        }
    }

    /// Refuses to write once the connection is cut; remembers whom to wake then.
    fn check(&self, context: &Context<'_>) -> io::Result<()> {
        if self.0.cut.get() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        self.0.writing.replace(Some(context.waker().clone()));
        Ok(())
    }
}

/// A request that is being answered.
pub struct UnderWay(Rc<State>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.set(self.0.under_way.get() - 1);
    }
}

/// The outermost middleware: says on the connection that a request is under way.
///
/// # Errors
/// Those of what it goes around.
pub async fn mark<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let _under_way = request.conn_data::<Ended>().map(Ended::request);
    next.call(request).await
}

/// For how long a connection that is one too many may be without a request.
const HURRIED: Duration = Duration::from_secs(1);

/// Since when bytes have come that are part of no request yet.
struct Slow {
    requests: u64,
    timer: Pin<Box<Sleep>>,
}

/// A socket that is watched.
pub struct Watched {
    socket: TcpStream,
    /// Its place among the connections; `None` where they are not counted.
    connected: Option<Connected>,
    header_timeout: Duration,
    slow: Option<Slow>,
    /// Whether its client has stopped sending.
    pub ended: Ended,
}

impl Watched {
    /// Watches a socket.
    #[must_use]
    pub fn new(socket: TcpStream) -> Self {
        Self { socket, connected: None, header_timeout: Duration::MAX, slow: None, ended: Ended::default() }
    }

    /// Counts it, and ends it when the head of a request takes longer than this to come. HTTP itself keeps time for the
    /// first request of a connection only.
    #[must_use]
    pub fn limited(mut self, connected: Connected, header_timeout: Duration) -> Self {
        self.connected = Some(connected);
        self.header_timeout = header_timeout;
        self
    }

    /// Whether there was no room for it.
    #[must_use]
    pub fn is_extra(&self) -> bool {
        self.connected.as_ref().is_some_and(Connected::is_extra)
    }

    /// The socket alone, with its place among the connections.
    #[must_use]
    pub fn into_inner(self) -> (TcpStream, Option<Connected>) {
        (self.socket, self.connected)
    }

    /// Whether the head of a request has taken too long. `read`: some bytes have just come.
    fn is_slow(&mut self, read: bool, context: &mut Context<'_>) -> bool {
        let hurried = self.is_extra();
        let patience = if hurried { self.header_timeout.min(HURRIED) } else { self.header_timeout };
        let state = &self.ended.0;
        let requests = state.requests.get();
        if self.slow.as_ref().is_some_and(|slow| slow.requests != requests || state.under_way.get() > 0) {
            self.slow = None;
        }
        let begun = hurried || read && requests > 0;
        if begun && self.slow.is_none() && state.under_way.get() == 0 {
            self.slow = Some(Slow { requests, timer: Box::pin(tokio::time::sleep(patience)) });
        }
        self.slow.as_mut().is_some_and(|slow| slow.timer.as_mut().poll(context).is_ready())
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        let some = buffer.filled().len() > before;
        if self.is_slow(some, context) {
            telemetry::refused("request_timeout");
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let nothing = !some && buffer.remaining() > 0;
        if matches!(&read, Poll::Ready(Ok(())) if nothing) || matches!(&read, Poll::Ready(Err(_))) {
            self.ended.tell();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.ended.check(context)?;
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ended.check(context)?;
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
        self.ended.check(context)?;
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
