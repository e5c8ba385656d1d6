//! A socket that says when its client has stopped sending. HTTP goes on then, as it should: whoever has sent a request
//! may close its side and wait for the answer. But a poll or a stream without an end must not wait for ever.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

#[derive(Default)]
struct State {
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

/// A socket that is watched.
pub struct Watched {
    socket: TcpStream,
    /// Whether its client has stopped sending.
    pub ended: Ended,
}

impl Watched {
    /// Watches a socket.
    #[must_use]
    pub fn new(socket: TcpStream) -> Self {
        Self { socket, ended: Ended::default() }
    }

    /// The socket alone.
    #[must_use]
    pub fn into_inner(self) -> TcpStream {
        self.socket
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
        let nothing = buffer.filled().len() == before && buffer.remaining() > 0;
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
