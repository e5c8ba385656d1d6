//! Into the answers to polls, and on from there over a WebSocket.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::{net::TcpStream, sync::oneshot};

use super::{Outbox, Queue, Way, Wire};
use crate::protocol::{self, engineio};

/// Good-bye to a client that polls.
const CLOSE: Bytes = Bytes::from_static(b"1");

/// The way out of a session that polls.
#[derive(Default)]
pub(super) struct Polls {
    /// The poll that waits, if any.
    waiting: Option<oneshot::Sender<Bytes>>,
    /// Good-bye, as an upgrade would say it.
    farewell: Option<(u16, String)>,
    /// Whether it is still to be said, after what waits.
    farewell_is_due: bool,
}

impl Outbox {
    /// Takes a poll, to be answered with all that waits as soon as anything does. Answers `false` when another poll
    /// waits already, or there are no polls on this way out.
    pub fn poll(&self, answer: oneshot::Sender<Bytes>) -> bool {
        match &mut *self.way.borrow_mut() {
            Way::Polls(polls) if polls.waiting.as_ref().is_none_or(oneshot::Sender::is_closed) => {
                polls.waiting = Some(answer)
            }
            _ => return false,
        }
        self.release_poll();
        true
    }

    /// Whether a poll waits.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        self.is_waiting(|poll| !poll.is_closed())
    }

    /// Whether the poll that waited was given up by its client.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.is_waiting(oneshot::Sender::is_closed)
    }

    fn is_waiting(&self, so: impl FnOnce(&oneshot::Sender<Bytes>) -> bool) -> bool {
        matches!(&*self.way.borrow(), Way::Polls(polls) if polls.waiting.as_ref().is_some_and(so))
    }

    /// Leaves the poll that waits without an answer.
    pub(super) fn drop_poll(&self) {
        if let Way::Polls(polls) = &mut *self.way.borrow_mut() {
            polls.waiting.take();
        }
    }

    /// Says good-bye. In one answer with what it ends it would be dealt with first: clients look at messages a tick
    /// later, so that they would take being disconnected on purpose for a lost connection, and come back.
    pub(super) fn end_polls(&self, code: u16, reason: &str) {
        let is_due = !self.is_empty();
        if let Way::Polls(polls) = &mut *self.way.borrow_mut() {
            polls.farewell = Some((code, reason.to_owned()));
            polls.farewell_is_due = is_due;
        }
        if !is_due {
            self.send(&CLOSE);
        }
    }

    /// Answers the poll that waits with all that waits for it.
    pub(super) fn release_poll(&self) {
        let poll = match &mut *self.way.borrow_mut() {
            Way::Polls(polls) if !self.is_empty() => polls.waiting.take(),
            _ => None,
        };
        let Some(poll) = poll else { return };
        let body = self.queue.borrow().as_ref().map(|queue| join(&queue.pieces)).unwrap_or_default();
        if poll.send(body).is_ok() {
            self.queue.replace(self.farewell_is_due().then(|| Queue::of(CLOSE)));
            self.tell_drained();
        }
    }

    /// Whether good-bye is still to be said. It is now.
    fn farewell_is_due(&self) -> bool {
        match &mut *self.way.borrow_mut() {
            Way::Polls(polls) => std::mem::take(&mut polls.farewell_is_due),
            Way::Socket(_) | Way::Stream(_) | Way::Gone => false,
        }
    }

    /// Goes on over a WebSocket: what waited for a poll is written down anew, a good-bye too.
    ///
    /// # Panics
    /// Never: what waits was encoded here.
    pub fn upgrade(&self, socket: TcpStream) {
        let farewell = match self.way.replace(Way::Socket(socket)) {
            Way::Polls(polls) => polls.farewell,
            Way::Socket(_) | Way::Stream(_) | Way::Gone => None,
        };
        self.wire.set(Wire::SocketIo);
        self.closing_since.take();
        let payload = self.queue.take().map(|queue| join(&queue.pieces)).unwrap_or_default();
        let text = std::str::from_utf8(&payload).unwrap_or_default();
        for packet in engineio::decode_payload(text, usize::MAX).unwrap_or_default() {
            if packet != engineio::Packet::Close {
                self.send(&protocol::engineio_frame(&packet));
            }
        }
        if let Some((code, reason)) = farewell {
            self.close(code, &reason);
        }
        if self.is_empty() {
            self.tell_drained();
        }
    }
}

fn join(pieces: &VecDeque<Bytes>) -> Bytes {
    if let [only] = pieces.as_slices().0
        && pieces.len() == 1
    {
        return only.clone();
    }
    let mut joined = Vec::new();
    for piece in pieces {
        if !joined.is_empty() {
            joined.push(engineio::SEPARATOR as u8);
        }
        joined.extend_from_slice(piece);
    }
    joined.into()
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        rc::{Rc, Weak},
    };

    use super::*;
    use crate::{outbox::Drained, protocol::frame};

    const LIMIT: usize = 1024;

    #[derive(Default)]
    struct Reader(Cell<u32>);

    impl Drained for Reader {
        fn drained(self: Rc<Self>) {
            self.0.set(self.0.get() + 1);
        }
    }

    fn poll(outbox: &Outbox) -> oneshot::Receiver<Bytes> {
        let (answer, answered) = oneshot::channel();
        assert!(outbox.poll(answer));
        answered
    }

    #[test]
    fn good_bye_to_a_poll_comes_after_what_waits_and_alone() {
        let outbox = Outbox::to_polls(LIMIT);
        outbox.send(&Bytes::from_static(b"41"));
        outbox.close(4001, "the log-in ended");
        assert_eq!(poll(&outbox).try_recv().unwrap(), "41");
        assert_eq!(poll(&outbox).try_recv().unwrap(), "1");
        assert!(poll(&outbox).try_recv().is_err());
    }

    #[actix_rt::test]
    async fn an_upgrade_takes_what_waits_and_good_bye_along_and_says_that_it_left() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        let (outbox, reader) = (Outbox::to_polls(LIMIT), Rc::new(Reader::default()));
        let observer: Weak<dyn Drained> = Rc::downgrade(&(Rc::clone(&reader) as Rc<dyn Drained>));
        outbox.observe(observer);
        outbox.send(&Bytes::from_static(b"41"));
        outbox.close(4001, "the log-in ended");
        outbox.upgrade(socket);
        assert_eq!(reader.0.get(), 1);
        let expected = [&frame::text("41")[..], &frame::close(4001, "the log-in ended")[..]].concat();
        let mut heard = Vec::new();
        while heard.len() < expected.len() {
            client.readable().await.unwrap();
            drop(client.try_read_buf(&mut heard));
        }
        assert_eq!(heard, expected);
    }
}
