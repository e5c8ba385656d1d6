//! The messages of a client, decoded as their bytes arrive.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;

use super::{
    partial::Partial,
    socket::{Handler, WebSocket},
};
use crate::{
    outbox::Close,
    protocol::frame::{Decoder, Message},
};

/// Bytes taken from a socket at a time.
const READ: usize = 16 * 1024;
/// Messages that a client has dealt with before others have their turn.
const TURN: u8 = 16;
/// Bytes of whole messages that are not counted while they wait for their turn.
const FREE: usize = 4096;

thread_local! {
    /// One buffer per thread, not per session: it is empty again before another session has its turn.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into_boxed_slice());
}

/// The messages of one client, as a stream; its last item is why there will be no more.
pub(super) struct Incoming<H> {
    socket: WebSocket<H>,
    decoder: Decoder,
    decoded: VecDeque<Message>,
    /// What has begun and did not come whole with one piece.
    partial: Option<Box<Partial>>,
    /// In a box, because it comes once at most.
    failed: Option<Box<Close>>,
    /// After an error bytes are thrown away: closing with unread bytes would reset the connection, and the close
    /// frame with its code would be lost.
    discarding: bool,
    /// A piece was read in this turn: other sessions come first now, then the next piece.
    had_turn: bool,
    /// Messages that were dealt with in this turn.
    dealt_with: u8,
}

impl<H: Handler> Incoming<H> {
    pub(super) fn new(socket: WebSocket<H>, already_read: &[u8]) -> Self {
        let mut incoming = Self {
            socket,
            decoder: Decoder::new(0),
            decoded: VecDeque::new(),
            partial: None,
            failed: None,
            discarding: false,
            had_turn: false,
            dealt_with: 0,
        };
        incoming.decode(already_read);
        incoming
    }

    fn decode(&mut self, bytes: &[u8]) {
        if self.discarding {
            return;
        }
        self.decoder.set_max_message(self.socket.0.handler.limits().bytes);
        match self.decoder.decode(bytes, &mut self.decoded) {
            Ok(()) => self.count(),
            Err(error) => self.fail(Close::Protocol(error)),
        }
    }

    /// Nothing more is taken from this client.
    fn fail(&mut self, why: Close) {
        self.failed = Some(Box::new(why));
        self.discarding = true;
        self.decoder = Decoder::new(0);
        self.partial = None;
    }

    /// Counts what has begun or waits for its turn, and the time until the end of what has begun.
    fn count(&mut self) {
        let waiting: usize = self.decoded.iter().map(Message::bytes).sum();
        let under_way = !self.decoder.is_idle();
        if !under_way && waiting < FREE {
            self.partial = None;
            return;
        }
        // A message may have begun after the end of another, in one piece: its time is its own.
        let ended =
            self.decoded.iter().any(|message| matches!(message, Message::Text(_) | Message::Binary(_)));
        let outbox = self.socket.outbox();
        let partial = self.partial.get_or_insert_with(|| Box::new(Partial::new(outbox.purse())));
        if ended || !under_way {
            partial.stop();
        }
        if under_way {
            partial.start(self.socket.0.handler.limits().time);
        }
        if partial.hold(self.decoder.held() + waiting).is_err() {
            self.fail(Close::NoRoom);
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

    /// Fragments are counted like messages, or whoever sends them without end would send for free.
    fn count_fragments(&mut self) {
        for _ in 0..self.decoder.take_fragments() {
            if !self.socket.0.handler.admit() {
                break;
            }
        }
    }
}

impl<H: Handler> Stream for Incoming<H> {
    type Item = Result<Message, Close>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.socket.outbox().is_overfull() {
                // The driver wakes this up when there is room.
                self.socket.0.held_back.set(true);
                return Poll::Pending;
            }
            if self.dealt_with >= TURN {
                self.dealt_with = 0;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if let Some(message) = self.decoded.pop_front() {
                self.dealt_with += 1;
                return Poll::Ready(Some(Ok(message)));
            }
            if let Some(why) = self.failed.take() {
                return Poll::Ready(Some(Err(*why)));
            }
            // An idle session keeps no queue.
            self.decoded = VecDeque::new();
            if self.partial.is_some() {
                self.count();
            }
            if std::mem::take(&mut self.had_turn) {
                self.dealt_with = 0;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            match self.poll_read(context) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(None),
                Poll::Ready(Ok(_)) => {
                    self.had_turn = true;
                    self.count_fragments();
                }
                Poll::Pending if self.partial.as_mut().is_some_and(|partial| partial.is_late(context)) => {
                    self.fail(Close::Unfinished);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
