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

/// Whether the client of a connection has stopped sending.
#[derive(Clone, Default)]
pub struct Ended(Rc<(Cell<bool>, RefCell<Option<Waker>>)>);

impl Ended {
    /// Waits until it has.
    pub fn wait(&self) -> impl Future<Output = ()> + use<> {
        let state = Rc::clone(&self.0);
        poll_fn(move |context| {
            if state.0.get() {
                return Poll::Ready(());
            }
            state.1.replace(Some(context.waker().clone()));
            Poll::Pending
        })
    }

    fn tell(&self) {
        self.0.0.set(true);
        if let Some(waker) = self.0.1.take() {
            waker.wake();
        }
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
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
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
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}
