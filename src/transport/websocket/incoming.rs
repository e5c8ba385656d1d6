//! The messages of a client, decoded as their bytes arrive.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;

use super::socket::{Handler, WebSocket};
use crate::protocol::frame::{Decoder, FrameError, Message};

/// Bytes taken from a socket at a time.
const READ: usize = 64 * 1024;

thread_local! {
    /// One buffer per thread, not per session: it is empty again before another session has its turn.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
}

/// The messages of one client, as a stream.
pub(super) struct Incoming<H> {
    socket: WebSocket<H>,
    decoder: Decoder,
    decoded: VecDeque<Message>,
    /// In a box, because it comes once at most.
    failed: Option<Box<FrameError>>,
    /// After an error bytes are thrown away: closing with unread bytes would reset the connection, and the close
    /// frame with its code would be lost.
    discarding: bool,
    /// A piece was read in this turn: other sessions come first now, then the next piece.
    had_turn: bool,
}

impl<H: Handler> Incoming<H> {
    pub(super) fn new(socket: WebSocket<H>, max_message: usize, already_read: &[u8]) -> Self {
        let mut incoming = Self {
            socket,
            decoder: Decoder::new(max_message),
            decoded: VecDeque::new(),
            failed: None,
            discarding: false,
            had_turn: false,
        };
        incoming.decode(already_read);
        incoming
    }

    fn decode(&mut self, bytes: &[u8]) {
        if !self.discarding {
            self.failed = self.decoder.decode(bytes, &mut self.decoded).err().map(Box::new);
            self.discarding = self.failed.is_some();
        }
    }

    /// Reads one piece, when there is any; 0 at the end.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let outbox = self.socket.outbox();
        let Some(socket) = outbox.socket() else { return Poll::Ready(Ok(0)) };
        BUFFER.with_borrow_mut(|buffer| {
            loop {
                std::task::ready!(socket.poll_read_ready(context))?;
                match socket.try_read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Poll::Ready(Err(error)),
                    Ok(length) => {
                        self.decode(&buffer[..length]);
                        return Poll::Ready(Ok(length));
                    }
                }
            }
        })
    }
}

impl<H: Handler> Stream for Incoming<H> {
    type Item = Result<Message, FrameError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.socket.outbox().is_overfull() {
                // The driver wakes this up when there is room.
                self.socket.0.held_back.set(true);
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
